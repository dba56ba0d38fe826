// A mirror of lists below parents: a list that was read whole loses the rows that it did not bring.
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals'
import { http, isoDate, onePage, path, since, source, type Flow } from '../../src/index.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { mirrorDatabase, type MirrorDatabase } from '../mirror/listed.ts'

jest.setTimeout(60_000)

interface Order {
  id: number
  updated: string
}

const day = (number: number): string => `2024-01-${String(number).padStart(2, '0')}`

let target: MirrorDatabase
let api: ApiServer
let orders: Order[] = []
/** The lines of each order: numbers that no other order has. */
let lines: Record<number, number[]> = {}
let failing = new Map<number, number>()
beforeAll(async () => {
  target = await mirrorDatabase()
  api = await apiServer(({ path: asked, query }) => {
    if (asked === '/orders') return { json: orders.filter(({ updated }) => updated >= (query.get('since') ?? '')) }
    const order = Number(asked.split('/')[2])
    const status = failing.get(order)
    return status === undefined ? { json: (lines[order] ?? []).map((line) => ({ line })) } : { status, json: {} }
  })
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await target[Symbol.asyncDispose]()
})
beforeEach(() => {
  // The cursor stands at the last one, which each run reads again.
  orders = [1, 2, 3, 4, 5].map((id) => ({ id, updated: day(id === 5 ? 3 : 1) }))
  lines = Object.fromEntries(orders.map(({ id }) => [id, [1, 2, 3, 4].map((line) => id * 10 + line)]))
  failing = new Map()
})

function flowOf(table: `t.${string}`, { isIncremental = true } = {}) {
  const at = http(api.origin, { responseRules: [{ status: 403, action: 'skip', expected: true }], attempts: 1 })
  const all = at.get<Order[]>('/orders', isIncremental ? { since: isoDate(since) } : {})
  const records = all.pages(onePage()).records()
  const parents = isIncremental ? records.incremental('updated', { lookback: 0 }) : records
  return parents
    .flatMap(({ id }) =>
      at
        .get<{ line: number }[]>(path`/orders/${id}/lines`)
        .pages(onePage())
        .records()
        .map(({ line }) => ({ line, orderId: id })),
    )
    .into(table, { key: 'line', mirror: { parent: { orderId: 'id' } } }) as Flow<unknown>
}

const linesIn = async (table: string): Promise<number[]> =>
  (await target.query(`select line::int as line from ${table} order by line`)).map(({ line }) => line as number)

const changed = (...ids: number[]): Order[] =>
  orders.map((order) => (ids.includes(order.id) ? { ...order, updated: day(4) } : order))

test('a list that was read whole loses the rows that it did not bring, beside others that were not', async () => {
  const flow = flowOf('t.changed')
  await target.sync(flow, 'changed')
  const all = await linesIn('t.changed')
  expect(all).toHaveLength(20)
  orders = changed(1, 2, 4)
  // 14 moves from the first to the second list. The third parent has not changed, and the fourth list is left out.
  lines = { 1: [11, 12], 2: [21, 22, 14, 24], 3: [], 4: [], 5: [51, 52, 53, 54] }
  failing.set(4, 403)
  const report = await target.sync(flow, 'changed')
  expect(report).toMatchObject({ status: 'done', mirroredRows: 2, deletedRows: 'deleted' })
  expect(report.warnings.join()).toContain('mirror looked only at rows of lists that were read whole: a rule left out')
  expect(await linesIn('t.changed')).toEqual(all.filter((line) => line !== 13 && line !== 23))
  for (const table of ['mirrors', 'mirror_keys', 'mirrored_lists', 'mirrored_parents'])
    expect(await target.query(`select from sluice.${table}`)).toEqual([])
  await target.query(`select sluice.undelete('changed')`)
  expect(await linesIn('t.changed')).toEqual(all)
})

test('too many rows of whole lists are refused, and allowed once', async () => {
  const flow = flowOf('t.most')
  await target.sync(flow, 'most')
  const all = await linesIn('t.most')
  orders = changed(2, 5)
  lines = { ...lines, 2: [21, 22, 23], 5: [] }
  const refused = await target.sync(flow, 'most')
  expect(refused).toMatchObject({ status: 'failed' })
  expect(refused.error).toContain(
    'did not bring 5 of the 8 rows that t.most had when it began, in the lists that were read whole, such as ' +
      'line = 24, 51, 52. The mirror may delete at most 3 of them, so all of them stay',
  )
  expect(await linesIn('t.most')).toEqual(all)
  expect(await target.sync(flow, 'most', { mostDeletes: 5 })).toMatchObject({ status: 'done', mirroredRows: 5 })
  expect(await linesIn('t.most')).toEqual(all.filter((line) => line !== 24 && line < 50))
})

test('a complete reading of everything takes the children of a parent that is gone', async () => {
  const flow = flowOf('t.full', { isIncremental: false })
  await target.sync(flow, 'full')
  const all = await linesIn('t.full')
  orders = orders.slice(1)
  lines[2] = [21, 22, 23]
  failing.set(3, 500)
  expect(await target.sync(flow, 'full')).toMatchObject({ status: 'failed' })
  expect(await linesIn('t.full')).toEqual(all)
  failing.set(3, 403)
  expect(await target.sync(flow, 'full', { mostDeletes: '50%' })).toMatchObject({ mirroredRows: 1 })
  expect(await linesIn('t.full')).toEqual(all.filter((line) => line !== 24))
  failing.clear()
  expect(await target.sync(flow, 'full')).toMatchObject({ mirroredRows: 4, warnings: [] })
  expect(await linesIn('t.full')).toEqual(all.filter((line) => line !== 24 && line > 20))
})

test('lists of a function are whole, and rows that were written meanwhile stay', async () => {
  const records = [1, 2].map((id) => ({ id, lines: [1, 2, 3].map((line) => id * 10 + line), updated: day(1) }))
  let during: (() => Promise<void>) | undefined
  const flow = source<(typeof records)[number]>(async function* ({ since: from }) {
    await during?.()
    yield { records: records.filter(({ updated }) => updated >= (from ?? '')) }
  })
    .incremental('updated', { lookback: 0 })
    .flatMap(({ id, lines: own }) => own.map((line) => ({ line, orderId: id })))
    .into('t.own', { key: 'line', mirror: { parent: { orderId: 'id' } } })
  await target.sync(flow, 'own')
  records[1] = { id: 2, lines: [21], updated: day(2) }
  during = async () => void (await target.query('update t.own set order_id = order_id where line = 22'))
  const options = { mostDeletes: '100%' as const }
  expect(await target.sync(flow, 'own', options)).toMatchObject({ mirroredRows: 1 })
  expect(await linesIn('t.own')).toEqual([11, 12, 13, 21, 22])
})
