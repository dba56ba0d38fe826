// The token of the last page is the cursor: the next run sends it, and gets what has changed since.
import { expect, jest, test } from '@jest/globals'
import { byCursor, byNextUrl, describePipeline, http, onePage, path, pipeline } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer, type ApiAnswer, type ApiRequest, type ApiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

jest.setTimeout(60_000)

interface User {
  id: number
  name: string
}
interface Changes {
  value: User[]
  '@odata.nextLink'?: string
  '@odata.deltaLink'?: string
}

/** An API as Microsoft Graph: its log of changes is read in pages of two, and each token is a place in the log. */
class GraphLike {
  readonly log: User[]
  /** Tokens before this place are gone. */
  forgotten = 0
  failAt: number | undefined

  constructor(users: readonly User[]) {
    this.log = [...users]
  }

  answer({ query, path: asked }: ApiRequest): ApiAnswer {
    if (asked !== '/users/delta') return { status: 404, json: {} }
    const token = query.get('$deltatoken')
    if (token !== null && Number(token) < this.forgotten) return { status: 410, json: { error: 'syncStateNotFound' } }
    const from = Number(query.get('$skiptoken') ?? token ?? 0)
    if (from === this.failAt) return { status: 500, json: {} }
    const to = Math.min(from + 2, this.log.length)
    const way =
      to < this.log.length
        ? { '@odata.nextLink': `/users/delta?$skiptoken=${to}` }
        : { '@odata.deltaLink': `/users/delta?$deltatoken=${to}` }
    return { json: { value: this.log.slice(from, to), ...way } }
  }
}

const users = (count: number): User[] => Array.from({ length: count }, (_, id) => ({ id, name: `user ${id}` }))
const usersOf = ({ origin }: ApiServer) =>
  http(origin, { attempts: 1 })
    .get<Changes>('/users/delta')
    .pages(
      byNextUrl((body) => body['@odata.nextLink']),
      { delta: { at: (body) => body['@odata.deltaLink'] } },
    )
    .records('value')
const stored = ({ database }: TestDatabase): Promise<User[]> =>
  database.query<User>('select id::int, name from t.users order by id, name')

test('the next run sends the URL of the last page and merges what has changed, also if that is nothing', async () => {
  const graph = new GraphLike(users(5))
  await using api = await apiServer((request) => graph.answer(request))
  await using target = await testDatabase()
  const flow = pipeline('p', { streams: { users: usersOf(api).into('t.users', { key: 'id' }) } })
  const first = await runPipeline(flow, { database: target.url })
  expect(first.streams.users).toMatchObject({ counts: { inserted: 5 }, completeness: { grade: 'ended' } })
  graph.log.push({ id: 1, name: 'renamed' }, { id: 9, name: 'new' })
  const second = await runPipeline(flow, { database: target.url })
  expect(second.streams.users.counts).toMatchObject({ fetched: 2, inserted: 1, updated: 1 })
  const third = await runPipeline(flow, { database: target.url })
  expect(third.streams.users).toMatchObject({
    counts: { fetched: 0 },
    cursor: `${api.origin}/users/delta?$deltatoken=7`,
  })
  // Later tokens win, although "5" is greater than "12" as text.
  graph.log.push(...users(5))
  await runPipeline(flow, { database: target.url })
  await runPipeline(flow, { database: target.url })
  expect(api.requests.at(-1)?.query.get('$deltatoken')).toBe('12')
})

test.each(['merge', 'append'] as const)(
  'a run that fails between pages goes on there, and %s has each change once',
  async (write) => {
    const graph = new GraphLike(users(6))
    await using api = await apiServer((request) => graph.answer(request))
    await using target = await testDatabase()
    const records = usersOf(api)
    const flow = pipeline('p', {
      streams: {
        users:
          write === 'merge' ? records.into('t.users', { key: 'id' }) : records.into('t.users', { write: 'append' }),
      },
    })
    graph.failAt = 4
    expect((await runPipeline(flow, { database: target.url })).streams.users.status).toBe('failed')
    graph.failAt = undefined
    await runPipeline(flow, { database: target.url })
    expect(await stored(target)).toEqual(users(6))
    graph.log.push({ id: 6, name: 'user 6' })
    await runPipeline(flow, { database: target.url })
    expect(await stored(target)).toEqual(users(7))
  },
)

