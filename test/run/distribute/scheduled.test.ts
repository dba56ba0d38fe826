import { randomUUID } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { pipeline, source, type Pipeline } from '../../../src/index.ts'
import { claimTick, noteTickRun, readTicks, registerSchedule, renewHandedOutTick } from '../../../src/ledger/ticks.ts'
import { runDistributed } from '../../../src/run/distribute/run-distributed.ts'
import type { ScheduleEvent } from '../../../src/run/schedule/schedule-event.ts'
import { runScheduler, type ScheduleOptions } from '../../../src/run/schedule/schedule.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { startWorker } from './support.ts'

const never = new AbortController().signal

/** A pipeline of two streams with a tick at each full hour. `read` is called as a stream is read. */
const shop = (read: (stream: string, signal: AbortSignal) => Promise<void> | void = () => {}): Pipeline => {
  const stream = (name: string) =>
    source<{ id: number }>(async function* ({ signal }) {
      await read(name, signal)
      yield { records: [{ id: 1 }] }
    }).into(`t.${name}`, { key: 'id' })
  return pipeline('shop', { schedule: '0 * * * *', streams: { rows: stream('rows'), others: stream('others') } })
}

/** Runs a scheduler from half past midnight on until a tick has ended. Returns its events. */
async function firstTick(
  flow: Pipeline,
  test: TestDatabase,
  options: Partial<ScheduleOptions> = {},
): Promise<ScheduleEvent[]> {
  const clock = new FakeClock('2026-05-04T00:30:00Z')
  const stop = new AbortController()
  const events: ScheduleEvent[] = []
  const running = runScheduler([flow], {
    database: test.url,
    clock,
    distribute: true,
    ...options,
    signal: AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])]),
    onEvent: (event) => {
      events.push(event)
      if (event.type === 'tick.finished') stop.abort(new Error('enough'))
    },
  })
  const { signal } = stop
  const going = clock.goOn('2026-05-04T01:00:00Z', () => (signal.aborted ? 0 : 1), { signal })
  await Promise.all([running, going.catch((error: unknown) => signal.aborted || Promise.reject(error as Error))])
  return events
}

const ticks = 'select status, run is not null as "hasRun", pieces, note from sluice.ticks order by tick'
const runs = 'select worker is not null as "hasWorker", status from sluice.runs order by id'

test('a due pipeline is read by workers, and the tick has the counts of all streams', async () => {
  await using test = await testDatabase()
  await using _ = await startWorker([shop()], test.url)
  const events = await firstTick(shop(), test)
  expect(events.map(({ type }) => type)).toEqual([
    'scheduler.started',
    'tick.started',
    'tick.note',
    'tick.finished',
    'scheduler.stopped',
  ])
  expect(events[2]).toMatchObject({ pipeline: 'shop', message: expect.stringMatching(/^shop: 2 streams handed to /) })
  expect(events[3]).toMatchObject({ status: 'done', run: expect.any(String), fetched: 2, stored: 2 })
  const readByWorker = { hasWorker: true, status: 'done' }
  expect(await test.database.query(runs)).toEqual([readByWorker, readByWorker])
  expect(await test.database.query(ticks)).toEqual([{ status: 'done', hasRun: true, pieces: null, note: null }])
})

test('without a worker the scheduler reads a due pipeline itself', async () => {
  await using test = await testDatabase()
  const events = await firstTick(shop(), test)
  expect(events).toContainEqual(
    expect.objectContaining({
      type: 'tick.note',
      message: 'shop: no worker is alive; this process does the work itself',
    }),
  )
  expect(await test.database.query(runs)).toEqual([{ hasWorker: false, status: 'done' }])
  expect(await test.database.query(ticks)).toEqual([{ status: 'done', hasRun: true, pieces: null, note: null }])
})

