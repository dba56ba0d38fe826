import { describe, expect, test } from '@jest/globals'
import type { Database } from '../../../src/database/database.ts'
import { planChange } from '../../../src/load/shape/change-plan.ts'
import { readShape } from '../../../src/load/shape/table-shape.ts'
import { columnType } from '../../../src/load/values/column-type.ts'
import { testDatabase } from '../../support/database.ts'
import { columnsOf, load, table } from '../support.ts'

/** Sent texts, and the texts that their moments get when the column becomes text. */
const TIMES: readonly (readonly [sent: unknown, kept: string | null])[] = [
  ['2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z'],
  ['2024-01-01T00:00:00.000Z', '2024-01-01T00:00:00Z'],
  ['2024-06-30T23:59:59.5Z', '2024-06-30T23:59:59.5Z'],
  ['2024-01-01T00:00:00.123456Z', '2024-01-01T00:00:00.123456Z'],
  ['2024-01-01T00:30:00.120+02:00', '2023-12-31T22:30:00.12Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
  [new Date(1_700_000_000_007), '2023-11-14T22:13:20.007Z'],
  [new Date(8.64e15), '275760-09-13T00:00:00Z'],
  [new Date(-62_200_000_000_000), '0003-12-17T14:13:20Z BC'],
  [null, null],
]
const rows = TIMES.map(([at], id) => ({ id, at }))
const kept = TIMES.map(([, text]) => text)
/** Rows whose text is not the shortest form of UTC. */
const OTHER_FORMS = 4

async function textsOf(database: Database, name = 'shop.orders'): Promise<readonly unknown[]> {
  return (await database.query<{ at: unknown }>(`select at from ${name} order by id`)).map(({ at }) => at)
}

describe('a timestamptz column without a declaration', () => {
  test.each<[string, unknown]>([
    ['nanoseconds', '2024-01-01T00:00:00.123456789Z'],
    ['a local time', '2024-01-31 10:00:00'],
    ['the empty text', ''],
    ['a day', '2024-01-31'],
    ['a number', 1_700_000_000],
    ['a day that does not exist', '2024-02-30T00:00:00Z'],
  ])('becomes text for %s, and its moments keep every digit', async (_, value) => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, table(), rows)
    const { counts, events } = await load(database, table(), [{ id: 99, at: value }])
    expect(counts).toMatchObject({ inserted: 1, rejected: 0 })
    expect(events).toEqual([expect.objectContaining({ change: 'widened at from timestamp with time zone to text' })])
    expect(await textsOf(database)).toEqual([...kept, String(value)])
  })

  test('becomes jsonb for an object, with its moments as the same texts', async () => {
    await using test = await testDatabase()
    await load(test.database, table(), rows)
    await load(test.database, table(), [{ id: 99, at: { a: 1 } }])
    expect(await textsOf(test.database)).toEqual([...kept, { a: 1 }])
  })

  test('that became text writes an unchanged row once at most', async () => {
    await using test = await testDatabase()
    const { database } = test
    const read = [...rows, { id: 99, at: '' }]
    await load(database, table(), rows)
    const first = await load(database, table(), read)
    expect(first.counts).toMatchObject({ inserted: 1, updated: OTHER_FORMS, unchanged: rows.length - OTHER_FORMS })
    const second = await load(database, table(), read)
    expect(second.counts).toMatchObject({ inserted: 0, updated: 0, unchanged: read.length })
  })

  test('becomes text together with the shadow table in the middle of a replace', async () => {
    await using test = await testDatabase()
    const { database } = test
    for (const key of [['id'], []]) {
      const definition = table({ name: `shop.replace_${key.length}`, write: 'replace', key })
      const read = [...rows, { id: 99, at: '2024-01-31 10:00:00' }]
      await load(database, definition, rows, { slice: '1', end: true })
      const { counts } = await load(database, definition, read, { slice: '2', end: true, pageSize: rows.length })
      expect(counts).toMatchObject({ rejected: 0 })
      expect(await textsOf(database, definition.name)).toEqual([...kept, '2024-01-31 10:00:00'])
      const again = await load(database, definition, read, { slice: '3', end: true })
      // Without a key all rows are written again in each reading.
      const all = { inserted: read.length, updated: 0, deleted: read.length }
      expect(again.swap).toEqual(key.length > 0 ? { inserted: 0, updated: OTHER_FORMS, deleted: 0 } : all)
      const last = await load(database, definition, read, { slice: '4', end: true })
      expect(last.swap).toEqual(key.length > 0 ? { inserted: 0, updated: 0, deleted: 0 } : all)
    }
  })

  test('becomes text in an append, with a key and without', async () => {
    await using test = await testDatabase()
    const { database } = test
    for (const key of [['id'], []]) {
      const definition = table({ name: `shop.append_${key.length}`, write: 'append', key })
      await load(database, definition, rows)
      const { counts } = await load(database, definition, [{ id: 99, at: '' }], { slice: '2' })
      expect(counts).toMatchObject({ inserted: 1, rejected: 0 })
      expect(await textsOf(database, definition.name)).toEqual([...kept, ''])
    }
  })

  test('that a view uses fails with a statement that a person can run', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, table(), rows)
    await database.query('create view shop.seen as select at from shop.orders')
    const type = columnType('timestamp with time zone')
    const column = { field: 'at', name: 'at', type, key: false, declared: false, round: false }
    const shape = await readShape(database, table())
    const plan = planChange({ add: [], widen: [{ column, to: 'text' }], load: false }, table(), shape, 'shop.orders')
    const [statement] = plan.statements
    await expect(load(database, table(), [{ id: 99, at: '' }])).rejects.toThrow(statement)
    // The settings of that person's session have no influence on the texts.
    await using transaction = await database.transaction()
    await transaction.run(`set datestyle = 'German'; set timezone = 'Asia/Tokyo'; drop view shop.seen; ${statement}`)
    await transaction.commit()
    expect(await textsOf(database)).toEqual(kept)
    expect((await load(database, table(), [{ id: 99, at: '' }])).counts).toMatchObject({ inserted: 1 })
  })

  test('stays as it is if the table is frozen, or rejects what does not fit', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, table(), rows)
    const other = [{ id: 99, at: '' }]
    await expect(load(database, table({ onSchemaChange: 'freeze' }), other)).rejects.toThrow('its shape is frozen')
    expect((await load(database, table({ onSchemaChange: 'reject' }), other)).counts).toMatchObject({ rejected: 1 })
    expect(await columnsOf(database)).toMatchObject({ at: 'timestamp with time zone' })
  })
})
