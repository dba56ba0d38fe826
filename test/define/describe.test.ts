import { expect, test } from '@jest/globals'
import {
  bearer,
  byCursor,
  byLastRecord,
  byLinkHeader,
  byNextUrl,
  byOffset,
  byPage,
  byRelay,
  describePipeline,
  fromData,
  http,
  onePage,
  path,
  pipeline,
  secret,
  since,
  source,
  toData,
  unix,
  until,
} from '../../src/index.ts'
import { apiServer } from '../support/api-server.ts'

const api = http('https://forum.example/api', { auth: bearer(secret('FORUM_TOKEN')) })
const topics = api
  .get<{ topics: { id: number; title: string; updatedAt: string }[]; meta: { next: string | null } }>('/topics', {
    order: 'updated_at',
    updated_after: since,
  })
  .pages(byCursor('cursor', 'meta.next'))
  .records('topics')
  .incremental('updatedAt', { startFrom: '2024-01-01', lookback: '5m', order: 'ascending' })
const posts = topics.flatMap(
  (topic) =>
    api
      .get<{ posts: { id: number; author: { id: number } | null }[] }>(path`/topics/${topic.id}/posts`)
      .pages(byPage('page'))
      .records('posts')
      .map(({ author, ...post }) => ({ ...post, topicId: topic.id, authorId: author?.id })),
  { concurrency: 4 },
)
const reactions = posts.flatMap((post) =>
  api
    .get<{ userId: number; emoji: string }[]>(path`/posts/${post.id}/reactions`)
    .pages(byLinkHeader())
    .records()
    .map((reaction) => ({ ...reaction, postId: post.id })),
)
const forum = pipeline('forum', {
  schedule: '*/10 * * * *',
  streams: {
    topics: topics.into('forum.topics', { key: 'id' }),
    posts: posts.into('forum.posts', { key: 'id' }),
    reactions: reactions.into('forum.reactions', {
      key: ['postId', 'userId', 'emoji'],
      columns: 'freeze',
      complete: 'required',
      adopt: true,
    }),
  },
})

/** Without any function. */
const weather = (base: string) =>
  pipeline('weather', {
    streams: {
      readings: http(base)
        .get<{
          readings: { station: string; measuredAt: string; tempC: number; raw: unknown }[]
          links?: { next?: string }
        }>('/readings', { from: since, to: until })
        .pages(byNextUrl('links.next'))
        .records('readings')
        .incremental('measuredAt', { startFrom: '2025-01-01', lookback: '2h', order: 'ascending' })
        .omit('raw')
        .rename('tempC', 'celsius')
        .dedupe('station', 'measuredAt')
        .into('weather.readings', {
          key: ['station', 'measuredAt'],
          columns: { measuredAt: 'timestamptz', celsius: { type: 'numeric(4,1)', round: true } },
        }),
    },
  })

test('a plan can be read without a request', () => {
  expect(describePipeline(forum)).toMatchInlineSnapshot(`
"forum  */10 * * * *
  topics -> forum.topics (merge on id; the greater updatedAt stays, where rows have it)
    GET https://forum.example/api/topics?order=updated_at&updated_after={since}
    pages    cursor = meta.next
    records  topics
    cursor   updatedAt, from 2024-01-01, 5m again, ascending
    no functions
  posts -> forum.posts (merge on id)
    GET https://forum.example/api/topics?order=updated_at&updated_after={since}
    pages    cursor = meta.next
    records  topics
    cursor   updatedAt, from 2024-01-01, 5m again, ascending
    flatMap  for each record, 4 at once:
      GET https://forum.example/api/topics/{id}/posts
      pages    page=1 and up
      records  posts
      map      ({ author, ...post }) => ({ ...post, topicId: topic.id, authorId: author?.id })
    children of records that have not changed since are not read
  reactions -> forum.reactions (merge on postId, userId, emoji; columns: freeze; complete: required; adopted)
    GET https://forum.example/api/topics?order=updated_at&updated_after={since}
    pages    cursor = meta.next
    records  topics
    cursor   updatedAt, from 2024-01-01, 5m again, ascending
    flatMap  for each record, 4 at once:
      GET https://forum.example/api/topics/{id}/posts
      pages    page=1 and up
      records  posts
      map      ({ author, ...post }) => ({ ...post, topicId: topic.id, authorId: author?.id })
    flatMap  for each record:
      GET https://forum.example/api/posts/{id}/reactions
      pages    at the URL in the header link; rel=next
      records  the body itself
      map      (reaction) => ({ ...reaction, postId: post.id })
    children of records that have not changed since are not read"
`)
  expect(describePipeline(weather('https://weather.example'))).toMatchInlineSnapshot(`
"weather  on command only
  readings -> weather.readings (merge on station, measuredAt; the greater measuredAt stays, where rows have it)
    GET https://weather.example/readings?from={since}&to={until}
    pages    at the URL in links.next
    records  readings
    cursor   measuredAt, from 2025-01-01, 2h again, ascending
    omit     raw
    rename   tempC -> celsius
    dedupe   by station, measuredAt
    no functions"
`)
})

