import { expect, jest, test } from '@jest/globals'
import { backfill, byOffset, byPage, bySince, http, path, pipeline, since, until, onePage } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer, type ApiRequest, type ApiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

// Others may use the machine at the same time.
jest.setTimeout(60_000)

interface Row {
  id: number
  updated_at: string
}
interface Listing {
  items: Row[]
  total: number
}
const minute = (count: number): string => new Date(Date.UTC(2024, 0, 1) + count * 60_000).toISOString()
const rows = (count: number, atOf = minute): Row[] =>
  Array.from({ length: count }, (_, id) => ({ id, updated_at: atOf(id) }))

/** Ten records of a list, from `since` on. No more than 50 of a query can be read, as in a search engine. */
function windowOf(list: readonly Row[], { query }: ApiRequest): { status?: number; json: unknown } {
  const offset = Number(query.get('offset') ?? 0)
  if (offset >= 50) return { status: 400, json: { error: 'from + size must be less than or equal to 50' } }
  const [from, to] = [Date.parse(query.get('since') ?? minute(0)), Date.parse(query.get('until') ?? '2050-01-01')]
  const found = list.filter(({ updated_at: at }) => Date.parse(at) >= from && Date.parse(at) < to)
  return { json: { items: found.slice(offset, offset + 10), total: found.length } }
}
const listOf = ({ origin }: ApiServer, paging = bySince<Listing>(byOffset('offset', { total: 'total' }))) =>
  http(origin, { attempts: 1 }).get<Listing>('/window', { since, until }).pages(paging).records('items')
const idsOf = async ({ database }: TestDatabase, table: string): Promise<number[]> =>
  (await database.query<{ id: number }>(`select id::int from t.${table} order by id, 1`)).map(({ id }) => id)
const all = (count: number): number[] => rows(count).map(({ id }) => id)

test('a list that is longer than the window of its API is merged whole, and later runs read what is new', async () => {
  const list = rows(130)
  await using api = await apiServer((request) => windowOf(list, request))
  await using target = await testDatabase()
  const flow = pipeline('p', { streams: { rows: listOf(api).incremental('updated_at').into('t.rows', { key: 'id' }) } })
  const first = await runPipeline(flow, { database: target.url })
  expect(first).toMatchObject({
    status: 'done',
    streams: {
      rows: {
        counts: { fetched: 130, inserted: 130 },
        cursor: minute(129),
        completeness: { grade: 'counted', reasons: [] },
      },
    },
  })
  list.push(...rows(140).slice(130))
  const second = await runPipeline(flow, { database: target.url })
  expect(second.streams.rows.counts).toMatchObject({ fetched: 12, inserted: 10, unchanged: 2 })
  expect(await idsOf(target, 'rows')).toEqual(all(140))
})

test('a list that changes while it is read loses no row, in every write mode', async () => {
  const lists = new Map<string, Row[]>()
  await using api = await apiServer((request) => {
    const name = request.headers['x-list'] as string
    const list = lists.get(name) ?? rows(130, (id) => minute(Math.floor(id / 4)))
    const answer = windowOf(list, request)
    // After each page the fifth record is touched, which moves it to the end; one is inserted, and the third one goes.
    const [third, , fifth] = list.splice(2, 3)
    const end = 10_000 + request.index
    if (request.index < 60 && third && fifth)
      list.push({ ...fifth, updated_at: minute(end) }, { id: 1_000 + request.index, updated_at: minute(end) })
    else if (third && fifth) list.splice(2, 0, third, fifth)
    lists.set(name, list)
    return answer
  })
  await using target = await testDatabase()
  const stream = (name: string) =>
    http(api.origin, { headers: { 'x-list': name } })
      .get<Listing>('/window', { since })
      .pages(bySince(byOffset('offset'), { field: 'updated_at' }))
      .records('items')
  const flow = pipeline('p', {
    streams: {
      merged: stream('merged').incremental('updated_at').into('t.merged', { key: 'id' }),
      appended: stream('appended').incremental('updated_at').into('t.appended', { write: 'append' }),
      replaced: stream('replaced').into('t.replaced', { key: 'id', write: 'replace' }),
    },
  })
  const report = await runPipeline(flow, { database: target.url })
  expect(Object.values(report.streams).flatMap(({ error }) => error ?? [])).toEqual([])
  for (const name of ['merged', 'appended', 'replaced']) {
    const stored = new Set(await idsOf(target, name))
    const missing = (lists.get(name) ?? []).filter(({ id }) => id < 130 && !stored.has(id))
    expect({ name, missing }).toEqual({ name, missing: [] })
  }
  const doubled = 'select id, updated_at from t.appended group by id, updated_at having count(*) > 1'
  expect(await target.database.query(doubled)).toEqual([])
})

