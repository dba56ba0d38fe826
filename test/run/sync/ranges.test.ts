// A stream whose steps are read several at once: they form a chain, and the cursor passes those that are done.
import { expect, jest, test } from '@jest/globals'
import { byOffset, describePipeline, http, onePage, pipeline, since, until } from '../../../src/index.ts'
import { changeCursor } from '../../../src/run/change-cursor.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { apiServer, type ApiServer } from '../../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'

jest.setTimeout(60_000)

const DAY = 86_400_000
const now = Date.now()
const daysAgo = (days: number): string => new Date(now - days * DAY).toISOString()

interface Row {
  id: number
  at: string
}

/** A record every two days for 100 days. */
const list = (): Row[] => Array.from({ length: 50 }, (_, id) => ({ id, at: daysAgo(100 - 2 * id) }))

interface Options {
  readonly step?: '10d' | '20d'
  readonly concurrency?: number
  readonly path?: '/rows' | '/others'
}

const flowOf = ({ origin }: ApiServer, { step = '10d', concurrency = 4, path = '/rows' }: Options = {}) =>
  pipeline('p', {
    streams: {
      rows: http(origin, { attempts: 1 })
        .get<{ rows: Row[]; total: number }>(path, { from: since, to: until, limit: 5 })
        .pages(byOffset('offset', { total: 'total' }))
        .records('rows')
        .incremental('at', { startFrom: daysAgo(100), step, concurrency })
        .into('t.rows', { key: 'id' }),
    },
  })

/** Serves ranges of the list; `fails` decides which requests fail. Counts the ranges that are requested at once. */
async function rangedApi(rows: readonly Row[]) {
  const state = { fails: (_from: number): boolean => false, atOnce: 0, most: 0, hold: async (_from: number) => {} }
  const api = await apiServer(async ({ query }) => {
    const [from, to] = [Date.parse(query.get('from') ?? ''), Date.parse(query.get('to') ?? '')]
    state.most = Math.max(state.most, (state.atOnce += 1))
    await new Promise((resolve) => setTimeout(resolve, 10))
    await state.hold(from)
    state.atOnce -= 1
    const found = rows.filter(({ at }) => Date.parse(at) >= from && Date.parse(at) < to)
    const offset = Number(query.get('offset') ?? 0)
    // Its first pages are committed before it fails.
    if (offset > 0 && state.fails(from)) return { status: 500, json: {} }
    return { json: { rows: found.slice(offset, offset + 5), total: found.length } }
  })
  return { api, state }
}

const idsOf = async ({ database }: TestDatabase): Promise<number[]> =>
  (await database.query<{ id: number }>('select id::int from t.rows order by id, 1')).map(({ id }) => id)

const slicesOf = ({ database }: TestDatabase) =>
  database.query<{ since: string; until: string | null; status: string; link: string | null; run: string }>(
    'select since, until, status, link, run from sluice.slices order by id',
  )

const cursorOf = async ({ database }: TestDatabase): Promise<string | undefined> =>
  (await database.query<{ value: string }>('select value from sluice.cursors'))[0]?.value

/** True if the cursor is behind the last record of the list, where the last step ends. */
const isBehindAll = async (target: TestDatabase): Promise<boolean> => ((await cursorOf(target)) ?? '') >= daysAgo(2)

/** The third range: its second page, since its first one is within a page of five. */
const isThird = (from: number): boolean => from > now - 81 * DAY && from < now - 79 * DAY

test('steps behind the last day are read four at once, without gap, and the rest one after the other', async () => {
  const rows = list()
  const { api, state } = await rangedApi(rows)
  await using _api = api
  await using target = await testDatabase()
  const four = Promise.withResolvers<void>()
  state.hold = async (from) => {
    if (state.atOnce === 4) four.resolve()
    if (from < now - 61 * DAY) await four.promise
  }
  const { streams } = await runPipeline(flowOf(api), { database: target.url })
  expect(streams.rows).toMatchObject({ status: 'done', counts: { fetched: 50, inserted: 50 } })
  expect(state.most).toBe(4)
  expect(await idsOf(target)).toEqual(rows.map(({ id }) => id))
  const slices = await slicesOf(target)
  const ranges = slices.filter(({ link }) => link !== null)
  expect(ranges.map(({ since, until }) => [since, until])).toEqual(
    Array.from({ length: 9 }, (_, at) => [daysAgo(100 - 10 * at), daysAgo(90 - 10 * at)]),
  )
  expect(slices.slice(9).map(({ link, until }) => [link, until])).toEqual([
    [null, expect.any(String)],
    [null, null],
  ])
  expect(await isBehindAll(target)).toBe(true)
  rows.push({ id: 50, at: new Date(now - 1_000).toISOString() })
  const second = await runPipeline(flowOf(api), { database: target.url })
  expect(second.streams.rows.counts).toMatchObject({ inserted: 1, updated: 0 })
  expect(await slicesOf(target)).toHaveLength(12)
  expect(describePipeline(flowOf(api))).toContain('at most 10d at once, 4 such steps side by side')
})

