// Records that the API announces as deleted: counted and told, never stored, never lost. deletions.test.ts: their rows.
import { expect, jest, test } from '@jest/globals'
import { byNextUrl, describePipeline, http, onePage, path, pipeline, reportText, since } from '../../src/index.ts'
import { readRuns } from '../../src/ledger/read/read-runs.ts'
import { readSlices } from '../../src/ledger/read/read-slices.ts'
import { summaryLine } from '../../src/run/report/summary-line.ts'
import { replay } from '../../src/run/replay/replay.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { readPipelineStatus } from '../../src/run/status/status.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

jest.setTimeout(60_000)

interface User {
  id: string
  name: string
}
interface Removed {
  id: string
  '@removed': { reason: string }
}
interface Changes {
  value: (User | Removed)[]
  '@odata.nextLink'?: string
  '@odata.deltaLink'?: string
}

const isRemoved = (change: User | Removed): change is Removed => '@removed' in change
const namesOf = async ({ database }: TestDatabase): Promise<string[]> =>
  (await database.query<{ name: string }>('select name from t.users order by id')).map(({ name }) => name)

test("Microsoft Graph's @removed is counted in report, ledger, runs and status, and is told", async () => {
  let changes: Changes['value'] = [
    { id: 'a', name: 'Ada' },
    { id: 'b', name: 'Bea' },
  ]
  await using api = await apiServer(() => ({ json: { value: changes, '@odata.deltaLink': '/delta?token=1' } }))
  await using target = await testDatabase()
  const flow = pipeline('p', {
    streams: {
      users: http(api.origin)
        .get<Changes>('/delta')
        .pages(
          byNextUrl((body) => body['@odata.nextLink']),
          { delta: { at: (body) => body['@odata.deltaLink'] } },
        )
        .records('value')
        .deleted(isRemoved)
        // The type of what is left has a name, and a removed record would throw here.
        .map(({ id, name }) => ({ id, name: name.toUpperCase() }))
        .into('t.users', { key: 'id' }),
    },
  })
  expect(describePipeline(flow)).toContain('deleted  (change')
  expect((await runPipeline(flow, { database: target.url })).streams.users.counts).toMatchObject({ deleted: 0 })
  changes = [
    { id: 'a', '@removed': { reason: 'deleted' } },
    { id: 'b', name: 'Bo' },
    { id: 'c', '@removed': { reason: 'changed' } },
  ]
  const report = await runPipeline(flow, { database: target.url })
  expect(report.streams.users.counts).toEqual({
    fetched: 3,
    expanded: 0,
    filtered: 0,
    duplicate: 0,
    deleted: 2,
    rejected: 0,
    parents: 0,
    inserted: 0,
    updated: 1,
    unchanged: 0,
  })
  expect(await namesOf(target)).toEqual(['BO'])
  const told = 'deleted: 2 records were announced as deleted; their rows are deleted in t.users'
  expect(reportText(report, { width: 200 })).toContain(told)
  expect(summaryLine(report)).toContain('3 read, 1 updated, 2 deleted')
  const [slice] = await readSlices(target.database, { pipeline: 'p', stream: 'users' })
  expect(slice?.counts).toMatchObject({ fetched: 3, deleted: 2 })
  const [run] = await readRuns(target.database, { pipeline: 'p', limit: 1 })
  expect(run?.counts).toMatchObject({ deleted: 2 })
  const status = await readPipelineStatus([flow], { database: target.url, signal: new AbortController().signal })
  expect(status.ok).toBe(true)
  expect(status.streams[0]?.runs[0]).toMatchObject({ read: 3, stored: 1, deleted: 2 })
  expect(status.findings).toEqual([])
  const keeps = pipeline('p', {
    streams: {
      users: http(api.origin)
        .get('/delta')
        .pages(onePage())
        .records('value')
        .into('t.users', { key: 'id', deleted: 'keep' }),
    },
  })
  const kept = await readPipelineStatus([keeps], { database: target.url, signal: new AbortController().signal })
  expect(kept.findings).toMatchObject([
    {
      kind: 'deleted',
      isFault: false,
      message: '2 records were announced as deleted in the last run, and t.users keeps their rows',
    },
  ])
})