test('every paginator, stage and source can be read', () => {
  const rows = (
    paging: Parameters<
      ReturnType<
        typeof api.get<{
          data: { id: string }[]
          total: number
          more: boolean
          connection: { pageInfo: { hasNextPage: boolean; endCursor: string } }
        }>
      >['pages']
    >[0],
  ) =>
    api
      .get<{
        data: { id: string }[]
        total: number
        more: boolean
        connection: { pageInfo: { hasNextPage: boolean; endCursor: string } }
      }>('/x')
      .pages(paging)
      .records('data', { optional: true })
  const all = pipeline('all', {
    streams: {
      a: rows(byOffset('offset', { total: 'total', max: 900, more: 'more' }))
        .filter(({ id }) => id !== '')
        .into('a.a', { key: 'id' }),
      b: rows(byLastRecord('after', 'data.id'))
        .tap(() => {})
        .into('a.b', { key: 'id', versionBy: 'id' }),
      c: rows(byRelay('connection'))
        .map(async (row) => row, { concurrency: 8, ordered: false })
        .into('a.c', { write: 'replace' }),
      d: rows((_, asked) => asked)
        .flatMap(async ({ id }) => [{ id }])
        .into('a.d', { key: 'id' }),
      e: source<{ id: number }>(async function* () {
        yield { records: [] }
      })
        .incremental('id', { lookback: 3 })
        .into('a.e', { key: 'id' }),
      f: api
        .graphql<{ list: { id: string }[] }>('query ($first: Int) { list(first: $first) { id } }', {
          first: 5,
          from: unix(since),
        })
        .pages(onePage())
        .records('list')
        .into('a.f', { key: 'id' }),
    },
  })
  expect(describePipeline(all)).toMatchInlineSnapshot(`
"all  on command only
  a -> a.a (merge on id)
    GET https://forum.example/api/x
    pages    offset=0 and up, to total, to 900, while more
    records  data, if there
    filter   ({ id }) => id !== ''
  b -> a.b (merge on id; the greater id stays)
    GET https://forum.example/api/x
    pages    after = data.id of the last record
    records  data, if there
    tap      () => {}
  c -> a.c (replace)
    GET https://forum.example/api/x
    pages    after = pageInfo.endCursor of connection
    records  data, if there
    map      async (row) => row, 8 at once, as completed
  d -> a.d (merge on id)
    GET https://forum.example/api/x
    pages    (_, asked) => asked
    records  data, if there
    flatMap  for each record:
      async ({ id }) => [{ id }]
  e -> a.e (merge on id; the greater id stays, where rows have it)
    source   async function* () { yield { records: [] } }
    cursor   id, 3 again
  f -> a.f (merge on id)
    POST https://forum.example/api {first=5, from={since:unix}} query ($first: Int) { list(first: $first) { id } }
    pages    one
    records  list
    no functions"
`)
})

test('a function that might request is not called for a plan', () => {
  let called = 0
  const asks = topics.flatMap(async (topic) => {
    called++
    return [topic]
  })
  expect(
    describePipeline(pipeline('p', { streams: { asks: asks.omit('title').into('a.b', { key: 'id' }) } })),
  ).toContain('async (topic) => {')
  expect(called).toBe(0)
})

test('a pipeline without functions is its own data', async () => {
  await using server = await apiServer(({ query }) => ({
    json: {
      readings: query.has('p')
        ? []
        : [
            { station: 'a', measuredAt: '2025-01-02', tempC: 21.5, raw: 0 },
            { station: 'b', measuredAt: '2025-01-03', tempC: 9 },
            { station: 'a', measuredAt: '2025-01-02', tempC: 0 },
          ],
      links: query.has('p') ? {} : { next: '/readings?p=2' },
    },
  }))
  const written = weather(server.origin)
  const data = toData(written)
  const again = fromData(JSON.parse(JSON.stringify(data)) as typeof data)
  expect(describePipeline(again)).toBe(describePipeline(written))
  expect(toData(again)).toEqual(data)
  expect(await Array.fromAsync(again.streams['readings']!.rows())).toEqual([
    { station: 'a', measuredAt: '2025-01-02', celsius: 21.5 },
    { station: 'b', measuredAt: '2025-01-03', celsius: 9 },
  ])
  expect(server.requests.map(({ url }) => url)).toEqual(['/readings?from=2025-01-01', '/readings?p=2'])
})

test('a function is named where data was wanted', () => {
  expect(() => toData(forum)).toThrow('forum.posts: stages.0.fn is a function')
})

test('data that is no pipeline is refused with the place of its fault', () => {
  const readings = toData(weather('https://weather.example')).streams['readings']
  const broken =
    (change: object, table: object = {}) =>
    () =>
      fromData({
        name: 'w',
        streams: {
          readings: {
            recipe: { ...readings!.recipe, source: { ...readings!.recipe.source, ...change } },
            table: { ...readings!.table, ...table },
          },
        },
      })
  expect(broken({ paging: undefined })).toThrow('w.readings: recipe.source.paging is missing')
  expect(broken({ api: { base: 'nowhere' } })).toThrow('w.readings: recipe.source.api.base is no URL')
  expect(broken({}, { key: [] })).toThrow('merge needs the key of a row')
  expect(broken({}, { name: 'readings' })).toThrow('name the table with its schema')
})

test('recipes are frozen, and secrets are only names', () => {
  expect(() => Object.assign(forum.streams.topics.recipe.source, { records: 'x' })).toThrow(TypeError)
  expect(() => Object.assign(forum.streams, { more: 1 })).toThrow(TypeError)
  expect(JSON.stringify(forum)).toContain('{"secret":"FORUM_TOKEN"}')
})

test('streams that share a source share its recipe', () => {
  const { topics, posts, reactions } = forum.streams
  expect(topics.recipe.source).toBe(posts.recipe.source)
  expect(posts.recipe.stages[0]).toBe(reactions.recipe.stages[0])
})
