import { expect, test } from '@jest/globals'
import { backfill, byPage, http, PausedError, pipeline, readStatus, run, since, until } from '../../src/index.ts'
import { readChanges } from '../../src/ledger/changes.ts'
import { endPauses, pause } from '../../src/ledger/pauses.ts'
import { claimTick, registerSchedule } from '../../src/ledger/ticks.ts'
import { systemClock } from '../../src/run/schedule/clock.ts'
import { runTick } from '../../src/run/schedule/run-tick.ts'
import type { ScheduleEvent } from '../../src/run/schedule/schedule-event.ts'
import { problemReply } from '../../src/server/response/problem.ts'
import { openShop } from '../cli/support/shop.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

const ada = { who: 'ada@host', why: 'the API moves' }

/** A pipeline whose stream `slow` waits for its third page, beside a stream `other`. */
async function fixture() {
  const resources = new AsyncDisposableStack()
  const [reading, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const api = resources.use(
    await apiServer(async ({ path, query }) => {
      const page = Number(query.get('page'))
      if (path === '/slow' && page === 3) {
        reading.resolve()
        await gate.promise
      }
      return { json: page > 4 ? [] : [{ id: page, at: `2024-01-0${page}T00:00:00Z` }] }
    }),
  )
  const test = resources.use(await testDatabase())
  const rows = (path: '/slow' | '/other') =>
    http(api.origin as 'http://x')
      .get<{ id: number; at: string }[]>(path, { since, until })
      .pages(byPage('page'))
      .records()
      .incremental('at', { order: 'ascending' })
  const flow = pipeline('p', {
    schedule: '0 4 * * *',
    streams: {
      slow: rows('/slow').into('t.slow', { key: 'id', write: 'append' }),
      other: rows('/other').into('t.other', { key: 'id' }),
    },
  })
  const all = resources.move()
  return { ...test, api, flow, reading, gate, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

test('a stream that is paused while it is read stops after its commit, and goes on from there', async () => {
  await using shown = await fixture()
  const { database, url, flow, reading, gate } = shown
  const running = run(flow, { database: url, throwOnFailure: false })
  await reading.promise
  await pause(database, { pipeline: 'p', stream: 'slow' }, ada)
  const report = await running
  const by = expect.stringMatching(
    /^p\.slow is paused by ada@host at [\d-]+T[\d:]+Z: the API moves\. To go on: sluice continue p\.slow$/,
  )
  expect(report).toMatchObject({
    status: 'interrupted',
    streams: { slow: { status: 'interrupted', warnings: [by], counts: { inserted: 2 } }, other: { status: 'done' } },
  })

  // The others of the pipeline are read, and the report names the pause.
  expect(await run(flow, { database: url })).toMatchObject({
    status: 'done',
    streams: { slow: { status: 'not run', warnings: [by] }, other: { status: 'done' } },
  })
  const refused = run(flow, { database: url, streams: ['slow'] })
  await expect(refused).rejects.toThrow(PausedError)
  await expect(refused).rejects.toThrow(/^p\.slow is paused by ada@host at .*: the API moves\. To go on: sluice/)
  const status = await readStatus([flow], { database: url, now: new Date(Date.now() + 40 * 86_400_000) })
  expect(status.streams[0]).toMatchObject({ paused: { by: 'ada@host', why: 'the API moves' } })
  expect(status.findings.filter(({ stream, kind }) => stream === 'slow' && kind !== 'interrupted')).toEqual([
    { kind: 'paused', isFault: false, pipeline: 'p', stream: 'slow', message: by },
  ])

  expect(await endPauses(database, { pipeline: 'p' }, { who: 'bob@host' })).toHaveLength(1)
  gate.resolve()
  await run(flow, { database: url })
  expect(await database.query('select id from t.slow order by id')).toEqual(
    [1, 2, 3, 4].map((id) => ({ id: String(id) })),
  )
  expect(await readChanges(database, { pipeline: 'p' })).toMatchObject([
    { who: 'bob@host', stream: 'slow', change: expect.stringMatching(/^continued, after it was paused by ada@host/) },
    { who: 'ada@host', why: 'the API moves', stream: 'slow', change: 'paused' },
  ])
})

test('a pipeline that is paused is started by no run, backfill or tick, nor is an account of it', async () => {
  await using shown = await fixture()
  const { database, url, api, flow } = shown
  await run(flow, { database: url, streams: ['other'] })
  const before = api.requests.length
  await pause(database, { pipeline: 'p' }, ada)
  const refused = /^p is paused by ada@host at .*: the API moves\. To go on: sluice continue p$/
  await expect(run(flow, { database: url })).rejects.toThrow(refused)
  await expect(
    backfill(flow, { stream: 'other', from: '2024-01-01', to: '2024-01-03', database: url }),
  ).rejects.toThrow(refused)
  await expect(run({ ...flow, name: 'p@north' }, { database: url })).rejects.toThrow(refused)

  const { signal } = new AbortController()
  const tick = new Date()
  await registerSchedule(database, 'p', new Date(0), { signal })
  const attempt = await claimTick(database, 'p', tick, { signal })
  const events: ScheduleEvent[] = []
  await runTick(flow, { pipeline: 'p', tick, attempt: attempt! }, false, {
    database,
    clock: systemClock,
    emit: (event) => events.push(event),
    runs: { database: url },
    timeoutMs: Infinity,
    overlap: 'skip',
    onRun: undefined,
    signal,
  })
  expect(events.at(-1)).toMatchObject({
    type: 'tick.finished',
    status: 'skipped',
    error: expect.stringMatching(refused),
  })
  expect(api.requests).toHaveLength(before)
  expect(await database.query('select count(*)::int as runs from sluice.runs')).toEqual([{ runs: 1 }])
  expect(problemReply(new PausedError('p is paused'), 'POST /api/runs')).toMatchObject({ status: 409 })
})

test('sluice pause, continue and cancel say what they do; a run that nobody has named leaves it out', async () => {
  await using shop = await openShop()
  const { sluice } = shop
  expect(await sluice('pause', 'shop.none')).toMatchObject({ code: 2, stderr: expect.stringContaining("'none'") })
  expect((await sluice('pause', 'shop', '--why', 'holidays')).stdout).toMatch(
    /^shop is paused\. .*sluice continue shop$/m,
  )
  const by = String.raw`shop is paused by \S+@\S+ at [\d-]+T[\d:]+Z: holidays\. To go on: sluice continue shop`
  expect(await sluice('run', 'shop')).toMatchObject({ code: 1, stderr: expect.stringMatching(new RegExp(by)) })
  for (const args of [['run'], ['run', 'shop', '--quiet', '--overlap', 'skip']])
    expect(await sluice(...args)).toMatchObject({ code: 0, stdout: expect.stringMatching(`^shop: not run: ${by}`) })
  const status = (await sluice('status')).stdout
  expect(status).toMatch(/^shop\.orders +paused/m)
  expect(status.replaceAll(/\n {9}/g, ' ')).toMatch(new RegExp(`^note {5}shop: ${by}$`, 'm'))
  expect(await sluice('continue', 'shop.orders')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(`^shop\\.orders does not go on: ${by}`),
  })
  expect((await sluice('continue', 'shop')).stdout).toMatch(/^shop goes on: it was paused by \S+ at \S+: holidays$/m)
  expect((await sluice('continue', 'shop')).stdout).toMatch(/^shop is not paused\./)
  expect(await sluice('run', 'shop')).toMatchObject({ code: 0 })

  expect(await sluice('cancel', '99')).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no run 99') })
  expect(await sluice('cancel', '1')).toMatchObject({ code: 2, stderr: expect.stringContaining('is not running') })
  const [live] = await shop.database.database.query<{ id: string }>(
    `insert into sluice.runs (kind, pipeline, options) values ('sync', 'shop', '{}') returning id`,
  )
  expect((await sluice('cancel', live!.id, '--why', 'wrong')).stdout).toMatch(/^Run 2 of shop was asked to stop\./)
  expect(await readChanges(shop.database.database, { run: live!.id })).toMatchObject([
    { why: 'wrong', pipeline: 'shop', run: '2', change: 'asked to stop' },
  ])
})
