import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { bearer, http, onePage, pipeline, secret, source, type Pipeline } from '../../../src/index.ts'
import { grantStatements } from '../../../src/ledger/grants.ts'
import { pause } from '../../../src/ledger/pauses.ts'
import { WorkQueue } from '../../../src/queue/queue.ts'
import { attemptPiece, queueOf } from '../../../src/run/distribute/piece.ts'
import { runDistributed } from '../../../src/run/distribute/run-distributed.ts'
import { administer, testDatabase } from '../../support/database.ts'
import { startWorker } from './support.ts'

interface Row {
  readonly id: number
}

/** Called at the start of each reading. The reading goes on behind its first page when the result has settled. */
type Begin = (signal: AbortSignal) => Promise<void> | void

/** A pipeline of two streams, of three rows and of one. */
const shop = (begin: Begin = () => {}): Pipeline => {
  const stream = (ids: readonly number[]) =>
    source<Row>(async function* ({ signal, position }) {
      const begun = position ? undefined : begin(signal)
      yield { records: ids.slice(0, 1).map((id) => ({ id })), position: 1 }
      await begun
      yield { records: ids.slice(1).map((id) => ({ id })) }
    })
  return pipeline('shop', {
    streams: {
      rows: stream([1, 2, 3]).into('t.rows', { key: 'id' }),
      others: stream([4]).into('t.others', { key: 'id' }),
    },
  })
}

/** The first reading waits until it is asked to stop. `reading` resolves when it has begun. */
function stuckOnce(): { readonly begin: Begin; readonly reading: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  let isFirst = true
  const begin: Begin = (signal) => {
    if (!isFirst) return undefined
    isFirst = false
    resolve()
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  }
  return { begin, reading: promise }
}

const countRows = `select (select count(*)::int from t.rows) as rows, (select count(*)::int from t.others) as others`
const attempts =
  'select piece is not null as "isPiece", worker is not null as "hasWorker", status from sluice.runs order by id'

test('streams are read by a worker, and the report is that of a run', async () => {
  await using test = await testDatabase()
  await using worker = await startWorker([shop()], test.url)
  const events: string[] = []
  const report = await runDistributed(shop(), { database: test.url, onEvent: ({ type }) => events.push(type) })
  expect(report).toMatchObject({
    run: expect.stringMatching(/^[12]$/),
    pipeline: 'shop',
    kind: 'sync',
    status: 'done',
    streams: {
      rows: { status: 'done', counts: { fetched: 3, inserted: 3 }, table: 't.rows' },
      others: { status: 'done', counts: { fetched: 1, inserted: 1 } },
    },
  })
  expect(Object.keys(report.streams)).toEqual(['rows', 'others'])
  expect(await test.database.query(countRows)).toEqual([{ rows: 3, others: 1 }])
  expect(await test.database.query(attempts)).toEqual([
    { isPiece: true, hasWorker: true, status: 'done' },
    { isPiece: true, hasWorker: true, status: 'done' },
  ])
  expect(events[0]).toBe('run.started')
  expect(events.filter((type) => type === 'stream.finished')).toHaveLength(2)
  expect(events.at(-1)).toBe('run.finished')
  await worker.seen('piece.finished')
  await worker.drain()
  expect(worker.events.at(-1)).toEqual({ type: 'worker.stopped', reason: 'drained' })
  expect(await test.database.query('select name from sluice.workers')).toEqual([])
})

test('without a worker, or with workers of another version only, the process does the work itself', async () => {
  await using test = await testDatabase()
  const notes: string[] = []
  const options = { database: test.url, onNote: (note: string) => notes.push(note) }
  expect(await runDistributed(shop(), options)).toMatchObject({ status: 'done' })
  const { streams } = shop()
  const { rows } = streams
  await using worker = await startWorker([pipeline('shop', { streams: { rows } as typeof streams })], test.url)
  expect(await runDistributed(shop(), options)).toMatchObject({ status: 'done' })
  expect(notes).toEqual([
    'shop: no worker is alive; this process does the work itself',
    expect.stringMatching(/^shop: no worker has this version of it \(.+:\d+\); this process does the work itself$/),
  ])
  expect(await test.database.query(attempts)).toEqual([
    { isPiece: false, hasWorker: false, status: 'done' },
    { isPiece: false, hasWorker: false, status: 'done' },
  ])
  expect(worker.events).toHaveLength(1)
})

