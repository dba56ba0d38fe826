import { describe, expect, test } from '@jest/globals'
import type { Database } from '../../../src/database/database.ts'
import type { EncodedPage } from '../../../src/load/encode/encoded-page.ts'
import { testDatabase } from '../../support/database.ts'
import { balances, columnsOf, commit, load, page, table } from '../support.ts'

const rows = async (database: Database, name = 'shop.orders_lines'): Promise<unknown[]> =>
  (await database.query<{ row: unknown }>(`select to_jsonb(o) as row from ${name} o order by o`)).map(({ row }) => row)

const LINES = 'shop.orders_lines'
const lines = table({ children: { lines: { key: 'line' } } })

const record = (entries: number[]) => ({ id: 1, lines: entries.map((line) => ({ line })) })

describe('children', () => {
  test("are stored with the parent's key, and removed when the record no longer has them", async () => {
    await using test = await testDatabase()
    const { database } = test
    const first = await load(database, lines, [
      {
        id: 1,
        total: 5,
        lines: [
          { line: 1, sku: 'a' },
          { line: 2, sku: 'b' },
        ],
      },
      { id: 2, total: 6, lines: [{ line: 1, sku: 'c' }] },
      { id: 3, total: 7, lines: null },
      { id: 4, total: 8 },
    ])
    expect(first.counts).toMatchObject({ fetched: 4, inserted: 4, rejected: 0 })
    expect(first.children).toEqual({ [LINES]: { inserted: 3, updated: 0, unchanged: 0, deleted: 0 } })
    expect(await columnsOf(database)).toEqual({ id: 'bigint', total: 'bigint' })
    expect(await columnsOf(database, LINES)).toEqual({ orders_id: 'bigint', line: 'bigint', sku: 'text' })

    // The record itself has not changed: its list has.
    const second = await load(database, lines, [
      {
        id: 1,
        total: 5,
        lines: [
          { line: 2, sku: 'B' },
          { line: 3, sku: 'd' },
        ],
      },
      { id: 2, total: 6, lines: [{ line: 1, sku: 'c' }] },
    ])
    expect(second.counts).toMatchObject({ updated: 0, unchanged: 2 })
    expect(second.children).toEqual({ [LINES]: { inserted: 1, updated: 1, unchanged: 1, deleted: 1 } })
    expect(await rows(database)).toEqual([
      { orders_id: 1, line: 2, sku: 'B' },
      { orders_id: 1, line: 3, sku: 'd' },
      { orders_id: 2, line: 1, sku: 'c' },
    ])

    const third = await load(database, lines, [
      { id: 1, total: 5, lines: [] },
      { id: 2, total: 6 },
    ])
    expect(third.children).toEqual({ [LINES]: { inserted: 0, updated: 0, unchanged: 0, deleted: 3 } })
    expect(await rows(database)).toEqual([])
  })

  test('that have not changed are not written again', async () => {
    await using test = await testDatabase()
    const { database } = test
    const records = Array.from({ length: 50 }, (_, id) => ({
      id,
      lines: [
        { line: 1, n: id },
        { line: 2, n: id },
      ],
    }))
    await load(database, lines, records, { pageSize: 7 })
    const places = async () => database.query(`select xmin::text, xmax::text, ctid::text from ${LINES} order by 1, 3`)
    const before = await places()
    const { children } = await load(database, lines, records, { pageSize: 9 })
    expect(children).toEqual({ [LINES]: { inserted: 0, updated: 0, unchanged: 100, deleted: 0 } })
    expect(await places()).toEqual(before)
  })

  test('of an older version of the record are not touched, in the batch and in the table', async () => {
    await using test = await testDatabase()
    const { database } = test
    const versioned = table({ children: { lines: { key: 'line' } }, versionBy: 'v' })
    await load(database, versioned, [
      { id: 1, v: 5, lines: [{ line: 1, sku: 'of 5' }] },
      { id: 1, v: 4, lines: [{ line: 9, sku: 'of 4, in the batch' }] },
    ])
    const { counts, children } = await load(database, versioned, [
      { id: 1, v: 3, lines: [{ line: 8, sku: 'of 3' }] },
      { id: 2, v: 1, lines: [{ line: 1, sku: 'new' }] },
    ])
    expect(counts).toMatchObject({ inserted: 1, unchanged: 1 })
    expect(children).toEqual({ [LINES]: { inserted: 1, updated: 0, unchanged: 0, deleted: 0 } })
    await load(database, versioned, [{ id: 2, v: 1, lines: [{ line: 2, sku: 'of the same version' }] }])
    expect(await rows(database)).toEqual([
      { orders_id: 1, line: 1, sku: 'of 5' },
      { orders_id: 2, line: 2, sku: 'of the same version' },
    ])
  })

  test('of several levels, with lists of scalars and places in the list', async () => {
    await using test = await testDatabase()
    const { database } = test
    const deep = table({
      key: ['shop', 'id'],
      children: {
        lines: { key: 'line', parentKey: ['shop', 'order'], children: { discounts: {}, parts: { key: 'value' } } },
        tags: { table: 'shop.tags' },
      },
    })
    const order = {
      shop: 'x',
      id: 1,
      lines: [
        { line: 1, discounts: [{ percent: 5 }, { percent: 7 }], parts: ['p', 'q'] },
        { line: 2, discounts: { percent: 9 }, parts: [] },
      ],
      tags: ['red', 'blue', null],
      other: [1, 2],
    }
    await load(database, deep, [order, { ...order, id: 2 }])
    expect(await rows(database, 'shop.orders')).toMatchObject([{ id: 1, other: [1, 2] }, { id: 2 }])
    expect(await rows(database)).toMatchObject([
      { shop: 'x', order: 1, line: 1 },
      { line: 2 },
      { order: 2 },
      { order: 2 },
    ])
    expect(await rows(database, 'shop.tags')).toMatchObject([
      { orders_shop: 'x', orders_id: 1, _index: 0, value: 'red' },
      { orders_id: 1, _index: 1, value: 'blue' },
      { orders_id: 1, _index: 2, value: null },
      { orders_id: 2 },
      { orders_id: 2 },
      { orders_id: 2 },
    ])
    const discounts = 'shop.orders_lines_discounts'
    expect((await rows(database, discounts)).slice(0, 3)).toEqual([
      { shop: 'x', order: 1, lines_line: 1, _index: 0, percent: 5 },
      { shop: 'x', order: 1, lines_line: 1, _index: 1, percent: 7 },
      { shop: 'x', order: 1, lines_line: 2, _index: 0, percent: 9 },
    ])
    // The line goes with everything in it; another order keeps its own.
    const { children } = await load(database, deep, [{ ...order, lines: order.lines.slice(1), tags: ['blue'] }])
    expect(children).toEqual({
      [LINES]: { inserted: 0, updated: 0, unchanged: 1, deleted: 1 },
      [discounts]: { inserted: 0, updated: 0, unchanged: 1, deleted: 2 },
      'shop.orders_lines_parts': { inserted: 0, updated: 0, unchanged: 0, deleted: 2 },
      'shop.tags': { inserted: 0, updated: 1, unchanged: 0, deleted: 2 },
    })
    expect(await rows(database, discounts)).toHaveLength(4)
  })

  test("with absent: 'keep' a record without the list leaves it, also within a batch", async () => {
    await using test = await testDatabase()
    const { database } = test
    const keep = table({ children: { lines: { key: 'line' }, tags: {} }, absent: 'keep' })
    await load(database, keep, [
      { id: 1, a: 1, lines: [{ line: 1 }], tags: ['x'] },
      { id: 1, b: 2 },
      { id: 2, a: 1, lines: [{ line: 1 }], tags: ['x'] },
    ])
    await load(database, keep, [
      { id: 1, tags: ['y'] },
      { id: 1, b: 3 },
      { id: 2, lines: [] },
    ])
    expect(await rows(database, 'shop.orders')).toEqual([
      { id: 1, a: 1, b: 3 },
      { id: 2, a: 1, b: null },
    ])
    expect(await rows(database)).toEqual([{ orders_id: 1, line: 1 }])
    expect(await rows(database, 'shop.orders_tags')).toMatchObject([
      { orders_id: 1, value: 'y' },
      { orders_id: 2, value: 'x' },
    ])
  })

  test('a record is rejected whole: an entry does not fit, has no key, or is refused by the database', async () => {
    await using test = await testDatabase()
    const { database } = test
    const definition = table({ children: { lines: { key: 'line', columns: { qty: 'int' }, children: { tags: {} } } } })
    await load(database, definition, [{ id: 1, lines: [{ line: 1, qty: 1, tags: ['a'] }] }])
    await database.query(`alter table ${LINES} add check (qty < 100)`)
    const bad = {
      id: 4,
      lines: [
        { line: 1, qty: 100, tags: ['x', 'y'] },
        { line: 2, qty: 1, tags: [] },
      ],
    }
    const { counts, rejects, children } = await load(database, definition, [
      { id: 2, lines: [{ line: 1, qty: 'many' }] },
      { id: 3, lines: [{ qty: 1 }] },
      { id: 7, lines: [{ line: 1, qty: 7 }] },
      bad,
      { id: 5, lines: 'none' },
      { id: 6, lines: [{ line: 1, qty: 6 }] },
      { id: null, lines: [{ line: 1, qty: 6 }] },
      { id: 1, lines: [{ line: 2, qty: 2 }] },
    ])
    expect(balances(counts)).toBe(true)
    expect(counts).toMatchObject({ inserted: 2, unchanged: 1, rejected: 5 })
    expect(children?.[LINES]).toEqual({ inserted: 3, updated: 0, unchanged: 0, deleted: 1 })
    const reasons = Object.fromEntries(rejects.map(({ record, reason }) => [(record as { id: number }).id, reason]))
    expect(reasons[2]).toContain('lines: qty: "many" does not fit int')
    expect(reasons[3]).toContain('lines: line: it belongs to the key')
    expect(reasons[4]).toContain('violates check constraint')
    expect(reasons[5]).toContain('lines: it is "none", and children stores a list')
    // The row that the database refused has its lists, so that a replay stores them too.
    const again = rejects.find(({ stage }) => stage === 'database')!.record
    expect(again).toMatchObject({
      id: 4,
      lines: [
        { line: 1, qty: 100, tags: [{ value: 'x' }, { value: 'y' }] },
        { line: 2, qty: 1 },
      ],
    })
    await database.query(`alter table ${LINES} drop constraint orders_lines_qty_check`)
    await load(database, definition, [again])
    expect(await rows(database)).toMatchObject([
      { orders_id: 1, line: 2 },
      { orders_id: 4, line: 1, qty: 100 },
      { orders_id: 4, line: 2 },
      { orders_id: 6 },
      { orders_id: 7 },
    ])
    expect(await rows(database, `${LINES}_tags`)).toHaveLength(2)
  })

  test("a parent's key that becomes text does so in the lists too, also for a record without entries", async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, lines, [{ id: 1, lines: [{ line: 1 }] }])
    await load(database, lines, [
      { id: 'A', lines: [] },
      { id: 1, lines: [{ line: 1 }, { line: 2 }] },
    ])
    expect(await columnsOf(database, LINES)).toMatchObject({ orders_id: 'text' })
    expect(await rows(database)).toMatchObject([
      { orders_id: '1', line: 1 },
      { orders_id: '1', line: 2 },
    ])
  })

  test('names that collide are an error', async () => {
    await using test = await testDatabase()
    const { database } = test
    const named = table({ children: { lines: { key: 'line', parentKey: 'order' } } })
    await expect(load(database, named, [{ id: 1, lines: [{ line: 1, order: 2 }] }])).rejects.toThrow(
      'an entry of lines has the field "order", which holds the parent\'s key. Give parentKey',
    )
    await expect(load(database, lines, [{ id: 1, lines: [{ line: 1, ordersId: 2 }] }])).rejects.toThrow(
      'would both be the column orders_id',
    )
  })

  test('two writers of one record leave the list of one of them, never a mixture', async () => {
    await using test = await testDatabase()
    const { database } = test
    const { writer } = await load(database, lines, [record([1])])
    const { writer: second } = await load(database, lines, [record([1])])
    const pagesOf = (one: typeof writer, entries: number[]): EncodedPage[] => [
      one.encode(page([record(entries)])) as EncodedPage,
    ]
    await using open = await database.transaction()
    await writer.write(open, pagesOf(writer, [1, 2]))
    const other = commit(database, second, pagesOf(second, [1, 3]))
    for (;;) {
      const { waiting } = await database.one<{ waiting: number }>(
        `select count(*)::int as waiting from pg_stat_activity
          where wait_event_type = 'Lock' and datname = current_database()`,
      )
      if (waiting > 0) break
    }
    await open.commit()
    await other
    expect(await rows(database)).toEqual([
      { orders_id: 1, line: 1 },
      { orders_id: 1, line: 3 },
    ])
  })
})
