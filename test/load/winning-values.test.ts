import { describe, expect, test } from '@jest/globals'
import type { Database } from '../../src/database/database.ts'
import type { EncodedPage } from '../../src/load/encode/encoded-page.ts'
import { testDatabase } from '../support/database.ts'
import { balances, commit, load, page, table } from './support.ts'

type Row = Readonly<Record<string, unknown>>

const rows = async (database: Database): Promise<Row[]> =>
  (await database.query<{ row: Row }>('select to_jsonb(o) as row from shop.orders o order by o.id')).map(
    ({ row }) => row,
  )

/** A table with one row, so that rows are not copied straight into it. */
async function filled(database: Database, { partitioned = false } = {}): Promise<void> {
  await database.query('create schema shop')
  await database.query(
    `create table shop.orders (id bigint primary key, a text, b text, v bigint) ` +
      (partitioned ? 'partition by hash (id)' : ''),
  )
  if (partitioned)
    await database.query('create table shop.orders_0 partition of shop.orders for values with (modulus 1, remainder 0)')
  await database.query(`insert into shop.orders values (1, 'a', 'b', 5)`)
}

describe("absent: 'keep'", () => {
  const keep = table({ absent: 'keep' })

  for (const partitioned of [false, true])
    test(`leaves what a record lacks, also in ${partitioned ? 'a partitioned' : 'a plain'} table`, async () => {
      await using test = await testDatabase()
      const { database } = test
      await filled(database, { partitioned })
      const { counts } = await load(database, keep, [
        { id: 1, b: 'new' },
        { id: 2, a: 'x' },
        { id: 3, a: undefined, b: null },
      ])
      expect(counts).toMatchObject({ inserted: 2, updated: 1, unchanged: 0 })
      expect(await rows(database)).toMatchObject([
        { id: 1, a: 'a', b: 'new', v: 5 },
        { id: 2, a: 'x', b: null },
        { id: 3, a: null, b: null },
      ])
      // Null is a value: it replaces the stored one. Undefined is none.
      const second = await load(database, keep, [
        { id: 1, a: null, b: undefined },
        { id: 2, a: 'x' },
      ])
      expect(second.counts).toMatchObject({ inserted: 0, updated: 1, unchanged: 1 })
      expect(await rows(database)).toMatchObject([{ id: 1, a: null, b: 'new', v: 5 }, { id: 2, a: 'x' }, { id: 3 }])
    })

  test('without it an absent field is null, as before', async () => {
    await using test = await testDatabase()
    const { database } = test
    await filled(database)
    await load(database, table(), [
      { id: 2, a: 'x', b: 'y' },
      { id: 1, b: 'new' },
    ])
    expect(await rows(database)).toMatchObject([{ id: 1, a: null, b: 'new' }, { id: 2 }])
  })

  test('partial records of one batch combine, in a new table too', async () => {
    await using test = await testDatabase()
    const { database } = test
    const { counts } = await load(database, keep, [
      { id: 1, a: 'one', b: 'two', c: 3 },
      { id: 2, a: 'first' },
      { id: 2, b: 'second' },
      { id: 2, a: 'third', c: null },
    ])
    expect(await rows(database)).toEqual([
      { id: 1, a: 'one', b: 'two', c: 3 },
      { id: 2, a: 'third', b: 'second', c: null },
    ])
    expect(balances(counts)).toBe(true)
    expect(counts).toMatchObject({ inserted: 2, updated: 2, duplicate: 0 })
  })

  test('a record that covers an earlier one of its batch takes its place', async () => {
    await using test = await testDatabase()
    const { database } = test
    const { counts } = await load(database, keep, [
      { id: 1, a: 'x' },
      { id: 1, a: 'y', b: 'z' },
    ])
    expect(counts).toMatchObject({ inserted: 1, duplicate: 1 })
    expect(await rows(database)).toEqual([{ id: 1, a: 'y', b: 'z' }])
  })

  test('an older record changes nothing, whatever it holds', async () => {
    await using test = await testDatabase()
    const { database } = test
    await filled(database)
    const versioned = table({ absent: 'keep', versionBy: 'v' })
    const { counts, rejects } = await load(database, versioned, [
      { id: 1, v: 4, a: 'older than the stored row' },
      { id: 1, v: 6, b: 'newer' },
      { id: 1, v: 5, a: 'older than the one before' },
      { id: 1, b: 'of unknown age' },
    ])
    expect(await rows(database)).toEqual([{ id: 1, a: 'a', b: 'newer', v: 6 }])
    expect(counts).toMatchObject({ updated: 1, unchanged: 1, duplicate: 1, rejected: 1 })
    expect(rejects[0]?.reason).toContain("v: it is the version, and with absent: 'keep' each record must have it")
  })

  test('a row that the database refuses is rejected without the fields that its record lacks', async () => {
    await using test = await testDatabase()
    const { database } = test
    await filled(database)
    await database.query(`alter table shop.orders add check (a <> 'bad')`)
    const { rejects, counts } = await load(database, keep, [
      { id: 1, b: 'ok' },
      { id: 2, a: 'bad' },
      { id: 2, b: 'good' },
    ])
    expect(rejects.map(({ record }) => record)).toEqual([{ id: 2, a: 'bad' }])
    expect(counts).toMatchObject({ inserted: 1, updated: 1, rejected: 1 })
    expect(await rows(database)).toMatchObject([
      { id: 1, a: 'a', b: 'ok' },
      { id: 2, b: 'good' },
    ])
  })

  test('keeps what another writer has stored while the batch waited for the row', async () => {
    await using test = await testDatabase()
    const { database } = test
    await filled(database)
    const { writer } = await load(database, keep, [{ id: 1, a: 'a', b: 'b' }])
    const pages = [writer.encode(page([{ id: 1, b: 'ours' }])) as EncodedPage]
    await using other = await database.transaction()
    await other.run(`update shop.orders set a = 'theirs'`)
    const committed = commit(database, writer, pages)
    // The batch has looked the row up, and waits for its lock.
    for (;;) {
      const { waiting } = await database.one<{ waiting: number }>(
        `select count(*)::int as waiting from pg_stat_activity
          where wait_event_type = 'Lock' and datname = current_database()`,
      )
      if (waiting > 0) break
    }
    await other.commit()
    await committed
    expect(await rows(database)).toMatchObject([{ id: 1, a: 'theirs', b: 'ours' }])
  })

  test('many partial records of one key take few locks', async () => {
    await using test = await testDatabase()
    const { database } = test
    const records = Array.from({ length: 400 }, (_, index) => ({ id: 1, [index % 2 ? 'a' : 'b']: `${index}` }))
    const { writer } = await load(database, keep, [{ id: 1, a: '', b: '' }])
    const pages = [writer.encode(page(records)) as EncodedPage]
    await using transaction = await database.transaction()
    await writer.write(transaction, pages)
    const { locks } = await transaction.one<{ locks: number }>(
      `select count(*)::int as locks from pg_locks where pid = pg_backend_pid() and relation is not null`,
    )
    expect(locks).toBeLessThan(60)
    await transaction.commit()
    expect(await rows(database)).toEqual([{ id: 1, a: '399', b: '398' }])
  })
})

