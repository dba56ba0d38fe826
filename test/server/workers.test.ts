import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { workText } from '../../src/cli/output/work-text.ts'
import { pipeline, readStatus, source, type StatusWork } from '../../src/index.ts'
import { readWork } from '../../src/ledger/read/read-work.ts'
import { WorkQueue } from '../../src/queue/queue.ts'
import { backfillDistributed } from '../../src/run/distribute/backfill-distributed.ts'
import { versionOf } from '../../src/run/distribute/piece.ts'
import { runDistributed } from '../../src/run/distribute/run-distributed.ts'
import { startWorker } from '../run/distribute/support.ts'
import { browserPath, openBrowser } from '../support/browser.ts'
import { testDatabase } from '../support/database.ts'
import { openPage } from './page-fixture.ts'
import type { Work as Sent } from '../../src/server/schemas/work.ts'
import { rig, until, type Rig } from './support.ts'

/** Reads until it is asked to stop. */
const stuck = () =>
  source<{ id: number; at: string }>(async function* ({ signal, since }) {
    yield { records: [{ id: 1, at: since ?? '2024-01-01' }], position: 1 }
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  }).incremental('at')

const shop = pipeline('shop', {
  streams: {
    rows: stuck().into('t.rows', { key: 'id', versionBy: 'at' }),
    others: stuck().into('t.others', { key: 'id', versionBy: 'at' }),
  },
})

const opened = new AsyncDisposableStack()
let served: Rig
let work: StatusWork

// A worker reads a stream of a run and a window of a backfill. Two windows wait, and so do a piece for another version,
// and one whose worker has fallen silent.
beforeAll(async () => {
  served = opened.use(await rig({ pipelines: () => [shop] }))
  const { url, database } = served.test
  opened.use(await startWorker([shop], url, { concurrency: 2 }))
  const stop = new AbortController()
  const ended: Promise<unknown>[] = []
  opened.defer(async () => {
    stop.abort(new Error('enough'))
    await Promise.allSettled(ended)
  })
  const queue = opened.use(await WorkQueue.open(database))
  await queue.send('shop.aaaaaaaaaaaa', [{ id: randomUUID(), data: {} }])
  await queue.send('shops/north.bbbbbbbbbbbb', [{ id: randomUUID(), data: {} }])
  await queue.take('shops/north.bbbbbbbbbbbb')
  await database.query(`update sluice_jobs.job set heartbeat_on = now() - interval '1 hour' where state = 'active'`)
  const common = { database: url, signal: stop.signal }
  ended.push(runDistributed(shop, { ...common, streams: ['rows'] }))
  await until(async () => (await read()).workers[0]?.pieces.length === 1)
  const range = { from: '2024-01-01', to: '2024-01-04', window: '1d' } as const
  ended.push(backfillDistributed(shop, { ...common, ...range, stream: 'others' }))
  await until(async () => {
    work = await read()
    return work.workers[0]?.pieces.length === 2
  })
}, 60_000)
afterAll(() => opened.disposeAsync())

const read = async (): Promise<StatusWork> =>
  (await readStatus([shop], { database: served.test.url })).work ?? { workers: [], waiting: [] }

const DAY = /^2024-01-0[1-4]T00:00:00\.000Z$/
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
const byVersion = <One extends { readonly version: string }>(all: readonly One[] = []): One[] =>
  all.toSorted((a, b) => a.version.localeCompare(b.version))

test('the status has what each worker does, and what waits for one', () => {
  const [worker] = work.workers
  expect(work.workers).toEqual([
    {
      worker: `${worker!.host}:${process.pid}`,
      host: expect.any(String),
      pid: process.pid,
      concurrency: 2,
      isDraining: false,
      startedAt: time,
      seenAt: time,
      pieces: [
        { run: expect.any(String), pipeline: 'shop', stream: 'rows', since: time },
        {
          run: expect.any(String),
          pipeline: 'shop',
          stream: 'others',
          // Any of the three is the first.
          window: { from: expect.stringMatching(DAY), to: expect.stringMatching(DAY) },
          since: time,
        },
      ],
    },
  ])
  const waiting = [
    { pipeline: 'shop', version: versionOf(shop), pieces: 2, since: time, workers: [worker!.worker] },
    { pipeline: 'shop', version: 'aaaaaaaaaaaa', pieces: 1, since: time, workers: [] },
    // Its worker was last seen an hour ago.
    { pipeline: 'shops@north', version: 'bbbbbbbbbbbb', pieces: 1, since: time, workers: [] },
  ]
  expect(byVersion(work.waiting)).toEqual(byVersion(waiting))
})

