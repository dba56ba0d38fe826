import { describe, expect, test } from '@jest/globals'
import type { Database } from '../../../src/database/database.ts'
import { onePage, pipeline, http, since, source, type Pipeline, type RunEvent } from '../../../src/index.ts'
import { backfillPipeline } from '../../../src/run/backfill/backfill-pipeline.ts'
import { replay } from '../../../src/run/replay/replay.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'

/** The text that `sluice.slices` has of a slice. */
const storedText = async (database: Database, kind: string): Promise<string | null> => {
  const [row] = await database.query<{ error: string | null }>(
    'select error from sluice.slices where kind = $1 order by id desc limit 1',
    [kind],
  )
  return row?.error ?? null
}

/** Fails with an error that names neither a location nor a remedy. */
const broken = (name: string): Pipeline =>
  pipeline(name, {
    streams: {
      rows: source(async function* () {
        yield await Promise.reject(new TypeError('no such thing'))
      }).into('t.rows', { key: 'id' }),
    },
  })

type Row = { readonly id: number }

/** One record that goes through a map. */
const mapping = (name: string, map: (signal: AbortSignal) => Row | Promise<Row>): Pipeline =>
  pipeline(name, {
    streams: {
      rows: source(async function* () {
        yield await Promise.resolve({ records: [{ id: 1 }] })
      })
        .map((_, signal) => map(signal))
        .into('t.rows', { key: 'id' }),
    },
  })

const rowsAfter = (wait: Promise<void> | undefined, count: number) =>
  source(async function* () {
    await wait
    yield { records: Array.from({ length: count }, (_, id) => ({ id })) }
  })

const TEXT = /^one\.rows: TypeError: no such thing; see test\/run\/sync\/hold-slice\.test\.ts:\d+:\d+ \[THROWN\]$/

describe('one failure has one text, with location and remedy, in the ledger, the event and the report', () => {
  test('of a sync', async () => {
    await using test = await testDatabase()
    const events: RunEvent[] = []
    const report = await runPipeline(broken('one'), { database: test.url, onEvent: (event) => events.push(event) })
    const { error } = report.streams['rows'] ?? {}
    expect(error).toMatch(TEXT)
    expect(await storedText(test.database, 'sync')).toBe(error)
    expect(events.find(({ type }) => type === 'stream.failed')).toMatchObject({ error })
  })

  test('of a window', async () => {
    await using api = await apiServer(() => ({ status: 404 }))
    await using test = await testDatabase()
    const flow = http(api.origin).get<{ id: number; at: string }[]>('/', { since }).pages(onePage())
    const rows = flow.records().incremental('at').into('t.rows', { key: 'id' })
    const events: RunEvent[] = []
    const report = await backfillPipeline(pipeline('one', { streams: { rows } }), {
      from: '2024-01-01',
      to: '2024-01-02',
      database: test.url,
      onEvent: (event) => events.push(event),
    })
    const stored = await storedText(test.database, 'backfill')
    expect(stored).toMatch(/^GET \/ answered 404; check the path/)
    expect(events.find(({ type }) => type === 'slice.failed')).toMatchObject({ error: stored })
    expect(report.streams.rows.error).toContain(`2024-01-02T00:00:00Z, with: ${stored}`)
  })

  test('of a replay', async () => {
    await using test = await testDatabase()
    const rejecting = mapping('one', () => {
      throw new Error('not yet')
    })
    await runPipeline(rejecting, { database: test.url })
    await test.database.query('create schema if not exists t')
    await test.database.query('create table t.rows (id bigint primary key)')
    await test.database.query(
      `create function t.refuse() returns trigger language plpgsql as
       $$ begin raise 'not today' using errcode = '42501'; end $$`,
    )
    await test.database.query('create trigger refuse before insert on t.rows execute function t.refuse()')
    const events: RunEvent[] = []
    const report = await replay(
      mapping('one', () => ({ id: 1 })),
      { database: test.url, onEvent: (event) => events.push(event) },
    )
    const stored = await storedText(test.database, 'replay')
    expect(report?.streams['rows']?.error ?? null).toBe(stored)
    expect(stored).toMatch(/^one\.rows: not today \(SQLSTATE 42501\); grant this right/)
    expect(events.find(({ type }) => type === 'stream.failed')).toMatchObject({ error: stored })
  })
})

