// A stream whose API accepts at most a range: a run reads one step after the other, from the cursor to now.
import { expect, jest, test } from '@jest/globals'
import {
  backfill,
  byOffset,
  describePipeline,
  http,
  onePage,
  pipeline,
  since,
  unix,
  until,
  type Duration,
} from '../../../src/index.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { apiServer, type ApiRequest, type ApiServer } from '../../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'

jest.setTimeout(60_000)

const DAY = 86_400_000
const now = Date.now()
const daysAgo = (days: number): string => new Date(now - days * DAY).toISOString()

interface Row {
  id: number
  at: string
}

/** Accepts ranges of at most 30 days, as many reporting APIs do, and returns five rows a page. */
function ranged(
  list: readonly Row[],
  { query }: ApiRequest,
  { longest = 30 * DAY, hidden }: { longest?: number; hidden?: number | undefined } = {},
): { status?: number; json: unknown } {
  const [from, to] = [Date.parse(query.get('from') ?? ''), Date.parse(query.get('to') ?? '')]
  if (Number.isNaN(from) || Number.isNaN(to)) return { status: 400, json: { error: 'from and to are required' } }
  if (to - from > longest) return { status: 400, json: { error: 'at most 30 days' } }
  const found = list.filter(({ at }) => Date.parse(at) >= from && Date.parse(at) < to)
  const offset = Number(query.get('offset') ?? 0)
  return { json: { rows: found.filter(({ id }) => id !== hidden).slice(offset, offset + 5), total: found.length } }
}

const everyDays = (step: number, days: number): Row[] =>
  Array.from({ length: Math.floor(days / step) }, (_, id) => ({ id, at: daysAgo(days - id * step) }))

const rowsOf = ({ origin }: ApiServer, options: { step?: Duration; lookback?: Duration | 0 } = {}) =>
  http(origin, { attempts: 1 })
    .get<{ rows: Row[]; total: number }>('/rows', { from: since, to: until, limit: 5 })
    .pages(byOffset('offset', { total: 'total' }))
    .records('rows')
    .incremental('at', { startFrom: daysAgo(100), step: '30d', ...options })

const idsOf = async ({ database }: TestDatabase): Promise<number[]> =>
  (await database.query<{ id: number }>('select id::int from t.rows order by id, 1')).map(({ id }) => id)

const slicesOf = ({ database }: TestDatabase) =>
  database.query<{ since: string | null; until: string | null; status: string; run: string }>(
    'select since, until, status, run from sluice.slices order by id',
  )

test('a first run reads steps that follow each other to now, and the next run reads on from the cursor', async () => {
  const list = everyDays(2, 100)
  await using api = await apiServer((request) => ranged(list, request))
  await using target = await testDatabase()
  const flow = pipeline('p', { streams: { rows: rowsOf(api).into('t.rows', { key: 'id' }) } })
  const first = await runPipeline(flow, { database: target.url })
  expect(first.streams.rows).toMatchObject({ status: 'done', counts: { fetched: 50, inserted: 50 } })
  expect(await idsOf(target)).toEqual(list.map(({ id }) => id))
  // The last step is open: it ends where the run is.
  expect((await slicesOf(target)).map((slice) => slice.until)).toEqual([
    daysAgo(70),
    expect.any(String),
    expect.any(String),
    null,
  ])
  list.push({ id: 50, at: new Date(now - 1_000).toISOString() })
  const second = await runPipeline(flow, { database: target.url })
  expect(second.streams.rows.counts).toMatchObject({ inserted: 1, updated: 0 })
  expect(await slicesOf(target)).toHaveLength(5)
})

test('a lookback nearly as long as the step is read again at the end, and not in each step', async () => {
  const list = everyDays(1, 100)
  await using api = await apiServer((request) => ranged(list, request))
  await using target = await testDatabase()
  const flow = pipeline('p', {
    streams: { rows: rowsOf(api, { lookback: '10d', step: '12d' }).into('t.rows', { key: 'id' }) },
  })
  const first = await runPipeline(flow, { database: target.url })
  expect(first.streams.rows.counts).toMatchObject({ inserted: 100, updated: 0 })
  const ranges = (await slicesOf(target)).map((slice) => [slice.since, slice.until])
  // Steps of 12 days up to 4 days ago. Late rows of the last ten days may still come, so the next one has the lookback.
  expect(ranges.slice(0, 8)).toEqual(
    [100, 88, 76, 64, 52, 40, 28, 16].map((days) => [daysAgo(days), daysAgo(days - 12)]),
  )
  expect(ranges[8]).toEqual([daysAgo(14), daysAgo(2)])
  list.push({ id: 100, at: daysAgo(9) })
  const second = await runPipeline(flow, { database: target.url })
  expect(second.streams.rows.counts).toMatchObject({ inserted: 1 })
})

test('steps in which nothing changed are passed, in a later run too', async () => {
  const list = [{ id: 1, at: daysAgo(99) }]
  await using api = await apiServer((request) => ranged(list, request))
  await using target = await testDatabase()
  const flow = pipeline('p', { streams: { rows: rowsOf(api).into('t.rows', { key: 'id' }) } })
  await runPipeline(flow, { database: target.url })
  const firstPages = () => api.requests.filter(({ query }) => query.get('offset') === '0').length
  const before = firstPages()
  list.push({ id: 2, at: daysAgo(1) })
  await runPipeline(flow, { database: target.url })
  expect(await idsOf(target)).toEqual([1, 2])
  expect(before).toBe(4)
  expect(firstPages() - before).toBe(1)
})