test('sluice status shows it as a table, with a note on what no worker takes', () => {
  const { table, notes } = workText(work, { now: Date.now(), width: 200 })
  expect(table).toMatch(/^\S+:\d+ +shop\.rows +\d+ s$/m)
  expect(table).toMatch(/^\S+:\d+ +shop\.others 2024-01-0[123] to 2024-01-0[234] +\d+ s$/m)
  expect(table).toMatch(/^\(waiting\) +2 pieces of shop +\d+ s$/m)
  expect(notes.toSorted()).toEqual([
    expect.stringMatching(/^shop: 1 piece of work waits for version aaaaaaaaaaaa, which no worker has\. /),
    expect.stringMatching(/^shops@north: 1 piece of work waits for version bbbbbbbbbbbb, which no worker has\. /),
  ])
})

test('the server has it in a route of its own, in the summary, and in metrics', async () => {
  const { workers, waiting } = work
  const alone = (await served.get('/api/workers')).json as Sent
  const { work: inSummary } = (await served.get('/api/summary')).json as { readonly work: Sent }
  for (const one of [alone, inSummary]) {
    expect(one).toMatchObject({ workers: [{ worker: workers[0]!.worker, concurrency: 2, draining: false }] })
    expect(one.workers[0]!.pieces).toEqual(workers[0]!.pieces.map((piece) => ({ window: null, ...piece })))
    expect(byVersion(one.waiting!).map((its) => ({ ...its, since: '' }))).toEqual(
      byVersion(waiting).map((its) => ({ ...its, since: '' })),
    )
  }
  const { text } = await served.get('/metrics')
  expect(text.match(/^sluice_(?:workers|pieces_(?!waiting_s)\w+)\{.*/gm)?.toSorted()).toEqual([
    'sluice_pieces_running{pipeline="shop"} 2',
    'sluice_pieces_waiting{pipeline="shop"} 3',
    'sluice_pieces_waiting{pipeline="shops@north"} 1',
    'sluice_pieces_without_worker{pipeline="shop"} 1',
    'sluice_pieces_without_worker{pipeline="shops@north"} 1',
    'sluice_workers{state="draining"} 0',
    'sluice_workers{state="working"} 1',
  ])
  expect(text).toMatch(/^sluice_pieces_waiting_seconds\{pipeline="shop"\} \d/m)
})

const described = browserPath === undefined ? describe.skip : describe
described("the page (in this machine's Chromium or that of CHROMIUM_PATH)", () => {
  test('the page shows it, and no word of it where nobody uses workers', async () => {
    await using browser = { it: await openBrowser(), [Symbol.asyncDispose]: () => browser.it.close() }
    await using here = await openPage(browser.it, served.server)
    const table = here.page.getByRole('table', { name: 'Workers' })
    await table.getByRole('link', { name: /^shop\.others · 2024-01-0[123] to / }).waitFor()
    await table.getByText('No worker has version aaaaaaaaaaaa of shop.').waitFor()
    expect(await table.getByRole('row').count()).toBe(6)
    await using other = await rig()
    await using there = await openPage(browser.it, other.server)
    expect(await there.page.getByRole('heading', { name: 'Workers' }).count()).toBe(0)
    expect([...here.complaints, ...there.complaints]).toEqual([])
  })
})

test('a role that may not read the jobs gets the workers, and is told that it does not know what waits', async () => {
  const role = `reader ${process.pid}`
  await using transaction = await served.test.database.transaction()
  await transaction.query(`create role "${role}"`)
  await transaction.query(`grant usage on schema sluice to "${role}"`)
  await transaction.query(`grant select on all tables in schema sluice to "${role}"`)
  await transaction.query(`set local role "${role}"`)
  const { workers, waiting } = (await readWork(transaction))!
  expect([workers.length, waiting]).toEqual([1, undefined])
  expect(workText({ workers: [] }, { now: Date.now(), width: 80 })).toEqual({
    table: 'no worker is alive',
    notes: [expect.stringContaining('this user may not read the schema sluice_jobs')],
  })
})

test('where no worker lives and nothing waits, nothing is shown', async () => {
  await using base = await testDatabase()
  expect(await readWork(base.database)).toBeUndefined()
  await using _ = await WorkQueue.open(base.database)
  expect(await readWork(base.database)).toEqual({ workers: [], waiting: [] })
  expect(await readStatus([shop], { database: base.url })).not.toHaveProperty('work')
})