test('a token that the API has forgotten leads to a whole reading with a warning, not to a loss', async () => {
  const graph = new GraphLike(users(3))
  await using api = await apiServer((request) => graph.answer(request))
  await using target = await testDatabase()
  const flow = pipeline('p', { streams: { users: usersOf(api).into('t.users', { key: 'id' }) } })
  await runPipeline(flow, { database: target.url })
  graph.log.push({ id: 3, name: 'user 3' })
  graph.forgotten = 4
  const warnings: string[] = []
  const { streams } = await runPipeline(flow, {
    database: target.url,
    onEvent: (event) => event.type === 'warning' && warnings.push(event.message),
  })
  expect(streams.users).toMatchObject({ status: 'done', counts: { fetched: 4, inserted: 1, unchanged: 3 } })
  expect(warnings.join()).toContain('the API no longer knows the delta token, so everything is read again')
  await runPipeline(flow, { database: target.url })
  expect(api.requests.at(-1)?.query.get('$deltatoken')).toBe('4')
})

test('a mirror whose token was forgotten reads everything, also if interrupted, and deletes what is gone', async () => {
  const graph = new GraphLike(users(7))
  await using api = await apiServer((request) => graph.answer(request))
  await using target = await testDatabase()
  const flow = pipeline('p', { streams: { users: usersOf(api).into('t.users', { key: 'id', mirror: true }) } })
  const go = async () => (await runPipeline(flow, { database: target.url })).streams.users
  await go()
  graph.log.push({ id: 8, name: 'user 8' })
  // A reading since a token says nothing of what is missing.
  expect((await go()).counts).toMatchObject({ inserted: 1 })
  // A user is removed while the token is lost.
  graph.log.splice(1, 1)
  graph.log.push({ id: 9, name: 'user 9' })
  graph.forgotten = 100
  graph.failAt = 4
  expect((await go()).status).toBe('failed')
  expect(await stored(target)).toContainEqual({ id: 1, name: 'user 1' })
  Object.assign(graph, { failAt: undefined, forgotten: 0 })
  expect(await go()).toMatchObject({ status: 'done', mirroredRows: 1 })
  expect((await stored(target)).map(({ id }) => id)).toEqual([0, 2, 3, 4, 5, 6, 8, 9])
  expect(await go()).toMatchObject({ status: 'done', counts: { fetched: 0 } })
  expect(await stored(target)).toHaveLength(8)
})

test('append without a key fails instead of storing everything again after a forgotten token', async () => {
  const graph = new GraphLike(users(3))
  await using api = await apiServer((request) => graph.answer(request))
  await using target = await testDatabase()
  const flow = pipeline('p', { streams: { users: usersOf(api).into('t.users', { write: 'append' }) } })
  await runPipeline(flow, { database: target.url })
  graph.forgotten = 4
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.users.status).toBe('failed')
  expect(streams.users.error).toContain('Without a key the table would have them twice')
  expect(await stored(target)).toEqual(users(3))
})

test('a token that is a parameter is sent without those of the first request', async () => {
  const log = users(3)
  await using api = await apiServer(({ query }) => {
    const from = Number(query.get('cursor') ?? query.get('start_time') ?? Number.NaN)
    if (query.has('cursor') && query.has('start_time')) return { status: 400, json: { error: 'one of the two' } }
    const value = log.slice(from, from + 2)
    return { json: { value, after_cursor: String(from + value.length), end_of_stream: from + 2 >= log.length } }
  })
  await using target = await testDatabase()
  const tickets = http(api.origin, { attempts: 1 })
    .get<{ value: User[]; after_cursor: string; end_of_stream: boolean }>('/tickets', { start_time: 0 })
    .pages(
      ({ body }, request) => {
        if (body.end_of_stream) return undefined
        const { start_time: _start, ...query } = request.query
        return { ...request, query: { ...query, cursor: body.after_cursor } }
      },
      { delta: { at: 'after_cursor', parameter: 'cursor', without: ['start_time'] } },
    )
    .records('value')
  const flow = pipeline('p', { streams: { users: tickets.into('t.users', { key: 'id' }) } })
  await runPipeline(flow, { database: target.url })
  log.push({ id: 3, name: 'user 3' })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.users.counts).toMatchObject({ fetched: 1, inserted: 1 })
  expect(describePipeline(flow)).toContain('the token in after_cursor of the last response, sent as cursor')
})

