// Jobs of an API without a ledger: how they are started, polled and read, and what ends them.
import { expect, test } from '@jest/globals'
import { bearer, byCursor, csv, http, inHeader, ndjson, path, secret } from '../../../src/index.ts'
import { JobError, ResultsLostError } from '../../../src/model/errors.ts'
import type { RunEvent } from '../../../src/model/event.ts'
import type { Page } from '../../../src/model/page.ts'
import { apiServer } from '../../support/api-server.ts'
import { readPages, recordsOf } from '../read-pages.ts'
import { Exporter, idsOf, jobOf, kept, linesOf, quick, upTo, type Polled, type Started } from './exporter.ts'

test('a job is started once and polled until it is done, and its file is read', async () => {
  const exporter = new Exporter()
  await using api = await apiServer(exporter.answer)
  const pages = await readPages(jobOf(api.origin, { count: 'count' }).download<{ id: number }>('url'), { key: ['id'] })
  expect(recordsOf(pages)).toEqual(upTo(5))
  expect(pages.at(-1)).toMatchObject({ completeness: { grade: 'counted' } })
  expect(pages[0]).toMatchObject({
    records: [],
    onStored: expect.any(Function),
    position: { job: { id: 'j1', starts: 1 } },
  })
  expect(api.requests.map(({ method, path: asked }) => `${method} ${asked}`)).toEqual([
    'POST /jobs',
    'GET /jobs/j1',
    'GET /jobs/j1',
    'GET /jobs/j1',
    'GET /files/1',
  ])
})

test('a stored job is polled again and not started, and its results are read on behind the last record', async () => {
  const exporter = new Exporter()
  exporter.records = 300
  await using api = await apiServer(exporter.answer)
  const small = http(api.origin, { maxPageSize: 500, auth: bearer(secret('TOKEN')) })
  const flow = small
    .post<Started>('/jobs')
    .job({ id: 'id', poll: (id) => small.get<Polled>(path`/jobs/${id}`), state: 'state', done: 'done', ...quick })
    .download<{ id: number }>('url', { format: ndjson() })
  const whole = await readPages(flow)
  expect(whole.length).toBeGreaterThan(6)
  for (const stop of [1, 2, 4, whole.length - 1]) {
    const before = exporter.starts.length
    const stopped = await readPages(flow, { pages: stop, id: '1' })
    const rest = await readPages(flow, { position: kept(stopped.at(-1)?.position), id: '1', restart: 'slice' })
    expect(idsOf([...recordsOf(stopped), ...recordsOf(rest)])).toEqual(idsOf(upTo(300)))
    expect(exporter.starts).toHaveLength(before + 1)
  }
})

test('the results may be pages of their own, whose cursor is in a header', async () => {
  await using api = await apiServer(({ path: asked, query }) => {
    if (asked === '/jobs') return { json: { id: '750A' } }
    if (asked === '/jobs/750A') return { json: { state: 'JobComplete', numberRecordsProcessed: 5 } }
    const from = Number(query.get('locator') ?? 0)
    const next = from + 2 < 5 ? String(from + 2) : 'null'
    const rows = Array.from({ length: Math.min(2, 5 - from) }, (_, n) => `${from + n}\n`).join('')
    return { headers: { 'content-type': 'text/csv', 'sforce-locator': next }, body: `Id\n${rows}` }
  })
  const client = http(api.origin)
  const paged = client
    .post<Started>('/jobs')
    .job({
      id: 'id',
      poll: (id) => client.get<{ state: string; numberRecordsProcessed: number }>(path`/jobs/${id}`),
      state: 'state',
      done: 'JobComplete',
      count: 'numberRecordsProcessed',
      ...quick,
    })
    .results((_, id) =>
      client
        .get<{ Id: string }[]>(path`/jobs/${id}/results`, {}, { format: csv() })
        .pages(byCursor('locator', inHeader('sforce-locator')))
        .records(),
    )
  const whole = await readPages(paged, { key: ['Id'] })
  expect(recordsOf(whole).map((record) => (record as { Id: string }).Id)).toEqual(['0', '1', '2', '3', '4'])
})

