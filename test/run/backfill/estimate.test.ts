import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, afterAll, expect, test } from '@jest/globals'
import {
  backfill,
  byPage,
  http,
  onePage,
  path,
  PausedError,
  pipeline,
  since,
  until,
  type Pipeline,
} from '../../../src/index.ts'
import { pause } from '../../../src/ledger/pauses.ts'
import { totalEstimate, estimatePipeline } from '../../../src/run/backfill/estimate-backfills.ts'
import type { BackfillEstimate } from '../../../src/run/backfill/estimate.ts'
import { scheduleMs, windowTimes } from '../../../src/run/backfill/window-times.ts'
import { callSluice } from '../../cli/support/call.ts'
import { project } from '../../cli/support/command.ts'
import { apiServer, type ApiServer } from '../../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'

interface Row {
  readonly id: string
  readonly at: string
}

/**
 * Of each response. With this variable the test also prints the times, which depend on what else the machine does:
 * `ESTIMATE_LATENCY_MS=300 npm run jest -- test/run/backfill/estimate.test.ts`.
 */
const LATENCY_MS = process.env['ESTIMATE_LATENCY_MS']

const DAY_MS = 86_400_000
const PAGE = 10
/** Records of a day, counted from the beginning of 2024. */
const SHAPES: Readonly<Record<string, (day: number) => number>> = {
  even: () => 25,
  growing: (day) => 5 + 2 * Math.max(0, day),
  parents: (day) => 3 + (day % 3),
  limited: () => 15,
  north: () => 12,
  south: (day) => 30 + day,
  long: () => 100,
}

let api: ApiServer
let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  api = await apiServer(async ({ path: asked, query }) => {
    await sleep(Number(LATENCY_MS ?? 10))
    const [, shape = '', parent] = asked.split('/')
    if (parent !== undefined) return { json: [1, 2, 3].map((n) => ({ id: `${parent}-${n}`, at: '' })) }
    const [from, to] = [query.get('since'), query.get('until')].map((text) => Date.parse(text ?? ''))
    const rows: Row[] = []
    for (let at = from ?? 0; at < (to ?? 0); at += DAY_MS) {
      const day = Math.round((at - Date.UTC(2024, 0, 1)) / DAY_MS)
      for (let n = 0; n < (SHAPES[shape]?.(day) ?? 0); n += 1)
        rows.push({ id: `${day}x${n}`, at: new Date(at + n).toISOString() })
    }
    const page = Number(query.get('page'))
    return { json: { rows: rows.slice(page * PAGE - PAGE, page * PAGE), pages: Math.ceil(rows.length / PAGE) } }
  })
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

function flowOf(shape: string, rate?: `${number}/s`): Pipeline {
  const source = http(api.origin, rate === undefined ? {} : { rate })
  const rows = source
    .get<{ rows: Row[]; pages: number }>(`/${shape}` as '/x', { since, until })
    .pages(byPage('page', { pages: 'pages' }))
    .records('rows')
    .incremental('at')
  const lines = rows.flatMap((row) =>
    source
      .get<Row[]>(path`/${shape}/${row.id}`)
      .pages(onePage())
      .records(),
  )
  return pipeline(shape, {
    streams: { rows: (shape === 'parents' ? lines : rows).into(`t.${shape}`, { key: 'id' }) },
  })
}

const january = { from: '2024-01-01', to: '2024-01-31' }

/** Estimates a backfill, and runs it. */
async function both(flow: Pipeline, range: { readonly from: string; readonly to: string }) {
  const options = { ...range, database: database.url }
  const [estimate] = await estimatePipeline(flow, { ...options, probes: true })
  const before = api.requests.length
  const report = await backfill(flow, options)
  const { counts, ms } = report.streams['rows']!
  const took = { requests: api.requests.length - before, records: counts.fetched + counts.parents, ms }
  if (LATENCY_MS !== undefined) console.log(flow.name, { estimate, took, time: (estimate?.ms ?? 0) / took.ms })
  return { estimate: estimate!, took }
}

function expectNear(estimate: Pick<BackfillEstimate, 'requests' | 'records'>, took: typeof estimate): void {
  for (const name of ['requests', 'records'] as const) {
    expect(estimate[name] / took[name]).toBeGreaterThan(0.7)
    expect(estimate[name] / took[name]).toBeLessThan(1.3)
  }
}

test('even windows are estimated from earlier ones, without a request', async () => {
  const flow = flowOf('even')
  await backfill(flow, { from: '2023-12-20', to: '2024-01-01', database: database.url })
  // Its windows are whole, whatever became of the run.
  await database.database.query(`update sluice.runs set status = 'failed' where pipeline = 'even'`)
  const before = api.requests.length
  const [known] = await estimatePipeline(flow, { ...january, database: database.url })
  expect(api.requests).toHaveLength(before)
  expect(known).toMatchObject({ from: 'history', windows: 30, probed: 0 })
  const { estimate, took } = await both(flow, january)
  expectNear(estimate, took)
})

