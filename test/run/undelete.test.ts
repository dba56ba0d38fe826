// Deleted rows come back with all entries of their lists, or stay kept.
import { expect, jest, test } from '@jest/globals'
import { source } from '../../src/index.ts'
import { undelete } from '../../src/ledger/undelete.ts'
import { mirrorDatabase } from '../mirror/listed.ts'

jest.setTimeout(60_000)

interface Order {
  readonly id: number
  readonly at: number
  readonly gone?: boolean
  readonly lines?: readonly { readonly line: number }[]
}

test('a row whose list is refused stays kept, and a later deletion does not part it from its lists', async () => {
  await using target = await mirrorDatabase()
  const lines = [{ line: 1 }, { line: 2 }]
  let list: Order[] = [1, 2, 3].map((id) => ({ id, at: 1, lines }))
  const orders = source<Order>(async function* () {
    yield { records: list }
  })
  const flow = orders
    .deleted(({ gone }) => gone === true)
    .into('t.orders', {
      key: 'id',
      versionBy: 'at',
      columns: { gone: false } as {},
      children: { lines: { key: 'line' } },
    })
  await target.sync(flow, 'shop')
  list = [1, 2].map((id) => ({ id, at: 2, gone: true }))
  await target.sync(flow, 'shop')
  // The API announces one of them again, at a later time: there is no row any more, and its lists are those of before.
  list = [{ id: 1, at: 3, gone: true }]
  await target.sync(flow, 'shop')
  await target.query('alter table t.orders_lines add constraint odd check (orders_id <> 2 or line <> 2)')

  const undo = () => undelete(target.database, { pipeline: 'shop' })
  expect(await undo()).toEqual([
    expect.objectContaining({ table: 't.orders', restored: 1, refused: 1, refusedKey: '[2]' }),
    expect.objectContaining({ table: 't.orders_lines', restored: 2, refused: 0 }),
  ])
  expect(await target.query(`select key from sluice.deleted_rows order by id`)).toHaveLength(3)
  expect(await target.idsOf('t.orders')).toEqual([1, 3])
  await target.query('alter table t.orders_lines drop constraint odd')
  expect(await undo()).toMatchObject([{ restored: 1 }, { table: 't.orders_lines', restored: 2 }])
  expect(await target.query('select from t.orders_lines')).toHaveLength(6)
  expect(await target.query('select from sluice.deleted_rows')).toEqual([])

  // Entries are kept as long as their row.
  list = [{ id: 3, at: 4, gone: true }]
  await target.sync(flow, 'shop')
  const forget = () => target.query('select sluice.forget_deleted_rows(1)::int as rows')
  await target.query(`update sluice.deleted_rows set expires_at = now() where parent_key is not null`)
  expect(await forget()).toEqual([{ rows: 0 }])
  await target.query('update sluice.deleted_rows set expires_at = now()')
  expect([await forget(), await forget(), await forget(), await forget()].flat()).toEqual(
    [1, 1, 1, 0].map((rows) => ({ rows })),
  )
})

test('rows come back in sets, also those of a slice of several runs, and into a table that was renamed', async () => {
  await using target = await mirrorDatabase()
  const all = Array.from({ length: 2_500 }, (_, index) => ({ id: index + 1, name: `item ${index + 1}` }))
  let list: ({ id: number; name: string } & { gone?: boolean })[] = all
  const flow = source<(typeof list)[number]>(async function* () {
    yield { records: list }
  })
    .deleted(({ gone }) => gone === true)
    .into('t.items', { key: 'id', columns: { gone: false } as {} })
  await target.sync(flow, 'sets')
  list = all.map((one) => ({ ...one, gone: true }))
  await target.sync(flow, 'sets')
  const [runs] = await target.query('select min(id) as first, max(id) as last from sluice.runs')
  // Another run has begun the slice, and yet another one has ended it.
  await target.query('update sluice.slices set run = (select min(id) from sluice.runs), started_by = run')
  await target.query('alter table t.items rename to things')
  await target.query(`insert into t.things (id, name) values (700, 'new'), (1500, 'new')`)
  await target.query('alter table t.things add constraint odd check (id <> 33)')
  const undo = (run: unknown) => undelete(target.database, { pipeline: 'sets', run: String(run) })
  expect(await undo(runs!['first'])).toEqual([])
  expect(await undo(runs!['last'])).toEqual([
    {
      table: 't.things',
      restored: 2_497,
      existing: 2,
      refused: 1,
      existingKeys: ['[1500]', '[700]'],
      refusedKey: '[33]',
      reason: expect.stringContaining('odd'),
    },
  ])
  expect(await target.query('select key from sluice.deleted_rows order by id')).toEqual([
    { key: '[1500]' },
    { key: '[33]' },
    { key: '[700]' },
  ])
  expect(await target.query(`select count(*)::int as rows from t.things where name = 'item ' || id`)).toEqual([
    { rows: 2_497 },
  ])
})
