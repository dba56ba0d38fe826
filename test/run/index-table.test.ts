import { expect, test } from '@jest/globals'
import { backfill, http, onePage, pipeline, since, until, type Pipeline } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { indexName } from '../../src/load/table-indexes.ts'
import type { RunEvent } from '../../src/model/event.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

interface Order {
  readonly id: number
  readonly shop: string
  readonly at: string
  readonly tags: readonly string[]
}

const orders = (from: number, to: number): Order[] =>
  Array.from({ length: to - from }, (_, at) => ({
    id: from + at,
    shop: `shop ${at % 3}`,
    at: `2026-01-0${1 + (at % 9)}T00:00:00Z`,
    tags: ['new'],
  }))

const serve = (rows: readonly Order[]): Promise<ApiServer> => apiServer(() => ({ json: rows }))

const source = (api: ApiServer) =>
  http(api.origin as 'http://x')
    .get<Order[]>('/orders')
    .pages(onePage())
    .records()

const read = (flow: Pipeline, database: string, events: RunEvent[] = []) =>
  runPipeline(flow, { database, onEvent: (event) => events.push(event) })

const indexes = async (test: TestDatabase, table = 'shop.orders'): Promise<string[]> => {
  const rows = await test.database.query<{ sql: string }>(
    `select pg_get_indexdef(indexrelid) as sql
       from pg_index where indrelid = $1::regclass and not indisprimary`,
    [table],
  )
  return rows.map(({ sql }) => sql.replace(/^CREATE INDEX | ON shop\.orders/g, '')).toSorted()
}

const INDEXES = ['at', ['shop', 'at'], { on: 'tags', using: 'gin' }, { on: 'shop', where: "shop <> 'shop 0'" }] as const
const BUILT = [
  'orders_at_idx USING btree (at)',
  'orders_shop_at_idx USING btree (shop, at)',
  expect.stringMatching(/^orders_shop_[\da-f]{8}_idx USING btree \(shop\) WHERE \(shop <> 'shop 0'::text\)$/),
  'orders_tags_gin_idx USING gin (tags)',
]

test('indexes are built once the rows are loaded, and never twice', async () => {
  await using api = await serve(orders(0, 20))
  await using test = await testDatabase()
  const flow = pipeline('shop', {
    streams: { orders: source(api).into('shop.orders', { key: 'id', indexes: INDEXES }) },
  })
  const events: RunEvent[] = []
  expect(await read(flow, test.url, events)).toMatchObject({ status: 'done' })
  expect(await indexes(test)).toEqual(BUILT)
  const types = events.map(({ type }) => type)
  const change = events.findLast((event) => event.type === 'table.altered')
  expect(change).toMatchObject({ table: 'shop.orders', change: expect.stringContaining('indexed by orders_at_idx, ') })
  // After the rows: otherwise each row would pay for it.
  expect(types.lastIndexOf('table.altered')).toBeGreaterThan(types.lastIndexOf('batch.committed'))
  const { analyzed } = await test.database.one<{ analyzed: boolean }>(
    `select reltuples = 20 as analyzed from pg_class where oid = 'shop.orders'::regclass`,
  )
  expect(analyzed).toBe(true)

  const again: RunEvent[] = []
  await read(flow, test.url, again)
  expect(again.filter(({ type }) => type === 'table.altered' || type === 'warning')).toEqual([])
  expect(await indexes(test)).toEqual(BUILT)
})

test('an index that another one begins with is not built', async () => {
  await using api = await serve(orders(0, 5))
  await using test = await testDatabase()
  const flow = (list: readonly ('shop' | readonly ('shop' | 'at')[])[]) =>
    pipeline('shop', { streams: { orders: source(api).into('shop.orders', { key: 'id', indexes: list }) } })
  await read(flow([['shop', 'at']]), test.url)
  await read(flow([['shop', 'at'], 'shop']), test.url)
  expect(await indexes(test)).toEqual(['orders_shop_at_idx USING btree (shop, at)'])
})

test('an index that a build has left invalid is built again', async () => {
  await using api = await serve(orders(0, 5))
  await using test = await testDatabase()
  const flow = pipeline('shop', {
    streams: { orders: source(api).into('shop.orders', { key: 'id', indexes: ['at'] }) },
  })
  await read(flow, test.url)
  await test.database.query(`update pg_index set indisvalid = false where indexrelid = 'shop.orders_at_idx'::regclass`)
  expect(await read(flow, test.url)).toMatchObject({ status: 'done' })
  const valid = `select indisvalid as valid from pg_index where indexrelid = 'shop.orders_at_idx'::regclass`
  expect(await test.database.one(valid)).toEqual({ valid: true })
})

test('what cannot be indexed is a warning that names the reason, and the rows are stored', async () => {
  await using api = await serve(orders(0, 5))
  await using test = await testDatabase()
  const flow = pipeline('shop', {
    streams: {
      orders: source(api).into('shop.orders', {
        key: 'id',
        indexes: [{ on: 'at', using: 'gin' }, { on: 'shop', where: 'nothing > 1' }, 'shop'],
      }),
    },
  })
  const report = await read(flow, test.url)
  expect(report).toMatchObject({ status: 'done', streams: { orders: { counts: { inserted: 5 } } } })
  expect(report.streams['orders']?.warnings).toEqual([
    expect.stringContaining('shop.orders: the index orders_at_gin_idx is not built: '),
    expect.stringMatching(/is not built: .*column "nothing" does not exist.*The next run tries it again/),
  ])
  expect(await indexes(test)).toEqual(['orders_shop_idx USING btree (shop)'])
})

test('a table that Sluice did not create is not indexed, and the statements are shown', async () => {
  await using api = await serve(orders(0, 5))
  await using test = await testDatabase()
  await test.database.query(`create schema shop`)
  await test.database.query(`create table shop.orders (id bigint primary key, shop text, at timestamptz, tags jsonb)`)
  const into = (adopt: boolean) =>
    pipeline('shop', {
      streams: { orders: source(api).into('shop.orders', { key: 'id', indexes: ['at'], adopt }) },
    })
  expect((await read(into(false), test.url)).streams['orders']?.warnings).toEqual([
    expect.stringContaining('create index "orders_at_idx" on "shop"."orders" using btree ("at");'),
  ])
  expect(await indexes(test)).toEqual([])
  await read(into(true), test.url)
  expect(await indexes(test)).toEqual(['orders_at_idx USING btree (at)'])
})

test('a backfill builds the indexes after its last window', async () => {
  await using api = await apiServer(({ query }) => ({
    json: orders(0, 9).filter(({ at }) => at >= (query.get('from') ?? '') && at < (query.get('to') ?? '9')),
  }))
  await using test = await testDatabase()
  const stream = http(api.origin as 'http://x')
    .get<Order[]>('/orders', { from: since, to: until })
    .pages(onePage())
    .records()
    .incremental('at')
  const flow = pipeline('shop', { streams: { orders: stream.into('shop.orders', { key: 'id', indexes: ['shop'] }) } })
  await backfill(flow, { database: test.url, from: '2026-01-01', to: '2026-01-10', window: '3d' })
  expect(await indexes(test)).toEqual(['orders_shop_idx USING btree (shop)'])
})

test('a long name is cut, and stays different from others', () => {
  const name = 'shop.a_table_whose_name_is_rather_long_for_a_table'
  const [one, two] = ['created_at_by_customer', 'created_at_by_company'].map((on) => indexName({ name }, { on: [on] }))
  expect(Buffer.byteLength(one!)).toBeLessThanOrEqual(63)
  expect(one).not.toBe(two)
})
