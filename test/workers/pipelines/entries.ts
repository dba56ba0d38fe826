import { byCursor, http, pipeline, since, until, type RateLimits } from '../../../src/index.ts'

interface Entry {
  id: number
  name: string
  updated_at: string
}

const rate = process.env['WORKERS_RATE']

export default pipeline('entries', {
  streams: {
    entries: http(process.env['WORKERS_API'] ?? 'http://127.0.0.1:9', {
      ...(rate !== undefined && { rate: JSON.parse(rate) as RateLimits }),
    })
      .get<{ records: Entry[]; next: string | null }>('/entries', { since, until })
      .pages(byCursor('after', 'next'))
      .records('records')
      .incremental('updated_at', { order: 'ascending' })
      .into('t.entries', { key: 'id', versionBy: 'updated_at' }),
  },
})
