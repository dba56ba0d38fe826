// Jobs in whole runs: what is stored when results are lost, a job fails, or many of them run at once.
import { expect, jest, test } from '@jest/globals'
import {
  bearer,
  http,
  ndjson,
  onePage,
  path,
  pipeline,
  secret,
  since,
  type Duration,
  type Pipeline,
} from '../../../src/index.ts'
import { checkPipelines } from '../../../src/run/check/check.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { apiServer, type ApiAnswer, type ApiRequest } from '../../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'

jest.setTimeout(60_000)

interface Row {
  readonly id: number
  readonly at: string
}
interface Polled {
  readonly state: string
  readonly url?: string | null
  readonly count?: number
  readonly why?: string
}

const RECORDS = 600
const quick = { every: '1ms', maxEvery: '20ms' } as const satisfies Record<string, Duration>
const rowOf = (id: number): Row => ({ id, at: new Date(Date.UTC(2026, 0, 1) + id * 1_000).toISOString() })
const bodyOf = (rows: readonly Row[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
const environment = { TOKEN: 't0ken' }

/** An API whose jobs read its rows. Files are those of their jobs. */
class Exporter {
  rows = Array.from({ length: RECORDS }, (_, id) => rowOf(id))
  readonly starts: ApiRequest[] = []
  readonly cancelled: string[] = []
  polled: (id: string) => Polled = (id) => ({ state: 'done', url: `/files/${id}`, count: this.rows.length })
  file: (id: string) => ApiAnswer = () => this.whole()

  whole = (): ApiAnswer => ({ headers: { 'content-type': 'application/x-ndjson' }, body: bodyOf(this.rows) })

  answer = (request: ApiRequest): ApiAnswer => {
    const [, kind, id = ''] = request.path.split('/')
    if (request.method === 'DELETE') return this.#cancel(id)
    if (kind === 'jobs' && request.method === 'POST') return { json: { id: `j${this.starts.push(request)}` } }
    if (kind === 'jobs') return { json: this.polled(id) }
    if (kind === 'files') return this.file(id)
    return { json: Array.from({ length: 3 }, (_, n) => ({ id: n })) }
  }

  #cancel(id: string): ApiAnswer {
    this.cancelled.push(id)
    return { status: 204 }
  }
}

const clientOf = (origin: string) =>
  http(origin, { auth: bearer(secret('TOKEN')), maxPageSize: 2_000, attempts: 2, concurrency: 1 })

function rowsOf(origin: string, more: { retries?: number } = {}) {
  const api = clientOf(origin)
  return api
    .post<{ id: string }>('/jobs', { json: { from: since } })
    .job({
      id: 'id',
      poll: (id) => api.get<Polled>(path`/jobs/${id}`),
      state: 'state',
      done: 'done',
      failed: 'failed',
      error: 'why',
      count: 'count',
      cancel: (id) => api.delete(path`/jobs/${id}`),
      ...quick,
      ...more,
    })
    .download<Row>('url', { format: ndjson() })
}

const storedIn = ({ database }: TestDatabase): Promise<{ rows: number; different: number }> =>
  database.one('select count(*)::int as rows, count(distinct id)::int as different from t.rows')
const optionsOf = ({ url }: TestDatabase) => ({ database: url, environment, batch: { rows: 20 } })
const errorOf = async (flow: Pipeline, target: TestDatabase): Promise<string | undefined> =>
  (await runPipeline(flow, optionsOf(target))).streams['rows']?.error
const whole = { rows: RECORDS, different: RECORDS }

// Without a key nobody can tell how many of the records are different ones.
const GRADES = { append: 'ended', merge: 'counted', replace: 'counted' } as const

test.each(['append', 'merge', 'replace'] as const)(
  'results that are lost while they are read (%s) are exported again, and no row is lost or doubled',
  async (write) => {
    const exporter = new Exporter()
    let hasBrokenOff = false
    exporter.file = (id) => {
      if (id !== 'j1') return exporter.whole()
      if (hasBrokenOff) return { status: 404, json: {} }
      hasBrokenOff = true
      return { ...exporter.whole(), breakOff: 12_000 }
    }
    await using api = await apiServer(exporter.answer)
    await using target = await testDatabase()
    const flow = rowsOf(api.origin)
    const table =
      write === 'append'
        ? flow.into('t.rows', { write })
        : flow.into('t.rows', { key: 'id', write, ...(write === 'replace' && { complete: 'required' }) })
    const report = await runPipeline(pipeline('p', { streams: { rows: table } }), optionsOf(target))
    expect(report.streams.rows).toMatchObject({ status: 'done', completeness: { grade: GRADES[write] } })
    expect(report.streams.rows.warnings).toEqual([
      expect.stringContaining('the API no longer has the results of the job j1'),
    ])
    expect(exporter.starts).toHaveLength(2)
    expect(await storedIn(target)).toEqual(whole)
  },
)

test('results that are lost each time fail the stream after some jobs, and the next run goes on', async () => {
  const exporter = new Exporter()
  const seen = new Set<string>()
  const lost = (id: string): ApiAnswer => {
    if (seen.has(id)) return { status: 410, json: {} }
    seen.add(id)
    return { ...exporter.whole(), breakOff: 12_000 }
  }
  exporter.file = lost
  await using api = await apiServer(exporter.answer)
  await using target = await testDatabase()
  const flow = pipeline('p', { streams: { rows: rowsOf(api.origin).into('t.rows', { write: 'append' }) } })
  expect(await errorOf(flow, target)).toContain('the API no longer has the results of the job j3')
  expect(exporter.starts).toHaveLength(3)
  exporter.file = exporter.whole
  expect((await runPipeline(flow, optionsOf(target))).streams.rows.status).toBe('done')
  expect(await storedIn(target)).toEqual(whole)
})

test('a job that fails for good fails the stream by the words of the API, and the next run starts one', async () => {
  const exporter = new Exporter()
  exporter.polled = () => ({ state: 'failed', why: 'the report is not available', count: 0 })
  await using api = await apiServer(exporter.answer)
  await using target = await testDatabase()
  const flow = pipeline('p', { streams: { rows: rowsOf(api.origin).into('t.rows', { key: 'id' }) } })
  expect(await errorOf(flow, target)).toContain('the report is not available. The next run starts another one')
  expect(exporter.starts).toHaveLength(2)
  exporter.polled = (id) => ({ state: 'done', url: `/files/${id}`, count: RECORDS })
  const report = await runPipeline(flow, optionsOf(target))
  expect(report.streams.rows).toMatchObject({ status: 'done', completeness: { grade: 'counted' } })
  expect(exporter.starts).toHaveLength(3)
  expect(await storedIn(target)).toEqual(whole)
})

test('a job gets the cursor of the stream, and one without results is a complete reading', async () => {
  const exporter = new Exporter()
  await using api = await apiServer(exporter.answer)
  await using target = await testDatabase()
  const rows = rowsOf(api.origin).incremental('at', { startFrom: '2026-01-01T00:00:00Z', lookback: 0 })
  const flow = pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
  const first = await runPipeline(flow, optionsOf(target))
  expect(first.streams.rows).toMatchObject({ cursor: rowOf(RECORDS - 1).at, completeness: { grade: 'counted' } })
  exporter.rows = [rowOf(RECORDS - 1), rowOf(RECORDS)]
  await runPipeline(flow, optionsOf(target))
  exporter.polled = () => ({ state: 'done', url: null, count: 0 })
  const none = await runPipeline(flow, optionsOf(target))
  expect(none.streams.rows).toMatchObject({ counts: { fetched: 0 }, completeness: { grade: 'counted' } })
  expect(exporter.starts.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
    { from: '2026-01-01T00:00:00Z' },
    { from: rowOf(RECORDS - 1).at },
    { from: rowOf(RECORDS).at },
  ])
  expect((await storedIn(target)).rows).toBe(RECORDS + 1)
})

