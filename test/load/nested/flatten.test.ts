import { describe, expect, test } from '@jest/globals'
import { Decimal } from '../../../src/value/decimal.ts'
import type { Database } from '../../../src/database/database.ts'
import { testDatabase } from '../../support/database.ts'
import { balances, columnsOf, finish, load, table } from '../support.ts'

const rows = async (database: Database): Promise<unknown[]> =>
  (await database.query<{ row: unknown }>('select to_jsonb(o) as row from shop.orders o order by o.id')).map(
    ({ row }) => row,
  )

describe('flatten', () => {
  test('makes columns of the members of an object, down to the depth', async () => {
    await using test = await testDatabase()
    const { database } = test
    const flatten = { address: true, shippingTo: { prefix: 'ship', depth: 2 } } as const
    const definition = table({ flatten, columns: { 'address.zip': 'text' } })
    const { counts } = await load(database, definition, [
      {
        id: 1,
        address: { city: 'Bern', zip: 3000, geo: { lat: 1.5 } },
        shippingTo: { city: 'Ulm', geo: { lat: new Decimal('0.10000000000000000001'), more: { deep: true } } },
        other: { stays: 'jsonb' },
        lines: [{ n: 1 }],
      },
      { id: 2, address: null, shippingTo: {} },
      { id: 3 },
    ])
    expect(counts).toMatchObject({ inserted: 3, rejected: 0 })
    expect(await columnsOf(database)).toEqual({
      id: 'bigint',
      address_city: 'text',
      address_zip: 'text',
      address_geo: 'jsonb',
      ship_city: 'text',
      ship_geo_lat: 'numeric',
      ship_geo_more: 'jsonb',
      other: 'jsonb',
      lines: 'jsonb',
    })
    expect(
      await database.query('select ship_geo_lat::text as lat, address_zip as zip from shop.orders where id = 1'),
    ).toEqual([{ lat: '0.10000000000000000001', zip: '3000' }])
    // Reading again changes nothing, and what an object no longer has becomes null.
    const again = await load(database, definition, [{ id: 1, address: { city: 'Bern' } }, { id: 2 }, { id: 3 }])
    expect(again.counts).toMatchObject({ updated: 1, unchanged: 2 })
    expect((await rows(database))[0]).toMatchObject({ address_city: 'Bern', address_zip: null, ship_city: null })
  })

  test("with absent: 'keep' an object without a member leaves it, and null sets all members to null", async () => {
    await using test = await testDatabase()
    const { database } = test
    const definition = table({ flatten: { a: { depth: 2 } }, absent: 'keep' })
    await load(database, definition, [
      { id: 1, a: { x: 1, b: { y: 2, z: 3 } } },
      { id: 2, a: { x: 1, b: { y: 2, z: 3 } } },
      { id: 3, a: { x: 1, b: { y: 2, z: 3 } } },
      { id: 4, a: { x: 1, b: { y: 2, z: 3 } }, a_note: 'another field' },
    ])
    await load(database, definition, [
      { id: 1, a: { b: { y: 5 } } },
      { id: 2, a: { b: null } },
      { id: 3 },
      { id: 4, a: null },
    ])
    expect(await rows(database)).toMatchObject([
      { id: 1, a_x: 1, a_b_y: 5, a_b_z: 3 },
      { id: 2, a_x: 1, a_b_y: null, a_b_z: null },
      { id: 3, a_x: 1, a_b_y: 2, a_b_z: 3 },
      { id: 4, a_x: null, a_b_y: null, a_b_z: null, a_note: 'another field' },
    ])
  })

  test('a value that is no object stays in its column, and the object of a later record too', async () => {
    await using test = await testDatabase()
    const { database } = test
    const definition = table({ flatten: { a: true } })
    const { counts } = await load(database, definition, [
      { id: 1, a: 'text' },
      { id: 2, a: { x: 1 } },
      { id: 3, a: [{ x: 1 }] },
    ])
    expect(counts).toMatchObject({ inserted: 3 })
    expect(await rows(database)).toEqual([
      { id: 1, a: 'text', a_x: null },
      { id: 2, a: null, a_x: 1 },
      { id: 3, a: [{ x: 1 }], a_x: null },
    ])
  })

  test('names that collide are an error, and no value is lost', async () => {
    await using test = await testDatabase()
    const { database } = test
    const definition = table({ flatten: { a: true } })
    await expect(load(database, definition, [{ id: 1, a: { x: 1 }, 'a.x': 2 }])).rejects.toThrow(
      'shop.orders: a record has the field "a.x" twice, once as a member of a flattened object',
    )
    await expect(load(database, definition, [{ id: 1, a: { x: 1 }, a_x: 2 }])).rejects.toThrow(
      'the fields "a.x" and "a_x" would both be the column a_x',
    )
  })

  test('a record that cannot be stored is rejected as it was read', async () => {
    await using test = await testDatabase()
    const { database } = test
    const definition = table({ flatten: { a: true }, columns: { 'a.x': 'int' } })
    const { rejects, counts } = await load(database, definition, [
      { id: 1, a: { x: 'many' } },
      { id: 2, a: { x: 2 } },
    ])
    expect(rejects).toMatchObject([{ stage: 'encode', record: { id: 1, a: { x: 'many' } } }])
    expect(rejects[0]!.reason).toContain('a.x: ')
    expect(balances(counts)).toBe(true)
    expect(await rows(database)).toEqual([{ id: 2, a_x: 2 }])
  })

  test('also for append and replace', async () => {
    await using test = await testDatabase()
    const { database } = test
    const append = table({ name: 'shop.log', key: [], write: 'append', flatten: { a: true } })
    await load(database, append, [{ a: { x: 1 } }])
    expect(await database.query('select a_x::int from shop.log')).toEqual([{ a_x: 1 }])
    const replace = table({ write: 'replace', flatten: { a: true } })
    for (const x of [1, 2]) {
      const { writer } = await load(database, replace, [{ id: 1, a: { x } }], { slice: `${x}` })
      await finish(database, writer)
    }
    expect(await rows(database)).toEqual([{ id: 1, a_x: 2 }])
  })
})
