// Errors beside the data of a GraphQL response: fail, reject the records at their paths, or keep; never a silent loss.
import { expect, jest, test } from '@jest/globals'
import { asNumber, byOffset, byRelay, describePipeline, http, onePage, pipeline, since } from '../../src/index.ts'
import type { GraphqlOptions } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

jest.setTimeout(60_000)

interface Order {
  id: number
  name: string | null
}
interface Data {
  orders: { nodes: Order[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } | null
}
interface Answer {
  data: Data | null
  errors?: { message: string; path?: (string | number)[]; extensions?: { code: string } }[]
}

const order = (id: number, name: string | null = `order ${id}`): Order => ({ id, name })
/** An error may make a record null. */
const page = (nodes: readonly (Order | null)[], endCursor: string | null): Data => ({
  orders: { nodes: nodes as Order[], pageInfo: { hasNextPage: endCursor !== null, endCursor } },
})
const cursorOf = (body: string): string | undefined =>
  (JSON.parse(body) as { variables: { after?: string } }).variables.after

/** Two pages; the first one has an error at its second record, and one at its fourth, which is null. */
const TWO_PAGES = (body: string): Answer =>
  cursorOf(body) === undefined
    ? {
        data: page([order(1), order(2, null), order(3), null], 'c1'),
        errors: [
          { message: 'name is secret', path: ['orders', 'nodes', 1, 'name'] },
          { message: 'gone', path: ['orders', 'nodes', 3] },
        ],
      }
    : { data: page([order(5)], null) }

const graphqlServer = (answer: (body: string) => Answer): Promise<ApiServer> =>
  apiServer(({ body }) => ({ json: answer(body) }))

const flowOf = ({ origin }: ApiServer, options: GraphqlOptions = {}) =>
  pipeline('p', {
    streams: {
      orders: http(origin, { attempts: 1 })
        .graphql<Data>('query ($after: String) { orders(after: $after) { … } }', {}, options)
        .pages(byRelay('orders'))
        .records('orders.nodes')
        .into('t.orders', { key: 'id', columns: { id: 'bigint', name: 'text' } }),
    },
  })

const stored = ({ database }: TestDatabase): Promise<unknown[]> =>
  database.query('select id::int, name from t.orders order by id')

test('by default a response with errors fails the stream', async () => {
  await using api = await graphqlServer(TWO_PAGES)
  await using target = await testDatabase()
  const { streams } = await runPipeline(flowOf(api), { database: target.url })
  expect(streams.orders.status).toBe('failed')
  expect(streams.orders.error).toContain('name is secret (at orders.nodes.1.name); gone (at orders.nodes.3)')
})

test("reject: the records at the errors' paths are rejected with the message, and the others are stored", async () => {
  await using api = await graphqlServer(TWO_PAGES)
  await using target = await testDatabase()
  const flow = flowOf(api, { errors: 'reject' })
  expect(describePipeline(flow)).toContain('errors   reject')
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.orders).toMatchObject({
    status: 'done',
    counts: { fetched: 5, inserted: 3, rejected: 2 },
    completeness: { grade: 'ended' },
  })
  expect(await stored(target)).toEqual([order(1), order(3), order(5)])
  expect(await target.database.query('select stage, reason, record from sluice.rejects order by id')).toEqual([
    { stage: 'read', reason: 'name is secret (at name)', record: { id: 2, name: null } },
    { stage: 'read', reason: 'gone', record: { value: null } },
  ])
})

test('keep: all records are stored as they came, and a warning says so', async () => {
  await using api = await graphqlServer((body) => {
    const answer = TWO_PAGES(body)
    return cursorOf(body) === undefined ? { ...answer, data: page([order(1), order(2, null)], 'c1') } : answer
  })
  await using target = await testDatabase()
  const { streams } = await runPipeline(flowOf(api, { errors: 'keep' }), { database: target.url })
  expect(await stored(target)).toEqual([order(1), order(2, null), order(5)])
  expect(streams.orders.warnings).toEqual(
    expect.arrayContaining(['a GraphQL error is kept, and its value is null: name is secret']),
  )
  // The fourth record of the first page was announced by its error only.
  expect(streams.orders.completeness).toMatchObject({
    grade: 'open',
    reasons: [expect.stringContaining('GraphQL errors beside its records: gone (at orders.nodes.3)')],
  })
})