test('a piece of a drained worker goes on elsewhere, and one whose job is lost is done by this process', async () => {
  await using test = await testDatabase()
  const { begin, reading } = stuckOnce()
  const stuck = shop(begin)
  const notes: string[] = []
  await using worker = await startWorker([stuck], test.url, { concurrency: 1 })
  const running = runDistributed(stuck, { database: test.url, onNote: (note) => notes.push(note) })
  await reading
  const lost = await test.database.query<{ stream: string }>(
    `delete from sluice_jobs.job where state < 'active' returning data ->> 'stream' as stream`,
  )
  while (notes.length < 2) await sleep(50)
  await worker.drain()
  const report = await running
  // The report has what both attempts at the piece have read.
  expect(report).toMatchObject({
    status: 'done',
    streams: {
      rows: { status: 'done', counts: { inserted: 3 } },
      others: { status: 'done', counts: { inserted: 1 } },
    },
  })
  expect(worker.events.filter(({ type }) => type === 'piece.left')).toHaveLength(1)
  const other = lost[0]?.stream === 'rows' ? 'others' : 'rows'
  expect(notes).toEqual([
    expect.stringMatching(/^shop: 2 streams handed to /),
    `shop.${lost[0]?.stream}: its job is gone; this process does it itself`,
    `shop.${other}: no worker is alive that has it; this process does it itself`,
  ])
  expect(await test.database.query(countRows)).toEqual([{ rows: 3, others: 1 }])
})

test('a process that waits for a run to begin begins itself if all workers are busy', async () => {
  await using test = await testDatabase()
  const { begin, reading } = stuckOnce()
  const stuck = shop(begin)
  const notes: string[] = []
  await using _ = await startWorker([stuck], test.url, { concurrency: 1 })
  const stop = new AbortController()
  const other = runDistributed(stuck, { database: test.url, streams: ['rows'], signal: stop.signal })
  await reading
  const running = runDistributed(stuck, {
    database: test.url,
    beginWithinMs: 300,
    overlap: 'skip',
    onNote: (note) => notes.push(note),
    onEvent: ({ type }) => {
      if (type === 'run.started') stop.abort(new Error('enough'))
    },
  })
  expect(await other).toMatchObject({ status: 'interrupted' })
  expect(await running).toMatchObject({ streams: { others: { status: 'done' } } })
  expect(notes.slice(1)).toEqual(['shop.rows: no worker began within 0.3 s; this process does it itself'])
})

test('a job that comes twice is done once, and a failure is reported as that of a run', async () => {
  await using test = await testDatabase()
  let readings = 0
  const failing = shop(() => {
    readings += 1
    throw new Error('out of order')
  })
  await using worker = await startWorker([failing], test.url)
  const report = await runDistributed(failing, { database: test.url, streams: ['rows'] })
  expect(report).toMatchObject({
    status: 'failed',
    streams: { rows: { status: 'failed', error: expect.stringContaining('out of order') } },
  })
  const { id } = await test.database.one<{ id: string }>('select piece as id from sluice.runs')
  await test.database.query('delete from sluice_jobs.job')
  await using queue = await WorkQueue.open(test.database)
  const data = { kind: 'sync', pipeline: 'shop', stream: 'rows', options: {} }
  await queue.send(queueOf(failing), [{ id, data }])
  while (worker.events.filter(({ type }) => type === 'piece.finished').length < 2) await sleep(50)
  expect((await queue.pending([id])).size).toBe(0)
  expect(readings).toBe(1)
  expect(await test.database.query('select status from sluice.runs')).toEqual([{ status: 'failed' }])
})

test('a run that is asked to stop takes back what nobody has begun, and stops what is under way', async () => {
  await using test = await testDatabase()
  const { begin, reading } = stuckOnce()
  const stuck = shop(begin)
  await using worker = await startWorker([stuck], test.url, { concurrency: 1 })
  const stop = new AbortController()
  const running = runDistributed(stuck, { database: test.url, signal: stop.signal })
  await reading
  stop.abort(new Error('enough'))
  const { status, streams } = await running
  expect(status).toBe('interrupted')
  expect(
    Object.values(streams)
      .map((stream) => stream.status)
      .toSorted(),
  ).toEqual(['interrupted', 'not run'])
  expect(await worker.seen('piece.finished')).toMatchObject({ status: 'interrupted' })
})