test('null instead of a URL ends a job that is done, and means nothing while it runs', async () => {
  const exporter = new Exporter()
  exporter.polled = (polls) => ({ state: polls < 4 ? 'running' : 'done', url: null, count: 0 })
  await using api = await apiServer(exporter.answer)
  const pages = await readPages(jobOf(api.origin, { count: 'count' }).download('url'))
  expect(recordsOf(pages)).toEqual([])
  expect(exporter.polls).toBe(4)
  expect(pages.at(-1)).toMatchObject({ position: { end: true }, completeness: { grade: 'counted' } })
  exporter.polled = () => ({ state: 'done', url: null, count: 7 })
  const missing = await readPages(jobOf(api.origin, { count: 'count' }).download('url'))
  expect(missing.at(-1)?.completeness).toMatchObject({
    grade: 'open',
    reasons: [expect.stringContaining("0 records came, but 'count' states 7")],
  })
  exporter.polled = () => ({ state: 'done' })
  await expect(readPages(jobOf(api.origin).download('url'))).rejects.toThrow(
    "the job j3 of POST /jobs: 'url' is missing, where the URL of the results should be",
  )
  exporter.polled = () => ({ state: 'nothing' })
  const empty = await readPages(jobOf(api.origin, { count: 'count' }).download('url'))
  expect(empty.at(-1)?.completeness?.grade).toBe('ended')
})

test('all files of a list are read, each once, and a run resumes inside of any', async () => {
  const exporter = new Exporter()
  exporter.answerTo = ({ path: asked }) => {
    if (asked.startsWith('/jobs/'))
      return { json: { state: 'done', files: [{ url: '/files/0' }, { url: '/files/1' }, { url: '/files/2' }] } }
    const file = Number(/^\/files\/(\d)/.exec(asked)?.[1] ?? -1)
    return file < 0
      ? undefined
      : { headers: { 'content-type': 'application/x-ndjson' }, body: linesOf(file * 100, file * 100 + 100) }
  }
  await using api = await apiServer(exporter.answer)
  const small = http(api.origin, { maxPageSize: 500, auth: bearer(secret('TOKEN')) })
  const flow = small
    .post<Started>('/jobs')
    .job({
      id: 'id',
      poll: (id) => small.get<{ state: string; files: { url: string }[] }>(path`/jobs/${id}`),
      state: 'state',
      done: 'done',
      ...quick,
    })
    .download<{ id: number }>('files.url', { concurrency: 2 })
  const whole = await readPages(flow)
  for (let stop = 1; stop < whole.length; stop++) {
    const stopped = await readPages(flow, { pages: stop, id: '1' })
    const rest = await readPages(flow, { position: kept(stopped.at(-1)?.position), id: '1', restart: 'slice' })
    expect(idsOf([...recordsOf(stopped), ...recordsOf(rest)])).toBe(idsOf(upTo(300)))
  }
})

test('a list of files that has become shorter is not read on as if it were whole', async () => {
  let files = 3
  await using api = await apiServer(({ method, path: asked }) => {
    if (method === 'POST') return { json: { id: 'j1' } }
    const urls = Array.from({ length: files }, (_, n) => `/files/${n}`)
    if (asked === '/jobs/j1') return { json: { state: 'done', urls } }
    const from = Number(asked.at(-1)) * 100
    return { headers: { 'content-type': 'application/x-ndjson' }, body: linesOf(from, from + 100) }
  })
  const small = http(api.origin, { maxPageSize: 500, auth: bearer(secret('TOKEN')) })
  const flow = small
    .post<Started>('/jobs')
    .job({
      id: 'id',
      poll: (id) => small.get<{ state: string; urls: string[] }>(path`/jobs/${id}`),
      state: 'state',
      done: 'done',
      ...quick,
    })
    .download<{ id: number }>('urls')
  const stopped = await readPages(flow, { pages: 2, id: '1' })
  files = 1
  const position = kept(stopped.at(-1)?.position)
  for (const restart of ['slice', 'page'] as const)
    await expect(readPages(flow, { position, id: '1', restart })).rejects.toThrow(ResultsLostError)
})

