import { byCursor, http, pipeline, since, until } from '../../../src/index.ts'

interface Entry {
  id: number
  name: string
  revision: number
  updated_at: string
}

const entries = http(process.env['FILL_API'] ?? 'http://127.0.0.1:9', { concurrency: 16 })
  .get<{ entries: Entry[]; next: string | null }>('/entries', { since, until })
  .pages(byCursor('after', 'next'))
  .records('entries')
  .incremental('updated_at', { order: 'ascending' })

export default pipeline('fill', {
  streams: { entries: entries.into('t.entries', { key: 'id', versionBy: 'updated_at' }) },
})