describe('insertOnly', () => {
  const once = table({ insertOnly: ['a'] })

  test('sets a column at insert only', async () => {
    await using test = await testDatabase()
    const { database } = test
    await filled(database)
    const { counts } = await load(database, once, [
      { id: 1, a: 'later', b: 'b', v: 5 },
      { id: 2, a: 'first', b: 'x', v: 1 },
    ])
    expect(counts).toMatchObject({ inserted: 1, updated: 0, unchanged: 1 })
    await load(database, once, [{ id: 2, a: 'second', b: 'y', v: 1 }])
    expect(await rows(database)).toEqual([
      { id: 1, a: 'a', b: 'b', v: 5 },
      { id: 2, a: 'first', b: 'y', v: 1 },
    ])
  })

  test('of several records of one batch the first sets it, in an empty table too', async () => {
    await using test = await testDatabase()
    const { database } = test
    const { counts } = await load(database, once, [
      { id: 1, a: 'first', b: 'x' },
      { id: 1, a: 'second', b: 'y' },
      { id: 1, a: 'second', b: 'y' },
    ])
    expect(await rows(database)).toEqual([{ id: 1, a: 'first', b: 'y' }])
    expect(counts).toMatchObject({ inserted: 1, updated: 1, duplicate: 1, rejected: 0 })
  })
})

describe('ignoreChanges', () => {
  const ignoring = table({ ignoreChanges: ['a'] })

  test('a column alone does not make a row differ, and is written with another one', async () => {
    await using test = await testDatabase()
    const { database } = test
    await filled(database)
    const place = async () => database.query('select xmin::text, ctid::text from shop.orders where id = 1')
    const before = await place()
    const first = await load(database, ignoring, [{ id: 1, a: '2', b: 'b', v: 5 }])
    expect(first.counts).toMatchObject({ updated: 0, unchanged: 1 })
    expect(await place()).toEqual(before)
    const second = await load(database, ignoring, [{ id: 1, a: '3', b: 'new', v: 5 }])
    expect(second.counts).toMatchObject({ updated: 1, unchanged: 0 })
    expect(await rows(database)).toEqual([{ id: 1, a: '3', b: 'new', v: 5 }])
  })

  test('if all columns are ignored, only new rows are written', async () => {
    await using test = await testDatabase()
    const { database } = test
    await filled(database)
    const all = table({ ignoreChanges: ['a', 'b', 'v'] })
    const { counts } = await load(database, all, [
      { id: 1, a: 'x', b: 'x', v: 9 },
      { id: 2, a: 'x', b: 'x', v: 9 },
    ])
    expect(counts).toMatchObject({ inserted: 1, updated: 0, unchanged: 1 })
  })
})

test('batches of any size leave what the records one by one would leave', async () => {
  await using test = await testDatabase()
  const { database } = test
  let state = 20_261_128
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
  const definition = table({ absent: 'keep', insertOnly: ['c'], versionBy: 'v' })
  const expected = new Map<number, Record<string, unknown>>()
  await load(database, definition, [{ id: -1, v: 0, a: '', b: '', c: '' }])
  await database.query('delete from shop.orders')
  for (let batch = 0; batch < 40; batch += 1) {
    const records = Array.from({ length: 1 + random(30) }, () => {
      const record: Record<string, unknown> = { id: random(6), v: random(3) + Math.floor(batch / 4) }
      for (const field of ['a', 'b', 'c']) if (random(2) === 0) record[field] = random(5) === 0 ? null : `${random(9)}`
      return record
    })
    for (const record of records) {
      const stored = expected.get(record['id'] as number)
      if (!stored) expected.set(record['id'] as number, { a: null, b: null, c: null, ...record })
      else if ((record['v'] as number) >= (stored['v'] as number)) Object.assign(stored, record, { c: stored['c'] })
    }
    const { counts } = await load(database, definition, records, { pageSize: 1 + random(9) })
    expect(balances(counts)).toBe(true)
    expect(await rows(database)).toEqual([...expected.values()].toSorted((a, b) => Number(a['id']) - Number(b['id'])))
  }
})