test('fewer records than the job states leave the reading open', async () => {
  const exporter = new Exporter()
  exporter.polled = () => ({ state: 'done', url: '/files/1', count: 6 })
  await using api = await apiServer(exporter.answer)
  const pages = await readPages(jobOf(api.origin, { count: 'count' }).download('url'), { key: ['id'] })
  expect(pages.at(-1)?.completeness).toMatchObject({ grade: 'open' })
})

test('a state that is missing fails the stream instead of waiting for ever', async () => {
  const exporter = new Exporter()
  exporter.polled = () => ({}) as Polled
  await using api = await apiServer(exporter.answer)
  await expect(readPages(jobOf(api.origin).download('url'))).rejects.toThrow(
    "GET /jobs/j1: 'state' is missing, where the state of the job should be",
  )
})

test('the API says why it has started no job', async () => {
  const exporter = new Exporter()
  exporter.answerTo = ({ method }) =>
    method === 'POST' ? { json: { id: null, errors: ['already running: t0ken'] } } : undefined
  await using api = await apiServer(exporter.answer)
  await expect(readPages(jobOf(api.origin).download('url'))).rejects.toThrow(
    `POST /jobs has started no job: 'id' holds null, where its id should be. ` +
      'The API answered {"id":null,"errors":["already running: {secret:TOKEN}"]}',
  )
})

test('a job that failed is started again, and the last failure has the words of the API', async () => {
  const exporter = new Exporter()
  exporter.polled = (_, id) =>
    id === 'j1' ? { state: 'failed', message: 'too busy' } : { state: 'done', url: '/files/1' }
  await using api = await apiServer(exporter.answer)
  const warnings: string[] = []
  const emit = (event: RunEvent): void => {
    if (event.type === 'warning') warnings.push(event.message)
  }
  const pages = await readPages(jobOf(api.origin).download('url'), { emit })
  expect(idsOf(recordsOf(pages))).toBe('0 1 2 3 4')
  expect(warnings).toEqual(['the job j1 of POST /jobs is failed: too busy. Another one is started'])
  exporter.polled = () => ({ state: 'aborted', message: 'not allowed.' })
  const read: Page[] = []
  const failed = readPages(jobOf(api.origin).download('url'), { onPage: (page) => read.push(page) })
  await expect(failed).rejects.toThrow('the job j4 of POST /jobs is aborted: not allowed. The next run starts another')
  // The position of the failed job would fail each later run.
  expect(read.at(-1)).toMatchObject({ onStored: expect.any(Function), position: { job: { starts: 2, failures: 0 } } })
  expect(JSON.stringify(read.at(-1)?.position)).not.toContain('j4')
  await expect(readPages(jobOf(api.origin, { retries: 0 }).download('url'))).rejects.toThrow(JobError)
  expect(exporter.starts).toHaveLength(5)
})

