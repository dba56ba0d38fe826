import { expect, test } from '@jest/globals'
import { testDatabase, administer } from '../../support/database.ts'
import { columnsOf, load, table } from '../support.ts'

const history = table({ write: 'history', versionBy: 'at' })
const at = '2024-01-01T00:00:00Z'
const later = '2024-01-02T00:00:00Z'

test('the view has added columns and widened types, and keeps its rights and the views on it', async () => {
  await using test = await testDatabase()
  const { database } = test
  const reader = `reader_${test.url.slice(-12)}`
  await administer(`create role ${reader}`)
  try {
    await load(database, history, [{ id: 1, n: 1, at }])
    await database.query(`grant select on shop.orders_current to ${reader}`)
    await database.query('create view shop.mine as select n from shop.orders_current')
    await load(database, history, [{ id: 1, n: 1, more: 'x', at: later }])
    expect(await database.query('select n::int, more from shop.orders_current')).toEqual([{ n: 1, more: 'x' }])
    await expect(load(database, history, [{ id: 2, n: 'text', at }])).rejects.toThrow(/view shop\.mine depends on/)
    await database.query('drop view shop.mine')
    await load(database, history, [{ id: 2, n: 'text', at }])
    expect(await columnsOf(database, 'shop.orders_current')).toEqual({
      id: 'bigint',
      n: 'text',
      at: 'timestamp with time zone',
      more: 'text',
    })
    expect(await database.query('select n from shop.orders_current order by id')).toEqual([{ n: '1' }, { n: 'text' }])
    expect(
      await database.query(`select has_table_privilege($1, 'shop.orders_current', 'select') as may`, [reader]),
    ).toEqual([{ may: true }])
  } finally {
    await database.query('drop view if exists shop.orders_current').catch(() => {})
    await administer(`drop role ${reader}`)
  }
})

test('the key is widened too, and versions before it stay with it', async () => {
  await using test = await testDatabase()
  const { database } = test
  await load(database, history, [{ id: 1, name: 'a', at }])
  const { counts } = await load(database, history, [
    { id: 'x', name: 'x', at },
    { id: 1, name: 'b', at: later },
  ])
  expect(counts).toMatchObject({ inserted: 2 })
  expect(await database.query('select id, name, _is_current from shop.orders order by id, _valid_from')).toEqual([
    { id: '1', name: 'a', _is_current: false },
    { id: '1', name: 'b', _is_current: true },
    { id: 'x', name: 'x', _is_current: true },
  ])
})

test('the view is made again if it was dropped, and has a column that was added by hand', async () => {
  await using test = await testDatabase()
  const { database } = test
  await load(database, history, [{ id: 1, at }])
  await database.query('drop view shop.orders_current')
  await database.query(`alter table shop.orders add column note text default 'by hand'`)
  await load(database, history, [{ id: 1, at }])
  expect(await database.query('select id::int, note from shop.orders_current')).toEqual([{ id: 1, note: 'by hand' }])
})

test('another object with the name of the view is an error, and stays', async () => {
  await using test = await testDatabase()
  const { database } = test
  await database.query('create schema shop')
  await database.query('create view shop.orders_current as select 1 as mine')
  await expect(load(database, history, [{ id: 1, at }])).rejects.toThrow(
    'the view of its current rows is to be shop.orders_current, and Sluice did not make what has this name',
  )
  expect(await database.query('select * from shop.orders_current')).toEqual([{ mine: 1 }])
  expect(await database.query(`select to_regclass('shop.orders') as made`)).toEqual([{ made: null }])
})

test('a field that has the name of a column of the history is an error', async () => {
  await using test = await testDatabase()
  await expect(load(test.database, history, [{ id: 1, at, _valid_from: 1 }])).rejects.toThrow(
    'shop.orders: the field "_valid_from" and a column that Sluice adds would both be the column _valid_from',
  )
  // In another table it is a field as any other.
  await load(test.database, table({ name: 'shop.others' }), [{ id: 1, _valid_from: 1 }])
})
