// Several streams whose parents are one list: the list is requested once.
import { describe, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  byCursor,
  byPage,
  http,
  onePage,
  path,
  pipeline,
  run,
  since,
  type Flows,
  type Stream,
} from '../../src/index.ts'
import { apiServer, type ApiRequest } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

interface Order {
  readonly id: number
  readonly at: string
  note?: string
}
interface Child {
  readonly id: string
}

const time = (number: number): string => new Date(Date.UTC(2024, 0, 1, 0, number)).toISOString()

/** A shop with orders, three to a page, each with two lines and two events. */
async function shop(count: number, answer: (request: ApiRequest) => object | Promise<object> = () => ({})) {
  const orders: Order[] = Array.from({ length: count }, (_, index) => ({ id: index + 1, at: time(index) }))
  const server = await apiServer(async (request) => {
    const other = await answer(request)
    if (Object.keys(other).length > 0) return other
    const [, , id, kind] = request.path.split('/')
    if (id !== undefined) return { json: [1, 2].map((number) => ({ id: `${kind} ${id}.${number}` })) }
    const from = request.query.get('since')
    const found = orders.filter(({ at }) => from === null || at >= from)
    const numbered = request.query.get('page')
    const start = numbered === null ? Number(request.query.get('after') ?? 0) : (Number(numbered) - 1) * 3
    const items = found.slice(start, start + 3)
    return {
      json: { items, next: start + 3 < found.length ? start + 3 : null, pages: Math.ceil(found.length / 3) },
    }
  })
  const api = http(server.origin, { attempts: 1 })
  const listing = api.get<{ items: Order[]; next: number | null; pages: number }>('/orders', { since })
  const children =
    (kind: string) =>
    (order: Order): Stream<Child> =>
      api
        .get<Child[]>(path`/orders/${order.id}/${kind}`)
        .pages(onePage())
        .records()
  const listed = (): string[] => server.requests.filter(({ path: asked }) => asked === '/orders').map(({ url }) => url)
  return {
    orders,
    server,
    listed,
    byCursor: listing.pages(byCursor('after', 'next')).records('items'),
    byPage: listing.pages(byPage('page', { pages: 'pages' })).records('items'),
    lines: children('lines'),
    events: children('events'),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const both = (lines: Stream<Child>, events: Stream<Child>) =>
  pipeline('p', {
    streams: {
      lines: lines.into('t.lines', { write: 'append' }),
      events: events.into('t.events', { key: 'id' }),
    } satisfies Flows,
  })
const idsOf = async ({ database }: TestDatabase, table: string): Promise<string[]> =>
  (await database.query<{ id: string }>(`select id from t.${table} order by id`)).map(({ id }) => id)
const childrenOf = (kind: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => [1, 2].map((number) => `${kind} ${index + 1}.${number}`))
    .flat()
    .toSorted()
const unique = (urls: readonly string[]): string[] => [...new Set(urls)]

describe('two child streams of one list', () => {
  test.each(['byCursor', 'byPage'] as const)('request each page of it once (%s)', async (paging) => {
    await using test = await shop(40)
    await using store = await testDatabase()
    const flow = both(test[paging].flatMap(test.lines), test[paging].flatMap(test.events, { concurrency: 4 }))
    const { streams } = await run(flow, { database: store.url })
    expect(streams).toMatchObject({
      lines: { counts: { inserted: 80, parents: 40 }, completeness: { grade: 'ended' } },
      events: { counts: { inserted: 80, parents: 40 }, completeness: { grade: 'ended' } },
    })
    expect(test.listed()).toHaveLength(14)
    expect(unique(test.listed())).toHaveLength(14)
    expect(await idsOf(store, 'lines')).toEqual(childrenOf('lines', 40))
    expect(await idsOf(store, 'events')).toEqual(childrenOf('events', 40))
  })

  test('wait for the slower one, and get records that the stages of the other have not changed', async () => {
    await using test = await shop(120, async ({ path: asked }) => {
      if (asked.endsWith('lines')) await sleep(5)
      return {}
    })
    await using store = await testDatabase()
    const notes = new Set<unknown>()
    const flow = both(
      test.byCursor.tap(({ note }) => notes.add(note)).flatMap(test.lines),
      test.byCursor
        .tap((order) => {
          order.note = 'changed'
        })
        .flatMap(test.events),
    )
    await run(flow, { database: store.url })
    expect(test.listed()).toHaveLength(40)
    expect([...notes]).toEqual([undefined])
    expect(await idsOf(store, 'lines')).toHaveLength(240)
    expect(await idsOf(store, 'events')).toHaveLength(240)
  })

  test('go on where the other one fails, and continue each at its own position', async () => {
    for (const failAt of [1, 4, 7, 16, 29]) {
      let isBroken = true
      await using test = await shop(30, ({ path: asked }) =>
        isBroken && asked === `/orders/${failAt}/lines` ? { status: 500 } : {},
      )
      await using store = await testDatabase()
      const flow = both(test.byCursor.flatMap(test.lines), test.byCursor.flatMap(test.events))
      const first = await run(flow, { database: store.url, throwOnFailure: false })
      expect(first.streams).toMatchObject({ lines: { status: 'failed' }, events: { status: 'done' } })
      expect(await idsOf(store, 'events')).toEqual(childrenOf('events', 30))
      isBroken = false
      const second = await run(flow, { database: store.url })
      expect(second.streams).toMatchObject({ lines: { status: 'done' }, events: { status: 'done' } })
      expect({ failAt, lines: await idsOf(store, 'lines') }).toEqual({ failAt, lines: childrenOf('lines', 30) })
    }
  }, 120_000)

  test.each([
    [20_000, 'for no page of the list', 30],
    [100_000, 'for one page that is kept', 30],
    [1_000_000, 'for ten of them', 15],
  ])('read everything with %s bytes of memory, %s', async (memory, _, requests) => {
    await using test = await shop(45, async ({ path: asked }) => {
      if (asked.endsWith('lines')) await sleep(5)
      return {}
    })
    // Three to a page: 24 KB.
    for (const order of test.orders) order.note = 'x'.repeat(8_000)
    await using store = await testDatabase()
    const flow = both(test.byCursor.flatMap(test.lines), test.byCursor.flatMap(test.events, { concurrency: 4 }))
    const { streams } = await run(flow, { database: store.url, memory })
    expect(streams).toMatchObject({ lines: { status: 'done' }, events: { status: 'done' } })
    expect(await idsOf(store, 'lines')).toEqual(childrenOf('lines', 45))
    expect(await idsOf(store, 'events')).toEqual(childrenOf('events', 45))
    expect(test.listed().length).toBeLessThanOrEqual(requests)
  })

  test('request a page themselves if the request of the other has failed', async () => {
    let failed = 0
    await using test = await shop(12, ({ url }) => (url === '/orders?after=6' && failed++ === 0 ? { status: 500 } : {}))
    await using store = await testDatabase()
    const flow = both(test.byCursor.flatMap(test.lines), test.byCursor.flatMap(test.events))
    const { streams } = await run(flow, { database: store.url, throwOnFailure: false })
    expect([streams.lines.status, streams.events.status].toSorted()).toEqual(['done', 'failed'])
    await run(flow, { database: store.url, streams: streams.lines.status === 'failed' ? ['lines'] : ['events'] })
    expect(await idsOf(store, 'lines')).toEqual(childrenOf('lines', 12))
    expect(await idsOf(store, 'events')).toEqual(childrenOf('events', 12))
  })

  test('read on their own where their cursors differ, and where they do not run at the same time', async () => {
    await using test = await shop(30)
    await using store = await testDatabase()
    const changed = test.byCursor.incremental('at')
    const flow = pipeline('p', {
      streams: {
        lines: changed.flatMap(test.lines).into('t.lines', { key: 'id' }),
        events: changed.flatMap(test.events).into('t.events', { key: 'id' }),
      },
    })
    await run(flow, { database: store.url, streams: ['lines'] })
    test.orders.push({ id: 31, at: time(40) })
    await run(flow, { database: store.url })
    expect(await idsOf(store, 'lines')).toEqual(childrenOf('lines', 31))
    expect(await idsOf(store, 'events')).toEqual(childrenOf('events', 31))
    test.orders.push({ id: 32, at: time(50) })
    const before = test.listed().length
    await run(flow, { database: store.url })
    expect(test.listed()).toHaveLength(before + 1)
    await run(flow, { database: store.url, concurrency: 1, full: true })
    expect(await idsOf(store, 'events')).toEqual(childrenOf('events', 32))
  })
})