test('a step that fails stops the cursor before it, the others go on, and the next run reads only it', async () => {
  const rows = list()
  rows.push(...Array.from({ length: 10 }, (_, at) => ({ id: 100 + at, at: daysAgo(79.5 - at / 10) })))
  const { api, state } = await rangedApi(rows)
  await using _api = api
  await using target = await testDatabase()
  state.fails = isThird
  const first = await runPipeline(flowOf(api), { database: target.url, batch: { rows: 1 } })
  expect(first.streams.rows).toMatchObject({ status: 'failed', cursor: daysAgo(80) })
  expect(first.streams.rows.error).toContain(
    `1 of 9 steps is not done, the first one ${daysAgo(80)} to ${daysAgo(70)}, with: GET /rows answered 500`,
  )
  expect(await cursorOf(target)).toBe(daysAgo(80))
  expect((await slicesOf(target)).map(({ status }) => status).join()).toBe(
    'done,done,failed,done,done,done,done,done,done',
  )
  // Nothing behind it is read by a slice that would move the cursor.
  const again = await runPipeline(flowOf(api), { database: target.url })
  expect(again.streams.rows.status).toBe('failed')
  expect(await cursorOf(target)).toBe(daysAgo(80))
  state.fails = () => false
  // Two days later, as far as the ledger knows.
  await target.database.query(`update sluice.slices set started_at = started_at - interval '48 h'`)
  const before = api.requests.length
  const last = await runPipeline(flowOf(api), { database: target.url })
  expect(last.streams.rows.status).toBe('done')
  expect(await idsOf(target)).toEqual(rows.map(({ id }) => id).toSorted((a, b) => a - b))
  expect(await isBehindAll(target)).toBe(true)
  const froms = api.requests.slice(before).map(({ query }) => query.get('from') ?? '')
  expect(froms[0]).toBe(daysAgo(80))
  expect(froms.filter((from) => from > daysAgo(80) && from < daysAgo(11))).toEqual([])
})

test('of a chain that was given up while its run goes on, nothing behind the cursor counts as read', async () => {
  const { api, state } = await rangedApi(
    list().map((row, at) => (at < 20 ? { ...row, at: daysAgo(79 - at / 10) } : row)),
  )
  await using _api = api
  await using target = await testDatabase()
  state.fails = isThird
  const { run } = await runPipeline(flowOf(api), { database: target.url })
  const stepEnd = (): Promise<unknown> =>
    target.database.one(`select sluice.step_end($1, 'p', 'rows', '') as at`, [run])
  await changeCursor(target.database, { pipeline: 'p', stream: 'rows' }, { value: daysAgo(95) })
  expect(await stepEnd()).toEqual({ at: null })
  await target.database.query(
    `update sluice.slices set status = 'done', position = '{"end": true}' where status = 'failed'`,
  )
  expect(await stepEnd()).toEqual({ at: daysAgo(10) })
})

test('two runs at once: the second one waits, and neither loses or doubles anything', async () => {
  const rows = list()
  const { api, state } = await rangedApi(rows)
  await using _api = api
  await using target = await testDatabase()
  const reached = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  state.hold = async (from) => {
    if (from < now - 55 * DAY) return
    reached.resolve()
    await goOn.promise
  }
  const first = runPipeline(flowOf(api), { database: target.url })
  await reached.promise
  const second = runPipeline(flowOf(api), { database: target.url, overlap: 'wait' })
  await new Promise((resolve) => setTimeout(resolve, 500))
  goOn.resolve()
  const reports = await Promise.all([first, second])
  expect(reports.map(({ streams }) => streams.rows.status)).toEqual(['done', 'done'])
  // The second run may read the last steps, once the ranges are done.
  expect(reports.reduce((sum, { streams }) => sum + streams.rows.counts.inserted, 0)).toBe(50)
  expect(await idsOf(target)).toEqual(rows.map(({ id }) => id))
  expect(await isBehindAll(target)).toBe(true)
})

