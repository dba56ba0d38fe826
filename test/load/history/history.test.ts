import { describe, expect, test } from '@jest/globals'
import type { Database } from '../../../src/database/database.ts'
import type { Table } from '../../../src/model/recipe.ts'
import { hasVersion } from '../../../src/run/has-version.ts'
import { testDatabase } from '../../support/database.ts'
import { balances, columnsOf, load, table } from '../support.ts'

const versioned = table({ write: 'history', versionBy: 'at' })
const unversioned = table({ write: 'history' })

/** The versions of a key as `begin..end value`, with days of January 2024; a moment of loading is `now`. */
async function timeLine(database: Database, id: number | string = 1): Promise<string[]> {
  const rows = await database.query<{ begins: string; ends: string; name: string | null }>(
    `select ${dayOf('_valid_from')} as begins, ${dayOf('_valid_to')} as ends, name
       from shop.orders where id::text = $1 order by _valid_from`,
    [String(id)],
  )
  return rows.map(({ begins, ends, name }) => `${begins}..${ends} ${name ?? 'null'}`)
}

const dayOf = (column: string): string =>
  `case when ${column} is null then '' when not isfinite(${column}) then 'ever'
    when ${column} > '2025-01-01' then 'now' else extract(day from ${column})::text end`

const at = (day: number): string => `2024-01-${String(day).padStart(2, '0')}T00:00:00Z`

