import { describe, expect, test } from '@jest/globals'
import { pipeline, source } from '../../../src/index.ts'
import { createdTables } from '../../../src/ledger/created-tables.ts'
import { SchemaError } from '../../../src/model/errors.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'
import { columnsOf, load, table, type Loaded } from '../support.ts'

// A table that Sluice did not create receives rows that fit, and is not altered.

const created = createdTables
const made = 'create schema shop; create table shop.orders (id bigint primary key, n integer)'

async function refused(loaded: Promise<Loaded>): Promise<string> {
  const error = await loaded.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(SchemaError)
  return (error as SchemaError).message
}

const load1 = ({ database }: TestDatabase, more: Parameters<typeof table>[0], records: readonly unknown[]) =>
  load(database, table(more), records, { created })

describe('a table that Sluice did not create', () => {
  test('receives rows that fit its columns', async () => {
    await using own = await testDatabase()
    await own.database.query(made)
    expect((await load1(own, {}, [{ id: 1, n: 2 }])).counts).toMatchObject({ inserted: 1 })
    expect(await columnsOf(own.database)).toEqual({ id: 'bigint', n: 'integer' })
  })

  test('is not altered, and the error lists the change and how to allow it', async () => {
    await using own = await testDatabase()
    await own.database.query(made)
    expect(await refused(load1(own, {}, [{ id: 1, n: 'x', note: 'y' }]))).toBe(
      'shop.orders: Sluice did not create this table, so it does not alter it. ' +
        'The records need this change: added note text, widened n from integer to text. ' +
        'To allow such changes, set adopt: true for the table; to make this one yourself, run: ' +
        'alter table "shop"."orders" add column if not exists "note" text, ' +
        'alter column "n" type text using "n"::text. If another table is meant, correct its name in .into()',
    )
    expect(await columnsOf(own.database)).toEqual({ id: 'bigint', n: 'integer' })
    expect(await own.database.query('select from shop.orders')).toEqual([])
  })

  test('gets no column _loaded_at', async () => {
    await using own = await testDatabase()
    await own.database.query(made)
    expect(await refused(load1(own, { loadedAt: true }, [{ id: 1 }]))).toContain('added _loaded_at')
  })

  test('gets no column _slice, which a warning tells', async () => {
    await using own = await testDatabase()
    await own.database.query(made)
    const { events, counts } = await load1(own, { write: 'append', key: [] }, [{ id: 1, n: 2 }])
    expect(counts).toMatchObject({ inserted: 1 })
    expect(events).toEqual([
      { type: 'warning', stream: 'orders', message: expect.stringContaining('so it does not add the column _slice') },
    ])
    expect(await columnsOf(own.database)).toEqual({ id: 'bigint', n: 'integer' })
  })

  test.each([['id'], []])('keeps its rows from a replace with key %p', async (...key) => {
    await using own = await testDatabase()
    await own.database.query(`${made}; insert into shop.orders values (7, 7)`)
    expect(await refused(load1(own, { write: 'replace', key }, [{ id: 1, n: 2 }]))).toContain(
      "write: 'replace' deletes each of its rows that is not read",
    )
    expect(await own.database.query('select id::int from shop.orders')).toEqual([{ id: 7 }])
  })

  test('is altered with adopt: true, and only then', async () => {
    await using own = await testDatabase()
    await own.database.query(made)
    await load1(own, { adopt: true }, [{ id: 1, note: 'y' }])
    expect(await columnsOf(own.database)).toEqual({ id: 'bigint', n: 'integer', note: 'text' })
    expect(await refused(load1(own, {}, [{ id: 1, more: 1 }]))).toContain('added more bigint')
  })

  test('follows onSchemaChange before it is asked who created it', async () => {
    await using own = await testDatabase()
    await own.database.query(made)
    expect(await refused(load1(own, { onSchemaChange: 'freeze' }, [{ id: 1, note: 'y' }]))).toContain('frozen')
    expect((await load1(own, { onSchemaChange: 'reject' }, [{ id: 1, note: 'y' }])).counts).toMatchObject({
      rejected: 1,
    })
  })
})

describe('a table that Sluice created is altered', () => {
  test('by another stream', async () => {
    await using own = await testDatabase()
    await load1(own, {}, [{ id: 1 }])
    await load(own.database, table(), [{ id: 2, note: 'y' }], { stream: 'others', created })
    expect(await columnsOf(own.database)).toEqual({ id: 'bigint', note: 'text' })
  })

  test('after it was renamed, and its comments were replaced', async () => {
    await using own = await testDatabase()
    await load1(own, {}, [{ id: 1 }])
    await own.database.query(`comment on column shop.orders.id is 'the number of the order'`)
    await own.database.query('alter table shop.orders rename to purchases')
    await load1(own, { name: 'shop.purchases' }, [{ id: 1, note: 'y' }])
    expect(await columnsOf(own.database, 'shop.purchases')).toEqual({ id: 'bigint', note: 'text' })
  })

  test('if the ledger is new, as after a restore without it', async () => {
    await using own = await testDatabase()
    await load1(own, {}, [{ id: 1 }])
    await own.database.query('delete from sluice.tables')
    await load1(own, {}, [{ id: 1, note: 'y' }])
    expect(await columnsOf(own.database)).toEqual({ id: 'bigint', note: 'text' })
  })

  test('but not a table that has the oid of another one whose name still exists', async () => {
    await using own = await testDatabase()
    await own.database.query(made)
    await own.database.query('create table shop.other (id bigint)')
    await own.database.query(`insert into sluice.tables select 'shop.other', 'shop.orders'::regclass`)
    expect(await refused(load1(own, {}, [{ id: 1, note: 'y' }]))).toContain('did not create')
  })
})

test('a run does not touch the table of another program that a typo names, and says how to allow it', async () => {
  await using own = await testDatabase()
  await own.database.query('create schema shop; create table shop.orders (id bigint primary key, title integer)')
  const rows = source<{ id: number; title: string; more: boolean }>(async function* () {
    yield { records: [{ id: 1, title: 'one', more: true }], position: 1 }
  })
  const run = (options: object) =>
    runPipeline(pipeline('p', { streams: { rows: rows.into('shop.orders', { key: 'id', ...options }) } }), {
      database: own.url,
    })
  const failed = await run({})
  expect(failed.streams.rows).toMatchObject({ status: 'failed', error: expect.stringContaining('adopt: true') })
  expect(await columnsOf(own.database)).toEqual({ id: 'bigint', title: 'integer' })
  expect((await run({ adopt: true })).streams.rows).toMatchObject({ status: 'done', counts: { inserted: 1 } })
  expect(await columnsOf(own.database)).toEqual({ id: 'bigint', title: 'text', more: 'boolean' })
})

test('a run alters a table that Sluice created and a person has commented', async () => {
  await using own = await testDatabase()
  const run = (record: { id: number; more?: boolean }) =>
    runPipeline(
      pipeline('p', {
        streams: {
          rows: source<{ id: number; more?: boolean }>(async function* () {
            yield { records: [record], position: 1 }
          }).into('shop.orders', { key: 'id' }),
        },
      }),
      { database: own.url },
    )
  await run({ id: 1 })
  await own.database.query(`comment on column shop.orders.id is 'the number of the order'`)
  expect((await run({ id: 2, more: true })).status).toBe('done')
  expect(await columnsOf(own.database)).toEqual({ id: 'bigint', more: 'boolean' })
})
