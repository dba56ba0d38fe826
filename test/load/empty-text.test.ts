import { describe, expect, test } from '@jest/globals'
import type { Table } from '../../src/model/recipe.ts'
import { testDatabase } from '../support/database.ts'
import { columnsOf, load, table } from './support.ts'

describe("the text '' with emptyText: 'null'", () => {
  test('is null in every column outside the key, whatever its type', async () => {
    await using test = await testDatabase()
    const { database } = test
    const columns: Table['columns'] = {
      at: 'timestamptz',
      day: 'date',
      n: 'numeric(5,2)',
      flag: 'boolean',
      uid: 'uuid',
      short: 'varchar(3)',
      raw: 'jsonb',
      kept: { type: 'text', emptyText: 'keep' },
    }
    const fields = [...Object.keys(columns), 'note', 'found']
    const empty = Object.fromEntries(fields.map((field) => [field, '']))
    const definition = table({ key: ['id', 'part'], emptyText: 'null', columns })
    const { counts } = await load(database, definition, [
      { id: 1, part: '', ...empty, note: 'text' },
      { id: 2, part: 'a', ...empty },
    ])
    expect(counts).toMatchObject({ inserted: 2, rejected: 0 })
    const rows = await database.query('select * from shop.orders order by id')
    const nulls = { ...Object.fromEntries(Object.keys(columns).map((field) => [field, null])), kept: '' }
    expect(rows).toEqual([
      { id: '1', part: '', ...nulls, note: 'text' },
      { id: '2', part: 'a', ...nulls, note: null },
    ])
    // A field that was only ever '' has no column yet, as one that was only ever null.
    expect(await columnsOf(database)).not.toHaveProperty('found')
  })

  test('is null in one column, declared by type or without one', async () => {
    await using test = await testDatabase()
    const { database } = test
    const definition = table({
      columns: { closed: { type: 'timestamptz', emptyText: 'null' }, seen: { emptyText: 'null' } },
    })
    const time = '2024-01-01T00:00:00Z'
    await load(database, definition, [{ id: 1, closed: '', seen: '', note: '' }])
    expect(await columnsOf(database)).toEqual({ id: 'bigint', note: 'text', closed: 'timestamp with time zone' })
    const { counts } = await load(database, definition, [
      { id: 2, closed: time, seen: time, note: 'x' },
      ...Array.from({ length: 150 }, (_, index) => ({ id: 3 + index, closed: '', seen: '', note: '' })),
    ])
    expect(counts).toMatchObject({ inserted: 151, rejected: 0 })
    // The column without a declared type still widens.
    await load(database, definition, [{ id: 999, closed: time, seen: 'soon' }])
    expect(await columnsOf(database)).toMatchObject({ closed: 'timestamp with time zone', seen: 'text' })
    const [{ closed, seen, note } = {}] = await database.query<Record<string, number>>(
      'select count(closed)::int as closed, count(seen)::int as seen, count(note)::int as note from shop.orders',
    )
    expect({ closed, seen, note }).toEqual({ closed: 2, seen: 2, note: 152 })
  })

  test('is older than every version', async () => {
    await using test = await testDatabase()
    const definition = table({ versionBy: 'v', emptyText: 'null' })
    const time = '2024-01-01T00:00:00Z'
    await load(test.database, definition, [{ id: 1, v: time, n: 1 }])
    const { counts } = await load(test.database, definition, [{ id: 1, v: '', n: 2 }])
    expect(counts).toMatchObject({ updated: 0, unchanged: 1 })
  })

  test('stays a text by default, and widens a column that holds times', async () => {
    await using test = await testDatabase()
    await load(test.database, table(), [{ id: 1, at: '2024-01-01T00:00:00Z' }])
    await load(test.database, table(), [{ id: 2, at: '' }])
    expect(await test.database.query('select at from shop.orders order by id')).toEqual([
      { at: '2024-01-01T00:00:00Z' },
      { at: '' },
    ])
  })
})