test('append without a key stores the records of a border and of the cursor once, over runs and an error', async () => {
  const list = rows(64, (id) => minute(Math.floor(id / 16)))
  let failing = true
  await using api = await apiServer((request) =>
    failing && request.index === 5 ? { status: 500 } : windowOf(list, request),
  )
  await using target = await testDatabase()
  const flow = pipeline('p', {
    streams: { rows: listOf(api).incremental('updated_at').into('t.rows', { write: 'append' }) },
  })
  expect((await runPipeline(flow, { database: target.url })).status).toBe('failed')
  failing = false
  const second = await runPipeline(flow, { database: target.url })
  expect(second.streams.rows).toMatchObject({ status: 'done', completeness: { grade: 'ended' } })
  expect(await idsOf(target, 'rows')).toEqual(all(64))
  list.push({ id: 64, updated_at: minute(3) }, { id: 65, updated_at: minute(4) })
  const third = await runPipeline(flow, { database: target.url })
  expect(third.streams.rows.counts).toMatchObject({ inserted: 2, duplicate: 16 })
  expect(await idsOf(target, 'rows')).toEqual(all(66))
})

test('children are read by bySince, each by itself, and a backfill reads its windows', async () => {
  const list = rows(40, (id) => minute(id * 60))
  await using api = await apiServer((request) =>
    request.path === '/parents' ? { json: [{ id: 1 }, { id: 2 }] } : windowOf(list, request),
  )
  await using target = await testDatabase()
  const source = http(api.origin)
  const children = source
    .get<{ id: number }[]>('/parents')
    .pages(onePage())
    .records()
    .flatMap(({ id }) =>
      source
        .get<Listing>(path`/parents/${id}/rows`, { since })
        .pages(bySince())
        .records('items')
        .incremental('updated_at')
        .map((row) => ({ ...row, parent: id })),
    )
  const flow = pipeline('p', {
    streams: {
      children: children.into('t.children', { key: ['parent', 'id'] }),
      windows: listOf(api, bySince(byPage('page')))
        .incremental('updated_at')
        .into('t.windows', { key: 'id' }),
    },
  })
  const { streams } = await runPipeline(flow, { database: target.url, streams: ['children'] })
  expect(streams.children).toMatchObject({ counts: { parents: 2, inserted: 80 }, completeness: { grade: 'ended' } })
  await backfill(flow, {
    stream: 'windows',
    from: minute(5 * 60),
    to: minute(35 * 60),
    window: '10h',
    database: target.url,
  })
  expect(await idsOf(target, 'windows')).toEqual(all(35).slice(5))
})

test('a child by bySince without a cursor fails the stream with the remedy', async () => {
  await using api = await apiServer(() => ({ json: [{ id: 1 }] }))
  await using target = await testDatabase()
  const source = http(api.origin)
  const list = source.get<{ id: number }[]>('/list', { since })
  const flow = pipeline('p', {
    streams: {
      rows: list
        .pages(onePage())
        .records()
        .flatMap(() => list.pages(bySince()).records())
        .into('t.rows', { key: 'id' }),
    },
  })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.rows.error).toContain('bySince() needs the field that the list is ordered by')
})
