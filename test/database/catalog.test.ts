import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readTable } from '../../src/database/catalog.ts'
import { serverVersion, testDatabase, type TestDatabase } from '../support/database.ts'

let own: TestDatabase
beforeAll(async () => {
  own = await testDatabase()
  await own.database.query('create schema shop')
})
afterAll(() => own[Symbol.asyncDispose]())

describe('readTable', () => {
  test('returns undefined for a table that does not exist', async () => {
    expect(await readTable(own.database, 'shop.nothing')).toBeUndefined()
  })

  test.each([
    ['numeric(12,2)', { base: 'numeric', precision: 12, scale: 2 }],
    // Version 14 has no such numbers.
    ...(serverVersion() < 15 ? [] : [['numeric(3,-2)', { base: 'numeric', precision: 3, scale: -2 }] as const]),
    ['numeric', { base: 'numeric' }],
    ['varchar(40)', { base: 'varchar', length: 40, type: 'character varying(40)' }],
    ['char(3)', { base: 'bpchar', length: 3 }],
    ['timestamptz(3)', { base: 'timestamptz', fraction: 3 }],
    ['timestamptz', { base: 'timestamptz', type: 'timestamp with time zone' }],
    ['varbit(7)', { base: 'varbit', length: 7 }],
    ['text[]', { base: '_text', type: 'text[]' }],
    ['jsonb', { base: 'jsonb' }],
  ])('reads the numbers in the brackets of %s', async (type, expected) => {
    await own.database.query('drop table if exists shop.one')
    await own.database.query(`create table shop.one (c ${type})`)
    const [column] = (await readTable(own.database, 'shop.one'))!.columns
    const limits = { precision: undefined, scale: undefined, length: undefined, fraction: undefined }
    expect({ ...limits, ...column }).toMatchObject({
      ...limits,
      name: 'c',
      isGenerated: false,
      ...expected,
    })
  })

  test('returns the type below a domain, with its precision and scale', async () => {
    await own.database.query('create domain shop.price as numeric(10,2) not null')
    await own.database.query('create domain shop.discount as shop.price')
    await own.database.query('create table shop.offers (p shop.discount)')
    expect((await readTable(own.database, 'shop.offers'))!.columns[0]).toMatchObject({
      type: 'shop.discount',
      base: 'numeric',
      precision: 10,
      scale: 2,
    })
  })

  test('marks generated columns, and leaves out dropped ones', async () => {
    await own.database.query(`
      create table shop.orders (
        id bigint generated always as identity, at date default now(), twice int generated always as (2) stored,
        gone int, "No Name" text
      )`)
    await own.database.query('alter table shop.orders drop column gone')
    const { columns } = (await readTable(own.database, 'shop.orders'))!
    expect(columns.map(({ name, isGenerated }) => [name, isGenerated])).toEqual([
      ['id', false],
      ['at', false],
      ['twice', true],
      ['No Name', false],
    ])
  })

  test('lists unique indexes with what limits their use, the primary key first', async () => {
    await own.database.query('create table shop.keys (a int, b text, c int, unique (c) deferrable, primary key (b, a))')
    await own.database.query('create unique index keys_partial on shop.keys (a) where a > 0')
    await own.database.query('create unique index keys_lower on shop.keys (lower(b), a)')
    await own.database.query('create unique index keys_cover on shop.keys (c, a) include (b)')
    await own.database.query('create index keys_plain on shop.keys (a)')
    const { uniqueIndexes } = (await readTable(own.database, 'shop.keys'))!
    const none = { isPartial: false, isDeferrable: false, isExpression: false, isValid: true }
    expect(uniqueIndexes).toEqual([
      { ...none, name: 'keys_pkey', columns: ['b', 'a'] },
      { ...none, name: 'keys_c_key', columns: ['c'], isDeferrable: true },
      { ...none, name: 'keys_cover', columns: ['c', 'a'] },
      { ...none, name: 'keys_lower', columns: ['lower(b)', 'a'], isExpression: true },
      { ...none, name: 'keys_partial', columns: ['a'], isPartial: true },
    ])
  })

  test('distinguishes tables, partitioned tables and views, and sums the bytes of partitions', async () => {
    await own.database.query('create table shop.parts (a int) partition by list (a)')
    await own.database.query('create table shop.part_1 partition of shop.parts for values in (1)')
    await own.database.query('insert into shop.parts select 1 from generate_series(1, 1000)')
    await own.database.query('create view shop.seen as select 1 as one')
    expect(await readTable(own.database, 'shop.parts')).toMatchObject({ kind: 'partitioned' })
    expect((await readTable(own.database, 'shop.parts'))!.bytes).toBeGreaterThan(30_000)
    expect(await readTable(own.database, 'shop.seen')).toMatchObject({ kind: 'view', bytes: 0 })
  })

  test('sees, inside a transaction, a table that the transaction has made', async () => {
    await using transaction = await own.database.transaction()
    await transaction.run('create table shop.fresh (a int)')
    expect(await readTable(transaction, 'shop.fresh')).toMatchObject({ kind: 'table' })
  })

  test('keeps every character of a name', async () => {
    await own.database.query(`create schema "O'Neil ""x"""`)
    await own.database.query(`create table "O'Neil ""x"""."a.b" ("c""d" int)`)
    expect((await readTable(own.database, `O'Neil "x".a.b`))?.columns.map(({ name }) => name)).toEqual(['c"d'])
  })
})