describe('a history with a version', () => {
  test('has a row for each version, and the database knows the current one', async () => {
    await using test = await testDatabase()
    const { database } = test
    const { counts } = await load(database, versioned, [
      { id: 1, name: 'a', at: at(1) },
      { id: 1, name: 'b', at: at(3) },
      { id: 2, name: 'x', at: at(2) },
    ])
    expect(counts).toMatchObject({ fetched: 3, inserted: 3, updated: 0, unchanged: 0, duplicate: 0 })
    expect(await timeLine(database)).toEqual(['1..3 a', '3.. b'])
    expect(await columnsOf(database)).toEqual({
      id: 'bigint',
      name: 'text',
      at: 'timestamp with time zone',
      _valid_from: 'timestamp with time zone',
      _valid_to: 'timestamp with time zone',
      _is_current: 'boolean',
    })
    expect(await database.query('select id::int, name from shop.orders where _is_current order by id')).toEqual([
      { id: 1, name: 'b' },
      { id: 2, name: 'x' },
    ])
    expect(await database.query('select * from shop.orders_current order by id')).toMatchObject([
      { name: 'b' },
      { name: 'x' },
    ])
    expect(await columnsOf(database, 'shop.orders_current')).toEqual({
      id: 'bigint',
      name: 'text',
      at: 'timestamp with time zone',
    })
  })

  test('puts a late version in its place, and ends the one that it falls into', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, versioned, [{ id: 1, name: 'e', at: at(5) }])
    await load(database, versioned, [{ id: 1, name: 'a', at: at(1) }])
    await load(database, versioned, [
      { id: 1, name: 'i', at: at(9) },
      { id: 1, name: 'c', at: at(3) },
      { id: 1, name: 'd', at: at(4) },
    ])
    expect(await timeLine(database)).toEqual(['1..3 a', '3..4 c', '4..5 d', '5..9 e', '9.. i'])
  })

  test('corrects a version that is sent again with other values, also where the batch ends it', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, versioned, [{ id: 1, name: 'a', at: at(1) }])
    const { counts } = await load(database, versioned, [
      { id: 1, name: 'A', at: at(1) },
      { id: 1, name: 'b', at: at(2) },
    ])
    expect(counts).toMatchObject({ inserted: 1, updated: 1, unchanged: 0 })
    expect(await timeLine(database)).toEqual(['1..2 A', '2.. b'])
  })

  test('neither writes nor locks what is sent again unchanged', async () => {
    await using test = await testDatabase()
    const { database } = test
    const sent = Array.from({ length: 50 }, (_, index) => ({
      id: index % 10,
      name: `n${index}`,
      at: at(1 + Math.floor(index / 10)),
    }))
    await load(database, versioned, sent)
    const tuples = 'select id, xmin::text, xmax::text, ctid::text from shop.orders order by id, _valid_from'
    const before = await database.query(tuples)
    const { counts } = await load(database, versioned, sent, { pageSize: 7 })
    expect(counts).toMatchObject({ fetched: 50, inserted: 0, updated: 0, unchanged: 50, duplicate: 0 })
    expect(await database.query(tuples)).toEqual(before)
  })

  test('stores the last of several rows with one key and version, however the moment is written', async () => {
    await using test = await testDatabase()
    const { counts } = await load(test.database, versioned, [
      { id: 1, name: 'first', at: at(1) },
      { id: 1, name: 'last', at: '2024-01-01T01:00:00+01:00' },
    ])
    expect(counts).toMatchObject({ inserted: 1, duplicate: 1 })
    expect(balances(counts)).toBe(true)
    expect(await timeLine(test.database)).toEqual(['1.. last'])
  })

  test('begins a version of null before all others, also before any row has one', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, versioned, [{ id: 1, name: 'a', at: null }])
    expect(await timeLine(database)).toEqual(['ever.. a'])
    expect((await load(database, versioned, [{ id: 1, name: 'a', at: null }])).counts).toMatchObject({ unchanged: 1 })
    await load(database, versioned, [{ id: 1, name: 'b', at: at(2) }])
    expect((await load(database, versioned, [{ id: 1, name: 'a', at: null }])).counts).toMatchObject({ unchanged: 1 })
    expect(await timeLine(database)).toEqual(['ever..2 a', '2.. b'])
  })

  test('takes a date, and a time without an offset, as of UTC', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, { ...versioned, columns: { at: 'timestamp' } }, [
      { id: 1, name: 'a', at: '2024-01-05T23:00:00' },
    ])
    await load(database, { ...versioned, name: 'shop.days' }, [{ id: 1, name: 'a', at: '2024-01-05' }])
    expect(
      await database.query(
        `select (select _valid_from from shop.orders) = '2024-01-05 23:00Z' as moment,
                (select _valid_from from shop.days) = '2024-01-05 00:00Z' as day`,
      ),
    ).toEqual([{ moment: true, day: true }])
  })

  test('refuses a version that is no time, and says how to declare it', async () => {
    await using test = await testDatabase()
    await expect(load(test.database, versioned, [{ id: 1, name: 'a', at: 1_700_000_000 }])).rejects.toThrow(
      /shop\.orders: a history takes _valid_from from versionBy: 'at', and the column at is bigint, .* time\('unix'\)/,
    )
  })

  test('keeps a deletion, which is a gap, where a late version comes before it', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, versioned, [{ id: 1, name: 'a', at: at(1) }])
    await database.query(`update shop.orders set _valid_to = $1`, [at(5)])
    await load(database, versioned, [{ id: 1, name: 'c', at: at(3) }])
    expect(await timeLine(database)).toEqual(['1..3 a', '3..5 c'])
    await load(database, versioned, [
      { id: 1, name: 'h', at: at(8) },
      { id: 1, name: 'd', at: at(4) },
    ])
    expect(await timeLine(database)).toEqual(['1..3 a', '3..4 c', '4..5 d', '8.. h'])
    await load(database, versioned, [{ id: 1, name: 'f', at: at(6) }])
    expect(await timeLine(database)).toEqual(['1..3 a', '3..4 c', '4..5 d', '6..8 f', '8.. h'])
  })
})

test('a row that the database refuses is rejected alone, and the versions around it are stored', async () => {
  await using test = await testDatabase()
  const { database } = test
  await load(database, versioned, [{ id: 1, name: 'a', at: at(1) }])
  await database.query(`alter table shop.orders add check (name <> 'bad')`)
  const { counts, rejects } = await load(database, versioned, [
    { id: 1, name: 'e', at: at(5) },
    { id: 1, name: 'bad', at: at(3) },
    { id: 1, name: 'b', at: at(2) },
    { id: 1, name: 'b', at: at(2) },
  ])
  expect(counts).toMatchObject({ inserted: 2, rejected: 1 })
  expect(balances(counts)).toBe(true)
  expect(rejects).toMatchObject([{ stage: 'database', record: { name: 'bad' } }])
  expect(await timeLine(database)).toEqual(['1..2 a', '2..5 b', '5.. e'])
})

