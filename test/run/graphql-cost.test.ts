// APIs that count the cost of GraphQL queries in points: a run waits before it is refused, and after it was.
import { expect, jest, test } from '@jest/globals'
import { byRelay, http, onePage, pipeline } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { pointsServer } from '../support/points-server.ts'

jest.setTimeout(60_000)

interface Connection {
  rows: { nodes: { id: number }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } }
}

/** `pages` pages of one row. */
const pagesOf = (pages: number) => (variables: Readonly<Record<string, unknown>>) => {
  const at = Number(variables['after'] ?? 0)
  const hasNextPage = at + 1 < pages
  return { rows: { nodes: [{ id: at }], pageInfo: { hasNextPage, endCursor: hasNextPage ? String(at + 1) : null } } }
}

const rowsOf = (origin: string, { attempts = 1 } = {}) =>
  http(origin, { attempts })
    .graphql<Connection>('query ($after: String) { rows(after: $after) { nodes { id } pageInfo { … } } }')
    .pages(byRelay('rows'))
    .records('rows.nodes')

const flowOf = (name: string, origin: string, options?: { attempts?: number }) =>
  pipeline(name, { streams: { rows: rowsOf(origin, options).into(`t.${name}`, { key: 'id' }) } })

test("Shopify's points: pages wait until the bucket has their cost, and none is refused", async () => {
  await using api = await pointsServer(pagesOf(6), { maximum: 100, restoreRate: 100, requested: 60 })
  await using target = await testDatabase()
  const began = performance.now()
  const { streams } = await runPipeline(flowOf('p', api.origin), { database: target.url })
  expect(streams.rows).toMatchObject({ status: 'done', counts: { inserted: 6 }, requests: 6, retries: 0 })
  expect(api.refused).toBe(0)
  // 360 points: 100 are there, and 100 come each second.
  expect(performance.now() - began).toBeGreaterThan(2_000)
  expect(streams.rows.waitMs).toBeGreaterThan(1_500)
})

test('points that the API gives back are spent, so that a cheap query does not wait for its highest cost', async () => {
  await using api = await pointsServer(pagesOf(8), { maximum: 100, restoreRate: 10, requested: 60, actual: 4 })
  await using target = await testDatabase()
  const began = performance.now()
  const { streams } = await runPipeline(flowOf('p', api.origin), { database: target.url })
  expect(streams.rows.counts.inserted).toBe(8)
  // By the requested costs it would take 38 s.
  expect(performance.now() - began).toBeLessThan(25_000)
})

test('queries that run at once do not spend the same points', async () => {
  await using api = await pointsServer(
    ({ parent }) => ({ rows: parent === undefined ? [1, 2, 3, 4, 5].map((id) => ({ id })) : [{ id: parent }] }),
    { maximum: 200, restoreRate: 100, requested: 60 },
  )
  await using target = await testDatabase()
  const source = http(api.origin, { attempts: 1 })
  const parents = source.graphql<{ rows: { id: number }[] }>('{ rows { id } }').pages(onePage()).records('rows')
  const flow = pipeline('p', {
    streams: {
      rows: parents
        .flatMap(
          ({ id }) =>
            source
              .graphql<{ rows: { id: number }[] }>('query ($parent: Int) { rows { id } }', { parent: id })
              .pages(onePage())
              .records('rows'),
          { concurrency: 5 },
        )
        .into('t.rows', { key: 'id' }),
    },
  })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.rows).toMatchObject({ status: 'done', counts: { inserted: 5 } })
  expect(api.refused).toBe(0)
})

test('a refused query is sent again once the bucket has its cost', async () => {
  await using api = await pointsServer(pagesOf(2), { maximum: 100, restoreRate: 20, requested: 60, available: 0 })
  await using target = await testDatabase()
  const { streams } = await runPipeline(flowOf('p', api.origin, { attempts: 2 }), { database: target.url })
  expect(streams.rows).toMatchObject({ status: 'done', counts: { inserted: 2 }, retries: 1 })
  expect(api.refused).toBe(1)
})

test('a run of another process waits too', async () => {
  const arrived: number[] = []
  const page = pagesOf(1)
  await using api = await pointsServer(
    (variables) => {
      arrived.push(performance.now())
      return page(variables)
    },
    { maximum: 100, restoreRate: 20, requested: 80 },
  )
  await using target = await testDatabase()
  await runPipeline(flowOf('one', api.origin), { database: target.url })
  // It knows of the points by the ledger only.
  const { streams } = await runPipeline(flowOf('two', api.origin), { database: target.url })
  expect(streams.rows).toMatchObject({ status: 'done', retries: 0 })
  expect(api.refused).toBe(0)
  const [first = 0, second = 0] = arrived
  // 60 points are missing.
  expect(second - first).toBeGreaterThan(2_900)
})

test('a query that costs more than the bucket ever holds fails at once, with the remedy', async () => {
  await using api = await pointsServer(pagesOf(1), { maximum: 100, restoreRate: 50, requested: 120 })
  await using target = await testDatabase()
  const { streams } = await runPipeline(flowOf('p', api.origin, { attempts: 3 }), { database: target.url })
  expect(streams.rows.error).toContain('the query costs 120 points, and the API admits 100 at most. Ask for fewer')
  expect(api.requests).toHaveLength(1)
})

/** Points that return at one time, as GitHub counts them. */
const githubServer = (resetAt: () => Date, { points }: { points: number }) => {
  let remaining = points
  let reset = resetAt()
  return apiServer(({ body }) => {
    if (Date.now() >= reset.getTime()) [remaining, reset] = [points, resetAt()]
    const headers = {
      'x-ratelimit-remaining': String(Math.max(0, remaining - 5)),
      'x-ratelimit-reset': String(Math.floor(reset.getTime() / 1_000)),
    }
    if (remaining < 5)
      return { headers, json: { errors: [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded' }] } }
    remaining -= 5
    const { variables } = JSON.parse(body) as { variables: Record<string, unknown> }
    const rateLimit = { cost: 5, remaining, resetAt: reset.toISOString() }
    return { headers, json: { data: { ...pagesOf(4)(variables), rateLimit } } }
  })
}
const inSeconds = (seconds: number) => (): Date => new Date(Math.ceil(Date.now() / 1_000 + seconds) * 1_000)

test("GitHub's points: as many queries are sent as they pay for, and the next one after the reset", async () => {
  await using api = await githubServer(inSeconds(2), { points: 17 })
  await using target = await testDatabase()
  const began = performance.now()
  const { streams } = await runPipeline(flowOf('p', api.origin), { database: target.url })
  expect(streams.rows).toMatchObject({ status: 'done', counts: { inserted: 4 }, requests: 4, retries: 0 })
  expect(performance.now() - began).toBeGreaterThan(1_500)
})

test('a refusal with status 200 is no page: it is tried again after the reset', async () => {
  await using api = await githubServer(inSeconds(2), { points: 17 })
  await using target = await testDatabase()
  // Another client has spent the points.
  for (let query = 0; query < 4; query += 1)
    await fetch(api.origin, { method: 'POST', body: JSON.stringify({ variables: {} }) })
  const { streams } = await runPipeline(flowOf('p', api.origin, { attempts: 2 }), { database: target.url })
  expect(streams.rows).toMatchObject({ status: 'done', counts: { inserted: 4 }, retries: 1 })
})
