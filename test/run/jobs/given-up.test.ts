// Jobs that a run gives up while they run at the API: they are ended once, and none that is still awaited.
import { expect, jest, test } from '@jest/globals'
import { http, path, pipeline, since, until, type Duration, type JobOptions } from '../../../src/index.ts'
import { takeGivenUp } from '../../../src/ledger/slices/given-up-jobs.ts'
import { changeCursor } from '../../../src/run/change-cursor.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { apiServer, type ApiAnswer, type ApiRequest } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'

jest.setTimeout(60_000)

interface Polled {
  readonly state: string
  readonly url: string
}
const quick = { every: '1ms', maxEvery: '5ms' } as const satisfies Record<string, Duration>

/** An API whose jobs run until `isDone`. It logs the jobs that begin and end, in their order. */
class Jobs {
  readonly log: string[] = []
  isDone = false
  nextId = (): string => `j${this.log.filter((line) => line.startsWith('start')).length + 1}`
  onPoll: (id: string) => void = () => {}
  cancel: () => ApiAnswer = () => ({ status: 204 })

  answer = ({ method, path: asked }: ApiRequest): ApiAnswer => {
    const [, kind, id = ''] = asked.split('/')
    if (method === 'POST') {
      const started = this.nextId()
      this.log.push(`start ${started}`)
      return { json: { id: started } }
    }
    if (method === 'DELETE') {
      this.log.push(`cancel ${asked}`)
      return this.cancel()
    }
    if (kind === 'files')
      return { headers: { 'content-type': 'application/x-ndjson' }, body: '{"id":1,"at":"2026-01-01T00:00:00Z"}\n' }
    this.onPoll(id)
    return { json: { state: this.isDone ? 'done' : 'running', url: `/files/${id}` } }
  }

  get cancelled(): string[] {
    return this.log.filter((line) => line.startsWith('cancel'))
  }
}

const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString()

type Options = Partial<JobOptions<{ id: string }, Polled>> & { readonly what?: string; readonly step?: '10d' }

function rowsOf(origin: string, { what = 'orders', step, ...more }: Options = {}) {
  const api = http(origin, { attempts: 1, maxPageSize: 20_000 })
  const records = api
    .post<{ id: string }>('/jobs', { json: { what, since, until } })
    .job<Polled>({
      id: 'id',
      poll: (id) => api.get<Polled>(path`/jobs/${id}`),
      state: 'state',
      done: 'done',
      cancel: (id) => api.delete(path`/jobs/${id}`),
      ...quick,
      ...more,
    })
    .download<{ id: number; at: string }>('url')
  return step ? records.incremental('at', { step, startFrom: daysAgo(25), concurrency: 2 }) : records.incremental('at')
}

const flowOf = (origin: string, options: Options = {}) =>
  pipeline('p', { streams: { rows: rowsOf(origin, options).into('t.rows', { key: 'id', versionBy: 'at' }) } })

/** Runs a pipeline until `polls` jobs have been polled. */
async function interrupt(flow: ReturnType<typeof flowOf>, jobs: Jobs, database: string, polls = 1): Promise<void> {
  const stop = new AbortController()
  const seen = new Set<string>()
  jobs.onPoll = (id) => {
    if (seen.add(id).size === polls) stop.abort()
  }
  await runPipeline(flow, { database, signal: stop.signal }).catch(() => {})
  expect(stop.signal.aborted).toBe(true)
  jobs.onPoll = () => {}
}

test('--full ends the job that it gives up, once, before it starts another; a run that resumes does not', async () => {
  const jobs = new Jobs()
  await using api = await apiServer(jobs.answer)
  await using target = await testDatabase()
  const flow = flowOf(api.origin)
  await interrupt(flow, jobs, target.url)
  await interrupt(flow, jobs, target.url)
  expect(jobs.log).toEqual(['start j1'])
  jobs.isDone = true
  const { streams } = await runPipeline(flow, { database: target.url, full: true })
  expect(streams.rows).toMatchObject({ status: 'done', warnings: [] })
  await runPipeline(flow, { database: target.url, full: true })
  expect(jobs.log).toEqual(['start j1', 'cancel /jobs/j1', 'start j2', 'start j3'])
})

test('a job that is done is not ended, although its results were not read to their end', async () => {
  const jobs = new Jobs()
  jobs.isDone = true
  let fails = true
  await using api = await apiServer((request) => {
    if (!request.path.startsWith('/files/') || !fails) return jobs.answer(request)
    const rows = Array.from({ length: 5_000 }, (_, id) => `{"id":${id},"at":"2026-01-01T00:00:00Z"}\n`).join('')
    return { headers: { 'content-type': 'application/x-ndjson' }, body: rows, breakOff: 150_000 }
  })
  await using target = await testDatabase()
  const flow = flowOf(api.origin)
  const { streams } = await runPipeline(flow, { database: target.url, batch: { rows: 50 } })
  expect(streams.rows.status).toBe('failed')
  expect(streams.rows.counts.inserted).toBeGreaterThan(0)
  fails = false
  await runPipeline(flow, { database: target.url, full: true })
  expect(jobs.log).toEqual(['start j1', 'start j2'])
})

