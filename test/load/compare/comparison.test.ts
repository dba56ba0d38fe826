import { expect, test } from '@jest/globals'
import type { Database } from '../../../src/database/database.ts'
import { Comparison } from '../../../src/load/compare/comparison.ts'
import { OLDEST_RUNNING } from '../../../src/load/compare/oldest-running.ts'
import { NeedsSchemaChange } from '../../../src/load/shape/schema-change.ts'
import type { Page, Tombstone } from '../../../src/model/page.ts'
import { testDatabase } from '../../support/database.ts'
import { load, page, table } from '../support.ts'

const orders = table({ versionBy: 'at' })
const at = (day: number): string => `2024-01-0${day}T00:00:00Z`
const row = (id: number, day: number, name = `n${id}`): object => ({ id, at: at(day), name })

const open = (database: Database): Promise<Comparison> =>
  Comparison.open(database, orders, { streamName: 'shop.orders' })

/** Writes pages as batches of their own. */
async function read({ rows }: Comparison, pages: readonly Page[], isLater?: (record: number) => boolean) {
  for (const one of pages) {
    for (;;) {
      const encoded = rows.encode(one, isLater)
      if (encoded instanceof NeedsSchemaChange) rows.change(encoded)
      else {
        await rows.write([encoded])
        break
      }
    }
  }
}

const gone = (id: number, day: number, before: number): Tombstone[] => [
  { record: { id, at: at(day) }, origin: { id }, before },
]

test('of rows of one key in several batches, the one counts that runs would leave', async () => {
  await using test = await testDatabase()
  await load(test.database, orders, [row(1, 2), row(2, 2), row(3, 2), row(4, 2)])
  await using comparison = await open(test.database)
  await read(comparison, [
    page([row(1, 3, 'newest'), row(2, 2), row(3, 2)]),
    // An older version, a deletion, and one that is older than the row.
    page([row(1, 1, 'older')], { tombstones: gone(2, 4, 0) }),
    page([row(4, 5)], { tombstones: gone(3, 1, 0) }),
    page([], { tombstones: gone(4, 4, 0) }),
  ])
  expect(await comparison.compare({ part: 0 })).toEqual({
    equal: 1,
    missing: 0,
    stale: 2,
    newer: 0,
    changed: 0,
    unread: 0,
  })
  await comparison.collectExtra({ part: 0, scope: 'true' })
  expect(await comparison.countExtra()).toEqual(new Map([[0, { extra: 1, announced: 1 }]]))
  expect(await comparison.extraSamples(0, 5)).toEqual([{ kind: 'extra', key: { id: 2 } }])
})

test('a transaction of another database excuses no row', async () => {
  await using test = await testDatabase()
  await using other = await testDatabase()
  await using elsewhere = await other.database.transaction()
  await elsewhere.run('select pg_current_xact_id()')
  await load(test.database, orders, [row(1, 2), row(2, 2)])
  await using comparison = await open(test.database)
  await read(comparison, [page([row(1, 2, 'stale'), row(2, 2)])])
  expect(await comparison.compare({ part: 0 })).toMatchObject({ equal: 1, stale: 1, changed: 0 })
})

test('transactions that begin while the oldest one is looked for excuse no row', async () => {
  await using test = await testDatabase()
  await using looking = await test.database.transaction({ readOnly: true })
  const { next } = await looking.one<{ next: string }>('select pg_snapshot_xmax(pg_current_snapshot())::text as next')
  const begun = [await test.database.transaction(), await test.database.transaction()]
  for (const one of begun) await one.run('select pg_current_xact_id()')
  expect(await looking.one(`select (${OLDEST_RUNNING})::text as oldest`)).toEqual({ oldest: next })
  for (const one of begun) await one[Symbol.asyncDispose]()
})

test('what was written or deleted meanwhile, and what the next run reads, is no fault', async () => {
  await using test = await testDatabase()
  const all = [1, 2, 3, 4, 5, 6].map((id) => row(id, 2))
  await load(test.database, orders, all)
  await using comparison = await open(test.database)
  await read(comparison, [page(all)], (record) => record === 4)
  await test.database.query(`update shop.orders set name = 'later' where id = 1`)
  await test.database.query('delete from shop.orders where id in (2, 3)')
  await test.database.query(
    `insert into sluice.deleted_rows (table_name, key, pipeline, stream, slice, reason, expires_at)
     values ('shop.orders', '[2]', 'shop', 'orders', 1, 'announced', now())`,
  )
  // Another session widens a column, and adds a row.
  await test.database.query('alter table shop.orders alter id type numeric')
  await test.database.query(`insert into shop.orders select 7, at, name from shop.orders where id = 6`)
  await test.database.query(`update shop.orders set name = null where id = 5`)
  expect(await comparison.compare({ part: 0 })).toMatchObject({ equal: 2, missing: 1, changed: 3, stale: 0, unread: 0 })
  expect(await comparison.collectExtra({ part: 0, scope: 'true' })).toBe(1)
  expect(await comparison.countExtra()).toEqual(new Map())
  await using later = await open(test.database)
  await read(later, [page(all)], (record) => record === 4)
  expect(await later.compare({ part: 0 })).toMatchObject({ equal: 2, missing: 2, stale: 1, changed: 0, unread: 1 })
})

test('a transaction that was under way at the beginning may have written its rows later', async () => {
  await using test = await testDatabase()
  await load(test.database, orders, [row(1, 2), row(2, 2)])
  const transaction = await test.database.transaction()
  await transaction.run(`update shop.orders set name = 'open' where id = 1`)
  await test.database.query(`update shop.orders set name = 'before' where id = 2`)
  await using comparison = await open(test.database)
  await read(comparison, [page([row(1, 2), row(2, 2)])])
  await transaction.commit()
  // What is certain is only that no fault is invented: the second row may be newer too.
  expect(await comparison.compare({ part: 0 })).toMatchObject({ stale: 0, changed: 2 })
})
