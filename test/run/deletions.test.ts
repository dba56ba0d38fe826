// Records that the API announces as deleted: their rows go, in order with the rows of the same batch and by version.
import { readFile } from 'node:fs/promises'
import { expect, jest, test } from '@jest/globals'
import { http, onePage, since } from '../../src/index.ts'
import { backfillPipeline } from '../../src/run/backfill/backfill-pipeline.ts'
import { replay } from '../../src/run/replay/replay.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { listing, one, rowsOf, type Item } from '../support/listing.ts'

jest.setTimeout(60_000)

test('a row goes with its record, comes back with it, and is kept for a while', async () => {
  await using api = await listing([
    { id: 1, name: 'one' },
    { id: 2, name: 'two' },
  ])
  await using target = await testDatabase()
  // The stage behind it would throw on a deleted record, and does not see it.
  const flow = one(
    api.items
      .deleted(({ gone }) => gone === true)
      .map((item) => ({ id: item.id, name: item.name!.toUpperCase() }))
      .into('t.items', { key: 'id' }),
  )
  await runPipeline(flow, { database: target.url })
  api.list = [
    { id: 1, gone: true },
    { id: 2, name: 'two' },
    { id: 9, gone: true },
  ]
  const report = await runPipeline(flow, { database: target.url })
  expect(report.streams['items']?.counts).toMatchObject({ fetched: 3, deleted: 2, unchanged: 1, rejected: 0 })
  expect(report.streams['items']?.deletedRows).toBe('deleted')
  expect(await rowsOf(target)).toEqual([[2, 'TWO']])
  const kept = await target.database.query(
    `select key, version, row, reason, expires_at > now() + interval '6 days' as later from sluice.deleted_rows`,
  )
  expect(kept).toEqual([{ key: '[1]', version: null, row: { id: 1, name: 'ONE' }, reason: 'announced', later: true }])
  const [, sql] = /## Undo[^]*?```sql\n([^]*?)```/.exec(await readFile('docs/DELETIONS.md', 'utf8')) ?? []
  expect(await target.database.query((sql ?? '').replace("'shop'", "'p'"))).toEqual([
    { table_name: 't.items', key: '[1]', outcome: 'restored' },
  ])
  expect(await target.database.query('select from sluice.deleted_rows')).toEqual([])
  expect(await rowsOf(target)).toEqual([
    [1, 'ONE'],
    [2, 'TWO'],
  ])
  api.list = [{ id: 1, name: 'again' }]
  await runPipeline(flow, { database: target.url })
  expect(await rowsOf(target)).toEqual([
    [1, 'AGAIN'],
    [2, 'TWO'],
  ])
})

test('within a batch the later one counts, and without a version a stored row goes', async () => {
  await using api = await listing([
    { id: 1, name: 'stored' },
    { id: 2, name: 'stored' },
  ])
  await using target = await testDatabase()
  const flow = one(api.items.deleted(({ gone }) => gone === true).into('t.items', { key: 'id' }))
  await runPipeline(flow, { database: target.url })
  api.list = [
    { id: 1, name: 'changed' },
    { id: 1, gone: true },
    { id: 2, gone: true },
    { id: 2, name: 'again' },
    { id: 3, name: 'new' },
    { id: 3, gone: true },
  ]
  const { counts } = (await runPipeline(flow, { database: target.url })).streams['items']
  // The records before their deletion are duplicates: another one of their key came later.
  expect(counts).toMatchObject({ fetched: 6, deleted: 3, duplicate: 2, updated: 1, inserted: 0 })
  expect(await rowsOf(target)).toEqual([[2, 'again']])
})

test('an older deletion does not delete a newer row, in the table or in the batch', async () => {
  await using api = await listing([
    { id: 1, name: 'newer', at: '2025-01-05T00:00:00Z' },
    { id: 2, name: 'older', at: '2025-01-01T00:00:00Z' },
  ])
  await using target = await testDatabase()
  const flow = one(api.items.deleted(({ gone }) => gone === true).into('t.items', { key: 'id', versionBy: 'at' }))
  await runPipeline(flow, { database: target.url })
  api.list = [
    { id: 1, gone: true, at: '2025-01-04T00:00:00Z' },
    { id: 2, gone: true, at: '2025-01-01T00:00:00Z' },
    { id: 3, name: 'newer', at: '2025-01-09T00:00:00Z' },
    { id: 3, gone: true, at: '2025-01-08T00:00:00Z' },
    { id: 4, gone: true, at: '2025-01-08T00:00:00Z' },
    { id: 4, name: 'older', at: '2025-01-07T00:00:00Z' },
  ]
  await runPipeline(flow, { database: target.url })
  expect(await rowsOf(target)).toEqual([
    [1, 'newer'],
    [3, 'newer'],
  ])
})

test('a row that is older than the deletion of its record is not stored, whoever brings it', async () => {
  const state = { list: [{ id: 1, gone: true, at: '2025-01-05T00:00:00Z' }] as Item[] }
  await using api = await apiServer(() => ({ json: state.list }))
  await using target = await testDatabase()
  const flow = one(
    http(api.origin)
      .get<Item[]>('/items', { since })
      .pages(onePage())
      .records()
      .incremental('at', { lookback: 0 })
      .deleted(({ gone }) => gone === true)
      .into('t.items', { key: 'id', columns: { at: 'timestamptz', name: 'text' } }),
  )
  state.list = [{ id: 2, name: 'two', at: '2025-01-04T00:00:00Z' }]
  await runPipeline(flow, { database: target.url })
  state.list = [{ id: 1, gone: true, at: '2025-01-05T00:00:00Z' }]
  // The row was never there, and its deletion is remembered.
  await runPipeline(flow, { database: target.url })
  state.list = [{ id: 1, name: 'stale', at: '2025-01-03T00:00:00Z' }]
  const window = { from: '2025-01-01', to: '2025-01-11', window: '10d' as const, database: target.url }
  const report = await backfillPipeline(flow, window)
  expect(Object.values(report.streams)[0]?.counts).toMatchObject({ fetched: 1, unchanged: 1 })
  expect(await rowsOf(target)).toEqual([[2, 'two']])
  state.list = [{ id: 1, name: 'back', at: '2025-01-06T00:00:00Z' }]
  await runPipeline(flow, { database: target.url })
  expect(await rowsOf(target)).toEqual([
    [1, 'back'],
    [2, 'two'],
  ])
})