test.each(['growing', 'parents'])('%s windows are estimated by reading a few of them', async (shape) => {
  const flow = flowOf(shape)
  const { estimate, took } = await both(flow, january)
  expect(estimate).toMatchObject({ from: 'probes', windows: 30 })
  expect(estimate.probed).toBeGreaterThan(0)
  expectNear(estimate, took)
})

test('the rate of an API decides how long it takes, and how much of it is used', async () => {
  const { estimate, took } = await both(flowOf('limited', '20/s'), january)
  expectNear(estimate, took)
  // 60 requests, of which 20 are admitted at once, and 20 more each second.
  expect(estimate.ms).toBeGreaterThanOrEqual(2_000)
  expect(took.ms).toBeGreaterThanOrEqual(2_000)
  expect(estimate.budget).toBeCloseTo(60 / (20 + estimate.ms / 50), 2)
})

test('an estimate asks within its limits, in the rate of all processes, and not what is paused', async () => {
  const flow = flowOf('long', '90/s')
  const options = { ...january, database: database.url, probes: true, limits: { requests: 8, ms: 60_000 } }
  const [estimate] = await estimatePipeline(flow, options)
  // Two of ten pages of each window that it reads.
  expect(estimate).toMatchObject({ isLeast: true, windows: 30 })
  expect(estimate!.probed).toBeLessThan(20)
  expect(estimate!.requests).toBeGreaterThanOrEqual(60)
  expect(await database.database.query(`select 1 from sluice.rates where rate like '90%'`)).toHaveLength(1)

  await pause(database.database, { pipeline: 'long' }, { who: 'ada@host' })
  const before = api.requests.length
  await expect(estimatePipeline(flow, options)).rejects.toThrow(PausedError)
  expect(await estimatePipeline(flow, { ...options, probes: false })).toEqual([undefined])
  expect(api.requests).toHaveLength(before)
})

test('windows that do not fill all readers take as long as the reader with the most of them', () => {
  expect(scheduleMs([10, 10, 10, 10, 10], 4)).toBe(20)
  expect(scheduleMs([40, 10, 10, 10], 2)).toBe(40)
  expect(scheduleMs([], 4)).toBe(0)
  // A window takes 100 ms at least, and 2 ms for each record.
  const known = [0, 10, 50].map((records) => ({ records, ms: 100 + 2 * records }))
  expect(windowTimes(known)).toEqual({ baseMs: expect.closeTo(100), msOfRecord: expect.closeTo(2) })
  expect(windowTimes([{ records: 5, ms: 30 }])).toEqual({ baseMs: 30, msOfRecord: 0 })
})

test('accounts are added up, so many at once', async () => {
  const all: { readonly estimate: BackfillEstimate; readonly took: Awaited<ReturnType<typeof both>>['took'] }[] = []
  for (const account of ['north', 'south']) all.push(await both(flowOf(account), january))
  const total = totalEstimate(
    all.map(({ estimate }) => estimate),
    1,
  )
  const sum = (name: 'requests' | 'records' | 'ms'): number => all.reduce((so, { took }) => so + took[name], 0)
  expect(total.windows).toBe(60)
  expectNear(total, { requests: sum('requests'), records: sum('records') })
})

test('sluice backfill says it in a line before it starts, and --estimate says only that', async () => {
  await using here = await project({
    'pipelines/even.ts': `
import { byPage, http, pipeline, since, until } from 'SLUICE'
const rows = http(process.env.ESTIMATE_API).get('/even', { since, until })
  .pages(byPage('page', { pages: 'pages' })).records('rows').incremental('at')
export default pipeline('told', { streams: { rows: rows.into('t.told', { key: 'id' }) } })
`,
  })
  const env = { ESTIMATE_API: api.origin, DATABASE_URL: database.url }
  const sluice = (from: string, to: string, ...args: string[]) =>
    callSluice(['backfill', 'told.rows', '--from', from, '--to', to, ...args], { cwd: here.cwd, env })
  const range = ['2024-01-01', '2024-01-04'] as const
  const line = /^told\.rows: 3 windows: about 9 requests, 75 records, [\d.]+ s \(by 9 requests sent now\)$/m
  const only = await sluice(...range, '--estimate')
  expect(only).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(line) })
  expect(await database.database.query(`select to_regclass('t.told') as found`)).toEqual([{ found: null }])
  expect(JSON.parse((await sluice(...range, '--estimate', '--json')).stdout)).toMatchObject({
    streams: [{ requests: 9 }],
  })
  // Reading three windows to tell what three windows cost would be too much.
  expect((await sluice(...range)).stdout).toMatch(/^What it costs is not known yet\. To ask the API: --estimate$/m)
  expect((await sluice('2024-01-04', '2024-01-06')).stdout).toMatch(
    /^told\.rows: 2 windows: about 6 requests, 50 records, [\d.]+ s \(by earlier windows\)$/m,
  )
})
