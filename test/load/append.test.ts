import { expect, test } from '@jest/globals'
import { openDatabase } from '../../src/database/database.ts'
import { testDatabase } from '../support/database.ts'
import { balances, columnsOf, load, table } from './support.ts'

const append = table({ write: 'append', key: [] })

test('append stores each row with the id of its slice', async () => {
  await using test = await testDatabase()
  const { database } = test
  const { counts } = await load(database, append, [{ id: 1 }, { id: 1 }, { id: 2 }], { slice: '41', pageSize: 2 })
  await load(database, append, [{ id: 3 }], { slice: '42' })
  expect(counts).toMatchObject({ fetched: 3, inserted: 3, duplicate: 0 })
  expect(await columnsOf(database)).toEqual({ id: 'bigint', _slice: 'bigint' })
  expect(
    await database.query('select _slice::int as slice, count(*)::int as n from shop.orders group by 1 order by 1'),
  ).toEqual([
    { slice: 41, n: 3 },
    { slice: 42, n: 1 },
  ])
  expect(await database.query(`select indexdef from pg_indexes where tablename = 'orders'`)).toEqual([
    { indexdef: expect.stringContaining('USING brin (_slice)') as unknown },
  ])
})

test('a slice that restarts an append removes its own rows and no others', async () => {
  await using test = await testDatabase()
  const { database } = test
  await load(database, append, [{ id: 1 }], { slice: '1' })
  const { writer } = await load(database, append, [{ id: 2 }, { id: 3 }], { slice: '2' })
  await using transaction = await database.transaction()
  await writer.clear(transaction)
  await transaction.commit()
  expect(await database.query('select id::int from shop.orders')).toEqual([{ id: 1 }])
})

test('a restart fails if the slice stored rows before the table had the column _slice', async () => {
  await using test = await testDatabase()
  const { database } = test
  await database.query('create schema shop; create table shop.orders (id bigint)')
  const [run] = await database.query<{ id: string }>(
    `insert into sluice.runs (kind, pipeline) values ('sync', 'shop') returning id`,
  )
  const [slice] = await database.query<{ id: string }>(
    `insert into sluice.slices (pipeline, stream, kind, started_by, run, definition, fetched, inserted)
     values ('shop', 'orders', 'sync', $1, $1, '', 2, 2) returning id`,
    [run!.id],
  )
  await load(database, { ...append, onSchemaChange: 'freeze' }, [{ id: 1 }], { slice: slice!.id })
  const { writer } = await load(database, { ...append, adopt: true }, [{ id: 2 }], { slice: slice!.id })
  {
    await using transaction = await database.transaction()
    await expect(writer.clear(transaction)).rejects.toThrow(
      'but 1 row that it stored cannot be told from other rows, because the column _slice is newer. ' +
        'If they still exist, delete them yourself, or accept that they are stored twice',
    )
  }
  await database.query(`update shop.orders set _slice = $1`, [slice!.id])
  await using transaction = await database.transaction()
  await writer.clear(transaction)
  await transaction.commit()
  expect(await database.query('select from shop.orders')).toEqual([])
})

test('append by key keeps the stored row and counts the new one as duplicate', async () => {
  await using test = await testDatabase()
  const { database } = test
  const definition = table({ write: 'append', versionBy: 'v' })
  await load(database, definition, [{ id: 1, v: 1, n: 'there' }])
  const { counts } = await load(
    database,
    definition,
    [
      { id: 1, v: 9, n: 'new' },
      { id: 2, v: 1, n: 'first' },
      { id: 2, v: 2, n: 'second' },
    ],
    { slice: '2' },
  )
  expect(counts).toMatchObject({ fetched: 3, inserted: 1, duplicate: 2 })
  expect(balances(counts)).toBe(true)
  expect(await database.query('select id::int, n, _slice::int as slice from shop.orders order by id')).toEqual([
    { id: 1, n: 'there', slice: 1 },
    { id: 2, n: 'first', slice: 2 },
  ])
})

test('append adds the column _slice to a table that it adopts', async () => {
  await using test = await testDatabase()
  const { database } = test
  await database.query('create schema shop')
  await database.query('create table shop.orders (id int)')
  await load(database, { ...append, adopt: true }, [{ id: 1 }], { slice: '7' })
  expect(await database.query('select * from shop.orders')).toEqual([{ id: 1, _slice: '7' }])
})

test('append without the right to add _slice stores rows, and a restart of the slice fails', async () => {
  await using test = await testDatabase()
  const { database } = test
  await database.query('create schema shop')
  await database.query('create table shop.orders (id int)')
  const role = `clerk_${process.pid}`
  await database.query(`create role ${role} login password 'clerk'`)
  try {
    await database.query(`grant usage on schema shop to ${role}`)
    await database.query(`grant select, insert on shop.orders to ${role}`)
    await using poor = await openDatabase({
      url: Object.assign(new URL(test.url), { username: role, password: 'clerk' }).href,
    })
    const { writer, events, counts } = await load(poor, { ...append, adopt: true }, [{ id: 1 }])
    expect(counts).toMatchObject({ inserted: 1 })
    expect(events).toEqual([expect.objectContaining({ type: 'warning' })])
    await using transaction = await poor.transaction()
    await expect(writer.clear(transaction)).rejects.toThrow(
      'alter table "shop"."orders" add column if not exists "_slice" bigint',
    )
  } finally {
    await database.query(`drop owned by ${role}`)
    await database.query(`drop role ${role}`)
  }
})

test('a trigger that leaves rows out makes append fail', async () => {
  await using test = await testDatabase()
  const { database } = test
  await load(database, append, [{ id: 1 }])
  await database.query('create function shop.skip() returns trigger language plpgsql as $$ begin return null; end $$')
  await database.query('create trigger skip before insert on shop.orders for each row execute function shop.skip()')
  await expect(load(database, append, [{ id: 2 }])).rejects.toThrow('the server stored 0 of 1 rows')
})

test('append sets _loaded_at to the time of the copy', async () => {
  await using test = await testDatabase()
  await load(test.database, { ...append, loadedAt: true }, [{ id: 1 }])
  await load(test.database, table({ name: 'shop.keyed', write: 'append', loadedAt: true }), [{ id: 1 }])
  for (const name of ['orders', 'keyed'])
    expect(
      await test.database.query(`select _loaded_at > now() - interval '1 minute' as fresh from shop.${name}`),
    ).toEqual([{ fresh: true }])
})