interface Account {
  Id: string
  IsDeleted: boolean
  Name?: string
  SystemModstamp: string
}

test('the cursor advances by deleted records too, and a cursor that saw only them moves', async () => {
  const accounts: Account[] = [
    { Id: '1', IsDeleted: false, Name: 'one', SystemModstamp: '2025-01-01T00:00:00Z' },
    { Id: '2', IsDeleted: true, SystemModstamp: '2025-01-03T00:00:00Z' },
  ]
  await using api = await apiServer(({ query }) => ({
    json: accounts.filter((account) => account.SystemModstamp >= (query.get('since') ?? '')),
  }))
  await using target = await testDatabase()
  const flow = pipeline('p', {
    streams: {
      accounts: http(api.origin)
        .get<Account[]>('/accounts', { since })
        .pages(onePage())
        .records()
        .incremental('SystemModstamp', { lookback: 0 })
        .deleted((account) => account.IsDeleted)
        .map(({ Id, Name }) => ({ id: Id, name: Name?.toLowerCase() }))
        .into('t.accounts', { key: 'id' }),
    },
  })
  const first = await runPipeline(flow, { database: target.url })
  expect(first.streams.accounts).toMatchObject({ cursor: '2025-01-03T00:00:00Z', counts: { inserted: 1, deleted: 1 } })
  accounts.push({ Id: '1', IsDeleted: true, SystemModstamp: '2025-01-04T00:00:00Z' })
  const second = await runPipeline(flow, { database: target.url })
  expect(second.streams.accounts).toMatchObject({ cursor: '2025-01-04T00:00:00Z', counts: { fetched: 2, deleted: 2 } })
  expect(await target.database.query('select id, name from t.accounts')).toEqual([])
})

test('a function that throws rejects its record with the reason, and a replay asks it again', async () => {
  await using api = await apiServer([{ json: [{ id: 1, state: 'live' }, { id: 2 }, { id: 3, state: 'deleted' }] }])
  await using target = await testDatabase()
  const flowWith = (unknown: 'throws' | 'deleted') =>
    pipeline('p', {
      streams: {
        rows: http(api.origin)
          .get<{ id: number; state?: string }[]>('/rows')
          .pages(onePage())
          .records()
          .deleted(({ state }) => {
            if (state === undefined && unknown === 'throws') throw new Error('no state')
            return state !== 'live'
          })
          .into('t.rows', { key: 'id' }),
      },
    })
  const report = await runPipeline(flowWith('throws'), { database: target.url })
  expect(report.streams.rows.counts).toMatchObject({ fetched: 3, inserted: 1, deleted: 1, rejected: 1 })
  const rejects = await target.database.query('select stage, reason, record from sluice.rejects')
  expect(rejects).toEqual([{ stage: 'deleted', reason: 'no state', record: { id: 2 } }])
  const replayed = await replay(flowWith('deleted'), { database: target.url })
  expect(replayed?.streams['rows']?.counts).toMatchObject({ fetched: 1, deleted: 1, rejected: 0 })
  expect(await target.database.query('select id::int from t.rows')).toEqual([{ id: 1 }])
})

const isGone = ({ gone }: { gone?: boolean }): boolean => gone === true

test('children of a deleted record are not read, and a deleted child is counted', async () => {
  await using api = await apiServer(({ path: asked }) =>
    asked === '/orders'
      ? { json: [{ id: 1 }, { id: 2, gone: true }] }
      : { json: [{ line: 1 }, { line: 2, gone: true }] },
  )
  await using target = await testDatabase()
  const source = http(api.origin)
  const flow = pipeline('p', {
    streams: {
      lines: source
        .get<{ id: number; gone?: boolean }[]>('/orders')
        .pages(onePage())
        .records()
        .deleted(isGone)
        .flatMap((order) =>
          source
            .get<{ line: number; gone?: boolean }[]>(path`/orders/${order.id}/lines`)
            .pages(onePage())
            .records()
            .deleted(isGone)
            .map(({ line }) => ({ order: order.id, line })),
        )
        .into('t.lines', { key: ['order', 'line'] }),
    },
  })
  const report = await runPipeline(flow, { database: target.url })
  expect(api.requests.map(({ path: asked }) => asked)).toEqual(['/orders', '/orders/1/lines'])
  expect(report.streams.lines.counts).toMatchObject({ inserted: 1, deleted: 2, rejected: 0 })
})

