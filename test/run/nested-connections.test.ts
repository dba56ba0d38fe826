// Connections inside the nodes of a GraphQL list: the first page comes with the parent, further ones are requested.
import { expect, jest, test } from '@jest/globals'
import { byRelay, describePipeline, http, onePage, pipeline } from '../../src/index.ts'
import type { GraphqlOptions } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer, type ApiAnswer, type ApiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

jest.setTimeout(60_000)

interface Connection<Node> {
  nodes: Node[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
}
interface Item {
  sku: number
}
interface Order {
  id: number
  items: Connection<Item>
}
interface Sent {
  query: string
  variables: { after?: string; id?: number }
}

/** Orders with so many items each, two orders and two items a page, as Shopify returns them. */
class Shop {
  readonly items: number[]
  /** Called with each request. May return an answer instead. */
  intercept: (sent: Sent) => ApiAnswer | undefined = () => undefined

  constructor(items: readonly number[]) {
    this.items = [...items]
  }

  answer(body: string): ApiAnswer {
    const sent = JSON.parse(body) as Sent
    const { query, variables } = sent
    const from = Number(variables.after ?? 0)
    const answer = this.intercept(sent)
    if (answer) return answer
    if (query.startsWith('query items'))
      return { json: { data: { order: { items: this.itemsOf(variables.id ?? 0, from) } } } }
    const orders = this.items.map((_, id): Order => ({ id, items: this.itemsOf(id, 0) }))
    return { json: { data: { orders: connection(orders, from) } } }
  }

  itemsOf(order: number, from: number): Connection<Item> {
    const all = Array.from({ length: this.items[order] ?? 0 }, (_, sku) => ({ sku }))
    return connection(all, from)
  }

