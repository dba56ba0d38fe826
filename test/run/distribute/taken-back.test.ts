import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { pipeline, source } from '../../../src/index.ts'
import { LeaseKeeper } from '../../../src/ledger/lease/lease-keeper.ts'
import { startRun } from '../../../src/ledger/runs.ts'
import { addWorker } from '../../../src/ledger/workers.ts'
import { WorkQueue, type TakenJob } from '../../../src/queue/queue.ts'
import { attemptPiece, queueOf, versionOf } from '../../../src/run/distribute/piece.ts'
import { runDistributed } from '../../../src/run/distribute/run-distributed.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'

const rows = source<{ id: number }>(async function* () {
  yield { records: [{ id: 1 }] }
})
const flow = pipeline('shop', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })

/** Records a worker that takes no work by itself. */
const noteWorker = ({ database }: TestDatabase): Promise<string> =>
  addWorker(
    database,
    { name: 'one', host: 'here', pid: 1, concurrency: 1, pipelines: { shop: versionOf(flow) } },
    { pid: null, started: null },
    new AbortController().signal,
  )

/** Takes the next job, as a worker does. */
async function takeJob({ database }: TestDatabase): Promise<TakenJob> {
  await using queue = await WorkQueue.open(database)
  for (;;) {
    // The process that hands out creates the queue.
    const job = (await queue.ready()).includes(queueOf(flow)) ? await queue.take(queueOf(flow)) : undefined
    if (job) return job
    await sleep(20)
  }
}

test('a piece that a worker has just taken is not begun after the process was asked to stop', async () => {
  await using test = await testDatabase()
  await noteWorker(test)
  const stop = new AbortController()
  const running = runDistributed(flow, { database: test.url, streams: ['rows'], full: true, signal: stop.signal })
  const { id } = await takeJob(test)
  stop.abort(new Error('enough'))
  expect(await running).toMatchObject({ status: 'interrupted', streams: { rows: { status: 'not run' } } })
  const { database, url } = test
  const { signal } = new AbortController()
  const attempt = { id, worker: 'one' }
  expect(
    await attemptPiece(flow, { stream: 'rows', options: {} }, { database, attempt, runs: { database: url }, signal }),
  ).toMatchObject({ newest: { state: 'ended', status: 'interrupted' }, isOwn: false })
  expect(await database.query(`select options, report ->> 'run' = id::text as "isIts" from sluice.runs`)).toEqual([
    { options: { streams: ['rows'], full: true }, isIts: true },
  ])
})

test('a run that was cancelled and killed before it read makes the whole interrupted', async () => {
  await using test = await testDatabase()
  await noteWorker(test)
  const running = runDistributed(flow, { database: test.url, streams: ['rows'] })
  const piece = await takeJob(test)
  const { database } = test
  const { signal } = new AbortController()
  {
    await using keeper = await LeaseKeeper.open(database)
    const run = await startRun(database, { kind: 'sync', pipeline: 'shop', keeper, piece, signal })
    await database.query('select sluice.request_stop($1)', [run])
  }
  expect(await running).toMatchObject({ status: 'interrupted', streams: { rows: { status: 'not run' } } })
})

test('a process that fails takes back what it has handed out', async () => {
  await using test = await testDatabase()
  await noteWorker(test)
  const running = runDistributed(flow, { database: test.url })
  const { id } = await takeJob(test)
  await test.database.query('alter table sluice.workers rename to gone')
  await expect(running).rejects.toThrow('sluice.workers')
  expect(await test.database.query('select from sluice_jobs.job')).toEqual([])
  expect(await test.database.query('select status from sluice.runs where piece = $1', [id])).toEqual([
    { status: 'interrupted' },
  ])
})