test.each<[what: string, options: Options, full: boolean]>([
  ['--full reads all steps again', {}, true],
  ['another definition reads again what is behind the cursor', { path: '/others' }, false],
  ['shorter steps replace those that are left', { step: '20d' }, false],
  ['without concurrency, what is left is read first', { concurrency: 1 }, false],
])('a chain that a run has left: %s', async (_, options, full) => {
  const rows = list()
  rows.push(...Array.from({ length: 10 }, (_, at) => ({ id: 100 + at, at: daysAgo(79.5 - at / 10) })))
  const { api, state } = await rangedApi(rows)
  await using _api = api
  await using target = await testDatabase()
  state.fails = isThird
  await runPipeline(flowOf(api), { database: target.url })
  state.fails = () => false
  const before = api.requests.length
  const { streams } = await runPipeline(flowOf(api, options), { database: target.url, full })
  expect(streams.rows.status).toBe('done')
  expect(await idsOf(target)).toEqual(rows.map(({ id }) => id).toSorted((a, b) => a - b))
  expect(await isBehindAll(target)).toBe(true)
  const froms = api.requests.slice(before).map(({ query }) => query.get('from') ?? '')
  // The lookback is a minute. The first step of a full run begins at the very start.
  expect(froms.toSorted()[0]! > daysAgo(80.1)).toBe(!full)
  expect(await target.database.query('select id from sluice.chains where ended_at is null')).toEqual([])
  expect(await target.database.query(`select id from sluice.slices where status = 'open'`)).toEqual([])
})

test('a cursor that is set by hand ends the chain, and a full run leaves the cursor where it is', async () => {
  const rows = list()
  const { api, state } = await rangedApi(rows)
  await using _api = api
  await using target = await testDatabase()
  state.fails = () => true
  await runPipeline(flowOf(api, { step: '20d' }), { database: target.url })
  await changeCursor(target.database, { pipeline: 'p', stream: 'rows' }, { value: daysAgo(60) })
  state.fails = () => false
  await runPipeline(flowOf(api, { step: '20d' }), { database: target.url })
  // What is before the cursor was read by the failed run in part: its first pages.
  expect((await idsOf(target)).slice(-30)).toEqual(rows.map(({ id }) => id).slice(-30))
  expect(await isBehindAll(target)).toBe(true)
  state.fails = isThird
  rows.push(...Array.from({ length: 10 }, (_, at) => ({ id: 100 + at, at: daysAgo(79.5 - at / 10) })))
  const full = await runPipeline(flowOf(api), { database: target.url, full: true })
  expect(full.streams.rows).toMatchObject({ status: 'failed', cursor: await cursorOf(target) })
  state.fails = () => false
  // The next run finishes what the full one has left.
  await runPipeline(flowOf(api), { database: target.url })
  expect(await idsOf(target)).toEqual(rows.map(({ id }) => id).toSorted((a, b) => a - b))
  expect(await isBehindAll(target)).toBe(true)
})

test('without a version, steps are read one after the other; without a key, they are refused', async () => {
  const { api, state } = await rangedApi(list())
  await using _api = api
  await using target = await testDatabase()
  const records = http(api.origin)
    .get<{ rows: Row[] }>('/rows', { from: since, to: until })
    .pages(onePage())
    .records('rows')
    .incremental((row) => row.at, { startFrom: daysAgo(100), step: '10d', concurrency: 4 })
  const flow = pipeline('p', { streams: { rows: records.into('t.rows', { key: 'id' }) } })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.rows).toMatchObject({ status: 'done', counts: { inserted: 50 } })
  expect(streams.rows.warnings).toContainEqual(expect.stringContaining('Give the table a version'))
  expect(state.most).toBe(1)
  expect(() => records.into('t.rows', { write: 'append' })).toThrow('Give a key, or remove concurrency')
  const list_ = http('http://localhost').get<Row[]>('/rows').pages(onePage()).records()
  expect(() => list_.incremental('at', { concurrency: 2 })).toThrow('concurrency reads several steps at once')
})
