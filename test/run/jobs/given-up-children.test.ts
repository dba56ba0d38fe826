// Jobs of children that a run gives up: the request that ends one is known only with its parent, which is read again.
import { expect, jest, test } from '@jest/globals'
import { http, inBatches, onePage, path, pipeline, type HttpApi, type Path, type Pipeline } from '../../../src/index.ts'
import { sleep } from '../../../src/flow/signals/sleep.ts'
import { changeCursor } from '../../../src/run/change-cursor.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { apiServer, type ApiAnswer, type ApiRequest } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'

jest.setTimeout(60_000)

interface Named {
  readonly id: number
  readonly name: string
}
const named = (...ids: number[]): Named[] => ids.map((id) => ({ id, name: `n${id}` }))

/** Orgs with shops; each shop exports by jobs. It logs the jobs that begin and end, in their order. */
class Shops {
  readonly log: string[] = []
  orgs: readonly Named[] = named(1, 2)
  shops: (org: string) => readonly Named[] = (org) => named(Number(`${org}1`), Number(`${org}2`))
  stateOf: (id: string) => string = () => 'done'
  onPoll: (id: string) => void = () => {}
  #ids = 0

  answer = ({ method, path: asked }: ApiRequest): ApiAnswer => {
    const [, kind, of = '', , id = ''] = asked.split('/')
    if (method === 'POST') {
      const started = `j${(this.#ids += 1)}`
      this.log.push(`start ${started} of ${of}`)
      return { json: { id: started } }
    }
    if (method === 'DELETE') {
      this.log.push(`cancel ${id} of ${of}`)
      return { status: 204 }
    }
    if (kind === 'files') return { headers: { 'content-type': 'application/x-ndjson' }, body: `{"id":"${of}"}\n` }
    if (kind === 'orgs') return { json: of === '' ? this.orgs : this.shops(of) }
    this.onPoll(id)
    return { json: { state: this.stateOf(id), url: `/files/${id}` } }
  }

  get cancelled(): string[] {
    return this.log.filter((line) => line.startsWith('cancel'))
  }
}

const listOf = (api: HttpApi, place: Path) => api.get<Named[]>(place).pages(onePage()).records()

type CancelPath = (shop: number | string, id: string) => Path
const ownPath: CancelPath = (shop, id) => path`/shops/${shop}/jobs/${id}`

const exportOf = (api: HttpApi, shop: number | string, cancelPath = ownPath) =>
  api
    .post<{ id: string }>(path`/shops/${shop}/jobs`)
    .job({
      id: 'id',
      poll: (id) => api.get<{ state: string; url: string }>(path`/shops/${shop}/jobs/${id}`),
      state: 'state',
      done: 'done',
      failed: 'failed',
      retries: 0,
      cancel: (id) => api.delete(cancelPath(shop, id)),
      every: '1ms',
      maxEvery: '5ms',
    })
    .download<{ id: string }>('url')

const apiOf = (origin: string): HttpApi => http(origin, { attempts: 1 })
type Flow = (origin: string, cancelPath?: CancelPath) => Pipeline
/** Exports of the orgs themselves: one level of parents. */
const oneLevel: Flow = (origin, cancelPath) => {
  const api = apiOf(origin)
  const rows = listOf(api, '/orgs').flatMap((org) => exportOf(api, org.id, cancelPath))
  return pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
}
const appended: Flow = (origin) => {
  const api = apiOf(origin)
  const rows = listOf(api, '/orgs').flatMap((org) => exportOf(api, org.id))
  return pipeline('p', { streams: { rows: rows.into('t.rows', { write: 'append' }) } })
}
const inChain: Flow = (origin) => {
  const api = apiOf(origin)
  const rows = listOf(api, '/orgs')
    .flatMap((org) => listOf(api, path`/orgs/${org.id}/shops`))
    .map((shop) => ({ ...shop, name: shop.name.toUpperCase() }))
    .flatMap((shop) => exportOf(api, shop.id))
  return pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
}
const nested: Flow = (origin) => {
  const api = apiOf(origin)
  const rows = listOf(api, '/orgs').flatMap((org) =>
    listOf(api, path`/orgs/${org.id}/shops`).flatMap((shop) => exportOf(api, shop.id)),
  )
  return pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
}
const batched: Flow = (origin) => {
  const api = apiOf(origin)
  const rows = listOf(api, '/orgs')
    .flatMap((org) => listOf(api, path`/orgs/${org.id}/shops`))
    .flatMap(inBatches(1, ([shop]) => exportOf(api, shop!.id)))
  return pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
}
/** The same as `oneLevel`, in other words. */
const renamed: Flow = (origin, cancelPath) => {
  const client = apiOf(origin)
  const rows = listOf(client, '/orgs').flatMap((one) => exportOf(client, one.id, cancelPath))
  return pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
}
/** The parents are the records of a job. */
const ofJobs: Flow = (origin) => {
  const api = apiOf(origin)
  const rows = exportOf(api, 7).flatMap((row) => exportOf(api, `1${row.id}`))
  return pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
}