  get all(): string[] {
    return this.items.flatMap((count, order) => Array.from({ length: count }, (_, sku) => `${order}/${sku}`))
  }
}

const connection = <Node>(all: readonly Node[], from: number): Connection<Node> => {
  const to = Math.min(from + 2, all.length)
  const hasNextPage = to < all.length
  return { nodes: all.slice(from, to), pageInfo: { hasNextPage, endCursor: hasNextPage ? String(to) : null } }
}

const serverOf = (shop: Shop): Promise<ApiServer> => apiServer(({ body }) => shop.answer(body))

interface FlowOptions {
  readonly write?: 'merge' | 'append'
  readonly concurrency?: number
  readonly options?: GraphqlOptions
}

function flowOf({ origin }: ApiServer, { write = 'merge', concurrency = 1, options = {} }: FlowOptions = {}) {
  const api = http(origin, { attempts: 1 })
  const items = api
    .graphql<{ orders: Connection<Order> }>('query orders ($after: String) { … }', {}, options)
    .pages(byRelay('orders'))
    .records('orders.nodes')
    .flatMap(
      (order) =>
        api
          .graphql<{ order: { items: Connection<Item> } }>('query items ($id: Int, $after: String) { … }', {
            id: order.id,
          })
          .pages(byRelay('order.items'), { firstPage: { order } })
          .records('order.items.nodes')
          .map(({ sku }) => ({ order: order.id, sku })),
      { concurrency },
    )
  return pipeline('p', {
    streams: {
      items:
        write === 'merge'
          ? items.into('t.items', { key: ['order', 'sku'] })
          : items.into('t.items', { write: 'append' }),
    },
  })
}

const stored = async ({ database }: TestDatabase): Promise<string[]> =>
  (
    await database.query<{ item: string }>(
      `select "order" || '/' || sku as item from t.items order by "order"::int, sku::int`,
    )
  ).map(({ item }) => item)

const sentTo = (api: ApiServer): Sent['variables'][] =>
  api.requests.map(({ body }) => (JSON.parse(body) as Sent).variables)

test.each([1, 3])('only further pages are requested, by the id of the parent (%s at once)', async (concurrency) => {
  const shop = new Shop([1, 5, 0, 2, 3])
  await using api = await serverOf(shop)
  await using target = await testDatabase()
  const flow = flowOf(api, { concurrency })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(await stored(target)).toEqual(shop.all)
  expect(streams.items).toMatchObject({
    status: 'done',
    counts: { inserted: 11, parents: 5 },
    completeness: { grade: 'ended' },
  })
  // Three pages of orders, two further pages of order 1, one of order 4.
  expect(sentTo(api).toSorted((a, b) => (a.id ?? -1) - (b.id ?? -1))).toEqual([
    {},
    { after: '2' },
    { after: '4' },
    { id: 1, after: '2' },
    { id: 1, after: '4' },
    { id: 4, after: '2' },
  ])
  expect(describePipeline(flow)).toContain('the first one came with the parent')
})

test.each(['merge', 'append'] as const)(
  'a run that fails between pages of a connection goes on there, and %s has each item once',
  async (write) => {
    const shop = new Shop([3, 7, 1])
    await using api = await serverOf(shop)
    await using target = await testDatabase()
    const flow = flowOf(api, { write })
    shop.intercept = ({ variables }) =>
      variables.id === 1 && variables.after === '4' ? { status: 500, json: {} } : undefined
    const first = await runPipeline(flow, { database: target.url })
    expect(first.streams.items.status).toBe('failed')
    expect(await stored(target)).toEqual(['0/0', '0/1', '0/2', '1/0', '1/1', '1/2', '1/3'])
    shop.intercept = () => undefined
    const before = api.requests.length
    const second = await runPipeline(flow, { database: target.url })
    expect(second.streams.items).toMatchObject({ status: 'done', resumed: true, completeness: { grade: 'ended' } })
    expect(await stored(target)).toEqual(shop.all)
    expect(sentTo(api).slice(before)).toEqual(
      expect.arrayContaining([{}, { id: 1, after: '4' }, { id: 1, after: '6' }, { after: '2' }]),
    )
    expect(api.requests.length - before).toBe(4)
  },
)

test('a parent whose first page has changed meanwhile is read again', async () => {
  const shop = new Shop([5])
  await using api = await serverOf(shop)
  await using target = await testDatabase()
  const flow = flowOf(api)
  shop.intercept = ({ variables }) => (variables.after === '2' ? { status: 500, json: {} } : undefined)
  await runPipeline(flow, { database: target.url })
  shop.intercept = ({ query, variables: { after } }) =>
    query.startsWith('query items')
      ? { json: { data: { order: { items: connection([{ sku: 9 }, { sku: 0 }, { sku: 1 }], Number(after)) } } } }
      : {
          json: {
            data: { orders: connection([{ id: 0, items: connection([{ sku: 9 }, { sku: 0 }, { sku: 1 }], 0) }], 0) },
          },
        }
  await runPipeline(flow, { database: target.url })
  expect(await stored(target)).toEqual(['0/0', '0/1', '0/9'])
})

test('a connection that an error has left null is requested, and is no empty one', async () => {
  const shop = new Shop([3, 1])
  await using api = await serverOf(shop)
  await using target = await testDatabase()
  shop.intercept = ({ query }) => {
    if (query.startsWith('query items')) return undefined
    const nodes = [
      { id: 0, items: null },
      { id: 1, items: shop.itemsOf(1, 0) },
    ]
    const errors = [{ message: 'timeout', path: ['orders', 'nodes', 0, 'items'] }]
    return { json: { data: { orders: { nodes, pageInfo: { hasNextPage: false, endCursor: null } } }, errors } }
  }
  const { streams } = await runPipeline(flowOf(api, { options: { errors: 'keep' } }), { database: target.url })
  expect(streams.items.status).toBe('done')
  expect(await stored(target)).toEqual(shop.all)
})

test('a first page that does not say whether more follow is an error, not the end', async () => {
  const shop = new Shop([5])
  await using api = await serverOf(shop)
  await using target = await testDatabase()
  shop.intercept = () => ({
    json: { data: { orders: { ...connection([], 0), nodes: [{ id: 0, items: { nodes: [{ sku: 0 }] } }] } } },
  })
  const { streams } = await runPipeline(flowOf(api), { database: target.url })
  expect(streams.items.error).toContain('has no pageInfo.hasNextPage')
})

test('a connection that is null after pages that had it makes the reading open', async () => {
  const shop = new Shop([5])
  await using api = await serverOf(shop)
  await using target = await testDatabase()
  shop.intercept = ({ variables }) =>
    variables.after === '2' ? { json: { data: { order: { items: null } } } } : undefined
  const { streams } = await runPipeline(flowOf(api), { database: target.url })
  expect(streams.items.completeness?.grade).toBe('open')
})

test('firstPage belongs to children, and to no delta', async () => {
  await using api = await serverOf(new Shop([1]))
  await using target = await testDatabase()
  const rows = http(api.origin).get<{ id: number }[]>('/rows')
  const flow = pipeline('p', {
    streams: {
      rows: rows
        .pages(onePage(), { firstPage: [{ id: 1 }] })
        .records()
        .into('t.rows', { key: 'id' }),
    },
  })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.rows.error).toContain('firstPage of .pages() belongs to the children of a record')
  expect(() => rows.pages(onePage(), { firstPage: [], ifChanged: true })).toThrow('firstPage is for children')
})