test('a key that later stages make is that of the row, and a record without one is rejected', async () => {
  const state = { list: [] as unknown[] }
  await using api = await apiServer(() => ({ json: state.list }))
  await using target = await testDatabase()
  const accounts = http(api.origin)
    .get<{ Id?: string; No?: number; Gone?: boolean; Name?: string }[]>('/a')
    .pages(onePage())
  const flow = one(
    accounts
      .records()
      .deleted(({ Gone }) => Gone === true)
      .rename('No', 'number')
      .map((account) => ({ id: account.Id, number: account.number, name: account.Name?.toLowerCase() }))
      .rename('number', 'no')
      .into('t.items', { key: ['id', 'no'] as never }),
  )
  state.list = [
    { Id: 'a', No: 1, Name: 'A' },
    { Id: 'b', No: 2, Name: 'B' },
  ]
  await runPipeline(flow, { database: target.url })
  state.list = [
    { Id: 'a', No: 1, Gone: true },
    { Id: 'b', Gone: true },
    { Id: 'b', No: 'two', Gone: true },
  ]
  const { counts } = (await runPipeline(flow, { database: target.url })).streams['items']
  expect(counts).toMatchObject({ fetched: 3, deleted: 1, rejected: 2 })
  expect(await rowsOf(target, 'id, no::int')).toEqual([['b', 2]])
  const rejects = await target.database.query<{ stage: string; reason: string }>(
    'select stage, reason from sluice.rejects order by id',
  )
  expect(rejects.map(({ stage }) => stage)).toEqual(['deleted', 'deleted'])
  expect(rejects[0]?.reason).toContain(
    'announced as deleted, but nothing says which row of t.items it is: no: it belongs to the key and is null',
  )
})

test("deleted: 'mark' keeps the row with the time, and takes the mark away when the record is back", async () => {
  await using api = await listing([
    { id: 1, name: 'one' },
    { id: 2, name: 'two' },
  ])
  await using target = await testDatabase()
  const into = (deleted?: 'mark' | 'keep') =>
    one(api.items.deleted(({ gone }) => gone === true).into('t.items', { key: 'id', ...(deleted && { deleted }) }))
  await runPipeline(into('keep'), { database: target.url })
  api.list = [
    { id: 1, gone: true },
    { id: 2, name: 'two' },
  ]
  const kept = await runPipeline(into('keep'), { database: target.url })
  expect(kept.streams['items']).not.toHaveProperty('deletedRows')
  expect(await rowsOf(target)).toHaveLength(2)
  // The table gets the column when it is first needed.
  const report = await runPipeline(into('mark'), { database: target.url })
  expect(report.streams['items']?.deletedRows).toBe('marked')
  expect(await rowsOf(target, `id::int, _deleted_at > now() - interval '1h'`)).toEqual([
    [1, true],
    [2, null],
  ])
  const marked = await rowsOf(target, '_deleted_at')
  await runPipeline(into('mark'), { database: target.url })
  expect(await rowsOf(target, '_deleted_at')).toEqual(marked)
  api.list = [
    { id: 1, name: 'one' },
    { id: 2, name: 'two' },
  ]
  const { counts } = (await runPipeline(into('mark'), { database: target.url })).streams['items']
  expect(counts).toMatchObject({ updated: 1, unchanged: 1 })
  expect(await rowsOf(target, 'id::int, _deleted_at')).toEqual([
    [1, null],
    [2, null],
  ])
  api.list = [{ id: 1, gone: true }]
  await runPipeline(into('mark'), { database: target.url })
  api.list = [{ id: 1, name: 'changed' }]
  const back = (await runPipeline(into('mark'), { database: target.url })).streams['items']
  expect(back.counts).toMatchObject({ updated: 1, unchanged: 0 })
  expect(await rowsOf(target, 'name, _deleted_at')).toEqual([
    ['changed', null],
    ['two', null],
  ])
})

test('a deletion without a version settles the rejects of its key, and a replay does not bring it back', async () => {
  await using api = await listing([{ id: 1, name: 'one', at: '2025-01-01T00:00:00Z' }])
  await using target = await testDatabase()
  const flow = (isBroken: boolean) =>
    one(
      api.items
        .deleted(({ gone }) => gone === true)
        .map((item) => {
          if (isBroken && item.name === 'bad') throw new Error('a bad item')
          return item
        })
        .into('t.items', { key: 'id', versionBy: 'at' }),
    )
  await runPipeline(flow(true), { database: target.url })
  api.list = [{ id: 1, name: 'bad', at: '2025-01-02T00:00:00Z' }]
  await runPipeline(flow(true), { database: target.url })
  api.list = [{ id: 1, gone: true }]
  await runPipeline(flow(true), { database: target.url })
  expect(await replay(flow(false), { database: target.url })).toBeUndefined()
  expect(await rowsOf(target)).toEqual([])
})
