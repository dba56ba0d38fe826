import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { testDatabase, type TestDatabase } from '../../support/database.ts'
import { columnsOf, load, table } from '../support.ts'

const shared: { test?: TestDatabase } = {}
beforeAll(async () => {
  shared.test = await testDatabase()
})
afterAll(async () => shared.test?.[Symbol.asyncDispose]())

/** A record with an id and `count` numbers, `f0` and so on. */
const wide = (id: number, count: number, value = 1): Record<string, number> => ({
  id,
  ...Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, value])),
})

test('fields for which a table has no column left are members of the column of overflow, exactly', async () => {
  const { database } = shared.test!
  const definition = table({
    name: 'shop.narrow',
    columns: { late: 'text', rest: 'jsonb' },
    overflow: { column: 'rest', columns: 5 },
    loadedAt: true,
  })
  // id, late, rest and _loaded_at are certain, so one is left for the first new field.
  const first = await load(database, definition, [
    { id: 1, empty: null, first: 'a', second: { deep: [9_007_199_254_740_993n] }, late: 'x' },
    { id: 2, third: 1.5 },
  ])
  expect(first.counts).toMatchObject({ inserted: 2 })
  expect(Object.keys(await columnsOf(database, 'shop.narrow')).toSorted()).toEqual(
    ['_loaded_at', 'first', 'id', 'late', 'rest'].toSorted(),
  )
  const stored = await database.query('select id::int, first, late, rest::text from shop.narrow order by id')
  expect(stored).toEqual([
    { id: 1, first: 'a', late: 'x', rest: '{"second": {"deep": [9007199254740993]}}' },
    { id: 2, first: null, late: null, rest: '{"third": 1.5}' },
  ])
  const again = await load(database, definition, [
    { id: 1, first: 'a', late: 'x', second: { deep: [9_007_199_254_740_993n] } },
    { id: 2, third: null },
  ])
  expect(again.counts).toMatchObject({ updated: 1, unchanged: 1 })
  expect(await database.query('select rest from shop.narrow where id = 2')).toEqual([{ rest: null }])
  await expect(load(database, definition, [{ id: 3, rest: 1 }])).rejects.toThrow(
    'a record has the field rest, which is also the column of overflow',
  )
})

test('a row that the database refuses becomes a reject with its own fields', async () => {
  const { database } = shared.test!
  const definition = table({
    name: 'shop.checked',
    overflow: { column: 'rest', columns: 3 },
    columns: { rest: 'jsonb' },
  })
  await load(database, definition, [{ id: 1, n: 1, more: 2 }])
  await database.query('alter table shop.checked add check (n > 0)')
  const { rejects, counts } = await load(database, definition, [
    { id: 2, n: -1, more: { a: 1 } },
    { id: 3, n: 3, more: 3 },
  ])
  expect(counts).toMatchObject({ inserted: 1, rejected: 1 })
  expect(rejects[0]!.record).toEqual({ id: 2, n: -1, more: { a: 1 } })
})

test('more than 1,600 columns are an error that says how to store them, and overflow stores them', async () => {
  const { database } = shared.test!
  const record = wide(1, 1_700)
  await expect(load(database, table({ name: 'shop.wide' }), [record])).rejects.toThrow(
    'shop.wide: it would have 1,701 columns, and a table in PostgreSQL has at most 1,600. Nothing was changed. ' +
      "Set overflow: 'rest' for the table",
  )
  expect(await columnsOf(database, 'shop.wide')).toEqual({})
  const definition = table({
    name: 'shop.wide',
    columns: { rest: 'jsonb' },
    overflow: { column: 'rest', columns: 1_590 },
  })
  // A row with a number in each column would not fit a page of the database.
  const sparse = Object.fromEntries(Object.entries(record).filter(([, value], at) => value && at % 2 === 0))
  const columns = await load(database, definition, [wide(1, 900), { ...sparse, id: 2 }])
  expect(columns.counts).toMatchObject({ inserted: 2 })
  const next = await load(database, definition, [wide(3, 1_700), { ...wide(1, 900, 2), f1690: 7 }])
  expect(next.counts).toMatchObject({ inserted: 0, updated: 1, rejected: 1 })
  expect(next.rejects[0]!.reason).toContain("overflow: { column: 'rest', columns: 200 }")
  const row = await database.one(`select f0::int, rest ->> 'f1690' as late from shop.wide where id = 1`)
  expect(row).toEqual({ f0: 2, late: '7' })
})

const list = (word: string, count: number, end = ''): string =>
  Array.from({ length: count }, (_, at) => `${word}f${at}${end}`).join(', ')

test('dropped columns count, which the error says', async () => {
  const { database } = shared.test!
  await database.query(`create table shop.dropped (id bigint primary key, ${list('', 1_590, ' bigint')})`)
  await database.query(`alter table shop.dropped ${list('drop column ', 20)}`)
  const { id, ...fields } = wide(2, 20)
  const fresh = Object.fromEntries(Object.entries(fields).map(([name, value]) => [`new_${name}`, value]))
  await expect(load(database, table({ name: 'shop.dropped', adopt: true }), [{ id, ...fresh }])).rejects.toThrow(
    'it would have 1,611 columns, 20 of which were dropped but count until the table is made anew',
  )
})
