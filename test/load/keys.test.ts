import { describe, expect, test } from '@jest/globals'
import { Decimal } from '../../src/value/decimal.ts'
import { testDatabase } from '../support/database.ts'
import { balances, columnsOf, load, table } from './support.ts'

const people = (more = {}) => table({ key: ['email'], columns: { email: 'citext' }, ...more })

describe('a key', () => {
  test('that becomes text is the same key as before, in the table and in the batch', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, table(), [
      { id: 1, a: 'number' },
      { id: 2, a: 'number' },
    ])
    const { counts } = await load(database, table(), [
      { id: 'A-7', a: 'text' },
      { id: 1, a: 'number again' },
      { id: '2', a: 'text of a number' },
      { id: 2, a: 'and the number' },
    ])
    expect(await columnsOf(database)).toMatchObject({ id: 'text' })
    expect(counts).toMatchObject({ inserted: 1, updated: 2, duplicate: 1 })
    expect(await database.query('select id, a from shop.orders order by id')).toEqual([
      { id: '1', a: 'number again' },
      { id: '2', a: 'and the number' },
      { id: 'A-7', a: 'text' },
    ])
  })

  test('with decimals keeps each number, and equal numbers are one row', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, table({ columns: { id: 'numeric' } }), [{ id: 1, a: 'x' }])
    const { counts } = await load(database, table({ columns: { id: 'numeric' } }), [
      { id: 1.5, a: 'y' },
      { id: '1.0', a: 'z' },
    ])
    expect(counts).toMatchObject({ inserted: 1, updated: 1 })
    expect(await database.query('select id::text, a from shop.orders order by id')).toEqual([
      { id: '1.0', a: 'z' },
      { id: '1.5', a: 'y' },
    ])
  })

  for (const options of [{}, { absent: 'keep' }, { insertOnly: ['note'] }] as const)
    test(`of several fields tells all of them apart, with ${JSON.stringify(options)}`, async () => {
      await using test = await testDatabase()
      const { database } = test
      await database.query('create schema shop')
      await database.query(
        `create table shop.orders (note text, region text, id int, qty int, unique (id, region))
          partition by list (region)`,
      )
      await database.query('create table shop.orders_all partition of shop.orders default')
      const definition = table({ key: ['region', 'id'], ...options })
      const first = await load(database, definition, [
        { region: 'a\tb', id: 1, qty: 1, note: 'x' },
        { region: 'a', id: 1, qty: 2, note: 'x' },
        { region: 'a', id: 2, qty: 3, note: 'x' },
        { region: 'a', id: 2, qty: 4, note: 'x' },
      ])
      expect(first.counts).toMatchObject({ inserted: 3 })
      expect(balances(first.counts)).toBe(true)
      const second = await load(database, definition, [
        { region: 'a', id: 1, qty: 9, note: 'y' },
        { region: 'b', id: 1, qty: 9, note: 'y' },
      ])
      expect(second.counts).toMatchObject({ inserted: 1, updated: 1 })
      expect(await database.query('select region, id, qty from shop.orders order by region, id')).toEqual([
        { region: 'a', id: 1, qty: 9 },
        { region: 'a', id: 2, qty: 4 },
        { region: 'a\tb', id: 1, qty: 1 },
        { region: 'b', id: 1, qty: 9 },
      ])
    })

  test('of citext takes upper and lower case for one row, and the later record wins', async () => {
    await using test = await testDatabase()
    const { database } = test
    await database.query('create extension citext')
    const first = await load(database, people(), [
      { email: 'Ann@Example.org', a: 1, b: 1 },
      { email: 'ann@example.org', a: 2, b: 2 },
      { email: 'bob@example.org', a: 3, b: 3 },
    ])
    expect(first.counts).toMatchObject({ inserted: 2, updated: 1, rejected: 0 })
    expect(balances(first.counts)).toBe(true)
    expect(await database.query('select email::text, a::int from shop.orders order by a')).toEqual([
      { email: 'ann@example.org', a: 2 },
      { email: 'bob@example.org', a: 3 },
    ])
    // Two spellings of one key in a batch whose records are partial: each leaves what it lacks.
    const second = await load(database, people({ absent: 'keep' }), [
      { email: 'ANN@example.org', a: 5 },
      { email: 'ann@EXAMPLE.org', b: 6 },
    ])
    expect(second.counts).toMatchObject({ inserted: 0, updated: 2, rejected: 0 })
    expect(await database.query('select email::text, a::int, b::int from shop.orders order by a desc limit 1')).toEqual(
      [{ email: 'ann@EXAMPLE.org', a: 5, b: 6 }],
    )
  })

  test('whose unique index is on an expression is refused, and the error says what would work', async () => {
    await using test = await testDatabase()
    const { database } = test
    await database.query('create schema shop')
    await database.query('create table shop.orders (email text, name text)')
    await database.query('create unique index by_email on shop.orders (lower(email))')
    await expect(load(database, table({ key: ['email'] }), [{ email: 'a', name: 'b' }])).rejects.toThrow(
      'shop.orders: the unique index by_email is on an expression, (lower(email)), and rows are merged by columns. ' +
        'If upper and lower case are the same key, make the column citext',
    )
    await expect(load(database, table({ key: ['name'] }), [{ email: 'a', name: 'b' }])).rejects.toThrow(
      'there is no unique index of exactly (name)',
    )
  })
})

test('a number in a key is the same row after its column has widened to text', async () => {
  await using test = await testDatabase()
  const { database } = test
  const numbers = [{ id: 1e-9 }, { id: 1e25 }, { id: new Decimal('1.50e-400') }, { id: -2.5 }]
  await load(database, table(), [...numbers, { id: 'a' }], { pageSize: 4 })
  expect((await load(database, table(), numbers)).counts).toMatchObject({ inserted: 0, unchanged: 4 })
})