test('a changed definition ends the job if its request is the same, and tells it otherwise', async () => {
  const jobs = new Jobs()
  await using api = await apiServer(jobs.answer)
  await using target = await testDatabase()
  await interrupt(flowOf(api.origin), jobs, target.url)
  await interrupt(flowOf(api.origin, { what: 'returns' }), jobs, target.url)
  expect(jobs.log).toEqual(['start j1', 'cancel /jobs/j1', 'start j2'])
  jobs.isDone = true
  // Another API may have another job of this id.
  const client = http(`${api.origin}/v2`)
  const moved = flowOf(api.origin, { what: 'all', cancel: (id) => client.delete(path`/jobs/${id}`) })
  const { streams } = await runPipeline(moved, { database: target.url })
  expect(streams.rows).toMatchObject({
    status: 'done',
    warnings: [
      expect.stringContaining('the job j2, whose results nobody reads any more, may still run: the definition'),
    ],
  })
  expect(jobs.cancelled).toEqual(['cancel /jobs/j1'])
})

test.each<[string, ApiAnswer, string]>([
  ['fails', { status: 403, json: {} }, 'may still run, because `cancel` failed: DELETE /jobs/j1 answered 403'],
  ['hangs', { hang: true }, 'may still run, because `cancel` failed: no answer within 5 seconds'],
])('a cancel that %s is told, and the run goes on', async (_, answer, warning) => {
  const jobs = new Jobs()
  await using api = await apiServer(jobs.answer)
  await using target = await testDatabase()
  await interrupt(flowOf(api.origin), jobs, target.url)
  jobs.isDone = true
  jobs.cancel = () => answer
  const { streams } = await runPipeline(flowOf(api.origin), { database: target.url, full: true })
  expect(streams.rows).toMatchObject({ status: 'done', warnings: [expect.stringContaining(warning)] })
  expect(jobs.log).toEqual(['start j1', 'cancel /jobs/j1', 'start j2'])
})

test('a job that another stream waits for is not ended', async () => {
  const jobs = new Jobs()
  jobs.nextId = () => 'common'
  await using api = await apiServer(jobs.answer)
  await using target = await testDatabase()
  const streams = {
    rows: rowsOf(api.origin).into('t.rows', { key: 'id' }),
    others: rowsOf(api.origin).into('t.others', { key: 'id' }),
  }
  const both = pipeline('p', { streams })
  let polls = 0
  const stop = new AbortController()
  const marked = async (): Promise<number> => {
    const sql = `select count(*)::int as n from sluice.slices where position::text like '%common%'`
    return (await target.database.one<{ n: number }>(sql)).n
  }
  jobs.onPoll = () => {
    polls += 1
    if (polls % 20 === 0) void marked().then((n) => n === 2 && stop.abort())
  }
  await runPipeline(both, { database: target.url, signal: stop.signal }).catch(() => {})
  expect(await marked()).toBe(2)
  jobs.isDone = true
  await runPipeline(pipeline('p', { streams: { rows: streams.rows } }), { database: target.url, full: true })
  expect(jobs.cancelled).toEqual([])
})

test('the run after a reset of the cursor ends the job of the slice that was closed, and no two runs do', async () => {
  const jobs = new Jobs()
  await using api = await apiServer(jobs.answer)
  await using target = await testDatabase()
  const name = { pipeline: 'p', stream: 'rows' }
  await interrupt(flowOf(api.origin), jobs, target.url)
  await changeCursor(target.database, name, {})
  expect(jobs.cancelled).toEqual([])
  jobs.isDone = true
  await runPipeline(flowOf(api.origin), { database: target.url })
  await runPipeline(flowOf(api.origin), { database: target.url })
  expect(jobs.log).toEqual(['start j1', 'cancel /jobs/j1', 'start j2', 'start j3'])
  jobs.isDone = false
  await interrupt(flowOf(api.origin), jobs, target.url)
  await changeCursor(target.database, name, {})
  const { signal } = new AbortController()
  const taken = await Promise.all(Array.from({ length: 4 }, () => takeGivenUp(target.database, name, signal)))
  expect(taken.flat()).toMatchObject([{ position: { job: { id: 'j4' } } }])
})

test('all jobs of steps that were read side by side are ended', async () => {
  const jobs = new Jobs()
  await using api = await apiServer(jobs.answer)
  await using target = await testDatabase()
  const flow = flowOf(api.origin, { step: '10d' })
  await interrupt(flow, jobs, target.url, 2)
  jobs.isDone = true
  const { streams } = await runPipeline(flow, { database: target.url, full: true })
  expect(streams.rows.status).toBe('done')
  expect(jobs.cancelled.toSorted()).toEqual(['cancel /jobs/j1', 'cancel /jobs/j2'])
})
