import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { typeDifferences, undefinedTypes } from '../../../src/load/shape/declared-types.ts'
import { readShape } from '../../../src/load/shape/table-shape.ts'
import { SchemaError } from '../../../src/model/errors.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'
import { load, table } from '../support.ts'

let shared: TestDatabase
beforeAll(async () => {
  shared = await testDatabase()
})
afterAll(async () => shared[Symbol.asyncDispose]())

describe('a declared column type', () => {
  test('that differs from the type in the table is named in a warning, and the values are stored', async () => {
    const { database } = shared
    await database.query('create schema if not exists shop')
    await database.query('create table shop.orders (id bigint primary key, amount text, tag varchar(20))')
    const columns = { amount: 'numeric(12,2)', tag: 'varchar(20)' } as const
    const { events, counts } = await load(database, table({ columns }), [{ id: 1, amount: '1.50', tag: 'a' }])
    expect(counts).toMatchObject({ inserted: 1, rejected: 0 })
    expect(events).toEqual([
      {
        type: 'warning',
        stream: 'orders',
        message:
          'shop.orders: the column amount is text, but the definition declares numeric(12,2). ' +
          "Values are stored as text. Declare { amount: 'text' }, or change the table: " +
          'alter table "shop"."orders" alter column "amount" type numeric(12,2) using "amount"::numeric(12,2)',
      },
    ])
  })

  test('that does not exist is named as such, and not explained as a missing right', async () => {
    const { database } = shared
    const definition = table({ name: 'shop.wrong', columns: { amount: 'numberic(12,2)' } })
    const loading = load(database, definition, [{ id: 1, amount: 1 }])
    await expect(loading).rejects.toThrow(SchemaError)
    await expect(loading).rejects.toThrow(
      'shop.wrong: the database refused to change it (type "numberic" does not exist). ' +
        'Correct the type in the columns of the table',
    )
    await database.query('create table shop.wrong (id bigint primary key, amount numeric)')
    const { events } = await load(database, definition, [{ id: 1, amount: 1 }])
    expect(events).toEqual([
      expect.objectContaining({
        type: 'warning',
        message: expect.stringContaining('declares numberic(12,2), which is not a type of this database'),
      }),
    ])
  })

  test.each([
    ['int', 'integer'],
    ['serial', 'integer'],
    ['float', 'double precision'],
    ['dec(12)', 'numeric(12,0)'],
    ['Numeric(12, 2)', 'numeric(12,2)'],
    ['timestamptz(3)', 'timestamp(3) with time zone'],
    ['char', 'character(1)'],
    ['bit', 'bit(1)'],
    ['varchar(5)[]', 'character varying(5)[]'],
    ['interval day to second', 'interval day to second'],
    ['email', 'email'],
    ['public.email', 'email'],
    ['text', 'email'],
    ['mood', 'public.mood'],
  ])('%s is the same as %s of the table', async (declared, actual) => {
    expect(await differences(declared, actual)).toEqual([])
  })

  test.each([
    ['int', 'bigint'],
    ['numeric(12,2)', 'numeric(10,2)'],
    ['numeric', 'numeric(10,2)'],
    ['varchar(20)', 'text'],
    ['timestamp', 'timestamp with time zone'],
    ['int[]', 'bigint[]'],
    ['numeric(12', 'numeric'],
  ])('%s differs from %s of the table', async (declared, actual) => {
    expect(await differences(declared, actual)).toHaveLength(1)
  })
})

let tables = 0
async function differences(declared: string, actual: string): Promise<string[]> {
  const { database } = shared
  await database.query(`do $$ begin
    if to_regtype('email') is null then create domain email as text; create type mood as enum ('sad'); end if;
  end $$`)
  const definition = table({ name: `public.typed_${(tables += 1)}`, columns: { v: declared } })
  await database.query(`create table ${definition.name} (id bigint primary key, v ${actual})`)
  return typeDifferences(database, definition, (await readShape(database, definition))!)
}

test('an error about a table with 1,600 columns quotes the begin and the end of its statement', async () => {
  const { database } = shared
  const columns = Object.fromEntries(Array.from({ length: 1_598 }, (_, index) => [`c${index}`, 'text' as const]))
  const record = { id: 1, ...Object.fromEntries(Object.keys(columns).map((name) => [name, 'a'])) }
  const definition = table({ name: 'shop.wide', columns: { ...columns, c7: 'nosuch' } })
  const error = await load(database, definition, [record]).catch((thrown: unknown) => thrown as Error)
  expect((error as Error).message.length).toBeLessThan(1_000)
  await load(database, { ...definition, columns }, [record])
  await database.query('create function shop.skip() returns trigger language plpgsql as $$ begin return null; end $$')
  await database.query('create trigger skip before insert on shop.wide for each row execute function shop.skip()')
  const failed = load(database, { ...definition, columns, write: 'append', key: [] }, [record])
  const skipped = await failed.catch((thrown: unknown) => thrown as Error)
  expect((skipped as Error).message).toContain('copy "shop"."wide" ("c0", "c1"')
  expect((skipped as Error).message).toContain('"c1597", "id", "_slice") from stdin: the server stored 0 of 1 rows')
  expect((skipped as Error).message.length).toBeLessThan(1_000)
})

test('undefinedTypes names a declared type that does not exist, before there is a table', async () => {
  const { database } = shared
  const definition = table({ name: 'shop.not_yet', columns: { a: 'numberic', n: 'serial', t: 'text' } })
  expect(await undefinedTypes(database, definition)).toEqual([
    'shop.not_yet: the definition declares numberic for a, which is not a type of this database. ' +
      'Did you mean numeric? Correct it in columns: { a: … }',
  ])
})

test('a column that became text gets its declared type by the statement of the warning', async () => {
  await using test = await testDatabase()
  const { database } = test
  const times = ['2024-01-01T00:00:00Z', '', '2024-07-31 10:00:00', '2024-07-31T10:00:00.5+05:30', null]
  const records = times.map((at, id) => ({ id, at }))
  await load(database, table(), records)
  const definition = table({ columns: { at: { type: 'timestamptz', zone: 'Europe/Berlin', emptyText: 'null' } } })
  const { events } = await load(database, definition, [])
  const [statement = ''] = /alter table .+$/.exec(JSON.stringify(events[0]).replaceAll('\\"', '"').slice(0, -2)) ?? []
  await using transaction = await database.transaction()
  await transaction.commit(`set local timezone = 'Asia/Tokyo'; ${statement}`)
  expect((await load(database, definition, records)).counts).toMatchObject({ unchanged: times.length })
})