const of = (value: string): Table => ({ ...versioned, account: { name: 'account', value } })

test('each account has a history of its own, in one table', async () => {
  await using test = await testDatabase()
  const { database } = test
  await load(database, of('north'), [{ id: 1, name: 'n1', at: at(1) }])
  await load(database, of('south'), [{ id: 1, name: 's2', at: at(2) }])
  await load(database, of('north'), [{ id: 1, name: 'n3', at: at(3) }])
  expect(await database.query('select account, name from shop.orders_current order by account')).toEqual([
    { account: 'north', name: 'n3' },
    { account: 'south', name: 's2' },
  ])
  expect(await timeLine(database)).toEqual(['1..3 n1', '2.. s2', '3.. n3'])
})

test('a trigger that leaves versions out is an error, and not a row less', async () => {
  await using test = await testDatabase()
  const { database } = test
  await load(database, versioned, [{ id: 1, name: 'a', at: at(1) }])
  await database.query(`create function shop.none() returns trigger language plpgsql as 'begin return null; end'`)
  await database.query('create trigger none before insert on shop.orders for each row execute function shop.none()')
  await expect(load(database, versioned, [{ id: 1, name: 'b', at: at(2) }])).rejects.toThrow(
    'shop.orders: 0 of 1 versions were inserted. A trigger or a rule on the table leaves rows out',
  )
  expect(await timeLine(database)).toEqual(['1.. a'])
})

describe('a history without a version', () => {
  test('is one whose cursor is no time, with a warning', async () => {
    await using test = await testDatabase()
    const { database } = test
    const counted = { ...versioned, isVersionOptional: true }
    const { events } = await load(database, counted, [
      { id: 1, name: 'a', at: 7 },
      { id: 2, name: 'x', at: 8 },
    ])
    expect(events.filter(({ type }) => type === 'warning')).toMatchObject([
      {
        message: expect.stringContaining("the cursor's field at is bigint, which is no time, so a version begins when"),
      },
    ])
    await load(database, counted, [{ id: 1, name: 'b', at: 9 }])
    expect(await timeLine(database)).toEqual(['now..now a', 'now.. b'])
    expect(await hasVersion(database, counted)).toBe(false)
  })

  test('opens a version when a row differs, at the moment of loading', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, unversioned, [{ id: 1, name: 'a' }])
    expect((await load(database, unversioned, [{ id: 1, name: 'a' }])).counts).toMatchObject({ unchanged: 1 })
    expect((await load(database, unversioned, [{ id: 1, name: 'b' }])).counts).toMatchObject({ inserted: 1 })
    expect(await timeLine(database)).toEqual(['now..now a', 'now.. b'])
  })

  test('stores the last of several rows with one key, and goes on when the clock goes back', async () => {
    await using test = await testDatabase()
    const { database } = test
    const { counts } = await load(database, unversioned, [
      { id: 1, name: 'a' },
      { id: 1, name: 'b' },
    ])
    expect(counts).toMatchObject({ inserted: 1, duplicate: 1 })
    await database.query(`update shop.orders set _valid_from = now() + interval '1 year'`)
    await load(database, unversioned, [{ id: 1, name: 'c' }])
    expect(
      await database.query(
        `select name, extract(microseconds from _valid_from - lag(_valid_from) over w)::int as later
           from shop.orders window w as (order by _valid_from) order by _valid_from`,
      ),
    ).toEqual([
      { name: 'b', later: null },
      { name: 'c', later: 1 },
    ])
  })

  test('opens a version after a deletion even if the row has not changed', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, unversioned, [{ id: 1, name: 'a' }])
    await database.query(`update shop.orders set _valid_to = _valid_from + interval '1 microsecond'`)
    expect((await load(database, unversioned, [{ id: 1, name: 'a' }])).counts).toMatchObject({ inserted: 1 })
    expect((await load(database, unversioned, [{ id: 1, name: 'a' }])).counts).toMatchObject({ unchanged: 1 })
    expect(await timeLine(database)).toEqual(['now..now a', 'now.. a'])
  })
})