/** Runs a pipeline until a job runs, which is stored then. */
async function interrupt(flow: Pipeline, shops: Shops, database: string, running: string): Promise<void> {
  const stop = new AbortController()
  shops.stateOf = (id) => (id === running ? 'running' : 'done')
  shops.onPoll = (id) => {
    if (id === running) stop.abort()
  }
  await runPipeline(flow, { database, signal: stop.signal }).catch(() => {})
  expect(stop.signal.aborted).toBe(true)
  shops.onPoll = () => {}
  shops.stateOf = () => 'done'
}

test.each<[string, Flow, string, string]>([
  ['of a list', oneLevel, 'j2', '2'],
  ['of children of a list', inChain, 'j3', '21'],
  ['of children in children', nested, 'j4', '22'],
  ['of a batch of children', batched, 'j3', '21'],
  ['of the records of a job', ofJobs, 'j2', '1j1'],
])('--full ends the job of a child %s, once, before it starts another', async (_, flowOf, running, shop) => {
  const shops = new Shops()
  await using api = await apiServer(shops.answer)
  await using target = await testDatabase()
  const flow = flowOf(api.origin)
  await interrupt(flow, shops, target.url, running)
  const before = shops.log.length
  // Reading on gives up nothing.
  await interrupt(flow, shops, target.url, running)
  expect(shops.log).toHaveLength(before)
  const { streams } = await runPipeline(flow, { database: target.url, full: true })
  expect(streams['rows']).toMatchObject({ status: 'done', warnings: [] })
  expect(shops.log.slice(before, before + 1)).toEqual([`cancel ${running} of ${shop}`])
  await runPipeline(flow, { database: target.url, full: true })
  expect(shops.cancelled).toHaveLength(1)
})

test('a parent that is read again to end a job starts no other job ahead of it', async () => {
  const shops = new Shops()
  await using api = await apiServer(shops.answer)
  await using target = await testDatabase()
  const client = apiOf(api.origin)
  const rows = listOf(client, '/orgs')
    .flatMap((org) => exportOf(client, org.id), { concurrency: 2 })
    .flatMap((row) => exportOf(client, `1${row.id}`), { concurrency: 2 })
  const flow = pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
  await interrupt(flow, shops, target.url, 'j3')
  const before = shops.log.length
  await runPipeline(flow, { database: target.url, full: true })
  expect(shops.log[before]).toMatch(/^cancel j3 of 1j[12]$/)
})

test.each<[string, Flow]>([
  ['is read again', oneLevel],
  ['begins the slice anew', appended],
])('a page of parents that has changed, and %s, ends the job of its child', async (_, flowOf) => {
  const shops = new Shops()
  await using api = await apiServer(shops.answer)
  await using target = await testDatabase()
  const flow = flowOf(api.origin)
  await interrupt(flow, shops, target.url, 'j2')
  shops.orgs = [...named(1), { id: 2, name: 'renamed' }]
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams['rows']?.status).toBe('done')
  expect(shops.log.slice(2)).toEqual(['cancel j2 of 2', 'start j3 of 1', 'start j4 of 2'])
})

test('a parent that is gone leaves its job running, which is told', async () => {
  const shops = new Shops()
  await using api = await apiServer(shops.answer)
  await using target = await testDatabase()
  await interrupt(oneLevel(api.origin), shops, target.url, 'j2')
  shops.orgs = named(1)
  const { streams } = await runPipeline(oneLevel(api.origin), { database: target.url })
  expect(streams['rows']).toMatchObject({
    status: 'done',
    warnings: [
      'the job j2, whose results nobody reads any more, may still run: its parent has changed, and no record on the ' +
        'page has the `cancel` that would end it',
    ],
  })
  expect(shops.cancelled).toEqual([])
})