test.each(['reject', 'keep'] as const)(
  '%s: a list that is null because of an error is no empty page',
  async (errors) => {
    await using api = await graphqlServer((body) =>
      cursorOf(body) === undefined
        ? { data: page([order(1)], 'c1') }
        : { data: { orders: null }, errors: [{ message: 'internal error', path: ['orders'] }] },
    )
    await using target = await testDatabase()
    const { streams } = await runPipeline(flowOf(api, { errors }), { database: target.url })
    expect(streams.orders.status).toBe('failed')
    expect(streams.orders.error).toContain('GraphQL errors that belong to no record: internal error (at orders)')
    expect(await stored(target)).toEqual([order(1)])
  },
)

test.each(['reject', 'keep'] as const)('%s: a response without data fails', async (errors) => {
  await using api = await graphqlServer(() => ({ data: null, errors: [{ message: 'syntax error' }] }))
  await using target = await testDatabase()
  const { streams } = await runPipeline(flowOf(api, { errors }), { database: target.url })
  expect(streams.orders.error).toContain('answered with GraphQL errors: syntax error')
})

test('reject: an error beside a list that lacks records fails', async () => {
  await using api = await graphqlServer(() => ({
    data: page([order(1)], null),
    errors: [{ message: 'a shard timed out', path: ['orders', 'nodes'] }],
  }))
  await using target = await testDatabase()
  const { streams } = await runPipeline(flowOf(api, { errors: 'reject' }), { database: target.url })
  expect(streams.orders.error).toContain('a shard timed out (at orders.nodes)')
})

test('reject: a cursor that the API no longer knows begins the reading anew', async () => {
  let isKnown = true
  let fails = true
  await using api = await graphqlServer((body) => {
    const after = cursorOf(body)
    if (after === undefined) return { data: page([order(1)], isKnown ? 'c1' : 'd1') }
    if (fails) return { data: null, errors: [{ message: 'down' }] }
    if (after === 'c1') return { data: { orders: null }, errors: [{ message: 'bad cursor', path: ['orders'] }] }
    return { data: page([order(2)], null) }
  })
  await using target = await testDatabase()
  const flow = flowOf(api, { errors: 'reject' })
  expect((await runPipeline(flow, { database: target.url })).streams.orders.status).toBe('failed')
  isKnown = false
  fails = false
  expect((await runPipeline(flow, { database: target.url })).streams.orders.status).toBe('done')
  expect(await stored(target)).toEqual([order(1), order(2)])
})

test('errors of a response that is larger than a part are seen', async () => {
  const nodes = Array.from({ length: 20_000 }, (_, id) => order(id, 'x'.repeat(250)))
  await using api = await graphqlServer(() => ({
    data: { orders: { nodes, pageInfo: { hasNextPage: false, endCursor: null } } },
    errors: [{ message: 'a shard timed out', path: ['orders', 'nodes'] }],
  }))
  await using target = await testDatabase()
  const flow = pipeline('p', {
    streams: {
      orders: http(api.origin, { attempts: 1 })
        .graphql<Data>('{ orders { … } }')
        .pages(onePage())
        .records('orders.nodes', { optional: true })
        .into('t.orders', { key: 'id' }),
    },
  })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.orders.error).toContain('a shard timed out')
})