test('a replay whose slice is taken over ends with that as its error, before its commit', async () => {
  await using test = await testDatabase()
  const reading = Promise.withResolvers<void>()
  await runPipeline(
    mapping('lost', () => Promise.reject(new Error('not yet'))),
    { database: test.url },
  )
  const replaying = replay(
    mapping('lost', async (signal) => {
      reading.resolve()
      // Only the loss of the slice ends this wait.
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      return { id: 1 }
    }),
    { database: test.url, signal: AbortSignal.timeout(40_000) },
  )
  await reading.promise
  await test.database.query(`update sluice.slices set token = token + 1 where kind = 'replay'`)
  const report = await replaying
  expect(report?.streams['rows']).toMatchObject({
    status: 'failed',
    error: expect.stringMatching(/^lost\.rows: slice \d+ .*This run stores nothing more of it/),
  })
}, 60_000)

test('a replay that is stopped leaves a failed slice, and its rejects still wait', async () => {
  await using test = await testDatabase()
  await runPipeline(
    mapping('stopped', () => Promise.reject(new Error('not yet'))),
    { database: test.url },
  )
  const stop = new AbortController()
  const report = await replay(
    mapping('stopped', async (signal) => {
      stop.abort(new Error('enough'))
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      return { id: 1 }
    }),
    { database: test.url, signal: AbortSignal.any([stop.signal, AbortSignal.timeout(40_000)]) },
  )
  expect(report?.status).toBe('interrupted')
  expect(await test.database.query(`select status from sluice.slices where kind = 'replay'`)).toEqual([
    { status: 'failed' },
  ])
  expect(await test.database.query('select settled_at from sluice.rejects')).toEqual([{ settled_at: null }])
}, 60_000)

test('each stream is reported as it ends, with its status and counts, while others are still read', async () => {
  await using test = await testDatabase()
  const gate = Promise.withResolvers<void>()
  const events: RunEvent[] = []
  const flow = pipeline('turns', {
    streams: {
      slow: rowsAfter(gate.promise, 1).into('t.slow', { key: 'id' }),
      quick: rowsAfter(undefined, 2).into('t.quick', { key: 'id' }),
      broken: source(async function* () {
        yield await Promise.reject(new Error('no'))
      }).into('t.broken', { key: 'id' }),
    },
  })
  const ended = (): string[] =>
    events.flatMap((event) => (event.type === 'stream.finished' ? [`${event.stream} ${event.status}`] : []))
  const report = await runPipeline(flow, {
    database: test.url,
    onEvent: (event) => {
      events.push(event)
      if (ended().length === 2) gate.resolve()
    },
  })
  expect(ended().slice(0, 2).toSorted()).toEqual(['broken failed', 'quick done'])
  expect(ended()[2]).toBe('slow done')
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'stream.finished', stream: 'quick', counts: report.streams.quick.counts }),
  )
  expect(Object.keys(report.streams)).toEqual(['slow', 'quick', 'broken'])
})

test("a source's own position with a member end is stored and read on from; no row is lost", async () => {
  await using test = await testDatabase()
  const positions: unknown[] = []
  const rows = source(async function* ({ position }) {
    positions.push(position)
    yield await Promise.resolve({ records: [{ id: 1 }], position: { end: true, page: 2 } })
    yield { records: [{ id: 2 }], position: { end: true, page: 3 } }
    if (positions.length === 1) throw new Error('interrupted')
    yield { records: [{ id: 3 }] }
  }).into('t.rows', { key: 'id' })
  const flow = pipeline('end', { streams: { rows } })
  const options = { database: test.url, batch: { rows: 1 } }
  expect((await runPipeline(flow, options)).status).toBe('failed')
  expect(await test.database.query('select status, position::text from sluice.slices')).toEqual([
    { status: 'open', position: '{"end":true,"page":3}' },
  ])
  expect((await runPipeline(flow, options)).status).toBe('done')
  expect(positions).toEqual([undefined, { end: true, page: 3 }])
  expect(await test.database.query('select id::int from t.rows order by id')).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
})

test("a source's own position that is exactly the end is refused, and what came before it is kept", async () => {
  await using test = await testDatabase()
  const rows = source(async function* () {
    yield await Promise.resolve({ records: [{ id: 1 }], position: { page: 2 } })
    yield { records: [{ id: 2 }], position: { end: true } }
  }).into('t.rows', { key: 'id' })
  const report = await runPipeline(pipeline('end', { streams: { rows } }), { database: test.url })
  expect(report.streams.rows).toMatchObject({ status: 'failed', error: expect.stringContaining('reserved') })
  expect(await test.database.query('select id::int from t.rows')).toEqual([{ id: 1 }])
})
