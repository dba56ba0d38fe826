// Conditional requests: 304 says that nothing has changed since the last reading, and the table stays as it is.
import { expect, jest, test } from '@jest/globals'
import { byPage, describePipeline, http, onePage, pipeline } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer, type ApiAnswer, type ApiRequest, type ApiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

jest.setTimeout(60_000)

interface Rate {
  id: number
  value: number
}

/** A list with a version, as its ETag or its Last-Modified. */
class Snapshot {
  rates: Rate[] = [1, 2, 3].map((id) => ({ id, value: id * 10 }))
  version = 1
  isBroken = false
  readonly validator: 'etag' | 'last-modified' | 'none'

  constructor(validator: Snapshot['validator']) {
    this.validator = validator
  }

  answer({ headers }: ApiRequest): ApiAnswer {
    if (this.isBroken) return { status: 500, json: {} }
    const etag = `"v${this.version}"`
    const modified = new Date(Date.UTC(2024, 0, this.version)).toUTCString()
    if (headers['if-none-match'] === etag || headers['if-modified-since'] === modified) return { status: 304 }
    const validators = { etag: { etag }, 'last-modified': { 'last-modified': modified }, none: {} }
    return { json: this.rates, headers: validators[this.validator] }
  }
}

const ratesOf = ({ origin }: ApiServer) =>
  http(origin, { attempts: 1 }).get<Rate[]>('/rates').pages(onePage(), { ifChanged: true }).records()
const stored = ({ database }: TestDatabase): Promise<Rate[]> =>
  database.query<Rate>('select id::int, value::int from t.rates order by id, value')

test.each([
  ['merge', 'etag', [1, 2, 3, 4]],
  ['replace', 'etag', [2, 3, 4]],
  ['replace', 'last-modified', [2, 3, 4]],
  ['append', 'etag', [1, 2, 2, 3, 3, 4]],
] as const)(
  '%s with %s reads a list that has not changed by one short response, and keeps the rows',
  async (write, by, ids) => {
    const snapshot = new Snapshot(by)
    await using api = await apiServer((request) => snapshot.answer(request))
    await using target = await testDatabase()
    const records = ratesOf(api)
    const rates =
      write === 'append' ? records.into('t.rates', { write }) : records.into('t.rates', { key: 'id', write })
    const flow = pipeline('p', { streams: { rates } })
    const first = await runPipeline(flow, { database: target.url })
    expect(first.streams.rates).toMatchObject({ status: 'done', counts: { fetched: 3, inserted: 3 } })
    const second = await runPipeline(flow, { database: target.url })
    expect(second.streams.rates).toMatchObject({
      status: 'done',
      counts: { fetched: 0, inserted: 0 },
      completeness: { grade: 'ended' },
    })
    expect(await stored(target)).toEqual(snapshot.rates)
    expect(
      await target.database.query(`select relname from pg_class where relname like 'shadow_%' and relkind = 'r'`),
    ).toEqual([])
    snapshot.rates = [...snapshot.rates.slice(1), { id: 4, value: 40 }]
    snapshot.version += 1
    const third = await runPipeline(flow, { database: target.url })
    expect(third.streams.rates.counts.fetched).toBe(3)
    expect((await stored(target)).map(({ id }) => id)).toEqual(ids)
    const full = await runPipeline(flow, { database: target.url, full: true })
    expect(full.streams.rates.counts.fetched).toBe(3)
  },
)

test('a reading that fails keeps the validators of the one before', async () => {
  const snapshot = new Snapshot('etag')
  await using api = await apiServer((request) => snapshot.answer(request))
  await using target = await testDatabase()
  const flow = pipeline('p', { streams: { rates: ratesOf(api).into('t.rates', { key: 'id' }) } })
  await runPipeline(flow, { database: target.url })
  snapshot.version += 1
  snapshot.isBroken = true
  expect((await runPipeline(flow, { database: target.url })).streams.rates.status).toBe('failed')
  snapshot.isBroken = false
  snapshot.rates.push({ id: 4, value: 40 })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.rates.counts).toMatchObject({ fetched: 4, inserted: 1 })
})

test('an API without validators is read whole each time', async () => {
  const snapshot = new Snapshot('none')
  await using api = await apiServer((request) => snapshot.answer(request))
  await using target = await testDatabase()
  const rates = ratesOf(api).into('t.rates', { key: 'id', write: 'replace' })
  const flow = pipeline('p', { streams: { rates } })
  await runPipeline(flow, { database: target.url })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.rates.counts.fetched).toBe(3)
  expect(describePipeline(flow)).toContain('ETag and Last-Modified of the last reading')
})

test('a 304 that nothing asked for is a failure', async () => {
  await using api = await apiServer(() => ({ status: 304 }))
  await using target = await testDatabase()
  const rates = ratesOf(api).into('t.rates', { key: 'id', write: 'replace' })
  const { streams } = await runPipeline(pipeline('p', { streams: { rates } }), { database: target.url })
  expect(streams.rates.status).toBe('failed')
})

test('more pages than one are refused', () => {
  const endpoint = http('http://localhost').get<Rate[]>('/rates')
  expect(() => endpoint.pages(byPage('page'), { ifChanged: true })).toThrow('ifChanged is for a list of one page')
  expect(() => endpoint.pages(onePage(), { ifChanged: true, delta: { at: () => 'x' } })).toThrow(
    'delta and ifChanged are both the cursor',
  )
})