test.each(['merge', 'append'] as const)(
  'a run that fails in a step goes on there, and %s has each row once',
  async (write) => {
    const list = everyDays(1, 100)
    let failing = true
    await using api = await apiServer((request) => {
      const isThird = Date.parse(request.query.get('from') ?? '') > now - 45 * DAY
      if (failing && isThird && Number(request.query.get('offset')) > 0) return { status: 500, json: {} }
      return ranged(list, request)
    })
    await using target = await testDatabase()
    const rows = rowsOf(api)
    const flow = pipeline('p', {
      streams: {
        rows: write === 'merge' ? rows.into('t.rows', { key: 'id' }) : rows.into('t.rows', { write: 'append' }),
      },
    })
    const first = await runPipeline(flow, { database: target.url })
    expect(first.streams.rows.status).toBe('failed')
    failing = false
    const second = await runPipeline(flow, { database: target.url })
    expect(second.streams.rows.status).toBe('done')
    expect(await idsOf(target)).toEqual(list.map(({ id }) => id))
    const slices = await slicesOf(target)
    // A merged step begins a minute earlier, for late records.
    expect(slices.map(({ status }) => status)).toEqual(['done', 'done', 'done', 'done'])
    expect(new Set(slices.map(({ run }) => run)).size).toBe(2)
  },
)

test('a full run reads all steps again, although the cursor is ahead of them', async () => {
  const list = everyDays(2, 100)
  await using api = await apiServer((request) => ranged(list, request))
  await using target = await testDatabase()
  const flow = pipeline('p', { streams: { rows: rowsOf(api).into('t.rows', { key: 'id' }) } })
  await runPipeline(flow, { database: target.url })
  const { streams } = await runPipeline(flow, { database: target.url, full: true })
  expect(streams.rows.counts).toMatchObject({ inserted: 0, updated: 0 })
  expect(streams.rows.counts.unchanged).toBeGreaterThanOrEqual(50)
  expect(await slicesOf(target)).toHaveLength(8)
  const [cursor] = await target.database.query<{ value: string }>('select value from sluice.cursors')
  expect(cursor).toEqual({ value: list.at(-1)?.at })
})

test('a step that ends open is not covered by a proven step before it', async () => {
  const list = everyDays(2, 100)
  let isHiding = true
  // One record of the second step is announced and never listed.
  await using api = await apiServer((request) => ranged(list, request, { hidden: isHiding ? 20 : undefined }))
  await using target = await testDatabase()
  const flow = pipeline('p', { streams: { rows: rowsOf(api).into('t.rows', { key: 'id' }) } })
  const open = () =>
    target.database.query(`select id from sluice.slices where completeness = 'open' and covered_by is null`)
  await runPipeline(flow, { database: target.url })
  const before = await open()
  expect(before.length).toBeGreaterThan(0)
  // The step before is proven, and begins earlier.
  await runPipeline(flow, { database: target.url, full: true })
  expect(await open()).toEqual(expect.arrayContaining(before))
  isHiding = false
  await runPipeline(flow, { database: target.url, full: true })
  expect(await open()).toEqual([])
})

test('rows() and steps of unix seconds, without a database', async () => {
  const list = everyDays(2, 100)
  await using api = await apiServer((request) => {
    const query = new URLSearchParams(request.query)
    for (const name of ['from', 'to']) query.set(name, new Date(Number(request.query.get(name)) * 1_000).toISOString())
    return ranged(list, { ...request, query }, { longest: 30 * DAY + 1_000 })
  })
  const rows = http(api.origin)
    .get<{ rows: Row[]; total: number }>('/rows', { from: unix(since), to: unix(until) })
    .pages(byOffset('offset', { total: 'total' }))
    .records('rows')
    .incremental((row) => Date.parse(row.at) / 1_000, { startFrom: daysAgo(100), step: '30d', unit: 's' })
  const read: Row[] = []
  for await (const row of rows.into('t.rows', { key: 'id' }).rows()) read.push(row)
  expect(read).toEqual(list)
})

test.each([
  [{ step: '30d' }, "step needs startFrom, the beginning of the first range, such as '2024-01-01'"],
  [{ step: '1m', startFrom: '2024-01-01', lookback: '5m' }, "the lookback '5m' is as long as the step '1m'"],
  [{ step: 'soon', startFrom: '2024-01-01' }, 'is no duration'],
])('%j is refused before anything is requested', (options, message) => {
  const records = http('http://localhost').get<Row[]>('/rows').pages(onePage()).records()
  expect(() => records.incremental('at', options as never)).toThrow(message)
})

test('a step that is shorter than a day of the cursor fails with the remedy', async () => {
  await using api = await apiServer(() => ({ json: [] }))
  await using target = await testDatabase()
  const rows = http(api.origin)
    .get<Row[]>('/rows', { from: since })
    .pages(onePage())
    .records()
    .incremental('at', { startFrom: '2024-01-01', step: '12h' })
  const flow = pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.rows.error).toContain("step '12h': it leads from '2024-01-01' to '2024-01-01' and so never on")
})

test('windows of a backfill that are longer than the step are refused, and a description names the step', async () => {
  await using api = await apiServer((request) => ranged([], request))
  await using target = await testDatabase()
  const flow = pipeline('p', { streams: { rows: rowsOf(api).into('t.rows', { key: 'id' }) } })
  const range = { from: '2024-01-01', to: '2024-06-01', database: target.url }
  await expect(backfill(flow, { ...range, window: '2mo' })).rejects.toThrow(
    "p.rows: a window of 2mo is longer than its step '30d'",
  )
  expect(await backfill(flow, { ...range, window: '1w' })).toMatchObject({ status: 'done' })
  expect(describePipeline(flow)).toContain('at most 30d at once')
})
