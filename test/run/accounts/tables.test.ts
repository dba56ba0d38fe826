import { describe, expect, jest, test } from '@jest/globals'
import { accounts, bearer, http, onePage, pipeline, run, type TableOptions } from '../../../src/index.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'

jest.setTimeout(60_000)

type Row = { id: number; name?: string; account?: string }
const NO_KEY = { write: 'append' } as const

/** Runs the accounts north and south, whose rows are those of a function, and returns their reports. */
async function stored(
  database: string,
  rowsOf: (account: string) => readonly object[],
  {
    table = { key: 'id' },
    column = 'account',
    names = ['north', 'south'],
    full = false,
  }: {
    table?: object
    column?: string
    names?: readonly string[]
    full?: boolean
  } = {},
) {
  await using api = await apiServer(({ headers }) => ({
    json: rowsOf(headers.authorization?.replace('Bearer token-of-', '') ?? ''),
  }))
  const definition = pipeline('shops', {
    for: accounts('SHOPS', { column }),
    streams: (account) => {
      const pages = http(api.origin, { auth: bearer(account.secret('TOKEN')) })
        .get<Row[]>('/')
        .pages(onePage())
      return { rows: pages.records().into('t.rows', table as TableOptions<Row, 'merge'>) }
    },
  })
  const SHOPS = JSON.stringify(names.map((name) => ({ name, token: `token-of-${name}` })))
  const report = await run(definition, { database, full, environment: { SHOPS }, throwOnFailure: false })
  return Object.fromEntries(Object.entries(report.accounts).map(([name, { streams }]) => [name, streams['rows']]))
}

const withAccount = (name: string) => [{ id: 1, name, account: 'other' }]
const withBadNumber = (name: string) => [
  { id: 1, n: name === 'north' ? 'no number' : 1 },
  { id: 2, n: 2 },
]