test('a URL that expires while its file is read is asked for again, and no record is read twice', async () => {
  const exporter = new Exporter()
  exporter.records = 400
  let signatures = 0
  const used = new Set<string>()
  await using files = await apiServer(({ query }) => {
    const signature = query.get('signature') ?? ''
    if (used.has(signature)) return { status: 403, json: { error: 'expired' } }
    used.add(signature)
    // The connection breaks off, so the same URL is asked for again.
    const breakOff = used.size < 3 ? { breakOff: 2_000 * used.size } : {}
    return { headers: { 'content-type': 'application/x-ndjson' }, body: linesOf(0, 400), ...breakOff }
  })
  exporter.polled = () => ({ state: 'done', url: `${files.origin}/f?signature=${(signatures += 1)}` })
  await using api = await apiServer(exporter.answer)
  const client = http(api.origin, { maxPageSize: 500, allowedOrigins: [files.origin], auth: bearer(secret('TOKEN')) })
  const flow = client
    .post<Started>('/jobs')
    .job({ id: 'id', poll: (id) => client.get<Polled>(path`/jobs/${id}`), state: 'state', done: 'done', ...quick })
    .download<{ id: number }>('url')
  const pages = await readPages(flow, { restart: 'slice' })
  expect(idsOf(recordsOf(pages))).toBe(idsOf(upTo(400)))
  expect(exporter.starts).toHaveLength(1)
  expect(files.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(false)
  // The URL that a page tells, for lineage, has no values of its query.
  expect(JSON.stringify(pages)).not.toMatch(/signature=(?!\*\*\*)/)
})

test('results that are gone before a record was read are exported again, a few times', async () => {
  const exporter = new Exporter()
  exporter.polled = (_, id) => ({ state: 'done', url: `/files/${id}` })
  exporter.answerTo = ({ path: asked }) => (asked === '/files/j1' ? { status: 404, json: {} } : undefined)
  await using api = await apiServer(exporter.answer)
  expect(idsOf(recordsOf(await readPages(jobOf(api.origin).download('url'))))).toBe('0 1 2 3 4')
  expect(exporter.starts).toHaveLength(2)
  exporter.answerTo = ({ path: asked }) => (asked.startsWith('/files/') ? { status: 410, json: {} } : undefined)
  await expect(readPages(jobOf(api.origin).download('url'))).rejects.toThrow('3 times in a row')
  expect(exporter.starts).toHaveLength(5)
  exporter.answerTo = () => undefined
  exporter.polled = (_, id) => (id === 'j6' ? { state: 'expired' } : { state: 'done', url: '/files/1' })
  expect(idsOf(recordsOf(await readPages(jobOf(api.origin).download('url'))))).toBe('0 1 2 3 4')
})

test('a job that its API never knows is not started again: its poll is wrong', async () => {
  const exporter = new Exporter()
  exporter.answerTo = ({ path: asked }) => (asked.startsWith('/jobs/') ? { status: 404, json: {} } : undefined)
  await using api = await apiServer(exporter.answer)
  let hours = 0
  const now = (): Date => new Date(Date.UTC(2026, 0, 1, (hours += 1)))
  await expect(readPages(jobOf(api.origin).download('url'), { now })).rejects.toThrow(
    'the API has not known the job j1 since it was started (GET /jobs/j1 answered 404). Compare `poll`',
  )
  expect(exporter.starts).toHaveLength(1)
})

test('results that are gone after records were read restart the slice, because rows would double', async () => {
  const exporter = new Exporter()
  exporter.records = 300
  await using api = await apiServer(exporter.answer)
  const small = http(api.origin, { maxPageSize: 500, auth: bearer(secret('TOKEN')) })
  const flow = small
    .post<Started>('/jobs')
    .job({
      id: 'id',
      poll: (id) => small.get<Polled>(path`/jobs/${id}`),
      state: 'state',
      done: 'done',
      failed: 'failed',
      expired: 'expired',
      ...quick,
    })
    .download<{ id: number }>('url')
  const stopped = await readPages(flow, { pages: 3, id: '1' })
  const position = kept(stopped.at(-1)?.position)
  for (const state of ['expired', 'failed', 'gone', 'done'] as const) {
    exporter.polled = () => ({ state, url: null })
    const gone = state === 'gone' && { status: 404, json: {} }
    exporter.answerTo = ({ path: asked }) => (gone && asked.startsWith('/jobs/') ? gone : undefined)
    const later = new Date(Date.now() + 3_600_000)
    const resumed = readPages(flow, { position, id: '1', restart: 'page', now: () => later })
    await expect(resumed).rejects.toThrow(ResultsLostError)
  }
  expect(exporter.starts).toHaveLength(1)
})