test('a reading that has ended is not repeated if its process ended before its run', async () => {
  await using test = await testDatabase()
  const records = [1, 2, 3].map((id) => ({ id }))
  const log = source<Row>(async function* () {
    yield { records }
  })
  const flow = pipeline('log', { streams: { rows: log.into('t.log', { write: 'append' }) } })
  const { database, url } = test
  const { signal } = new AbortController()
  for (const full of [false, true]) {
    const attempt = { id: randomUUID() }
    const again = () =>
      attemptPiece(flow, { stream: 'rows', options: { full } }, { database, attempt, runs: { database: url }, signal })
    await again()
    await database.query(`update sluice.runs set status = 'interrupted', report = null where piece = $1`, [attempt.id])
    expect(await again()).toMatchObject({ newest: { status: 'done' }, isOwn: true })
  }
  // Once for each of the two pieces.
  expect(await database.query('select id::int, count(*)::int from t.log group by id order by id')).toEqual(
    records.map(({ id }) => ({ id, count: 2 })),
  )
})

test('a stream whose attempt was stopped and left no report makes the whole interrupted', async () => {
  await using test = await testDatabase()
  const { begin, reading } = stuckOnce()
  const stuck = shop(begin)
  await using _ = await startWorker([stuck], test.url)
  const running = runDistributed(stuck, { database: test.url, streams: ['rows'] })
  await reading
  await test.database.query(
    `update sluice.runs set status = 'interrupted', finished_at = clock_timestamp(),
            stop_requested_at = clock_timestamp(), error = 'it was killed'`,
  )
  expect(await running).toMatchObject({
    status: 'interrupted',
    streams: { rows: { status: 'interrupted', error: 'it was killed' } },
  })
})

test('a stream that is paused is not run, and the others are', async () => {
  await using test = await testDatabase()
  await pause(test.database, { pipeline: 'shop', stream: 'others' }, { who: 'ann', why: 'too many' })
  await using _ = await startWorker([shop()], test.url)
  expect(await runDistributed(shop(), { database: test.url })).toMatchObject({
    status: 'done',
    streams: { rows: { status: 'done' }, others: { status: 'not run', error: expect.stringContaining('too many') } },
  })
})

test('a role without rights in the schema of the jobs learns what to let an administrator run', async () => {
  await using test = await testDatabase()
  const role = `worker ${process.pid}`
  await administer(`create role "${role}" login password 'secret'`)
  try {
    const { name } = await test.database.one<{ name: string }>('select current_database() as name')
    const url = Object.assign(new URL(test.url), { username: role, password: 'secret' }).href
    const grants = grantStatements({ user: role, database: name, schemas: ['t'] })
    await test.database.query(grants.filter((grant) => !grant.includes('sluice_jobs')).join(';\n'))
    await expect(startWorker([shop()], url)).rejects.toThrow(
      `the schema sluice_jobs of the workers' jobs does not exist, and the user ${role} may not create it`,
    )
    await (await WorkQueue.open(test.database))[Symbol.asyncDispose]()
    await expect(startWorker([shop()], url)).rejects.toThrow('lacks a right in the schema sluice_jobs')
    await test.database.query(grants.join(';\n'))
    await using _ = await startWorker([shop()], url)
    expect(await runDistributed(shop(), { database: url })).toMatchObject({ status: 'done' })
  } finally {
    await test.database.query(`drop owned by "${role}"`)
    await administer(`drop role "${role}"`)
  }
})

test('a worker says which pipelines it lacks, and which work waits for another version', async () => {
  await using test = await testDatabase()
  const locked = pipeline('locked', {
    streams: {
      rows: http('http://127.0.0.1:1', { auth: bearer(secret('NO_SUCH_TOKEN')) })
        .get<Row[]>('/')
        .pages(onePage())
        .records()
        .into('t.locked', { key: 'id' }),
    },
  })
  await using queue = await WorkQueue.open(test.database)
  await queue.send('shop.aaaaaaaaaaaa', [{ id: randomUUID(), data: {} }])
  await using worker = await startWorker([shop(), locked], test.url)
  expect(await worker.seen('worker.started')).toMatchObject({ pipelines: [{ pipeline: 'shop' }] })
  expect(await worker.seen('pipeline.lacked')).toMatchObject({
    pipeline: 'locked',
    reason: expect.stringContaining('NO_SUCH_TOKEN'),
  })
  expect(await worker.seen('work.left')).toMatchObject({ pipeline: 'shop', version: 'aaaaaaaaaaaa', waiting: 1 })
})
