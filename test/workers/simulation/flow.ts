import { byCursor, http, pipeline, since, until } from '../../../src/index.ts'

/** Its API is never asked: the work of the simulated workers takes time, and nothing else. */
export const flow = pipeline('simulated', {
  streams: {
    rows: http('http://127.0.0.1:9')
      .get<{ rows: { id: number; updated_at: string }[]; next: string | null }>('/rows', { since, until })
      .pages(byCursor('after', 'next'))
      .records('rows')
      .incremental('updated_at')
      .into('t.rows', { key: 'id', versionBy: 'updated_at' }),
  },
})
