import { describe, expect, test } from '@jest/globals'
import { EventQueue } from '../../../src/ledger/lease/event-queue.ts'
import { lastEvent, readEvents } from '../../../src/ledger/read/read-events.ts'
import { finishRun, startRun } from '../../../src/ledger/runs.ts'
import { readRun, readRuns } from '../../../src/ledger/read/read-runs.ts'
import type { RunEvent } from '../../../src/model/event.ts'
import { openLedger, openWorker, signal, until } from '../support.ts'

const warning = (message: string): RunEvent => ({ type: 'warning', message })

describe('events', () => {
  test('are seen by a reader in the order of their ids, none passed over, while many write', async () => {
    await using ledger = await openLedger({ max: 20 })
    await using worker = await ledger.worker()
    const [writers, each] = [8, 40]
    const seen: string[] = []
    let writing = true
    const reading = (async () => {
      for (let after = '0', last = false; !last;) {
        last = !writing
        const events = await readEvents(ledger.database, { after, limit: 7 })
        seen.push(...events.map(({ id }) => id))
        after = events.at(-1)?.id ?? after
        if (events.length > 0) last = false
      }
    })()
    await Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        for (let n = 0; n < each; n++) {
          const json = JSON.stringify([{ run: worker.run, at: new Date(), data: warning(`${writer} ${n}`) }])
          await ledger.database.query(
            "begin; select sluice.write_events('" + json + "'); select pg_sleep(random() / 500); commit",
          )
        }
      }),
    )
    writing = false
    await reading
    expect(seen).toHaveLength(writers * each)
  })

  test('are stored in the order in which they were emitted', async () => {
    await using ledger = await openLedger()
    const messages = ['one', "it's two", 'NUL \0 and \ud800', '\\']
    {
      await using worker = await ledger.worker()
      for (const message of messages) worker.keeper.emit(worker.run, warning(message))
    }
    expect((await readEvents(ledger.database)).map(({ event }) => (event as { message: string }).message)).toEqual([
      'one',
      "it's two",
      'NUL \ufffd and \ufffd',
      '\\',
    ])
  })

  test('are gathered to at most four transactions a second', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    for (let n = 0; n < 30; n++) {
      worker.keeper.emit(worker.run, warning(String(n)))
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await worker.keeper.flush()
    const [row] = await ledger.database.query<{ transactions: string; events: string }>(
      'select count(distinct xmin::text) as transactions, count(*) as events from sluice.events',
    )
    expect(row!.events).toBe('30')
    expect(Number(row!.transactions)).toBeLessThanOrEqual(4)
  })

  test('wake who listens, without telling anything', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    await using connection = await ledger.database.connection()
    const heard: string[] = []
    await connection.listen('sluice_events', (payload) => heard.push(payload))
    const before = await lastEvent(ledger.database)
    worker.keeper.emit(worker.run, warning('hello'))
    await until(async () => heard.length > 0)
    expect(heard).toEqual([''])
    expect(await readEvents(ledger.database, { after: before })).toMatchObject([
      { run: worker.run, event: { type: 'warning', message: 'hello' } },
    ])
  })

  test('survive a keeper whose connection was lost', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    await ledger.database.query('select pg_terminate_backend($1)', [worker.keeper.session.pid])
    worker.keeper.emit(worker.run, warning('still here'))
    await until(async () => (await readEvents(ledger.database)).length > 0)
    expect(await readEvents(ledger.database)).toMatchObject([{ event: { message: 'still here' } }])
  })

  test('of single requests are dropped if too many wait, and a warning says so', () => {
    const queue = new EventQueue()
    for (let n = 0; n < 10_000; n++) queue.add('1', warning(String(n)))
    for (let n = 0; n < 5; n++) queue.add('1', { type: 'waiting', stream: 'posts', for: 'memory', ms: n })
    queue.add('1', warning('kept'))
    const kept = JSON.parse(queue.take().json) as { data: { type: string; message?: string } }[]
    expect(kept).toHaveLength(10_002)
    expect(kept.slice(-2).map(({ data }) => data.message)).toEqual([
      '5 events were dropped, because the database did not store them fast enough',
      'kept',
    ])
  })

  test('of requests that went well are not kept, and of single retries and waits 25 in each transaction', () => {
    const queue = new EventQueue()
    const request = {
      type: 'request.finished',
      stream: 'posts',
      method: 'GET',
      url: 'http://x/',
      bytes: 1,
      ms: 1,
    } as const
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 100; n++) {
        queue.add('1', { ...request, status: 200 })
        queue.add('1', { type: 'request.retried', stream: 'posts', attempt: n, reason: 'it answered 500', waitMs: 1 })
      }
      expect((JSON.parse(queue.take().json) as { data: { type: string } }[]).map(({ data }) => data.type)).toEqual(
        Array(25).fill('request.retried'),
      )
    }
    queue.add('1', { ...request, status: 404 })
    expect(JSON.parse(queue.take().json)).toMatchObject([{ data: { status: 404 } }])
  })
})

describe('runs', () => {
  test('are noted with their kind, options, end and report', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const id = await startRun(ledger.database, {
      kind: 'backfill',
      pipeline: 'forum',
      options: { from: '2024-01-01' },
      keeper: worker.keeper,
      signal,
    })
    expect(await readRun(ledger.database, id)).toMatchObject({
      kind: 'backfill',
      status: 'running',
      options: { from: '2024-01-01' },
      finishedAt: undefined,
    })
    await finishRun(ledger.database, id, {
      status: 'failed',
      error: 'GET /posts answered 500',
      keeper: worker.keeper,
      signal,
    })
    expect(await readRun(ledger.database, id)).toMatchObject({
      status: 'failed',
      error: 'GET /posts answered 500',
      finishedAt: expect.any(Date),
    })
    expect((await readRuns(ledger.database, { pipeline: 'forum', limit: 1 })).map((run) => run.id)).toEqual([id])
    expect((await readRuns(ledger.database, { before: id })).map((run) => run.id)).toEqual([worker.run])
  })

  test('whose process is gone are shown as interrupted, and noted so by the next run', async () => {
    await using ledger = await openLedger()
    const dead = await openWorker(ledger.database)
    await dead.keeper[Symbol.asyncDispose]()
    expect(await readRun(ledger.database, dead.run)).toMatchObject({
      status: 'interrupted',
      error: 'its process ended unexpectedly',
      finishedAt: expect.any(Date),
    })
    await using _ = await ledger.worker()
    expect(await ledger.database.query('select status from sluice.runs where id = $1', [dead.run])).toEqual([
      { status: 'interrupted' },
    ])
  })
})
