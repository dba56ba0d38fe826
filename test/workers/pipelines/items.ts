import { accounts, byCursor, http, pipeline, since, type RateLimits } from '../../../src/index.ts'

interface Item {
  id: number
  name: string
  updated_at: string
}

const rate = process.env['WORKERS_RATE']

export default pipeline('items', {
  for: accounts('ITEMS'),
  streams: (account) => ({
    items: http(process.env['WORKERS_API'] ?? 'http://127.0.0.1:9', {
      ...(rate !== undefined && { rate: JSON.parse(rate) as RateLimits, ratePer: 'app' as const }),
    })
      .get<{ records: Item[]; next: string | null }>(`/items/${account.name}`, { since })
      .pages(byCursor('after', 'next'))
      .records('records')
      .incremental('updated_at', { order: 'ascending' })
      .into('t.items', { key: 'id' }),
  }),
})
