import { describe, expect, test } from '@jest/globals'
import { testDatabase } from '../support/database.ts'
import { balances, columnsOf, load, table } from './support.ts'

describe('merge', () => {
  test('makes the table from what is seen, the key first and not null', async () => {
    await using test = await testDatabase()
    const { database } = test
    const { counts } = await load(database, table(), [{ name: 'Ann', id: 1, paid: true, at: '2024-01-01T00:00:00Z', on: '2024-02-29', price: 1.5, tags: ['a'], note: null }])
    expect(await columnsOf(database)).toEqual({ id: 'bigint', name: 'text', paid: 'boolean', at: 'timestamp with time zone', on: 'date', price: 'numeric', tags: 'jsonb' })
    expect(counts).toMatchObject({ fetched: 1, inserted: 1, updated: 0, unchanged: 0 })
    expect(await database.query('select to_jsonb(o) as row from shop.orders o')).toEqual([{ row: { id: 1, name: 'Ann', paid: true, at: '2024-01-01T00:00:00+00:00', on: '2024-02-29', price: 1.5, tags: ['a'] } }])
  })

  test('counts inserted, updated and unchanged apart, and leaves unchanged rows untouched', async () => {
    await using test = await testDatabase()
    const { database } = test
    const rows = Array.from({ length: 100 }, (_, id) => ({ id, name: `n${id}`, price: id / 4 }))
    await load(database, table(), rows, { pageSize: 7 })
    const before = await database.query('select id, xmin::text, ctid::text from shop.orders order by id')
    const again = await load(database, table(), rows, { pageSize: 7 })
    expect(again.counts).toMatchObject({ fetched: 100, inserted: 0, updated: 0, unchanged: 100 })
    expect(await database.query('select id, xmin::text, ctid::text from shop.orders order by id')).toEqual(before)
    const third = await load(database, table(), [...rows.slice(0, 10).map((row) => ({ ...row, name: 'new' })), ...rows.slice(10), { id: 1000, name: 'x', price: 0 }])
    expect(third.counts).toMatchObject({ inserted: 1, updated: 10, unchanged: 90 })
    expect(balances(third.counts)).toBe(true)
  })
})