test('a job that states more records than came replaces nothing', async () => {
  const exporter = new Exporter()
  await using api = await apiServer(exporter.answer)
  await using target = await testDatabase()
  const flow = pipeline('p', {
    streams: { rows: rowsOf(api.origin).into('t.rows', { key: 'id', write: 'replace', allowEmpty: true }) },
  })
  await runPipeline(flow, optionsOf(target))
  exporter.polled = () => ({ state: 'done', url: null, count: RECORDS })
  expect(await errorOf(flow, target)).toContain("0 records came, but 'count' states 600")
  expect(await storedIn(target)).toEqual(whole)
})

test('a stream that waits for a job leaves the only place of the API to others', async () => {
  const exporter = new Exporter()
  let isOtherRead = false
  exporter.polled = (id) =>
    isOtherRead ? { state: 'done', url: `/files/${id}`, count: RECORDS } : { state: 'running', count: 0 }
  await using api = await apiServer((request) => {
    if (request.path === '/others' && exporter.starts.length > 0) isOtherRead = true
    if (request.path === '/others' && exporter.starts.length === 0) return { status: 503, json: {} }
    return exporter.answer(request)
  })
  await using target = await testDatabase()
  const client = http(api.origin, { auth: bearer(secret('TOKEN')), concurrency: 1 })
  const jobs = rowsOf(api.origin)
  const others = client.get<{ id: number }[]>('/others').pages(onePage()).records()
  const flow = pipeline('p', {
    streams: { rows: jobs.into('t.rows', { key: 'id' }), others: others.into('t.others', { key: 'id' }) },
  })
  const report = await runPipeline(flow, optionsOf(target))
  expect(report.streams).toMatchObject({ rows: { status: 'done' }, others: { status: 'done' } })
})

