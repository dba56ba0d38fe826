import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString()
const locations = ['L1', 'L2', 'L3', ...numbers(4, 12).map((n) => `L${n}`)].map((id) => ({
  id,
  name: id,
  status: 'ACTIVE',
  currency: 'EUR',
  created_at: at(0),
}))
const order = (location: string, n: number, updated_at = at(n), state = 'OPEN') => ({
  id: `${location}-${n}`,
  location_id: location,
  state,
  version: n,
  total_money: { amount: n * 100, currency: 'EUR' },
  created_at: at(0),
  updated_at,
})
/** Only two have orders, in different batches. */
let orders = ['L1', 'L12'].flatMap((location) => numbers(1, 2_300).map((n) => order(location, n)))

interface Search {
  location_ids: string[]
  query: { filter: { date_time_filter: { updated_at: { start_at: string } } }; sort: object }
  limit: number
  cursor?: string
}

function answer({ path, body }: ApiRequest) {
  if (path === '/locations') return { json: { locations } }
  const { location_ids, query, limit, cursor = '0' } = JSON.parse(body) as Search
  expect(location_ids.length).toBeLessThanOrEqual(10)
  expect(query.sort).toEqual({ sort_field: 'UPDATED_AT', sort_order: 'ASC' })
  const since = query.filter.date_time_filter.updated_at.start_at
  const all = orders.filter((one) => location_ids.includes(one.location_id) && one.updated_at >= since)
  const end = Number(cursor) + limit
  const found = all.slice(Number(cursor), end)
  return { json: { ...(found.length > 0 && { orders: found }), ...(end < all.length && { cursor: String(end) }) } }
}

const api = await vendor({
  base: 'SQUARE_API',
  prefix: '/v2',
  environment: { SQUARE_TOKEN: 'EAAA-invented' },
  lets: has('authorization', 'Bearer EAAA-invented'),
  busy: { status: 429, json: { errors: [{ category: 'RATE_LIMIT_ERROR', code: 'RATE_LIMITED' }] } },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/square.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function square(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams).toMatchObject({
    locations: { counts: { inserted: 12 }, completeness: { grade: 'ended' } },
    orders: { counts: { parents: 12, inserted: 4_600 }, completeness: { grade: 'ended' } },
  })
  expect(api.waited).toBeGreaterThan(450)

  orders = [...orders.filter(({ id }) => id !== 'L12-7'), { ...order('L12', 7, at(9_000), 'CANCELED'), version: 9_999 }]
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.orders).toMatchObject({
    counts: { updated: 1, unchanged: 22 },
    completeness: { grade: 'ended' },
  })
  const [row] = await target.database.query("select state, total::int, currency from square.orders where id = 'L12-7'")
  expect(row).toEqual({ state: 'CANCELED', total: 700, currency: 'EUR' })
  await expectRefused(pipeline, 'SQUARE_TOKEN', target.url)
}
