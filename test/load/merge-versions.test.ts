import { describe, expect, test } from '@jest/globals'
import { testDatabase } from '../support/database.ts'
import { load, table } from './support.ts'

describe('merge by version', () => {
  test('keeps the newest version of a key in a batch, the last of equal ones; null is the oldest', async () => {
    await using test = await testDatabase()
    const { database } = test
    const definition = table({ versionBy: 'at' })
    const records = [
      { id: 1, at: '2024-01-02T00:00:00.5Z', n: 'new' },
      { id: 1, at: '2024-01-02T00:00:00.49Z', n: 'old' },
      { id: 2, at: '2024-01-01T02:00:00+02:00', n: 'first' },
      { id: 2, at: '2024-01-01T00:00:00Z', n: 'last' },
      { id: 3, at: '2024-01-01T00:00:00Z', n: 'kept' },
      { id: 3, at: null, n: 'null' },
    ]
    const { counts } = await load(database, definition, records, { pageSize: 1 })
    expect(counts).toMatchObject({ fetched: 6, inserted: 3, duplicate: 3 })
    expect(await database.query('select id::int, n from shop.orders order by id')).toEqual([
      { id: 1, n: 'new' },
      { id: 2, n: 'last' },
      { id: 3, n: 'kept' },
    ])
  })

  test('without a version keeps the row read last, within a batch and over the stored row', async () => {
    await using test = await testDatabase()
    const { database } = test
    expect(
      (
        await load(database, table(), [
          { id: 1, n: 'a' },
          { id: 1, n: 'b' },
        ])
      ).counts,
    ).toMatchObject({ inserted: 1, duplicate: 1 })
    await load(database, table(), [{ id: 1, n: 'c' }])
    expect(await database.query('select n from shop.orders')).toEqual([{ n: 'c' }])
  })

  test('rejects no keys that only the database takes for equal: the later row wins', async () => {
    await using test = await testDatabase()
    const { database } = test
    await database.query('create schema shop')
    await database.query('create table shop.orders (id numeric primary key, n text)')
    const records = [
      { id: 1, n: 'a' },
      { id: '2.50', n: 'old' },
      { id: 3, n: 'c' },
      { id: '2.5', n: 'new' },
      { id: 4, n: 'd' },
    ]
    const { counts, rejects } = await load(database, table(), records)
    expect(rejects).toEqual([])
    expect(counts).toMatchObject({ fetched: 5, inserted: 4, updated: 1 })
    expect(await database.query('select id::text, n from shop.orders where id = 2.5')).toEqual([
      { id: '2.5', n: 'new' },
    ])
  })

  test.each([
    ['bigint', 10, 9, null],
    ['numeric', 10.25, 9.5, null],
    ['text', 'b', 'B', null],
    ['timestamptz', '2024-05-01T00:00:00Z', '2024-05-01T01:00:00+02:00', null],
    ['date', '2024-05-02', '2024-05-01', null],
  ])(
    'a stored row with a greater %s version is left alone and counts as unchanged',
    async (_, greater, smaller, none) => {
      await using test = await testDatabase()
      const { database } = test
      const definition = table({ versionBy: 'v' })
      await load(database, definition, [
        { id: 1, v: greater, n: 'stored' },
        { id: 2, v: none, n: 'stored' },
        { id: 3, v: smaller, n: 'stored' },
      ])
      const { counts } = await load(database, definition, [
        { id: 1, v: smaller, n: 'sent' },
        { id: 2, v: smaller, n: 'sent' },
        { id: 3, v: none, n: 'sent' },
      ])
      expect(counts).toMatchObject({ updated: 1, unchanged: 2 })
      expect(await database.query('select id::int, n from shop.orders order by id')).toEqual([
        { id: 1, n: 'stored' },
        { id: 2, n: 'sent' },
        { id: 3, n: 'stored' },
      ])
      const equal = await load(database, definition, [{ id: 1, v: greater, n: 'sent' }])
      expect(equal.counts).toMatchObject({ updated: 1 })
    },
  )
})