describe('a table of several accounts', () => {
  test('has the rows of each, whatever the mode, and repeats none', async () => {
    for (const table of [{ key: 'id' }, { key: 'id', write: 'append' }]) {
      await using test = await testDatabase()
      for (const _ of [1, 2]) {
        const reports = await stored(test.url, (name) => [1, 2].map((id) => ({ id, name })), { table })
        expect([reports['north']?.error, reports['south']?.error]).toEqual([undefined, undefined])
      }
      expect(await test.database.query('select account, id::int, name from t.rows order by 1, 2')).toEqual(
        ['north', 'south'].flatMap((account) => [1, 2].map((id) => ({ account, id, name: account }))),
      )
    }
  })

  test('has the account in rows without a key too, with another name for its column', async () => {
    await using test = await testDatabase()
    await stored(test.url, (name) => [{ id: 1, name }], { table: NO_KEY, column: 'shop' })
    expect(await test.database.query('select shop, id::int, name from t.rows order by 1')).toEqual(
      ['north', 'south'].map((shop) => ({ shop, id: 1, name: shop })),
    )
    expect(
      await test.database.query(
        `select is_nullable from information_schema.columns where table_schema = 't' and column_name = 'shop'`,
      ),
    ).toEqual([{ is_nullable: 'NO' }])
  })

  test('counts the rows that an account has kept, without those of the others', async () => {
    await using test = await testDatabase()
    await stored(test.url, (name) => (name === 'north' ? [{ id: 1 }, { id: 2 }] : [{ id: 1 }, { id: 2 }, { id: 3 }]))
    const again = await stored(test.url, () => [{ id: 1 }], { full: true })
    expect([again['north']?.keptRows, again['south']?.keptRows]).toEqual([1, 2])
  })

  test('loses the rows that an account no longer has, and none of the others', async () => {
    await using test = await testDatabase()
    const table = { key: 'id', mirror: true }
    await stored(test.url, () => [{ id: 1 }, { id: 2 }, { id: 3 }], { table })
    const again = await stored(
      test.url,
      (name) => (name === 'north' ? [{ id: 1 }, { id: 2 }] : [{ id: 2 }, { id: 3 }]),
      {
        table,
      },
    )
    expect([again['north'], again['south']]).toMatchObject([{ mirroredRows: 1 }, { mirroredRows: 1 }])
    expect(await test.database.query(`select account || id as row from t.rows order by 1`)).toEqual(
      ['north1', 'north2', 'south2', 'south3'].map((row) => ({ row })),
    )
  })

  test('adds a column that the records of one account have, and null in those of the others', async () => {
    await using test = await testDatabase()
    await stored(test.url, (name) => [{ id: 1, ...(name === 'north' && { extra: 'x' }) }])
    const again = await stored(test.url, () => [{ id: 1 }, { id: 2 }], { full: true })
    expect([again['north']?.counts.updated, again['south']?.counts.updated]).toEqual([1, 0])
    expect(await test.database.query('select account, extra from t.rows order by 1, id')).toEqual([
      { account: 'north', extra: null },
      { account: 'north', extra: null },
      { account: 'south', extra: null },
      { account: 'south', extra: null },
    ])
  })

  test('refuses records that have a field of the name of its column', async () => {
    await using test = await testDatabase()
    const both = 'the field "account" and the name of the account would both be the column account'
    const refused = await stored(test.url, withAccount)
    expect(refused['north']).toMatchObject({ status: 'failed', error: expect.stringContaining(both) })
    const inKey = await stored(test.url, withAccount, { table: { key: ['id', 'account'] } })
    expect(inKey['north']).toMatchObject({ status: 'failed', error: expect.stringContaining(both) })
    expect((await stored(test.url, withAccount, { column: 'shop' }))['north']).toMatchObject({ status: 'done' })
    expect(await test.database.query('select shop, account from t.rows order by 1')).toEqual([
      { shop: 'north', account: 'other' },
      { shop: 'south', account: 'other' },
    ])
  })

  test.each([
    ['without the column', 'id bigint primary key', { key: 'id' }, 'the table has no column account'],
    ['without the column and without a key', 'id bigint', NO_KEY, 'the table has no column account'],
    [
      'whose key has no account',
      'account text, id bigint primary key',
      { key: 'id' },
      'no unique index of exactly (account, id)',
    ],
    [
      'whose column is no text',
      'account char(5), id bigint, unique (account, id)',
      { key: 'id' },
      'holds the account, and is',
    ],
  ])('refuses a table of yours %s', async (_, columns, table, message) => {
    await using test = await testDatabase()
    await test.database.query(`create schema t`)
    await test.database.query(`create table t.rows (${columns})`)
    const refused = await stored(test.url, () => [{ id: 1 }], { table })
    expect(refused['north']).toMatchObject({ status: 'failed', error: expect.stringContaining(message) })
    expect(await test.database.query('select 1 from t.rows')).toEqual([])
  })

  test('rejects a bad record of one account alone, and a later record of another does not settle it', async () => {
    await using test = await testDatabase()
    const table = { key: 'id', columns: { n: 'integer' } }
    await stored(test.url, withBadNumber, { table })
    await stored(test.url, () => [{ id: 1, n: 1 }], { table, names: ['south'] })
    const rejects = () => test.database.query(`select pipeline, settlement from sluice.rejects order by id`)
    expect(await rejects()).toEqual([{ pipeline: 'shops@north', settlement: null }])
    await stored(test.url, () => [{ id: 1, n: 1 }], { table, names: ['north'] })
    expect(await rejects()).toEqual([{ pipeline: 'shops@north', settlement: 'stored' }])
  })

  test('shows a row that the database refused as a record, without the account', async () => {
    await using test = await testDatabase()
    await test.database.query('create schema t')
    await test.database.query(
      'create table t.rows (account text not null, id bigint, n bigint check (n < 10), primary key (account, id))',
    )
    await stored(test.url, (name) => [
      { id: 1, n: name === 'north' ? 11 : 1 },
      { id: 2, n: 2 },
    ])
    const [reject] = await test.database.query<{ record: unknown }>('select record from sluice.rejects')
    expect(reject).toEqual({ record: { id: 1, n: 11 } })
  })
})
