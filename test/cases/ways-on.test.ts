// A way to the next page that an earlier run has seen.
import { expect, test } from '@jest/globals'
import { byLinkHeader, http, onePage, path, pipeline, type Pipeline } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer, type ApiHandler } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

interface Row {
  readonly id: number
}

const rows = (count: number, from = 0): Row[] => Array.from({ length: count }, (_, n) => ({ id: from + n }))

/** `size` rows for each shop. As GitHub does, a list of one page has no `Link`. */
const shop =
  (size: () => number): ApiHandler =>
  ({ path: at, query }) => {
    if (at === '/shops') return { json: rows(2) }
    const page = Number(query.get('page') ?? 1)
    const list = rows(size(), Number(/\d+/.exec(at)?.[0]) * 1_000)
    const isLast = page * 10 >= list.length
    const link = isLast ? `<${at}>; rel="first"` : `<${at}?page=${page + 1}>; rel="next"`
    return {
      json: list.slice((page - 1) * 10, page * 10),
      headers: isLast && page === 1 ? {} : { link },
    }
  }

const flow = (origin: string, query: Record<string, string> = {}): Pipeline => {
  const api = http(origin)
  const orders = api
    .get<Row[]>('/shops', query)
    .pages(onePage())
    .records()
    .flatMap(({ id }) =>
      api
        .get<Row[]>(path`/shops/${id}/orders`, { limit: 10 })
        .pages(byLinkHeader())
        .records(),
    )
  return pipeline('shop', { streams: { orders: orders.into('t.orders', { key: 'id' }) } })
}

async function gradeOf(of: Pipeline, { url }: TestDatabase): Promise<string | undefined> {
  return (await runPipeline(of, { database: url })).streams['orders']?.completeness?.grade
}

test('a full page without a link is the end once an earlier run has seen a link there', async () => {
  let size = 10
  await using server = await apiServer(shop(() => size))
  await using test = await testDatabase()
  expect(await gradeOf(flow(server.origin), test)).toBe('open')
  size = 15
  expect(await gradeOf(flow(server.origin), test)).toBe('ended')
  size = 10
  expect(await gradeOf(flow(server.origin), test)).toBe('ended')
  expect(await test.database.query('select pipeline, stream, endpoints from sluice.ways_on')).toEqual([
    { pipeline: 'shop', stream: 'orders', endpoints: ['GET /shops/{}/orders'] },
  ])
  // Another definition may look in another place.
  expect(await gradeOf(flow(server.origin, { state: 'new' }), test)).toBe('open')
})
