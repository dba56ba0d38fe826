import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { openDatabase } from '../../../src/database/database.ts'
import { apiKey, http, onePage, pipeline, runSchedule, readStatus, secret, source } from '../../../src/index.ts'
import { backfillPipeline } from '../../../src/run/backfill/backfill-pipeline.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { readRuns } from '../../../src/ledger/read/read-runs.ts'
import { apiServer } from '../../support/api-server.ts'
import { administer, testDatabase, urlOf } from '../../support/database.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { adjustableStream, items, kinds, moment, type Item } from './adjustable-stream.ts'

const hour = 3_600_000

describe('status', () => {
  test('of a database without runs writes nothing, not even the ledger', async () => {
    const name = `test_${randomBytes(6).toString('hex')}`
    await administer(`create database ${name}`)
    try {
      const report = await readStatus([adjustableStream().it], { database: urlOf(name) })
      expect(report).toMatchObject({
        ok: true,
        streams: [{ pipeline: 'shop', stream: 'rows', table: 't.rows', state: 'never ran', runs: [], rejects: 0 }],
      })
      expect(kinds(report)).toEqual(['never ran'])
      expect(kinds(await readStatus([adjustableStream('0 * * * *').it], { database: urlOf(name) }))).toEqual([
        'never ran',
      ])
      await using database = await openDatabase({ url: urlOf(name) })
      expect(await database.query(`select nspname from pg_namespace where nspname in ('sluice', 't')`)).toEqual([])
    } finally {
      await administer(`drop database ${name} with (force)`)
    }
  })

  test('shows the last success, the cursor with its age, and the counts of the last runs', async () => {
    await using test = await testDatabase()
    const { now, it } = adjustableStream()
    now.items = items(3)
    const first = await runPipeline(it, { database: test.url })
    now.items = items(5)
    const second = await runPipeline(it, { database: test.url })
    const report = await readStatus([it], { database: test.url, now: new Date(Date.parse(moment(4)) + hour) })
    expect(report).toMatchObject({
      ok: true,
      findings: [],
      streams: [
        {
          state: 'done',
          rejects: 0,
          lastSuccess: { run: second.run },
          cursor: { value: moment(4), ageMs: hour },
          runs: [
            { run: second.run, status: 'done', read: 5, stored: 2 },
            { run: first.run, status: 'done', read: 3, stored: 3 },
          ],
        },
      ],
    })
    expect(report.streams[0]).not.toHaveProperty('open')
  })

  test('names a failed run with its error, until the next success', async () => {
    await using test = await testDatabase()
    const { now, it } = adjustableStream()
    Object.assign(now, { items: items(3), error: new Error('the API is down') })
    const failed = await runPipeline(it, { database: test.url })
    const report = await readStatus([it], { database: test.url })
    expect(report).toMatchObject({
      ok: false,
      streams: [
        {
          state: 'failed',
          open: { run: failed.run, isHeld: false },
          lastError: { run: failed.run, error: expect.stringContaining('the API is down') },
        },
      ],
    })
    expect(report.findings).toEqual([
      expect.objectContaining({
        kind: 'failed',
        isFault: true,
        pipeline: 'shop',
        stream: 'rows',
        message: expect.stringMatching(/^run \d+ failed: .*the API is down.*never succeeded$/),
      }),
    ])
    delete now.error
    await runPipeline(it, { database: test.url })
    expect(await readStatus([it], { database: test.url })).toMatchObject({ ok: true, findings: [] })
  })

  test('names an overdue stream after the grace period', async () => {
    await using test = await testDatabase()
    const { now, it } = adjustableStream('0 * * * *')
    now.items = items(3)
    await runPipeline(it, { database: test.url })
    const {
      streams: [one],
    } = await readStatus([it], { database: test.url })
    const next = Date.parse(one!.next!)
    expect(await readStatus([it], { database: test.url, now: new Date(next + 4 * 60_000) })).toMatchObject({ ok: true })
    const late = await readStatus([it], { database: test.url, now: new Date(next + 6 * 60_000) })
    expect(late).toMatchObject({
      ok: false,
      streams: [{ overdueSince: new Date(next).toISOString(), schedule: '0 * * * *' }],
      findings: [{ kind: 'overdue', isFault: true }],
    })
    expect(
      await readStatus([it], { database: test.url, now: new Date(next + 6 * 60_000), grace: '10m' }),
    ).toMatchObject({
      ok: true,
    })
  })

  test('counts the records of a run as `sluice runs` does, without parents', async () => {
    await using test = await testDatabase()
    const { now, it } = adjustableStream()
    now.items = items(3)
    await runPipeline(it, { database: test.url })
    await test.database.query('update sluice.slices set parents = 7')
    expect(await readStatus([it], { database: test.url })).toMatchObject({ streams: [{ runs: [{ read: 3 }] }] })
  })

  test('does not call a stream overdue that was registered after the last tick', async () => {
    await using test = await testDatabase()
    const { it } = adjustableStream('0 * * * *')
    const now = new Date('2026-05-04T10:30:00Z')
    // No scheduler knows the pipeline yet, as in a fresh clone: nothing is wrong.
    expect(kinds(await readStatus([it], { database: test.url, now }))).toEqual(['never ran'])
    await test.database.query(`insert into sluice.schedules values ('shop', $1)`, [now])
    expect(await readStatus([it], { database: test.url, now: new Date(now.getTime() + 60_000) })).toMatchObject({
      ok: true,
    })
    expect(kinds(await readStatus([it], { database: test.url, now: new Date(now.getTime() + hour) }))).toEqual([
      'never ran!',
    ])
  })

  test('reports rejects and an interrupted read as notices', async () => {
    await using test = await testDatabase()
    const { now, it } = adjustableStream()
    now.items = [...items(3), { id: -1, at: moment(4) }]
    await runPipeline(it, { database: test.url })
    expect(await readStatus([it], { database: test.url })).toMatchObject({
      ok: true,
      streams: [{ rejects: 1 }],
      findings: [{ kind: 'rejects', isFault: false }],
    })
    const stop = new AbortController()
    const begun = Promise.withResolvers<void>()
    const stuck = pipeline('shop', {
      streams: {
        rows: source<Item>(async function* ({ signal }) {
          yield { records: items(1, 5), position: 1 }
          begun.resolve()
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
        })
          .incremental('at')
          .into('t.rows', { key: 'id' }),
      },
    })
    const running = runPipeline(stuck, { database: test.url, signal: stop.signal })
    await begun.promise
    expect(await readStatus([stuck], { database: test.url })).toMatchObject({
      streams: [{ state: 'running', open: { isHeld: true } }],
    })
    stop.abort(new Error('enough'))
    await running
    const report = await readStatus([stuck], { database: test.url })
    expect(report).toMatchObject({ ok: true, streams: [{ state: 'interrupted', open: { isHeld: false } }] })
    expect(kinds(report)).toEqual(['interrupted', 'rejects'])
  })

  test('names failed windows of a backfill', async () => {
    await using test = await testDatabase()
    const bad = pipeline('shop', {
      streams: {
        rows: source<Item>(async function* ({ since }) {
          if (since?.startsWith('2024-01-02')) throw new Error('that day is broken')
          yield { records: [] }
        })
          .incremental('at')
          .into('t.rows', { key: 'id', versionBy: 'at' }),
      },
    })
    await runPipeline(bad, { database: test.url })
    await backfillPipeline(bad, { database: test.url, from: '2024-01-01', to: '2024-01-04' })
    expect((await readStatus([bad], { database: test.url })).findings).toEqual([
      expect.objectContaining({
        kind: 'windows failed',
        isFault: true,
        message: expect.stringContaining('1 window of its backfills failed: '),
      }),
    ])
  })

  test('names a tick whose run could not start', async () => {
    await using test = await testDatabase()
    const { it } = adjustableStream('0 * * * *')
    await test.database.query(`insert into sluice.schedules values ('shop', '2026-05-04T00:00:00Z')`)
    await test.database.query(
      `insert into sluice.ticks (pipeline, tick, status, note, finished_at)
       values ('shop', '2026-05-04T01:00:00Z', 'failed', 'shop.rows: secret TOKEN is not set', now())`,
    )
    const report = await readStatus([it], { database: test.url, now: new Date('2026-05-04T01:02:00Z') })
    expect(report.findings[0]).toEqual({
      kind: 'tick failed',
      isFault: true,
      pipeline: 'shop',
      message: 'the run of 2026-05-04T01:00:00.000Z could not start: shop.rows: secret TOKEN is not set',
    })
  })

  test('names a run that could not start for a missing secret, until the next one starts', async () => {
    await using test = await testDatabase()
    await using api = await apiServer(() => ({ json: [{ id: 1 }] }))
    const shop = pipeline('keys', {
      streams: {
        rows: http(api.origin, { auth: apiKey(secret('STATUS_KEY'), { header: 'x-key' }) })
          .get<{ id: number }[]>('/rows')
          .pages(onePage())
          .records()
          .into('t.keys', { key: 'id' }),
      },
    })
    const go = (environment: Record<string, string>) => runPipeline(shop, { database: test.url, environment })
    await expect(go({})).rejects.toThrow('secret STATUS_KEY is not set')
    const { findings, ok } = await readStatus([shop], { database: test.url })
    expect(findings[0]).toEqual({
      kind: 'not started',
      isFault: true,
      pipeline: 'keys',
      message: expect.stringMatching(/^run \d+ could not start: keys\.rows: secret STATUS_KEY is not set/),
    })
    expect(ok).toBe(false)
    expect(await readRuns(test.database)).toMatchObject([
      { pipeline: 'keys', kind: 'sync', status: 'failed', error: expect.stringContaining('STATUS_KEY') },
    ])
    await go({ STATUS_KEY: 'k' })
    expect((await readStatus([shop], { database: test.url })).findings).toEqual([])
  })

  test('shows the next tick after a scheduler has run the pipeline', async () => {
    await using test = await testDatabase()
    const { now, it } = adjustableStream({ cron: '0 * * * *', zone: 'Europe/Berlin' })
    now.items = items(2)
    const clock = new FakeClock('2026-05-04T00:30:00Z')
    const stop = new AbortController()
    const ran = Promise.withResolvers<void>()
    const running = runSchedule([it], {
      database: test.url,
      clock,
      signal: stop.signal,
      onEvent: ({ type }) => {
        if (type === 'tick.finished') ran.resolve()
      },
    })
    await clock.goOn('2026-05-04T01:00:00Z', () => 1, { signal: AbortSignal.timeout(5_000) })
    await ran.promise
    stop.abort(new Error('enough'))
    await running
    const report = await readStatus([it], { database: test.url, now: clock.now() })
    expect(report).toMatchObject({
      ok: true,
      streams: [{ state: 'done', schedule: '0 * * * * Europe/Berlin', next: '2026-05-04T02:00:00.000Z' }],
    })
  })
})
