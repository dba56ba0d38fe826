import { expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { endPauses, pause } from '../../../src/ledger/pauses.ts'
import { hasTakenWindowsBack, takeWindowsBack } from '../../../src/ledger/pieces.ts'
import { backfillPipeline } from '../../../src/run/backfill/backfill-pipeline.ts'
import { backfillDistributed } from '../../../src/run/distribute/backfill-distributed.ts'
import { WindowSessions } from '../../../src/run/distribute/window-sessions.ts'
import { runDistributed } from '../../../src/run/distribute/run-distributed.ts'
import { pipeline } from '../../../src/index.ts'
import { answering, february, heard, merging, moment, rows, source } from '../../backfill/source.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'
import { startWorker } from './support.ts'

const stored = 'select count(*)::int as rows, count(distinct id)::int as ids from t.rows'

test('windows are read by several workers in few runs, also after one has ended, and each row comes once', async () => {
  const answer = answering(() => rows(24 * 40))
  await using api = await apiServer(async (request) => {
    await sleep(30)
    return answer(request)
  })
  await using test = await testDatabase()
  const flow = merging(api.origin)
  const notes: string[] = []
  await using one = await startWorker([flow], test.url, { concurrency: 2 })
  await using two = await startWorker([flow], test.url, { concurrency: 2 })
  const running = backfillDistributed(flow, { ...february, database: test.url, onNote: (note) => notes.push(note) })
  await one.seen('piece.finished')
  await one.drain()
  const report = await running
  expect(report).toMatchObject({
    kind: 'backfill',
    status: 'done',
    streams: {
      rows: {
        status: 'done',
        counts: { fetched: 31 * 24, inserted: 31 * 24 },
        backfill: { windows: { total: 31, done: 31, open: 0, failed: 0 } },
      },
    },
  })
  // Three pages for each window.
  expect(report.streams['rows']?.requests).toBeGreaterThanOrEqual(31 * 3)
  expect(await test.database.query(stored)).toEqual([{ rows: 31 * 24, ids: 31 * 24 }])
  expect(notes).toEqual([expect.stringMatching(/^fill\.rows: 31 windows handed to .+, .+$/)])
  await two.drain()
  const read = (worker: typeof one): number =>
    worker.events.filter((event) => event.type === 'piece.finished' && event.fetched > 0).length
  expect([read(one) > 0, read(two) > 0]).toEqual([true, true])
  // The run that hands out, and one for each worker.
  expect(await test.database.query('select kind, status from sluice.runs order by id')).toEqual([
    { kind: 'backfill', status: 'done' },
    ...[one, two].map(() => ({ kind: 'backfill', status: expect.stringMatching(/^(?:done|interrupted)$/) })),
  ])
})

test('windows whose jobs are lost are read by the process that handed them out', async () => {
  await using api = await apiServer(answering(() => rows(24 * 40)))
  await using test = await testDatabase()
  const flow = merging(api.origin)
  const notes: string[] = []
  await using worker = await startWorker([flow], test.url, { concurrency: 1 })
  const running = backfillDistributed(flow, { ...february, database: test.url, onNote: (note) => notes.push(note) })
  await worker.seen('piece.started')
  await test.database.query(`delete from sluice_jobs.job where state < 'active'`)
  expect(await running).toMatchObject({ status: 'done', streams: { rows: { counts: { inserted: 31 * 24 } } } })
  expect(notes[1]).toMatch(/the jobs of its windows are gone; this process reads the windows that are left$/)
  expect(await test.database.query(stored)).toEqual([{ rows: 31 * 24, ids: 31 * 24 }])
})

test('a long backfill keeps neither another stream nor another pipeline waiting', async () => {
  const answer = answering(() => rows(24 * 31), 1_000)
  const { promise: handedOut, resolve: go } = Promise.withResolvers<void>()
  await using api = await apiServer(async (request) => {
    await handedOut
    return answer(request)
  })
  await using test = await testDatabase()
  const stream = (table: `t.${string}`) => source(api.origin).incremental('updated').into(table, { key: 'id' })
  const flow = pipeline('fill', { streams: { long: stream('t.long'), short: stream('t.short') } })
  const live = pipeline('live', { streams: { rows: stream('t.rows') } })
  await using worker = await startWorker([flow, live], test.url, { concurrency: 1 })
  const options = { ...february, window: '3d', database: test.url }
  const long = backfillDistributed(flow, { ...options, stream: 'long' })
  await worker.seen('piece.started')
  const others = Promise.all([
    backfillDistributed(flow, { ...options, stream: 'short', window: '7d' }),
    runDistributed(live, { database: test.url }),
  ])
  const waiting = `select count(distinct name)::int as queues from sluice_jobs.job where state = 'created'`
  while ((await test.database.one<{ queues: number }>(waiting)).queues < 3) await sleep(50)
  go()
  for (const { status } of await others) expect(status).toBe('done')
  expect((await long).status).toBe('done')
  const started = worker.events.flatMap((event) => (event.type === 'piece.started' ? event.stream : []))
  expect(started.slice(0, 11)).toEqual([
    'long',
    'rows',
    ...Array.from({ length: 5 }, () => ['short', 'long'])
      .flat()
      .slice(0, 9),
  ])
})

test('each of two streams counts its own windows, and events of each come once', async () => {
  await using api = await apiServer(answering(() => rows(24 * 40)))
  await using test = await testDatabase()
  const stream = (table: `t.${string}`) => source(api.origin).incremental('updated').into(table, { key: 'id' })
  const flow = pipeline('fill', { streams: { one: stream('t.one'), two: stream('t.two') } })
  const { on, of } = heard()
  await using _ = await startWorker([flow], test.url)
  const { streams } = await backfillDistributed(flow, { ...february, window: '7d', database: test.url, onEvent: on })
  for (const name of ['one', 'two'])
    expect(streams[name]).toMatchObject({ status: 'done', counts: { fetched: 31 * 24, inserted: 31 * 24 } })
  const finished = of('slice.finished').map(({ slice }) => slice)
  expect(finished).toHaveLength(10)
  expect(new Set(finished).size).toBe(10)
})

test('a hand-out of windows goes on when the ledger cannot be read for a while', async () => {
  await using api = await apiServer(answering(() => rows(24 * 40)))
  await using test = await testDatabase()
  const flow = merging(api.origin)
  // The first run hands the windows out. A sequence counts on in a transaction that fails.
  await test.database.query(
    `create sequence public.looks;
     alter function sluice.windows_left rename to windows_left_of_all;
     create function sluice.windows_left(
       _run bigint, _backfill bigint, _only text, _windows timestamptz[],
       out free bigint, out held_by_others bigint, out active_sync bigint) language plpgsql as $$
     begin
       if _run = 1 and nextval('public.looks') = 1 then
         raise exception using errcode = '53300', message = 'too many clients';
       end if;
       select l.free, l.held_by_others, l.active_sync into free, held_by_others, active_sync
         from sluice.windows_left_of_all(_run, _backfill, _only, _windows) as l;
     end $$`,
  )
  await using _ = await startWorker([flow], test.url)
  const { status, streams } = await backfillDistributed(flow, { ...february, window: '7d', database: test.url })
  expect({ status, ...streams['rows'] }).toMatchObject({
    status: 'done',
    counts: { fetched: 31 * 24, inserted: 31 * 24 },
    warnings: [expect.stringContaining('too many clients')],
  })
})

test('a worker does not read windows that are paused or taken back', async () => {
  const asked = Promise.withResolvers<void>()
  await using api = await apiServer(() => {
    asked.resolve()
    return { hang: true }
  })
  await using test = await testDatabase()
  const { database, url } = test
  const { signal } = new AbortController()
  const flow = merging(api.origin)
  const handed = Promise.withResolvers<{ readonly run: string; readonly backfill: string }>()
  const end = Promise.withResolvers<void>()
  const waiting = backfillPipeline(flow, {
    ...february,
    database: url,
    handOut: async ({ run }, { claiming: { backfill } }) => {
      handed.resolve({ run: run.id, backfill })
      await end.promise
    },
  })
  await using sessions = new WindowSessions({ name: 'one', runs: { database: url }, concurrency: 1, onRun: undefined })
  const { run, backfill } = await handed.promise
  const window = { kind: 'window', pipeline: 'fill', stream: 'rows', run, backfill, lower: moment(0) } as const
  const read = () => sessions.read(flow, { ...window, options: {} }, signal)
  const reading = read()
  await asked.promise
  await pause(database, { pipeline: 'fill' }, { who: 'ann' })
  await expect(reading).rejects.toThrow('fill is paused')
  await expect(read()).rejects.toThrow('fill is paused')
  await endPauses(database, { pipeline: 'fill' }, { who: 'ann' })
  // That of another stream of the same run stands for itself.
  await takeWindowsBack(database, { run, backfill: '0' }, signal)
  expect(await hasTakenWindowsBack(database, { run, backfill }, signal)).toBe(false)
  await takeWindowsBack(database, { run, backfill }, signal)
  await expect(read()).rejects.toThrow('takes back the windows')
  end.resolve()
  await waiting
  expect(api.requests).toHaveLength(1)
  expect(await database.query('select status from sluice.runs where id <> $1', [run])).toEqual([
    { status: 'interrupted' },
    { status: 'interrupted' },
  ])
})
