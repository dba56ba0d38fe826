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