test('a scheduler that is asked to end stops what workers read for it, and the tick comes again', async () => {
  await using test = await testDatabase()
  const stop = new AbortController()
  let isStuck = true
  const flow = shop((_, signal) => {
    if (!isStuck) return undefined
    stop.abort(new Error('SIGTERM'))
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  })
  await using _ = await startWorker([flow], test.url, { concurrency: 1 })
  await firstTick(flow, test, { signal: stop.signal })
  expect(await test.database.query('select status, pieces from sluice.ticks')).toEqual([
    { status: 'interrupted', pieces: null },
  ])
  expect(await test.database.query(runs)).toContainEqual({ hasWorker: true, status: 'interrupted' })
  isStuck = false
  const events = await firstTick(flow, test)
  expect(events).toContainEqual(expect.objectContaining({ type: 'tick.finished', status: 'done', fetched: 2 }))
  expect(await test.database.query(ticks)).toEqual([{ status: 'done', hasRun: true, pieces: null, note: null }])
})

test.each([
  ['and workers live', true],
  ['and no worker lives', false],
])('the tick of a scheduler that is gone is taken over with the pieces that it handed out, %s', async (_, lives) => {
  await using test = await testDatabase()
  const { database } = test
  const reads: string[] = []
  const flow = shop((stream) => void reads.push(stream))
  await using worker = new AsyncDisposableStack()
  worker.use(await startWorker([flow], test.url))
  const tick = new Date('2026-05-04T00:00:00Z')
  await registerSchedule(database, 'shop', new Date('2026-05-03T23:30:00Z'), { signal: never })
  const attempt = await claimTick(database, 'shop', tick, { signal: never })
  const held = { pipeline: 'shop', tick, attempt: attempt! }
  const { run } = await runDistributed(flow, {
    database: test.url,
    streams: ['rows'],
    onHandOut: () => renewHandedOutTick(database, held, { signal: never }),
  })
  await noteTickRun(database, held, run, { isHandedOut: true, signal: never })
  // Its first run has ended. The other stream waits for a worker, and the scheduler lives.
  await database.query(`update sluice.ticks set claimed_at = claimed_at - interval '2 min'`)
  expect(await readTicks(database, 'shop', { signal: never })).toMatchObject({ running: tick })
  await database.query(`update sluice.ticks set seen_at = seen_at - interval '2 min'`)
  // New runs would read again what the pieces have read.
  if (!lives) await worker.disposeAsync()
  const events = await firstTick(flow, test)
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'tick.finished', tick: tick.toISOString(), status: 'done', fetched: 2 }),
  )
  expect(reads).toEqual(['rows', 'others'])
  await expect(renewHandedOutTick(database, held, { signal: never })).rejects.toThrow(
    'another scheduler has taken over the tick 2026-05-04T00:00:00.000Z',
  )
})

test('a tick that was handed out and is then read by its scheduler is alive as long as its run', async () => {
  await using test = await testDatabase()
  const { database } = test
  const tick = new Date('2026-05-04T00:00:00Z')
  await registerSchedule(database, 'shop', new Date('2026-05-03T23:30:00Z'), { signal: never })
  await claimTick(database, 'shop', tick, { signal: never })
  await database.query(`update sluice.ticks set pieces = $1, claimed_at = claimed_at - interval '2 min'`, [
    randomUUID(),
  ])
  // Its scheduler is gone. The next one finds no worker.
  await readTicks(database, 'shop', { signal: never })
  const held = { pipeline: 'shop', tick, attempt: (await claimTick(database, 'shop', tick, { signal: never }))! }
  expect(held.attempt).toBe(2)
  const { id } = await database.one<{ id: string }>(
    `insert into sluice.runs (kind, pipeline, options) values ('sync', 'shop', '{}') returning id`,
  )
  await noteTickRun(database, held, id, { isHandedOut: false, signal: never })
  await database.query(`update sluice.ticks set claimed_at = claimed_at - interval '2 min'`)
  expect(await readTicks(database, 'shop', { signal: never })).toMatchObject({ running: tick })
})
