import { describe, expect, test } from '@jest/globals'
import { dropOrphanShadows } from '../../src/load/shadow.ts'
import { SliceLostError } from '../../src/model/errors.ts'
import { testDatabase } from '../support/database.ts'
import { columnsOf, finish, load, page, table, commit } from './support.ts'
import type { EncodedPage } from '../../src/load/encode/encoded-page.ts'

const replace = table({ write: 'replace' })

describe('replace', () => {
  test('a run that has lost the slice creates no shadow table and changes nothing', async () => {
    await using test = await testDatabase()
    const lost = new SliceLostError('it was taken by another run')
    await expect(load(test.database, replace, [{ id: 1, n: 1 }], { guard: () => Promise.reject(lost) })).rejects.toBe(
      lost,
    )
    expect(
      await test.database.query(`select relname from pg_class where relname like 'shadow%' or relname = 'orders'`),
    ).toEqual([])
  })

  test('changes the table only at the end, and only rows that differ', async () => {
    await using test = await testDatabase()
    const { database } = test
    const first = await load(
      database,
      replace,
      [
        { id: 1, n: 'a' },
        { id: 2, n: 'b' },
        { id: 3, n: 'c' },
      ],
      { slice: '1', end: true },
    )
    expect(first.counts).toMatchObject({ fetched: 3, inserted: 3 })
    expect(first.swap).toEqual({ inserted: 3, updated: 0, deleted: 0 })
    const before = await database.query<{ ctid: string }>('select ctid::text from shop.orders where id = 1')
    const second = await load(
      database,
      replace,
      [
        { id: 1, n: 'a' },
        { id: 2, n: 'x' },
        { id: 4, n: 'd' },
      ],
      { slice: '2', pageSize: 1 },
    )
    expect(await database.query('select count(*)::int as n, max(n) as last from shop.orders')).toEqual([
      { n: 3, last: 'c' },
    ])
    expect(await finish(database, second.writer)).toEqual({ inserted: 1, updated: 1, deleted: 1 })
    expect(await database.query('select id::int, n from shop.orders order by id')).toEqual([
      { id: 1, n: 'a' },
      { id: 2, n: 'x' },
      { id: 4, n: 'd' },
    ])
    expect(await database.query('select ctid::text from shop.orders where id = 1')).toEqual(before)
    expect(await columnsOf(database, 'sluice.shadow_2')).toEqual({})
  })

  test('keeps the greatest version of a key over several commits, or the row read last', async () => {
    await using test = await testDatabase()
    const { database } = test
    for (const version of ['v', undefined]) {
      const definition = table({
        name: `shop.by_${version ?? 'order'}`,
        write: 'replace',
        ...(version && { versionBy: version }),
      })
      const { writer } = await load(database, definition, [
        { id: 1, v: 2, n: 'newest' },
        { id: 2, v: 1, n: 'a' },
      ])
      await commit(database, writer, [
        writer.encode(
          page([
            { id: 1, v: 1, n: 'last' },
            { id: 2, v: 1, n: 'b' },
          ]),
        ) as EncodedPage,
      ])
      await finish(database, writer)
      expect(await database.query(`select n from ${definition.name} order by id`)).toEqual([
        { n: version ? 'newest' : 'last' },
        { n: 'b' },
      ])
    }
  })

  test('a slice that continues in another process keeps its rows', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, replace, [{ id: 9, n: 'old', extra: 'x' }], { slice: '1', end: true })
    await load(database, replace, [{ id: 1, n: 'a', extra: 'e' }], { slice: '2' })
    await load(database, replace, [{ id: 2, n: 'b', more: 1.5 }], { slice: '2', end: true })
    expect(await database.query('select id::int, n, extra, more::text from shop.orders order by id')).toEqual([
      { id: 1, n: 'a', extra: 'e', more: null },
      { id: 2, n: 'b', extra: null, more: '1.5' },
    ])
  })

  test('widens the shadow table if another process has widened the table', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, replace, [{ id: 1, v: 1 }], { slice: '1', end: true })
    await load(database, replace, [{ id: 2, v: 2 }], { slice: '2' })
    await load(database, table({ name: 'shop.orders' }), [{ id: 1, v: 'text' }], { slice: '3' })
    const { swap } = await load(database, replace, [{ id: 3, v: { now: 'json' } }], { slice: '2', end: true })
    expect(swap).toEqual({ inserted: 2, updated: 0, deleted: 1 })
    expect(await database.query('select v from shop.orders order by id')).toEqual([{ v: '2' }, { v: { now: 'json' } }])
  })

  test('without a key gives the table exactly the rows read, equal rows included', async () => {
    await using test = await testDatabase()
    const { database } = test
    const definition = table({ write: 'replace', key: [], loadedAt: true })
    await load(database, definition, [{ n: 'old' }], { slice: '1', end: true })
    const { swap, counts } = await load(database, definition, [{ n: 'a' }, { n: 'a' }], { slice: '2', end: true })
    expect(counts).toMatchObject({ inserted: 2 })
    expect(swap).toEqual({ inserted: 2, updated: 0, deleted: 1 })
    expect(await database.query('select n, _loaded_at is not null as stamped from shop.orders')).toEqual([
      { n: 'a', stamped: true },
      { n: 'a', stamped: true },
    ])
  })

  test('does not empty a table if nothing was read, unless allowEmpty is set', async () => {
    await using test = await testDatabase()
    const { database } = test
    expect((await load(database, replace, [], { slice: '1', end: true })).swap).toEqual({
      inserted: 0,
      updated: 0,
      deleted: 0,
    })
    await load(database, replace, [{ id: 1 }], { slice: '2', end: true })
    await expect(load(database, replace, [], { slice: '3', end: true })).rejects.toThrow(`allowEmpty: true`)
    expect((await load(database, { ...replace, allowEmpty: true }, [], { slice: '4', end: true })).swap).toEqual({
      inserted: 0,
      updated: 0,
      deleted: 1,
    })
    expect((await load(database, replace, [], { slice: '5', end: true })).swap).toEqual({
      inserted: 0,
      updated: 0,
      deleted: 0,
    })
  })

  test('does not empty a foreign table of which no column is loaded yet', async () => {
    await using test = await testDatabase()
    const { database } = test
    const keyless = table({ write: 'replace', key: [], adopt: true })
    await database.query(
      `create schema shop; create table shop.orders (id bigint); insert into shop.orders values (1), (2)`,
    )
    await expect(load(database, keyless, [], { slice: '1', end: true })).rejects.toThrow(`allowEmpty: true`)
    expect((await load(database, { ...keyless, allowEmpty: true }, [], { slice: '2', end: true })).swap).toEqual({
      inserted: 0,
      updated: 0,
      deleted: 2,
    })
    expect(await database.query('select from shop.orders')).toEqual([])
  })

  test('a slice that restarts in another process empties the shadow table of the first', async () => {
    await using test = await testDatabase()
    const { database } = test
    const keyless = table({ write: 'replace', key: [], adopt: true })
    await database.query('create schema shop; create table shop.orders (id bigint)')
    await load(database, keyless, [{ id: 1 }], { slice: '1' })
    const { writer } = await load(database, keyless, [], { slice: '1' })
    await using transaction = await database.transaction()
    await writer.clear(transaction)
    await transaction.commit()
    await load(database, keyless, [{ id: 2 }], { slice: '1', end: true })
    expect(await database.query('select id::int from shop.orders')).toEqual([{ id: 2 }])
  })

  test('a slice that restarts empties its shadow table', async () => {
    await using test = await testDatabase()
    const { database } = test
    const { writer } = await load(database, replace, [{ id: 1 }])
    await using transaction = await database.transaction()
    await writer.clear(transaction)
    await transaction.commit()
    await commit(database, writer, [writer.encode(page([{ id: 2 }])) as EncodedPage])
    await finish(database, writer)
    expect(await database.query('select id::int from shop.orders')).toEqual([{ id: 2 }])
  })

  test('shadow tables are logged, and dropped once their slice is over', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, replace, [{ id: 1 }], { slice: '77' })
    expect(
      await database.query(`select relpersistence as p from pg_class where oid = 'sluice.shadow_77'::regclass`),
    ).toEqual([{ p: 'p' }])
    const [run] = await database.query<{ id: string }>(
      `insert into sluice.runs (kind, pipeline, options) values ('sync', 'shop', '{}') returning id`,
    )
    const [slice] = await database.query<{ id: string }>(
      `insert into sluice.slices (pipeline, stream, kind, started_by, run, definition)
       values ('shop', 'orders', 'sync', $1, $1, '') returning id`,
      [run!.id],
    )
    await load(database, replace, [{ id: 1 }], { slice: slice!.id })
    expect(await dropOrphanShadows(database)).toEqual(['shadow_77'])
    expect(await columnsOf(database, `sluice.shadow_${slice!.id}`)).toEqual({ id: 'bigint', _row: 'bigint' })
    await database.query(`update sluice.slices set status = 'closed', finished_at = now()`)
    expect(await dropOrphanShadows(database)).toEqual([`shadow_${slice!.id}`])
  })
})
