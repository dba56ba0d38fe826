import { describe, expect, test } from '@jest/globals'
import type { EncodedPage } from '../../src/load/encode/encoded-page.ts'
import { openTableWriter } from '../../src/load/table-writer.ts'
import { testDatabase } from '../support/database.ts'
import { ownServer } from '../support/own-server.ts'
import { balances, columnsOf, load, page, table } from './support.ts'

describe('merge', () => {
  test('creates the table from the records, with the key first and not null', async () => {
    await using test = await testDatabase()
    const { database } = test
    const { counts } = await load(database, table(), [
      {
        name: 'Ann',
        id: 1,
        paid: true,
        at: '2024-01-01T00:00:00Z',
        on: '2024-02-29',
        price: 1.5,
        tags: ['a'],
        note: null,
      },
    ])
    expect(await columnsOf(database)).toEqual({
      id: 'bigint',
      name: 'text',
      paid: 'boolean',
      at: 'timestamp with time zone',
      on: 'date',
      price: 'numeric',
      tags: 'jsonb',
    })
    expect(counts).toMatchObject({ fetched: 1, inserted: 1, updated: 0, unchanged: 0 })
    expect(await database.query('select to_jsonb(o) as row from shop.orders o')).toEqual([
      {
        row: {
          id: 1,
          name: 'Ann',
          paid: true,
          at: '2024-01-01T00:00:00+00:00',
          on: '2024-02-29',
          price: 1.5,
          tags: ['a'],
        },
      },
    ])
  })

  test('counts inserted, updated and unchanged rows, and does not touch unchanged rows', async () => {
    await using test = await testDatabase()
    const { database } = test
    const rows = Array.from({ length: 100 }, (_, id) => ({ id, name: `n${id}`, price: id / 4 }))
    await load(database, table(), rows, { pageSize: 7 })
    const before = await database.query('select id, xmin::text, xmax::text, ctid::text from shop.orders order by id')
    const again = await load(database, table(), rows, { pageSize: 7 })
    expect(again.counts).toMatchObject({ fetched: 100, inserted: 0, updated: 0, unchanged: 100 })
    expect(await database.query('select id, xmin::text, xmax::text, ctid::text from shop.orders order by id')).toEqual(
      before,
    )
    const third = await load(database, table(), [
      ...rows.slice(0, 10).map((row) => ({ ...row, name: 'new' })),
      ...rows.slice(10),
      { id: 1000, name: 'x', price: 0 },
    ])
    expect(third.counts).toMatchObject({ inserted: 1, updated: 10, unchanged: 90 })
    expect(balances(third.counts)).toBe(true)
  })

  test('writes only its own columns of a foreign table, and detects changes that equality hides', async () => {
    await using test = await testDatabase()
    const { database } = test
    await database.query('create schema shop')
    await database.query(
      `create table shop.orders (
        id int primary key, price numeric, doc json, noted timestamptz not null default now(), note text
      )`,
    )
    await database.query(
      `insert into shop.orders values (1, 1.5, '{"a": 1}', '2020-01-01', 'mine'), (2, 2, null, '2020-01-01', 'mine')`,
    )
    const same = await load(database, table(), [
      { id: 1, price: '1.50', doc: { a: 1 } },
      { id: 2, price: 2, doc: null },
    ])
    expect(same.counts).toMatchObject({ updated: 1, unchanged: 1 })
    expect(
      await database.query(
        `select id, price::text, doc::text, note, noted < '2021-01-01' as old from shop.orders order by id`,
      ),
    ).toEqual([
      { id: 1, price: '1.50', doc: '{"a":1}', note: 'mine', old: true },
      { id: 2, price: '2', doc: null, note: 'mine', old: true },
    ])
  })

  test('writes null to the column of a field that no record has any more', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, table(), [{ id: 1, n: 'a', gone: 1 }])
    expect((await load(database, table(), [{ id: 1, n: 'a' }])).counts).toMatchObject({ updated: 1 })
    expect(await database.query('select gone from shop.orders')).toEqual([{ gone: null }])
  })

  test('does not write columns that another stream created in the same table', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, table(), [{ id: 1, n: 'a' }])
    await load(database, table(), [{ id: 1, score: 5 }], { stream: 'scores' })
    await load(database, table(), [{ id: 1, n: 'b' }])
    expect(await database.query('select n, score::int from shop.orders')).toEqual([{ n: 'b', score: 5 }])
  })

  test('only inserts into a table that has no columns but the key', async () => {
    await using test = await testDatabase()
    const { database } = test
    const definition = table({ key: ['a', 'b'] })
    await load(database, definition, [{ a: 1, b: 'x' }])
    expect(
      (
        await load(database, definition, [
          { a: 1, b: 'x' },
          { a: 1, b: 'y' },
        ])
      ).counts,
    ).toMatchObject({ inserted: 1, unchanged: 1 })
  })

  test('rejects a record with null in its key, and a record that is not an object', async () => {
    await using test = await testDatabase()
    const { counts, rejects } = await load(test.database, table(), [
      { id: null, n: 1 },
      { n: 1 },
      'text',
      null,
      [1],
      { id: 1, n: 1 },
    ])
    expect(counts).toMatchObject({ fetched: 6, inserted: 1, rejected: 5 })
    expect(rejects.map(({ reason }) => reason)).toEqual([
      'id: it belongs to the key and is null. Give it a value with .map(), or leave the record out with .filter()',
      'id: it belongs to the key, and the record has no such field (it has n). ' +
        'Name the field that identifies a record as the key',
      'a record has to be an object, this is "text". Make one of it with .map()',
      'a record has to be an object, this is null. Make one of it with .map()',
      'a record has to be an object, this is a list. Make one of it with .map()',
    ])
    expect(rejects[0]).toMatchObject({ stage: 'encode', record: { id: null, n: 1 } })
  })

  test('rejects half of a surrogate pair and NUL, and stores all other characters', async () => {
    await using test = await testDatabase()
    const { counts, rejects } = await load(test.database, table(), [
      { id: 1, n: 'x\uD83D', o: {} },
      { id: 2, n: 'x\0', o: {} },
      { id: 3, n: '\uFFFD😀', o: { '\uDE00': 1 } },
      { id: 4, n: '\uFFFD😀', o: { é: '\\u0000' } },
    ])
    expect(counts).toMatchObject({ inserted: 1, rejected: 3 })
    expect(rejects.map(({ reason }) => reason)).toEqual([
      'n: it holds half of a surrogate pair, which is not a character. Correct it in a stage such as .map()',
      'n: it holds a NUL character, which PostgreSQL cannot store. Correct it in a stage such as .map()',
      'o: it holds half of a surrogate pair, which is not a character. Correct it in a stage such as .map()',
    ])
    expect(await test.database.query('select n, o from shop.orders')).toEqual([{ n: '\uFFFD😀', o: { é: '\\u0000' } }])
  })

  test('sets _loaded_at when a row changes, and does not compare it', async () => {
    await using test = await testDatabase()
    const { database } = test
    const definition = table({ loadedAt: true })
    const at = (): Promise<unknown> =>
      database.query('select id::int, _loaded_at::text as at from shop.orders order by id')
    await load(database, definition, [
      { id: 1, n: 1 },
      { id: 2, n: 1 },
    ])
    const first = (await at()) as { at: string }[]
    expect(first[0]!.at).toMatch(/^20/)
    expect(
      (
        await load(database, definition, [
          { id: 1, n: 1 },
          { id: 2, n: 2 },
        ])
      ).counts,
    ).toMatchObject({ unchanged: 1, updated: 1 })
    const second = (await at()) as { at: string }[]
    expect(second[0]).toEqual(first[0])
    expect(second[1]!.at > first[1]!.at).toBe(true)
  })

  test('writes almost no WAL for rows that are stored already, also after a checkpoint', async () => {
    // The position of the WAL belongs to the server, so the other tests must not use it.
    await using test = await ownServer()
    const { database } = test
    const rows = Array.from({ length: 5_000 }, (_, id) => ({
      id,
      name: `number ${id}`,
      price: id / 4,
      at: '2024-01-01T00:00:00Z',
    }))
    await load(database, table({ versionBy: 'at' }), rows)
    await database.query('checkpoint')
    const [before] = await database.query<{ at: string }>('select pg_current_wal_insert_lsn() as at')
    expect((await load(database, table({ versionBy: 'at' }), rows)).counts).toMatchObject({
      unchanged: 5_000,
      inserted: 0,
      updated: 0,
    })
    const [after] = await database.query<{ bytes: string }>(
      'select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1) as bytes',
      [before!.at],
    )
    // Locking the rows alone wrote 400 bytes for each.
    expect(Number(after!.bytes)).toBeLessThan(5_000 * 60)
  })

  test('inserts a row once and updates it once if one transaction writes it twice', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, table(), [{ id: 0, n: 0 }])
    const writer = await openTableWriter(database, table(), { slice: { id: '2', pipeline: 'shop', stream: 'orders' } })
    await using transaction = await database.transaction()
    const one = await writer.write(transaction, [writer.encode(page([{ id: 1, n: 1 }])) as EncodedPage])
    const two = await writer.write(transaction, [
      writer.encode(
        page([
          { id: 1, n: 2 },
          { id: 0, n: 0 },
        ]),
      ) as EncodedPage,
    ])
    await transaction.commit()
    expect(one.counts).toMatchObject({ inserted: 1, updated: 0 })
    expect(two.counts).toMatchObject({ inserted: 0, updated: 1, unchanged: 1 })
  })

  test('writes a partitioned table', async () => {
    await using test = await testDatabase()
    const { database } = test
    await database.query('create schema shop')
    await database.query('create table shop.orders (id bigint primary key, n text) partition by range (id)')
    await database.query('create table shop.low partition of shop.orders for values from (0) to (10)')
    await database.query('create table shop.high partition of shop.orders for values from (10) to (100)')
    await load(database, table(), [
      { id: 1, n: 'a' },
      { id: 20, n: 'b' },
    ])
    expect(
      (
        await load(database, table(), [
          { id: 1, n: 'x' },
          { id: 20, n: 'b' },
          { id: 30, n: 'c' },
        ])
      ).counts,
    ).toMatchObject({ inserted: 1, updated: 1, unchanged: 1 })
  })

  test.each([
    ['create unique index on shop.orders (id) where id > 0', 'is partial'],
    ['alter table shop.orders add unique (id) deferrable', 'is deferrable'],
    ['create unique index on shop.orders (id, n)', 'Or is the key another one: the table is unique by (id, n)?'],
    ['create index on shop.orders (id)', 'there is no unique index of exactly (id)'],
  ])('refuses a table without a usable unique index on its key: %s', async (statement, reason) => {
    await using test = await testDatabase()
    const { database } = test
    await database.query('create schema shop')
    await database.query('create table shop.orders (id bigint, n text)')
    await database.query(statement)
    const failure = load(database, table(), [{ id: 1 }])
    await expect(failure).rejects.toThrow(reason)
    await expect(failure).rejects.toThrow('create unique index concurrently on "shop"."orders" ("id")')
  })
})
