import { describe, expect, test } from '@jest/globals'
import { planChange } from '../../../src/load/shape/change-plan.ts'
import { columnType } from '../../../src/load/values/column-type.ts'
import { NeedsSchemaChange } from '../../../src/load/shape/schema-change.ts'
import { openTableWriter } from '../../../src/load/table-writer.ts'
import { SchemaError } from '../../../src/model/errors.ts'
import { testDatabase } from '../../support/database.ts'
import { columnsOf, load, page, table } from '../support.ts'

const slice = { id: '1', pipeline: 'shop', stream: 'orders' }

describe('a schema change', () => {
  test('adds a column for a new field once it has a value', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, table(), [
      { id: 1, later: null },
      { id: 2, later: null },
    ])
    expect(await columnsOf(database)).toEqual({ id: 'bigint' })
    const { events } = await load(
      database,
      table(),
      [
        { id: 3, later: null },
        { id: 4, later: 'now', userName: 'x' },
      ],
      { pageSize: 1 },
    )
    expect(await columnsOf(database)).toEqual({ id: 'bigint', later: 'text', user_name: 'text' })
    expect(events).toEqual([
      {
        type: 'table.altered',
        stream: 'orders',
        table: 'shop.orders',
        change: 'added later text, added user_name text',
      },
    ])
  })

  test('widens neither the version to text nor the key to jsonb', async () => {
    await using test = await testDatabase()
    const definition = table({ versionBy: 'v' })
    await load(test.database, definition, [{ id: 'a', v: 1 }])
    const { counts } = await load(test.database, definition, [
      { id: 'b', v: 'x' },
      { id: { a: 1 }, v: 2 },
      { id: 'c', v: 1.5 },
    ])
    expect(counts).toMatchObject({ inserted: 1, rejected: 2 })
    expect(await columnsOf(test.database)).toEqual({ id: 'text', v: 'numeric' })
  })

  test('widens no timestamptz column to text that is the version or in the key', async () => {
    await using test = await testDatabase()
    const definition = table({ key: ['at'], versionBy: 'v' })
    const time = '2024-01-01T00:00:00Z'
    await load(test.database, definition, [{ at: time, v: time }])
    const { counts, rejects } = await load(test.database, definition, [
      { at: '2024-01-01 00:00:00', v: time },
      { at: time, v: '2024-01-01T00:00:00.123456789Z' },
      { at: { a: 1 }, v: time },
    ])
    expect(counts).toMatchObject({ inserted: 0, updated: 0, rejected: 3 })
    expect(rejects.map(({ reason }) => reason.slice(0, 40))).toEqual([
      'at: "2024-01-01 00:00:00" does not fit t',
      'v: "2024-01-01T00:00:00.123456789Z" does',
      'at: an object does not fit timestamp wit',
    ])
    expect(await columnsOf(test.database)).toEqual({
      at: 'timestamp with time zone',
      v: 'timestamp with time zone',
    })
  })

  test('does not widen declared columns, and leaves fields out that the definition names', async () => {
    await using test = await testDatabase()
    const { database } = test
    const definition = table({ columns: { amount: 'numeric(12,2)', raw: false, unseen: 'uuid', code: 'text' } })
    const { counts, rejects } = await load(database, definition, [
      { id: 1, amount: 1.25, raw: { x: 1 }, code: 7 },
      { id: 2, amount: 1.255, code: 'x' },
      { id: 3, amount: 'much', code: { deep: [1] } },
    ])
    expect(await columnsOf(database)).toEqual({ id: 'bigint', amount: 'numeric(12,2)', code: 'text', unseen: 'uuid' })
    expect(counts).toMatchObject({ inserted: 1, rejected: 2 })
    expect(rejects.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^amount: 1.255 does not fit numeric\(12,2\) without being rounded\. /),
      expect.stringMatching(/^amount: "much" does not fit numeric\(12,2\)\. /),
    ])
  })

  test('fails with freeze, rejects with reject, and is not needed for fields that are only null', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, table(), [{ id: 1, n: 1 }])
    await expect(load(database, table({ onSchemaChange: 'freeze' }), [{ id: 2, n: 1, more: 1 }])).rejects.toThrow(
      SchemaError,
    )
    await expect(load(database, table({ onSchemaChange: 'freeze' }), [{ id: 2, n: 1.5 }])).rejects.toThrow(
      'n: 1.5 does not fit bigint, and its shape is frozen',
    )
    expect(
      (await load(database, table({ onSchemaChange: 'freeze' }), [{ id: 2, n: 1, more: null }])).counts,
    ).toMatchObject({
      inserted: 1,
    })
    const { counts, rejects } = await load(database, table({ onSchemaChange: 'reject' }), [
      { id: 3, n: 1, more: 1 },
      { id: 4, n: 'x' },
      { id: 5, n: 5 },
    ])
    expect(counts).toMatchObject({ inserted: 1, rejected: 2 })
    expect(rejects.map(({ reason }) => reason)).toEqual([
      "more: it has no column yet. onSchemaChange: 'evolve' adds a column",
      `n: "x" does not fit bigint. onSchemaChange: 'evolve' widens the column`,
    ])
  })

  test('creates a table that does not exist, also with freeze', async () => {
    await using test = await testDatabase()
    await load(
      test.database,
      table({ onSchemaChange: 'freeze' }),
      [
        { id: 1, n: 1 },
        { id: 2, n: 2.5, more: 'x' },
      ],
      { pageSize: 1 },
    )
    expect(await columnsOf(test.database)).toEqual({ id: 'bigint', n: 'numeric', more: 'text' })
  })

  test('fails if two fields have the same column name, and names both', async () => {
    await using test = await testDatabase()
    await expect(load(test.database, table(), [{ id: 1, userName: 1, user_name: 2 }])).rejects.toThrow(
      'the fields "userName" and "user_name" would both be the column user_name',
    )
    await expect(load(test.database, table(), [{ id: 1, _slice: 1 }])).rejects.toThrow(SchemaError)
  })

  test('loads a renamed field into the column of the same name', async () => {
    await using test = await testDatabase()
    await load(test.database, table(), [{ id: 1, userName: 'a' }])
    expect((await load(test.database, table(), [{ id: 1, user_name: 'b' }])).counts).toMatchObject({ updated: 1 })
  })

  test('quotes names of fields and tables, whatever they contain', async () => {
    await using test = await testDatabase()
    const record = JSON.parse(
      `{"id": 1, "select": 1, "a\\"b": 2, "it's": 3, "ünï": 4, "__proto__": 5, "constructor": 6, ` +
        `"${'x'.repeat(80)}": 7, "1st": 8, "xmin": 9, "c\\\\d": 10, "$sluice$": 11}`,
    ) as object
    await load(test.database, table(), [record])
    const columns = Object.keys(await columnsOf(test.database))
    expect(columns).toHaveLength(12)
    expect(columns.slice(0, 7)).toEqual(['id', 'select', 'a_b', 'it_s', 'ünï', '__proto__', 'constructor'])
    expect(columns.every((name) => Buffer.byteLength(name) <= 63)).toBe(true)
    await load(test.database, table(), [{ id: 2 }])
    expect(await test.database.query('select "__proto__", constructor from shop.orders order by id')).toEqual([
      { ['__proto__']: '5', constructor: '6' },
      { ['__proto__']: null, constructor: null },
    ])
  })

  test('that a view prevents fails with the statement to run', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, table(), [{ id: 1, n: 1 }])
    await database.query('create view shop.seen as select n from shop.orders')
    await expect(load(database, table(), [{ id: 1, n: 1.5 }])).rejects.toThrow(
      'alter table "shop"."orders" alter column "n" type numeric using "n"::numeric',
    )
    await expect(load(database, table({ name: 'shop.seen' }), [{ id: 1, n: 1.5 }])).rejects.toThrow(
      'it is a view, not a table',
    )
  })

  test('without the right to make it fails with the statement to run', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, table(), [{ id: 1, n: 1 }])
    const writer = await openTableWriter(database, table(), { slice })
    const need = writer.encode(page([{ id: 2, more: true }]))
    expect(need).toBeInstanceOf(NeedsSchemaChange)
    await database.query('drop role if exists other_owner')
    await database.query('create role other_owner')
    await database.query('alter schema shop owner to other_owner')
    await database.query('alter table shop.orders owner to other_owner')
    // The one who runs the tests may do everything, so that another has to try.
    const url = new URL(test.url)
    await database.query(`drop role if exists intruder`)
    await database.query(`create role intruder login password 'intruder'`)
    await database.query('grant usage on schema shop to intruder; ')
    url.username = 'intruder'
    url.password = 'intruder'
    const { openDatabase } = await import('../../../src/database/database.ts')
    await using poor = await openDatabase({ url: url.href })
    await database.query('grant select, insert, update on shop.orders to intruder')
    const failure = load(poor, table(), [{ id: 2, more: true }])
    await expect(failure).rejects.toThrow(SchemaError)
    await expect(failure).rejects.toThrow('alter table "shop"."orders" add column if not exists "more" boolean')
    await database.query('drop owned by intruder')
    await database.query('drop role intruder')
    await database.query('reassign owned by other_owner to current_user')
    await database.query('drop role other_owner')
  })

  test('fails for a field of a generated column, and says how to leave it out', async () => {
    await using test = await testDatabase()
    await test.database.query('create schema shop')
    await test.database.query(
      'create table shop.orders (id bigint primary key, twice bigint generated always as (id * 2) stored)',
    )
    await expect(load(test.database, table(), [{ id: 1, twice: 2 }])).rejects.toThrow(
      'Leave it out with columns: { "twice": false }',
    )
  })

  test('is not needed by a page without records, or with rejected records only', async () => {
    await using test = await testDatabase()
    expect((await load(test.database, table(), [])).counts).toMatchObject({ fetched: 0 })
    const { counts, rejects } = await load(test.database, table(), [{ id: null, n: 1 }, { id: 'a\0b' }])
    expect(counts).toMatchObject({ rejected: 2 })
    expect(rejects.map(({ reason }) => reason)).toEqual([
      'id: it belongs to the key and is null. Give it a value with .map(), or leave the record out with .filter()',
      'id: it holds a NUL character, which PostgreSQL cannot store. Correct it in a stage such as .map()',
    ])
    expect(await columnsOf(test.database)).toEqual({})
    const bad = await load(test.database, table(), [{ id: 'a\0b', n: 1 }])
    expect(bad.rejects.map(({ reason }) => reason)).toEqual([
      'id: it holds a NUL character, which PostgreSQL cannot store. Correct it in a stage such as .map()',
    ])
    expect(await columnsOf(test.database)).toEqual({})
  })

  test('adds all fields to a table that has none of them, or rejects the records', async () => {
    await using test = await testDatabase()
    const { database } = test
    await database.query('create schema shop')
    await database.query('create table shop.orders (note text)')
    const definition = table({ key: [], write: 'append', onSchemaChange: 'reject', adopt: true })
    expect((await load(database, definition, [{ a: null }, {}, { a: 1 }])).counts).toMatchObject({
      inserted: 0,
      rejected: 3,
    })
    await expect(load(database, { ...definition, onSchemaChange: 'freeze' }, [{ a: 1 }])).rejects.toThrow(SchemaError)
    expect(
      (await load(database, { ...definition, onSchemaChange: 'evolve' }, [{ a: null }, {}, { a: 1 }])).counts,
    ).toMatchObject({ inserted: 3 })
  })

  test('does not rewrite a table beyond 1 GB, and fails with the statement to run', () => {
    const column = { field: 'n', name: 'n', type: columnType('bigint'), key: false, declared: false, round: false }
    const large = {
      name: 'shop.orders',
      columns: new Map([['n', column.type]]),
      generated: new Set<string>(),
      notNull: new Map<string, { hasDefault: boolean }>(),
      origins: new Map(),
      bytes: 3 * 2 ** 30,
      partitioned: false,
      blank: false,
      created: true,
      hidesXmax: false,
      slots: 2,
      hasSlice: false,
      isHistory: false,
    }
    const need = { add: [], widen: [{ column, to: 'text' as const }], load: false }
    expect(() => planChange(need, table(), large, 'shop.orders')).toThrow(SchemaError)
    expect(() => planChange(need, table(), large, 'shop.orders')).toThrow(
      'widening n from bigint to text rewrites 3.0 GB, and no session can read the table until that ends. ' +
        'Choose the time yourself and run: alter table "shop"."orders" alter column "n" type text using "n"::text',
    )
    expect(
      planChange({ ...need, widen: [], add: [column] }, table(), { ...large, columns: new Map() }, 'shop.orders')
        .change,
    ).toBe('added n bigint')
  })
})