test('a last page without a token leaves the cursor and the reading is open', async () => {
  await using api = await apiServer(() => ({ json: { value: users(2) } }))
  await using target = await testDatabase()
  const flow = pipeline('p', { streams: { users: usersOf(api).into('t.users', { key: 'id' }) } })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.users).toMatchObject({ status: 'done', completeness: { grade: 'open' } })
  expect(streams.users.completeness?.reasons.join()).toContain('the last response has no delta token')
  expect(await target.database.query('select * from sluice.cursors')).toEqual([])
})

test('wrong uses are refused with the remedy', async () => {
  await using api = await apiServer(() => ({ json: { value: users(1), '@odata.deltaLink': '/x' } }))
  const endpoint = http(api.origin).get<Changes>('/users/delta')
  expect(() => endpoint.pages(onePage(), { delta: { at: '' as never } })).toThrow('at is missing')
  expect(() => endpoint.pages(onePage(), { delta: { at: 'value', without: ['a'] } as never })).toThrow(
    'without a parameter the token is the whole URL',
  )
  expect(() => usersOf(api).incremental('id')).toThrow('a stream has one')
  expect(() => usersOf(api).into('t.users', { key: 'id', write: 'replace' })).toThrow(
    'a delta token reads only new ones',
  )
  await using target = await testDatabase()
  const parents = http(api.origin).get<Changes>('/users/delta').pages(onePage()).records('value')
  const children = parents.flatMap((user) =>
    http(api.origin)
      .get<Changes>(path`/users/${user.id}/delta`)
      .pages(onePage(), { delta: { at: (body) => body['@odata.deltaLink'] } })
      .records('value'),
  )
  const flow = pipeline('p', { streams: { users: children.into('t.users', { key: 'id' }) } })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.users.error).toContain('a delta token cannot stand in a child stream')
})

test('a secret in a token is not stored', async () => {
  const graph = new GraphLike(users(2))
  await using api = await apiServer((request) => {
    const answer = graph.answer(request)
    const body = answer.json as Changes
    const link = body['@odata.deltaLink']
    return { json: { ...body, ...(link !== undefined && { '@odata.deltaLink': `${link}&key=s3cret-value` }) } }
  })
  await using target = await testDatabase()
  const records = http(api.origin, { auth: { type: 'query', name: 'key', value: { secret: 'GRAPH_KEY' } } })
    .get<Changes>('/users/delta')
    .pages(
      byNextUrl((body) => body['@odata.nextLink']),
      { delta: { at: (body) => body['@odata.deltaLink'] } },
    )
    .records('value')
  const flow = pipeline('p', { streams: { users: records.into('t.users', { key: 'id' }) } })
  const options = { database: target.url, environment: { GRAPH_KEY: 's3cret-value' } }
  await runPipeline(flow, options)
  expect(await target.database.query(`select value from sluice.cursors where value like '%s3cret%'`)).toEqual([])
  const { streams } = await runPipeline(flow, options)
  expect(streams.users.status).toBe('done')
  expect(api.requests.at(-1)?.query.getAll('key')).toContain('s3cret-value')
})

test('byCursor and a delta of the same name', async () => {
  const log = users(5)
  await using api = await apiServer(({ query }) => {
    const from = Number(query.get('cursor') ?? 0)
    const value = log.slice(from, from + 2)
    return { json: { value, next: String(from + value.length), more: from + 2 < log.length } }
  })
  await using target = await testDatabase()
  const records = http(api.origin)
    .get<{ value: User[]; next: string; more: boolean }>('/changes')
    .pages(byCursor('cursor', 'next', { more: 'more' }), { delta: { at: 'next', parameter: 'cursor' } })
    .records('value')
  const flow = pipeline('p', { streams: { users: records.into('t.users', { key: 'id' }) } })
  await runPipeline(flow, { database: target.url })
  log.push({ id: 5, name: 'user 5' })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.users.counts).toMatchObject({ fetched: 1, inserted: 1 })
})
