import { expect, test } from '@jest/globals'
import { http, onePage, pipeline, reportText, since, until, type Pipeline } from '../../src/index.ts'
import { backfillPipeline } from '../../src/run/backfill/backfill-pipeline.ts'
import { replay } from '../../src/run/replay/replay.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

interface Order {
  id: number
  at: string
  name: string
  lines: { line: number; sku: string }[]
}
const order = (id: number, day: number, name: string, ...skus: string[]): Order => ({
  id,
  at: `2024-01-0${day}T00:00:00Z`,
  name,
  lines: skus.map((sku, index) => ({ line: index + 1, sku })),
})

const stored = async ({ database }: TestDatabase) =>
  (
    await database.query<{ text: string }>(
      `select concat_ws(' ', o.id, o.name, string_agg(l.sku, '+' order by l.line)) as text
         from shop.orders o left join shop.orders_lines l on l.orders_id = o.id group by o.id, o.name order by o.id`,
    )
  ).map(({ text }) => text)

const shop = (origin: string, { broken = false, versioned = true } = {}): Pipeline => {
  const every = http(origin).get<Order[]>('/', { since, until }).pages(onePage()).records()
  const read = versioned ? every.incremental('at', { lookback: '0s' }) : every
  return pipeline('nested', {
    streams: {
      orders: read
        .map((one) => {
          if (broken && one.name.startsWith('bad')) throw new Error('no')
          return one
        })
        .into('shop.orders', { key: 'id', children: { lines: { key: 'line' } }, lineage: true }),
    },
  })
}

test('a run, a replay and a backfill store lists, those of older records never', async () => {
  let served = [order(1, 1, 'one', 'a', 'b'), order(2, 1, 'two', 'c')]
  await using api = await apiServer(() => ({ json: served }))
  await using test = await testDatabase()
  const first = await runPipeline(shop(api.origin), { database: test.url })
  expect(first.streams['orders']!.children).toEqual({
    'shop.orders_lines': { inserted: 3, updated: 0, unchanged: 0, deleted: 0 },
  })
  expect(reportText(first)).toContain('shop.orders_lines: 3 inserted, 0 updated, 0 unchanged, 0 deleted')
  expect(await test.database.query('select distinct _run::text as run from shop.orders_lines')).toEqual([
    { run: first.run },
  ])

  served = [order(1, 4, 'one', 'a'), order(2, 2, 'bad', 'd'), order(3, 4, 'bad', 'e')]
  const second = await runPipeline(shop(api.origin, { broken: true }), { database: test.url })
  expect(second.streams['orders']!.counts).toMatchObject({ updated: 1, rejected: 2 })
  expect(await stored(test)).toEqual(['1 one a', '2 two c'])
  await replay(shop(api.origin), { database: test.url })
  expect(await stored(test)).toEqual(['1 one a', '2 bad d', '3 bad e'])

  served = [order(1, 3, 'older', 'x', 'y'), order(3, 5, 'newer'), order(4, 3, 'four', 'z')]
  await backfillPipeline(shop(api.origin), { database: test.url, from: '2024-01-01', to: '2024-02-01', window: '1mo' })
  expect(await stored(test)).toEqual(['1 one a', '2 bad d', '3 newer', '4 four z'])
})

test('a replay that keeps stored rows keeps their lists', async () => {
  let served = [order(1, 1, 'one', 'a')]
  await using api = await apiServer(() => ({ json: served }))
  await using test = await testDatabase()
  const broken = { broken: true, versioned: false }
  await runPipeline(shop(api.origin, broken), { database: test.url })
  served = [order(1, 1, 'bad', 'b', 'c'), order(2, 1, 'bad', 'd')]
  await runPipeline(shop(api.origin, broken), { database: test.url })
  const report = await replay(shop(api.origin, { versioned: false }), { database: test.url })
  expect(report!.streams['orders']).toMatchObject({
    counts: { inserted: 1, duplicate: 1 },
    children: { 'shop.orders_lines': { inserted: 1, updated: 0, unchanged: 0, deleted: 0 } },
  })
  expect(await stored(test)).toEqual(['1 one a', '2 bad d'])
})

test('the lists of a deleted record go with its row, those of a marked one stay', async () => {
  let served: (Order | { id: number; at: string; deleted: true; lines?: Order['lines'] })[] = []
  await using api = await apiServer(() => ({ json: served }))
  await using test = await testDatabase()
  const pipelineOf = (deleted: 'delete' | 'mark'): Pipeline =>
    pipeline('nested', {
      streams: {
        orders: http(api.origin)
          .get<(Order & { deleted?: boolean })[]>('/', { since })
          .pages(onePage())
          .records()
          .incremental('at', { lookback: '30d' })
          .deleted((one) => one.deleted === true)
          .into('shop.orders', {
            key: 'id',
            deleted,
            children: { lines: { key: 'line', children: { tags: {} } } },
          }),
      },
    })
  const tagged = (one: Order) => ({ ...one, lines: one.lines.map((entry) => ({ ...entry, tags: ['t'] })) })
  served = [1, 2, 3, 4].map((id) => tagged(order(id, 2, `${id}`, 'a', 'b')))
  await runPipeline(pipelineOf('delete'), { database: test.url })
  served = [
    { id: 1, at: '2024-01-01T00:00:00Z', deleted: true },
    { id: 2, at: '2024-01-03T00:00:00Z', deleted: true },
    { id: 9, at: '2024-01-03T00:00:00Z', deleted: true, lines: [] },
    // An entry without a key: the record is rejected, and the deletions around it keep their places.
    { ...order(5, 3, 'five'), lines: [{ sku: 'x' } as unknown as Order['lines'][number]] },
    { id: 3, at: '2024-01-03T00:00:00Z', deleted: true },
    tagged(order(3, 4, 'again', 'c')),
  ]
  const report = await runPipeline(pipelineOf('delete'), { database: test.url })
  // The deletion of 1 is older than its row, and a newer record follows the deletion of 3.
  expect(await stored(test)).toEqual(['1 1 a+b', '3 again c', '4 4 a+b'])
  expect(report.streams['orders']!.counts).toMatchObject({ rejected: 1 })
  expect(report.streams['orders']!.children!['shop.orders_lines']).toMatchObject({
    inserted: 0,
    updated: 1,
    deleted: 3,
  })
  expect(await test.database.query('select orders_id::int as id from shop.orders_lines_tags order by 1')).toEqual(
    [1, 1, 3, 4, 4].map((id) => ({ id })),
  )
  served = [{ id: 4, at: '2024-01-05T00:00:00Z', deleted: true }]
  const marked = await runPipeline(pipelineOf('mark'), { database: test.url })
  expect(marked.status).toBe('done')
  expect(await test.database.query('select id::int from shop.orders where _deleted_at is not null')).toEqual([
    { id: 4 },
  ])
  expect(await stored(test)).toEqual(['1 1 a+b', '3 again c', '4 4 a+b'])
})