test('a changed definition ends the job of a child if its request is the same, and tells it otherwise', async () => {
  const shops = new Shops()
  await using api = await apiServer(shops.answer)
  await using target = await testDatabase()
  await interrupt(oneLevel(api.origin), shops, target.url, 'j2')
  await interrupt(renamed(api.origin), shops, target.url, 'j4')
  expect(shops.log.slice(2)).toEqual(['cancel j2 of 2', 'start j3 of 1', 'start j4 of 2'])
  const { streams } = await runPipeline(
    oneLevel(api.origin, (shop, id) => path`/others/${shop}/jobs/${id}`),
    { database: target.url },
  )
  expect(streams['rows']).toMatchObject({
    status: 'done',
    warnings: [
      expect.stringContaining('the job j4, whose results nobody reads any more, may still run: the definition'),
    ],
  })
  expect(shops.cancelled).toHaveLength(1)
})

test('the run after a reset of the cursor ends the job of a child, or says why it could not', async () => {
  const shops = new Shops()
  let isDown = false
  await using api = await apiServer((request) => (isDown ? { status: 503 } : shops.answer(request)))
  await using target = await testDatabase()
  const flow = oneLevel(api.origin)
  await interrupt(flow, shops, target.url, 'j2')
  await changeCursor(target.database, { pipeline: 'p', stream: 'rows' }, {})
  await interrupt(flow, shops, target.url, 'j4')
  expect(shops.log.slice(2)).toEqual(['cancel j2 of 2', 'start j3 of 1', 'start j4 of 2'])
  isDown = true
  const { streams } = await runPipeline(flow, { database: target.url, full: true })
  expect(streams['rows']).toMatchObject({
    status: 'failed',
    warnings: [
      expect.stringMatching(
        /^the job j4, whose results nobody .* may still run, because its parent could not be read again: GET/,
      ),
    ],
  })
})

test.each([
  ['fails', 'failed'],
  ['is stopped', 'interrupted'],
])('jobs that were started ahead end if the stream %s: no run would know them', async (_, status) => {
  const shops = new Shops()
  shops.orgs = named(1, 2, 3)
  await using api = await apiServer(shops.answer)
  await using target = await testDatabase()
  const client = apiOf(api.origin)
  const rows = listOf(client, '/orgs').flatMap((org) => exportOf(client, org.id), { concurrency: 3 })
  const flow = pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
  const stop = new AbortController()
  const first = (): string => /start (\S+) of 1/.exec(shops.log.join('\n'))![1]!
  const areAllStarted = (): boolean => shops.log.length === 3
  shops.stateOf = () => (areAllStarted() && status === 'failed' ? 'failed' : 'running')
  shops.onPoll = () => {
    if (areAllStarted() && status === 'interrupted') stop.abort(new Error('enough'))
  }
  const report = await runPipeline(flow, { database: target.url, signal: stop.signal })
  expect(report.streams.rows).toMatchObject({ status, warnings: [] })
  expect(shops.cancelled.map((line) => line.slice(-1)).toSorted()).toEqual(['2', '3'])
  expect(shops.cancelled.join()).not.toContain(first())
})

test('rows() that ends early ends the job of a child', async () => {
  const shops = new Shops()
  shops.stateOf = () => 'running'
  await using api = await apiServer(shops.answer)
  const client = apiOf(api.origin)
  const rows = listOf(client, '/orgs').flatMap((org) => exportOf(client, org.id))
  const stop = new AbortController()
  shops.onPoll = () => stop.abort(new Error('enough'))
  const reading = (async () => {
    for await (const _ of rows.into('t.rows', { key: 'id' }).rows({ signal: stop.signal })) break
  })()
  await expect(reading).rejects.toThrow('enough')
  await jobsEnd(shops)
  expect(shops.log).toEqual(['start j1 of 1', 'cancel j1 of 1'])
})

/** The request is not awaited by a reader that was aborted. */
async function jobsEnd(shops: Shops): Promise<void> {
  for (let waited = 0; waited < 10_000 && shops.cancelled.length === 0; waited += 20) await sleep(20)
}
