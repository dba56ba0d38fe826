import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline, source } from '../../src/index.ts'
import { openDatabase, type Database } from '../../src/database/database.ts'
import { migrate } from '../../src/database/migrate.ts'
import { createdTables } from '../../src/ledger/created-tables.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { administer, urlOf } from '../support/database.ts'
import { columnsOf } from '../load/support.ts'

// Pipelines that load tables which a person has made go on after the migration that records Sluice's own tables.

const MIGRATIONS = join(import.meta.dirname, '../../migrations')
const name = `upgrade_tables_${process.pid}`
let database: Database

beforeAll(async () => {
  await administer(`create database ${name}`)
  database = await openDatabase({ url: urlOf(name) })
  const old = await mkdtemp(join(tmpdir(), 'sluice-old-'))
  for (const file of (await readdir(MIGRATIONS)).filter((one) => one < '0019'))
    await cp(join(MIGRATIONS, file), join(old, file))
  await migrate(database, { directory: old })
  await rm(old, { recursive: true })
  await database.query('create schema old')
  for (const table of ['mine', 'altered', 'failed', 'moved', 'MyOrders'])
    await database.query(`create table old."${table}" (id bigint primary key)`)
  const streams = { a: stored('old.mine', 3), b: stored('old.failed', 0), c: stored('old.MyOrders', 1) }
  await database.query(
    `insert into sluice.runs (kind, pipeline, status, finished_at, report) values
       ('sync', 'own', 'done', clock_timestamp(), $1), ('sync', 'own', 'failed', clock_timestamp(), null),
       ('sync', 'own', 'running', null, null), ('sync', 'own', 'done', clock_timestamp(), '"not a report"'),
       ('sync', 'own', 'done', clock_timestamp(), $2)`,
    [JSON.stringify({ streams }), JSON.stringify({ streams: { d: stored('old.moved', 1) } })],
  )
  await database.query(
    `insert into sluice.events (run, at, type, stream, data) select max(id), clock_timestamp(), 'table.altered', 'd',
       '{"type": "table.altered", "stream": "d", "table": "old.altered", "change": "added n bigint"}'
       from sluice.runs`,
  )
  await migrate(database)
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await administer(`drop database ${name} with (force)`)
})

const stored = (table: string, inserted: number) => ({ table, counts: { inserted, updated: 0, unchanged: 0 } })

test('tables that a run has stored rows in or altered are recorded, and no others', async () => {
  expect(await database.query('select name from sluice.tables order by name')).toEqual(
    ['old.MyOrders', 'old.altered', 'old.mine', 'old.moved'].map((table) => ({ name: table })),
  )
})

test('they are known after a rename', async () => {
  await database.query('alter table old.moved rename to "Elsewhere"')
  const known = await Promise.all(
    ['old.Elsewhere', 'old.moved', 'old.failed'].map(async (table) => createdTables.has(database, table)),
  )
  expect(known).toEqual([true, true, false])
})

test('a pipeline that loads such a table alters it as before', async () => {
  const rows = source<{ id: number; more: boolean }>(async function* () {
    yield { records: [{ id: 1, more: true }], position: 1 }
  })
  const flow = pipeline('own', { streams: { a: rows.into('old.mine', { key: 'id' }) } })
  expect((await runPipeline(flow, { database: urlOf(name) })).status).toBe('done')
  expect(await columnsOf(database, 'old.mine')).toEqual({ id: 'bigint', more: 'boolean' })
})