test('replace leaves deleted records out; a promise is an error of the definition', async () => {
  await using api = await apiServer([{ json: [{ id: 1 }, { id: 2, gone: true }] }])
  await using target = await testDatabase()
  const rows = http(api.origin).get<{ id: number; gone?: boolean }[]>('/rows').pages(onePage()).records()
  const flow = pipeline('p', {
    streams: { rows: rows.deleted(isGone).into('t.rows', { key: 'id', write: 'replace' }) },
  })
  const report = await runPipeline(flow, { database: target.url })
  expect(reportText(report)).toContain('deleted: 1 record was announced as deleted and left out')
  expect(await target.database.query('select id::int from t.rows')).toEqual([{ id: 1 }])
  const status = await readPipelineStatus([flow], { database: target.url, signal: new AbortController().signal })
  expect(status.findings).toEqual([])
  const wrong = pipeline('wrong', {
    streams: { rows: rows.deleted((async () => false) as never).into('t.wrong', { key: 'id' }) },
  })
  const failed = await runPipeline(wrong, { database: target.url })
  expect(failed.streams.rows.error).toContain('.deleted(): the function returned a promise')
  // The text of a CSV: each record would count as deleted.
  const text = pipeline('text', {
    streams: { rows: rows.deleted((() => 'false') as never).into('t.text', { key: 'id' }) },
  })
  expect((await runPipeline(text, { database: target.url })).streams.rows).toMatchObject({ counts: { deleted: 0 } })
  const [reject] = await target.database.query<{ reason: string }>(
    "select reason from sluice.rejects where pipeline = 'text'",
  )
  expect(reject?.reason).toContain("returned the text 'false', which counts as true")
  expect(() => rows.deleted('gone' as never)).toThrow('.deleted(): expected a function, not string')
})

test('a condition on a field takes records out, or flags them in a column, without a function', async () => {
  const tickets = [
    { id: 1, status: 'open', gone: { at: 'x' } },
    { id: 2, status: 'deleted' },
    { id: 3, status: 'closed', gone: null },
  ]
  await using api = await apiServer(() => ({ json: tickets }))
  await using target = await testDatabase()
  const records = http(api.origin)
    .get<{ id: number; status: string; gone?: { at: string } | null }[]>('/tickets')
    .pages(onePage())
    .records()
  const flow = pipeline('p', {
    streams: {
      left: records
        .deleted({ field: 'status', is: ['deleted', 'closed'] })
        .omit('gone')
        .into('t.left', { key: 'id' }),
      all: records
        .flag('is_deleted', { field: 'status', is: 'deleted' })
        .flag('is_gone', { field: 'gone.at', exists: true })
        .omit('gone')
        .into('t.all', { key: 'id' }),
    },
  })
  expect(describePipeline(flow)).toContain('deleted  status = "deleted" or "closed"')
  expect(describePipeline(flow)).toContain('flag     is_gone where gone.at is there')
  expect(describePipeline(flow).match(/no functions/g)).toHaveLength(2)
  const report = await runPipeline(flow, { database: target.url })
  expect(report.streams.left.counts).toMatchObject({ inserted: 1, deleted: 2 })
  expect(await target.database.query('select id, is_deleted, is_gone from t.all order by id')).toEqual([
    { id: '1', is_deleted: false, is_gone: true },
    { id: '2', is_deleted: true, is_gone: false },
    { id: '3', is_deleted: false, is_gone: false },
  ])
  expect(() => records.deleted({ field: 'status' } as never)).toThrow(/give `is` with a value, or `exists`/)
  expect(() => records.deleted({ feld: 'status', is: 1 } as never)).toThrow(/there is no option "feld"/)
  expect(() => records.flag('', { field: 'status', is: 'x' })).toThrow(/name the field that is added/)
})
