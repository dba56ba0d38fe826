// Runs docs/READ-EVERYTHING.md against an API of its own.
import { expect, test } from '@jest/globals'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { runPage } from './run-page.ts'

const ORDERS = Array.from({ length: 25 }, (_, n) => ({
  id: n + 1,
  total: n * 10,
  updated_at: new Date(Date.UTC(2025, 0, 1 + n)).toISOString(),
}))

test('every step of the page about reading everything prints what the page shows', async () => {
  await using api = await apiServer(({ query }) => {
    const from = Number(query.get('cursor') ?? 0)
    const next = from + 10 < ORDERS.length ? String(from + 10) : null
    return {
      headers: { 'x-total-count': String(ORDERS.length) },
      json: { orders: ORDERS.slice(from, from + 10), meta: { next_cursor: next } },
    }
  })
  await using store = await testDatabase()
  const { missing, steps } = await runPage('docs/READ-EVERYTHING.md', {
    env: { SHOP_API: api.origin, DATABASE_URL: store.url },
  })
  expect(missing).toStrictEqual([])
  expect(steps).toBeGreaterThanOrEqual(3)
}, 120_000)
