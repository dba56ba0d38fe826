import { describe, expect, test } from '@jest/globals'
import type { Database } from '../../../src/database/database.ts'
import { plannedChange } from '../../../src/load/shape/planned-change.ts'
import { readShape } from '../../../src/load/shape/table-shape.ts'
import { testDatabase } from '../../support/database.ts'
import { load, table } from '../support.ts'

const merged = table({ versionBy: 'at', loadedAt: true })
const history = table({ write: 'history', versionBy: 'at', loadedAt: true })
const at = (day: number): string => `2024-01-0${day}T00:00:00Z`

const lines = async (database: Database): Promise<unknown[]> =>
  (
    await database.query<{ line: string }>(
      `select id || ': ' || to_char(_valid_from, 'DD') || '..' || coalesce(to_char(_valid_to, 'DD'), '') || ' ' || name
         as line from shop.orders where isfinite(_valid_from)
       union all select id || ': ever..' || coalesce(to_char(_valid_to, 'DD'), '') || ' ' || name
         from shop.orders where not isfinite(_valid_from) order by line`,
    )
  ).map(({ line }) => line)

describe('a merged table becomes a history', () => {
  test('with its rows as the first versions, and goes on being merged after the transaction of the error', async () => {
    await using test = await testDatabase()
    const { database } = test
    const rows = [
      { id: 1, name: 'a', at: at(1) },
      { id: 2, name: 'x', at: null },
    ]
    await load(database, merged, rows)
    const { events, counts } = await load(database, history, [...rows, { id: 1, name: 'b', at: at(3) }])
    // What is read again is not a new version: it is the one that was there.
    expect(counts).toMatchObject({ inserted: 1, unchanged: 2 })
    expect(events).toContainEqual({
      type: 'table.altered',
      stream: 'orders',
      table: 'shop.orders',
      change: 'turned into a history',
    })
    expect(await lines(database)).toEqual(['1: 01..03 a', '1: 03.. b', '2: ever.. x'])
    expect((await load(database, history, rows)).events).toEqual([])
    expect(await database.query('select id::int, name from shop.orders_current order by id')).toEqual([
      { id: 1, name: 'b' },
      { id: 2, name: 'x' },
    ])

    const error = await load(database, merged, rows).catch((error: unknown) => error)
    const message = error instanceof Error ? error.message : ''
    expect(message).toMatch(
      /^shop\.orders: the table is a history, and write: 'merge' would have to throw its past away/,
    )
    const [, statements = ''] = message.split(' run: ')
    await database.query(statements)
    expect((await load(database, merged, [{ id: 2, name: 'y', at: at(4) }])).counts).toMatchObject({ updated: 1 })
    expect(
      await database.query(
        "select id::int, name, to_jsonb(o) - array['_loaded_at'] as row from shop.orders o order by id",
      ),
    ).toMatchObject([
      { id: 1, name: 'b', row: { id: 1, name: 'b', at: '2024-01-03T00:00:00+00:00' } },
      { id: 2, name: 'y' },
    ])
    // And a history again.
    await load(database, history, [{ id: 1, name: 'c', at: at(5) }])
    expect(await lines(database)).toEqual(['1: 03..05 b', '1: 05.. c', '2: 04.. y'])
  })

  test('without a version from when a row was loaded, or before all times', async () => {
    await using test = await testDatabase()
    const { database } = test
    for (const loadedAt of [true, false]) {
      const name = loadedAt ? 'shop.stamped' : 'shop.bare'
      await load(database, table({ name, loadedAt }), [{ id: 1, name: 'a' }])
      await load(database, table({ name, loadedAt, write: 'history' }), [{ id: 1, name: 'a' }])
    }
    expect(await database.query(`select _valid_from = _loaded_at as loaded, _is_current from shop.stamped`)).toEqual([
      { loaded: true, _is_current: true },
    ])
    expect(await database.query('select isfinite(_valid_from) as finite, _valid_to from shop.bare')).toEqual([
      { finite: false, _valid_to: null },
    ])
  })

  test('by whichever unique index it has had, and not beside another one', async () => {
    await using test = await testDatabase()
    const { database } = test
    await database.query('create schema shop')
    await database.query('create table shop.orders (id bigint not null, name text, at timestamptz, email text unique)')
    await database.query('create unique index by_hand on shop.orders (id)')
    const adopted = { ...history, loadedAt: false, adopt: true }
    await expect(load(database, adopted, [{ id: 1, at: at(1) }])).rejects.toThrow(
      /the unique index orders_email_key \(email\) would refuse a second version of a row\. Drop it, or make it one of/,
    )
    await database.query('alter table shop.orders drop constraint orders_email_key')
    await database.query('create unique index on shop.orders (email) where name is null')
    await load(database, adopted, [
      { id: 1, name: 'a', at: at(1) },
      { id: 1, name: 'b', at: at(2) },
    ])
    expect(await lines(database)).toEqual(['1: 01..02 a', '1: 02.. b'])
  })

  test('which a check announces', async () => {
    await using test = await testDatabase()
    const { database } = test
    const rows = [{ id: 1, name: 'a', at: at(1) }]
    await load(database, merged, rows)
    const planned = async (records: readonly object[]): Promise<string> => {
      const shape = await readShape(database, history)
      return shape ? plannedChange(database, history, { stream: 'shop.orders', shape, records }) : 'no table'
    }
    expect(await planned(rows)).toBe('turned into a history')
    expect(await planned([{ id: 1, more: true }])).toBe('turned into a history, added more boolean')
    await load(database, history, rows)
    expect(await planned(rows)).toBe('')
  })

  test('only if Sluice has made it or may adopt it', async () => {
    await using test = await testDatabase()
    const { database } = test
    await database.query('create schema shop')
    await database.query('create table shop.orders (id bigint primary key, name text, at timestamptz)')
    await expect(load(database, { ...history, loadedAt: false }, [{ id: 1 }])).rejects.toThrow(
      /Sluice did not create this table, so it does not alter it\. The records need this change: turned into a history/,
    )
    expect(await database.query('select * from shop.orders')).toEqual([])
  })

  test('of another program is written as it is, without a view', async () => {
    await using test = await testDatabase()
    const { database } = test
    await database.query('create schema shop')
    await database.query(
      `create table shop.orders (
        id int, name text, at timestamptz, _valid_from timestamptz, _valid_to timestamptz, primary key (id, _valid_from)
      )`,
    )
    await database.query('create view shop.orders_current as select 1 as theirs')
    await load(database, { ...history, loadedAt: false }, [
      { id: 1, name: 'a', at: at(1) },
      { id: 1, name: 'b', at: at(2) },
    ])
    expect(await lines(database)).toEqual(['1: 01..02 a', '1: 02.. b'])
    expect(await database.query('select * from shop.orders_current')).toEqual([{ theirs: 1 }])
  })

  test('that is partitioned by the beginning of versions is written on any server', async () => {
    await using test = await testDatabase()
    const { database } = test
    await database.query('create schema shop')
    await database.query(
      `create table shop.orders (
        id int, name text, at timestamptz, _valid_from timestamptz, _valid_to timestamptz, primary key (id, _valid_from)
      ) partition by range (_valid_from)`,
    )
    await database.query(`create table shop.early partition of shop.orders for values from (minvalue) to ('${at(2)}')`)
    await database.query(`create table shop.late partition of shop.orders for values from ('${at(2)}') to (maxvalue)`)
    const own = { ...history, loadedAt: false }
    await load(database, own, [{ id: 1, name: 'c', at: at(3) }])
    const { counts } = await load(database, own, [
      { id: 1, name: 'a', at: at(1) },
      { id: 1, name: 'C', at: at(3) },
    ])
    expect(counts).toMatchObject({ inserted: 1, updated: 1 })
    expect(await lines(database)).toEqual(['1: 01..03 a', '1: 03.. C'])
  })
})
