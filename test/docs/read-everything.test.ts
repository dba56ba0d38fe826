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

/** A list in ascending order of `updated_at`. Its first record is touched after each of the first two pages. */
function movingList(): (query: URLSearchParams) => { items: { id: number; updated_at: string }[]; total: number } {
  let clock = Date.UTC(2025, 5, 1)
  const now = (): string => new Date((clock += 60_000)).toISOString()
  let requests = 0
  const list = Array.from({ length: 12 }, (_, n) => ({ id: n + 1, updated_at: now() }))
  return (query) => {
    const from = Number(query.get('offset') ?? 0)
    const items = list.filter((item) => item.updated_at >= (query.get('updated_since') ?? ''))
    const page = items.slice(from, from + 4)
    const first = requests++ < 2 ? list.shift() : undefined
    if (first) list.push({ ...first, updated_at: now() })
    return { items: page, total: items.length }
  }
}

test('every step of the page about reading everything prints what the page shows', async () => {
  const moving = movingList()
  await using api = await apiServer(({ path, query }) => {
    if (path === '/moving') return { json: moving(query) }
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
  expect(steps).toBe(5)
}, 120_000)
