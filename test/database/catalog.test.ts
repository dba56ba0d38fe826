import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readTable } from '../../src/database/catalog.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

let own: TestDatabase
beforeAll(async () => {
  own = await testDatabase()
  await own.database.query('create schema shop')
})
afterAll(() => own[Symbol.asyncDispose]())

describe('readTable', () => {
  test('knows no table where there is none', async () => {
    expect(await readTable(own.database, 'shop.nothing')).toBeUndefined()
  })

  test.each([
    ['numeric(12,2)', { base: 'numeric', precision: 12, scale: 2 }],
    ['numeric(3,-2)', { base: 'numeric', precision: 3, scale: -2 }],
    ['numeric', { base: 'numeric' }],
    ['varchar(40)', { base: 'varchar', length: 40, type: 'character varying(40)' }],
    ['char(3)', { base: 'bpchar', length: 3 }],
    ['timestamptz(3)', { base: 'timestamptz', fraction: 3 }],
    ['timestamptz', { base: 'timestamptz', type: 'timestamp with time zone' }],
    ['varbit(7)', { base: 'varbit', length: 7 }],
    ['text[]', { base: '_text', type: 'text[]' }],
    ['jsonb', { base: 'jsonb', baseOid: 3802 }],
  ])('reads what stands behind %s', async (type, expected) => {
    await own.database.query('drop table if exists shop.one')
    await own.database.query(`create table shop.one (c ${type})`)
    const [column] = (await readTable(own.database, 'shop.one'))!.columns
    const limits = { precision: undefined, scale: undefined, length: undefined, fraction: undefined }
    expect({ ...limits, ...column }).toMatchObject({
      ...limits,
      name: 'c',
      kind: 'b',
      notNull: false,
      hasDefault: false,
      isGenerated: false,
      isIdentity: false,
      ...expected,
    })
  })

  test('looks through domains, their limits and their not null included', async () => {
    await own.database.query('create domain shop.price as numeric(10,2) not null')
    await own.database.query('create domain shop.discount as shop.price')
    await own.database.query('create table shop.offers (p shop.discount)')
    expect((await readTable(own.database, 'shop.offers'))!.columns[0]).toMatchObject({
      type: 'shop.discount',
      base: 'numeric',
      precision: 10,
      scale: 2,
      notNull: true,
      kind: 'b',
    })
  })

  test('tells defaults, identities and generated columns apart', async () => {
    await own.database.query(
      'create table shop.orders (id bigint generated always as identity, at date default now(), twice int generated always as (2) stored, gone int, "No Name" text)',
    )
    await own.database.query('alter table shop.orders drop column gone')
    const { columns } = (await readTable(own.database, 'shop.orders'))!
    expect(
      columns.map(({ name, hasDefault, isGenerated, isIdentity, notNull }) => [
        name,
        hasDefault,
        isGenerated,
        isIdentity,
        notNull,
      ]),
    ).toEqual([
      ['id', true, false, true, true],
      ['at', true, false, false, false],
      ['twice', false, true, false, false],
      ['No Name', false, false, false, false],
    ])
  })

  test('tells what a unique index is good for', async () => {
    await own.database.query('create table shop.keys (a int, b text, c int, unique (c) deferrable, primary key (b, a))')
    await own.database.query('create unique index keys_partial on shop.keys (a) where a > 0')
    await own.database.query('create unique index keys_lower on shop.keys (lower(b), a)')
    await own.database.query('create unique index keys_cover on shop.keys (c, a) include (b)')
    await own.database.query('create index keys_plain on shop.keys (a)')
    const { uniqueIndexes } = (await readTable(own.database, 'shop.keys'))!
    const none = { isPrimary: false, isPartial: false, isDeferrable: false, isExpression: false, isValid: true }
    expect(uniqueIndexes).toEqual([
      { ...none, name: 'keys_pkey', columns: ['b', 'a'], isPrimary: true },
      { ...none, name: 'keys_c_key', columns: ['c'], isDeferrable: true },
      { ...none, name: 'keys_cover', columns: ['c', 'a'] },
      { ...none, name: 'keys_lower', columns: ['lower(b)', 'a'], isExpression: true },
      { ...none, name: 'keys_partial', columns: ['a'], isPartial: true },
    ])
  })

  test('tells tables, partitioned tables and views apart, and sums partitions', async () => {
    await own.database.query('create table shop.parts (a int) partition by list (a)')
    await own.database.query('create table shop.part_1 partition of shop.parts for values in (1)')
    await own.database.query('insert into shop.parts select 1 from generate_series(1, 1000)')
    await own.database.query('create view shop.seen as select 1 as one')
    expect(await readTable(own.database, 'shop.parts')).toMatchObject({ kind: 'partitioned' })
    expect((await readTable(own.database, 'shop.parts'))!.bytes).toBeGreaterThan(30_000)
    expect(await readTable(own.database, 'shop.seen')).toMatchObject({ kind: 'view', bytes: 0 })
  })

  test('reads inside a transaction what that transaction has made', async () => {
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
