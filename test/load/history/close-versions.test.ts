import { expect, test } from '@jest/globals'
import type { Database } from '../../../src/database/database.ts'
import { closeSql } from '../../../src/load/history/close-versions.ts'
import { testDatabase } from '../../support/database.ts'
import { load, table } from '../support.ts'

const versioned = table({ write: 'history', versionBy: 'at', loadedAt: true })
const at = (hour: number): string => `2024-01-01T${String(hour).padStart(2, '0')}:00:00Z`

/** Deletes the rows of some keys, each at an hour or, without one, now. Returns the number of versions that end. */
async function close(database: Database, ...deletions: readonly (readonly [id: number, hour?: number])[]) {
  const values = deletions.map(
    ([id, hour]) => `(${id}::bigint, ${hour === undefined ? 'null' : `'${at(hour)}'`}::timestamptz)`,
  )
  const { closed } = await database.one<{ closed: string }>(
    closeSql({
      table: 'shop.orders',
      source: `(select * from (values ${values.join(', ')}) as v (id, at))`,
      keys: [{ name: 'id' }],
      moment: 's.at',
      loadedAt: true,
    }),
  )
  return Number(closed)
}

async function hours(database: Database, id = 1): Promise<string[]> {
  const rows = await database.query<{ line: string }>(
    `select extract(hour from _valid_from) || '..' || coalesce(extract(hour from _valid_to)::text, '') || ' ' || name
       as line from shop.orders where id = $1 order by _valid_from`,
    [id],
  )
  return rows.map(({ line }) => line)
}

test('a deletion ends the version that it falls into, once', async () => {
  await using test = await testDatabase()
  const { database } = test
  await load(database, versioned, [
    { id: 1, name: 'a', at: at(1) },
    { id: 1, name: 'e', at: at(5) },
    { id: 2, name: 'x', at: at(1) },
  ])
  expect(await close(database, [1, 7], [1, 8], [3, 2])).toBe(1)
  expect(await hours(database)).toEqual(['1..5 a', '5..7 e'])
  expect(await close(database, [1, 7])).toBe(0)
  expect(await close(database, [1, 3])).toBe(1)
  expect(await hours(database)).toEqual(['1..3 a', '5..7 e'])
  expect(await database.query('select id::int from shop.orders_current')).toEqual([{ id: 2 }])
  // It comes back, and is read again.
  await load(database, versioned, [{ id: 1, name: 'i', at: at(9) }])
  expect(await close(database, [1, 7], [1, 3])).toBe(0)
  expect(await hours(database)).toEqual(['1..3 a', '5..7 e', '9.. i'])
})

test('a deletion ends the current version now if it has no moment, and one that begins at its moment', async () => {
  await using test = await testDatabase()
  const { database } = test
  await load(database, versioned, [
    { id: 1, name: 'a', at: at(1) },
    { id: 2, name: 'x', at: at(1) },
  ])
  expect(await close(database, [1], [2, 1])).toBe(2)
  expect(await close(database, [1], [2, 1])).toBe(0)
  expect(
    await database.query(
      `select id::int, _valid_to > now() - interval '1 hour' as now,
           _valid_to = _valid_from + interval '1 microsecond' as at_once
         from shop.orders order by id`,
    ),
  ).toEqual([
    { id: 1, now: true, at_once: false },
    { id: 2, now: false, at_once: true },
  ])
  // What was deleted is not opened again by a row that is sent once more.
  const { counts } = await load(database, versioned, [{ id: 2, name: 'x', at: at(1) }])
  expect(counts).toMatchObject({ unchanged: 1 })
  expect(await database.query('select id from shop.orders_current')).toEqual([])
})
