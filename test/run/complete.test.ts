import { describe, expect, test } from '@jest/globals'
import { byOffset, http, IncompleteError, onePage, pipeline, source, type RunEvent } from '../../src/index.ts'
import { overviewBackfills } from '../../src/ledger/read/backfill-overview.ts'
import { readRejects } from '../../src/ledger/read/read-rejects.ts'
import { readRuns } from '../../src/ledger/read/read-runs.ts'
import { readSlices } from '../../src/ledger/read/read-slices.ts'
import { readWindows } from '../../src/ledger/read/read-windows.ts'
import type { Complete } from '../../src/model/recipe.ts'
import { backfillPipeline } from '../../src/run/backfill/backfill-pipeline.ts'
import { replay } from '../../src/run/replay/replay.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

// What becomes of readings that are open, in runs of every kind.

interface Item {
  readonly id: number
  readonly at: string
}

const warnings = (events: readonly RunEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))

const proven = { grade: expect.stringMatching(/^(?:counted|ended)$/) as unknown }

const idsIn = async ({ database }: TestDatabase): Promise<number[]> =>
  (await database.query<{ id: string }>('select id from t.rows order by id')).map(({ id }) => Number(id))

describe('a run', () => {
  test('fails where fewer records came than the API said, and reads all of them again in the next run', async () => {
    const items = [1, 2, 3].map((id) => ({ id }))
    let total = 4
    await using api = await apiServer(({ query }) => {
      const offset = Number(query.get('offset') ?? 0)
      return { json: { total, rows: items.slice(offset, offset + 2) } }
    })
    const rows = http(api.origin)
      .get<{ total: number; rows: { id: number }[] }>('/rows', { limit: 2 })
      .pages(byOffset('offset', { total: 'total' }))
      .records('rows')
    const flow = pipeline('one', { streams: { rows: rows.into('t.rows', { key: 'id', complete: 'required' }) } })
    await using test = await testDatabase()
    const errors: unknown[] = []
    const options = {
      database: test.url,
      batch: { rows: 1 },
      onStreamError: (_: string, error: unknown) => errors.push(error),
    }
    const failed = await runPipeline(flow, options)
    expect(failed).toMatchObject({ status: 'failed', streams: { rows: { completeness: { grade: 'open' } } } })
    expect(errors).toEqual([expect.any(IncompleteError)])
    expect(await readRuns(test.database)).toMatchObject([{ status: 'failed', completeness: { grade: 'open' } }])
    total = 3
    const asked = api.requests.length
    const done = await runPipeline(flow, options)
    expect(done).toMatchObject({ status: 'done', streams: { rows: { completeness: proven } } })
    expect(api.requests.slice(asked).map(({ query }) => query.get('offset') ?? '0')).toContain('0')
    expect(await idsIn(test)).toEqual([1, 2, 3])
    expect(await readRuns(test.database)).toMatchObject([{ completeness: proven }, { status: 'failed' }])
  })

  test('warns once of a stream whose children are open, and of what was open before a later slice failed', async () => {
    const topics = source<Item>(async function* ({ position }) {
      if (position !== undefined) return
      yield { records: [1, 2, 3].map((id) => ({ id, at: `2024-01-0${id}` })), position: 1 }
      throw new Error('the API is down')
    })
    const rows = topics.incremental('at').flatMap(({ id }) =>
      source<{ id: number }>(async function* () {
        yield await Promise.resolve({ records: [{ id: id * 10 }], complete: { open: 'the list moved' } })
      }),
    )
    const flow = pipeline('one', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
    await using test = await testDatabase()
    const interrupted = await runPipeline(flow, { database: test.url })
    // Nothing has ended, so nothing is told of its end.
    expect(interrupted).toMatchObject({ status: 'failed', streams: { rows: { warnings: [] } } })
    const events: RunEvent[] = []
    const resumed = await runPipeline(flow, { database: test.url, onEvent: (event) => events.push(event) })
    expect(resumed).toMatchObject({ status: 'failed', streams: { rows: { completeness: { grade: 'open' } } } })
    expect(warnings(events)).toEqual([
      'it is not proven that everything was read: 3 children may be incomplete, such as the list moved',
    ])
  })
})

/** One record a day. The reading of some days is open. */
const days = (open: ReadonlySet<string>, complete?: Complete) => {
  const rows = source<Item>(async function* ({ since = '' }) {
    const day = since.slice(0, 10)
    await Promise.resolve()
    yield { records: [{ id: Number(day.slice(-2)), at: since }], position: 1 }
    if (open.has(day)) yield { records: [], complete: { open: 'fewer records came than were announced' } }
  })
  const options = { key: 'id', versionBy: 'at', ...(complete && { complete }) } as const
  return pipeline('fill', { streams: { rows: rows.incremental('at').into('t.rows', options) } })
}
const range = { from: '2024-01-01', to: '2024-01-05', window: '1d' }
const windowsOf = async ({ database }: TestDatabase): Promise<unknown[]> =>
  (await readWindows(database, '1')).map(({ status, completeness }) => [status, completeness?.grade])

describe('a backfill', () => {
  test('fails its open windows if complete readings are required, and reads them again from their start', async () => {
    await using test = await testDatabase()
    const open = new Set(['2024-01-02', '2024-01-03'])
    const events: RunEvent[] = []
    const options = { ...range, database: test.url, batch: { rows: 1 } }
    const failed = await backfillPipeline(days(open, 'required'), {
      ...options,
      onEvent: (event) => events.push(event),
    })
    expect(failed).toMatchObject({
      status: 'failed',
      streams: { rows: { completeness: { grade: 'open' }, backfill: { windows: { done: 2, failed: 2 } } } },
    })
    expect(failed.streams.rows.error).toContain("accept such readings with complete: 'any'")
    expect(events.filter(({ type }) => type === 'slice.failed')).toHaveLength(2)
    expect(warnings(events)).toEqual([])
    expect(await windowsOf(test)).toEqual([
      ['done', 'ended'],
      ['failed', 'open'],
      ['failed', 'open'],
      ['done', 'ended'],
    ])
    expect((await overviewBackfills(test.database))[0]?.completeness?.grade).toBe('open')
    open.delete('2024-01-02')
    const again = await backfillPipeline(days(open, 'required'), { ...options, only: 'failed' })
    expect(again).toMatchObject({
      status: 'failed',
      streams: { rows: { backfill: { windows: { done: 3, failed: 1 } } } },
    })
    open.clear()
    const done = await backfillPipeline(days(open, 'required'), options)
    expect(done).toMatchObject({ status: 'done', streams: { rows: { completeness: { grade: 'ended' } } } })
    expect((await overviewBackfills(test.database))[0]?.completeness?.grade).toBe('ended')
    // Each window was read from its start again: its record counts once.
    expect((await readSlices(test.database)).map(({ counts: { fetched } }) => fetched)).toEqual([1, 1, 1, 1])
    expect(await idsIn(test)).toEqual([1, 2, 3, 4])
  })

  test('warns once of its open windows otherwise', async () => {
    await using test = await testDatabase()
    const report = await backfillPipeline(days(new Set(['2024-01-02', '2024-01-03'])), { ...range, database: test.url })
    expect(report).toMatchObject({
      status: 'done',
      streams: {
        rows: {
          completeness: { grade: 'open' },
          warnings: ['it is not proven that everything was read: fewer records came than were announced'],
        },
      },
    })
  })
})

/** Topics whose posts cannot be stored at first. Then their lists are open. */
const forum = (mode: { rejects: boolean }, complete?: Complete) => {
  const topics = source<{ id: number }>(async function* () {
    yield await Promise.resolve({ records: [{ id: 1 }, { id: 2 }] })
  })
  const rows = topics.flatMap(({ id }) => {
    if (mode.rejects) throw new Error('not yet')
    return source<{ id: number }>(async function* () {
      yield await Promise.resolve({ records: [{ id: id * 10 }], complete: { open: 'the list moved' } })
    })
  })
  const options = { key: 'id', ...(complete && { complete }) } as const
  return pipeline('forum', { streams: { rows: rows.into('t.rows', options) } })
}

describe('a replay', () => {
  test('has no grade unless children that it reads are open, of which it warns', async () => {
    await using test = await testDatabase()
    const mode = { rejects: true }
    await runPipeline(forum(mode), { database: test.url })
    mode.rejects = false
    const report = await replay(forum(mode), { database: test.url })
    expect(report).toMatchObject({
      status: 'done',
      streams: { rows: { completeness: { grade: 'open' }, warnings: [expect.stringContaining('the list moved')] } },
    })
    expect(await idsIn(test)).toEqual([10, 20])
  })

  test('that reads no children has no grade', async () => {
    let rejects = true
    const rows = source<{ id: number }>(async function* () {
      yield await Promise.resolve({ records: [{ id: 1 }] })
    }).map((item) => {
      if (rejects) throw new Error('not yet')
      return item
    })
    const flow = pipeline('one', { streams: { rows: rows.into('t.rows', { key: 'id', complete: 'required' }) } })
    await using test = await testDatabase()
    await runPipeline(flow, { database: test.url })
    rejects = false
    const report = await replay(flow, { database: test.url })
    expect(report).toMatchObject({ status: 'done', streams: { rows: { warnings: [] } } })
    expect(report?.streams['rows']?.completeness).toBeUndefined()
    expect((await readSlices(test.database, { kind: 'replay' }))[0]?.completeness).toBeUndefined()
  })

  test('whose children are open keeps its rejects if complete readings are required', async () => {
    await using test = await testDatabase()
    const mode = { rejects: true }
    await runPipeline(forum(mode, 'required'), { database: test.url })
    mode.rejects = false
    const report = await replay(forum(mode, 'required'), { database: test.url })
    expect(report).toMatchObject({ status: 'failed' })
    expect(await readRejects(test.database)).toHaveLength(2)
    expect(await idsIn(test)).toEqual([])
  })
})

test('an API without any proof can be loaded by replace once its pipeline says so', async () => {
  await using api = await apiServer(() => ({ json: { rows: [{ id: 1 }], next_cursor: 'abc', total_count: 5 } }))
  const rows = http(api.origin).get<{ rows: { id: number }[] }>('/rows').pages(onePage()).records('rows')
  await using test = await testDatabase()
  const run = (complete?: Complete) => {
    const options = { write: 'replace', key: 'id', ...(complete && { complete }) } as const
    return runPipeline(pipeline('one', { streams: { rows: rows.into('t.rows', options) } }), { database: test.url })
  }
  const failed = await run()
  expect(failed).toMatchObject({ status: 'failed', streams: { rows: { completeness: { grade: 'open' } } } })
  expect(await run('any')).toMatchObject({ status: 'done', streams: { rows: { completeness: { grade: 'open' } } } })
  expect(await idsIn(test)).toEqual([1])
})