test('each parent may have a job of its own, and a run that is stopped goes on with the job of one', async () => {
  const exporter = new Exporter()
  exporter.rows = exporter.rows.slice(0, 200)
  await using api = await apiServer(exporter.answer)
  await using target = await testDatabase()
  const client = clientOf(api.origin)
  const rows = client
    .get<{ id: number }[]>('/accounts')
    .pages(onePage())
    .records()
    .flatMap(
      ({ id }) =>
        client
          .post<{ id: string }>(path`/jobs`, { json: { account: id } })
          .job({
            id: 'id',
            poll: (job) => client.get<Polled>(path`/jobs/${job}`),
            state: 'state',
            done: 'done',
            ...quick,
          })
          .download<Row>('url')
          .map((row) => ({ ...row, id: `${id} ${row.id}` })),
      { concurrency: 2 },
    )
  const flow = pipeline('p', { streams: { rows: rows.into('t.rows', { write: 'append' }) } })
  const stop = new AbortController()
  exporter.polled = (id) => {
    if (id === 'j3') stop.abort()
    return { state: stop.signal.aborted ? 'running' : 'done', url: `/files/${id}` }
  }
  await runPipeline(flow, { ...optionsOf(target), signal: stop.signal }).catch(() => {})
  expect(stop.signal.aborted).toBe(true)
  exporter.polled = (id) => ({ state: 'done', url: `/files/${id}` })
  const report = await runPipeline(flow, optionsOf(target))
  expect(report.streams.rows.status).toBe('done')
  expect(await storedIn(target)).toEqual({ rows: 600, different: 600 })
  const accounts = exporter.starts.map(({ body }) => (JSON.parse(body) as { account: number }).account)
  expect(accounts).toEqual([0, 1, 2])
})

test('records of a job may have children, also after a job that failed', async () => {
  const exporter = new Exporter()
  exporter.rows = exporter.rows.slice(0, 30)
  const polled = exporter.polled
  exporter.polled = (id) => (id === 'j1' ? { state: 'failed', count: 0 } : polled(id))
  await using api = await apiServer(exporter.answer)
  await using target = await testDatabase()
  const client = clientOf(api.origin)
  const lines = rowsOf(api.origin).flatMap(
    (row) =>
      client
        .get<{ id: number }[]>(path`/lines/${row.id}`)
        .pages(onePage())
        .records()
        .map((line) => ({ id: row.id * 10 + line.id })),
    { concurrency: 4 },
  )
  const flow = pipeline('p', { streams: { rows: lines.into('t.rows', { write: 'append' }) } })
  expect((await runPipeline(flow, optionsOf(target))).streams.rows.error).toBeUndefined()
  expect(await storedIn(target)).toEqual({ rows: 90, different: 90 })
})

test('rows() reads a job, cancels one that it leaves, and a check starts none', async () => {
  const exporter = new Exporter()
  await using api = await apiServer(exporter.answer)
  await using target = await testDatabase()
  process.env['TOKEN'] = 't0ken'
  const rows = rowsOf(api.origin).into('t.rows', { key: 'id' })
  expect(await Array.fromAsync(rows.rows())).toHaveLength(RECORDS)
  exporter.polled = () => ({ state: 'running', count: 0 })
  const signal = AbortSignal.timeout(300)
  await expect(Array.fromAsync(rows.rows({ signal }))).rejects.toThrow('timeout')
  expect(exporter.cancelled).toEqual(['j2'])
  const flow = pipeline('p', { streams: { rows } })
  const findings = await checkPipelines([{ pipeline: flow, file: 'p.ts' }], {
    database: target.url,
    environment,
    signal: new AbortController().signal,
  })
  expect(JSON.stringify(findings)).toContain('an export job, which a check does not start')
  expect(exporter.starts).toHaveLength(2)
})
