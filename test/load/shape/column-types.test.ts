import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { testDatabase, type TestDatabase } from '../../support/database.ts'
import { columnsOf, load, table } from '../support.ts'

describe('the type of a column', () => {
  // One database for all: a table each.
  let shared: TestDatabase
  beforeAll(async () => {
    shared = await testDatabase()
  })
  afterAll(async () => shared[Symbol.asyncDispose]())
  let tables = 0
  const fresh = (): string => `shop.orders_${(tables += 1)}`

  test.each([
    ['bigint', 1, 'numeric', 1.5, ['1', '1.5']],
    ['bigint', 1, 'numeric', 2n ** 70n, ['1', String(2n ** 70n)]],
    ['bigint', 1, 'text', 'a', ['1', 'a']],
    ['bigint', 1, 'text', true, ['1', 'true']],
    ['numeric', 0.1, 'text', '01', ['0.1', '01']],
    ['boolean', true, 'text', 'yes', ['true', 'yes']],
    ['boolean', true, 'text', 3, ['true', '3']],
    ['date', '2024-01-31', 'text', '2024-01-31T00:00:00Z', ['2024-01-31', '2024-01-31T00:00:00Z']],
    ['bigint', 1, 'jsonb', { a: 1 }, ['1', '{"a": 1}']],
    ['text', 'a', 'jsonb', [1], ['"a"', '[1]']],
    ['boolean', true, 'jsonb', [], ['true', '[]']],
    ['date', '2024-01-31', 'jsonb', {}, ['"2024-01-31"', '{}']],
  ])('widens %s (%p) to %s for %p', async (before, first, after, second, stored) => {
    const [{ database }, name] = [shared, fresh()]
    await load(database, table({ name }), [{ id: 1, v: first }])
    expect(await columnsOf(database, name)).toEqual({ id: 'bigint', v: before })
    await load(database, table({ name }), [{ id: 2, v: second }])
    expect(await columnsOf(database, name)).toEqual({ id: 'bigint', v: after })
    expect(await database.query(`select v::text as v from ${name} order by id`)).toEqual(stored.map((v) => ({ v })))
  })

  test.each([
    [['2024-01-01T00:00:00Z', 'soon'], 'text'],
    [['2024-01-01T00:00:00Z', '2024-01-01'], 'text'],
    [[1, 2.5], 'numeric'],
    [[1, 2n ** 64n], 'numeric'],
    [[true, 1], 'text'],
    [['a', { b: 1 }], 'jsonb'],
    [['2024-02-30T00:00:00Z'], 'text'],
    [['2024-01-01T00:00:00.1234567Z'], 'text'],
    [['2024-01-01T00:00:60Z'], 'text'],
    [['2024-01-01T00:00:00'], 'text'],
    [['2023-02-29'], 'text'],
    [[new Date(0)], 'timestamp with time zone'],
  ])('values %p create a column of %s', async (values, type) => {
    const [{ database }, name] = [shared, fresh()]
    await load(
      database,
      table({ name }),
      values.map((v, id) => ({ id, v })),
    )
    expect((await columnsOf(database, name))['v']).toBe(type)
  })
})