test('variables keep their types at any depth: bounds, cursors and values of parents', async () => {
  const variables: unknown[] = []
  await using api = await apiServer(({ body }) => {
    const sent = (JSON.parse(body) as { variables: { input?: { page?: { offset?: number } } } }).variables
    variables.push(sent)
    return { json: { data: { rows: sent.input?.page?.offset === 2 ? [] : [{ id: 7 }, { id: 8 }] } } }
  })
  await using target = await testDatabase()
  const source = http(api.origin)
  const flow = pipeline('p', {
    streams: {
      rows: source
        .graphql<{ rows: { id: number }[] }>('query ($input: In!) { rows(input: $input) { id } }', {
          input: { where: { id: { gt: asNumber(since) } }, page: { limit: 2 } },
        })
        .pages(byOffset('input.page.offset', { overlap: false, limit: 'input.page.limit' }))
        .records('rows')
        .incremental('id', { startFrom: 5 })
        .flatMap(({ id }) =>
          source
            .graphql<{ rows: { id: number }[] }>('query ($a: A!) { rows(a: $a) { id } }', {
              a: { b: [{ parent: id }] },
            })
            .pages(onePage())
            .records('rows')
            .map((row) => ({ ...row, parent: id })),
        )
        .into('t.rows', { key: ['parent', 'id'] }),
    },
  })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.rows.status).toBe('done')
  expect(variables).toEqual(
    expect.arrayContaining([
      { input: { where: { id: { gt: 5 } }, page: { limit: 2, offset: 0 } } },
      { input: { where: { id: { gt: 5 } }, page: { limit: 2, offset: 2 } } },
      { a: { b: [{ parent: 7 }] } },
      { a: { b: [{ parent: 8 }] } },
    ]),
  )
})

test('a bound that no number of JSON holds is an error, not another number', async () => {
  await using api = await apiServer([{ json: { data: { rows: [] } } }])
  await using target = await testDatabase()
  const flow = pipeline('p', {
    streams: {
      rows: http(api.origin)
        .graphql<{ rows: { id: number }[] }>('query ($after: Long) { rows { id } }', { after: asNumber(since) })
        .pages(onePage())
        .records('rows')
        .incremental('id', { startFrom: 9_007_199_254_740_993n })
        .into('t.rows', { key: 'id' }),
    },
  })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.rows.error).toContain("'9007199254740993' is no number that JSON can hold exactly")
})

test('an option that is none is refused', () => {
  const api = http('http://localhost')
  expect(() => api.graphql('{ a }', {}, { errors: 'ignore' as never })).toThrow("errors is 'fail', 'reject' or 'keep'")
  expect(() => api.graphql('{ a }', {}, { persisted: { sha256Hash: 'x' } })).toThrow('persisted is true')
})

test.each([true, false])(
  'reject: pages of offsets whose last record was rejected (the error comes again: %s)',
  async (again) => {
    let asked = 0
    await using api = await apiServer(({ body }) => {
      const { offset = 0 } = (JSON.parse(body) as { variables: { offset?: number } }).variables
      asked += 1
      const all = Array.from({ length: 7 }, (_, id) => order(id))
      const rows = all.slice(offset, offset + 3)
      const at = rows.findIndex(({ id }) => id === 2)
      const hasError = at >= 0 && (again || asked === 1)
      return {
        json: {
          data: { rows: hasError ? rows.with(at, order(2, null)) : rows, total: 7 },
          ...(hasError && { errors: [{ message: 'name is secret', path: ['rows', at, 'name'] }] }),
        },
      }
    })
    await using target = await testDatabase()
    const flow = pipeline('p', {
      streams: {
        orders: http(api.origin, { attempts: 1 })
          .graphql<{ rows: Order[]; total: number }>('query ($offset: Int) { … }', { limit: 3 }, { errors: 'reject' })
          .pages(byOffset('offset', { total: 'total' }))
          .records('rows')
          .into('t.orders', { key: 'id' }),
      },
    })
    const { streams } = await runPipeline(flow, { database: target.url })
    expect(streams.orders.status).toBe('done')
    const ids = (await stored(target)).map((row) => (row as Order).id)
    expect(ids).toEqual(again ? [0, 1, 3, 4, 5, 6] : [0, 1, 2, 3, 4, 5, 6])
  },
)
