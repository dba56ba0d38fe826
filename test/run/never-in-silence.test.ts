import { describe, expect, test } from '@jest/globals'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { byCursor, http, onePage, path, pipeline, since, source } from '../../src/index.ts'
import type { WriteMode } from '../../src/model/recipe.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import type { Link } from '../support/pg-proxy.ts'
import { PgProxy } from '../support/pg-proxy.ts'

interface Listing {
  items: { id: number }[]
  next: string | null
}
/** An API with two pages of one row. The second page exists only if `isWhole` returns true. */
const twoPages = (isWhole: () => boolean): Promise<ApiServer> =>
  apiServer(({ query }) => {
    if (query.get('after') === null) return { json: { items: [{ id: 1 }], next: 'two' } }
    return isWhole() ? { json: { items: [{ id: 2 }], next: null } } : { status: 404 }
  })
const listing = ({ origin }: ApiServer) =>
  http(origin).get<Listing>('/items').pages(byCursor('after', 'next')).records('items')

describe('an interrupted read counts only for the table that it was stored in', () => {
  test.each<[string, string, WriteMode]>([
    ['into another table', 't.other', 'merge'],
    ['in another mode', 't.items', 'replace'],
  ])('a read that is resumed %s restarts', async (_, name, write) => {
    let isWhole = false
    await using api = await twoPages(() => isWhole)
    await using test = await testDatabase()
    const first = await runPipeline(
      pipeline('p', { streams: { items: listing(api).into('t.items', { key: 'id' }) } }),
      {
        database: test.url,
      },
    )
    expect(first.streams.items).toMatchObject({ status: 'failed', counts: { inserted: 1 } })
    isWhole = true
    const second = await runPipeline(
      pipeline('p', { streams: { items: listing(api).into(name as 't.items', { key: 'id', write }) } }),
      { database: test.url },
    )
    expect(second.streams.items).toMatchObject({ status: 'done', counts: { fetched: 2 } })
    expect(await test.database.query(`select id::int from ${name} order by id`)).toEqual([{ id: 1 }, { id: 2 }])
  })
})

test('replace refuses children that are read by a cursor, before it deletes what is not new', async () => {
  await using api = await apiServer(({ path: asked }) => ({
    json: asked === '/parents' ? [{ id: 'a' }] : [{ id: 1, at: '2024-01-01T00:00:00Z' }],
  }))
  await using test = await testDatabase()
  const source = http(api.origin)
  const children = source
    .get<{ id: string }[]>('/parents')
    .pages(onePage())
    .records()
    .flatMap(({ id }) =>
      source
        .get<{ id: number; at: string }[]>(path`/parents/${id}`, { since })
        .pages(onePage())
        .records()
        .incremental('at'),
    )
  const report = await runPipeline(
    pipeline('p', { streams: { children: children.into('t.children', { key: 'id', write: 'replace' }) } }),
    { database: test.url },
  )
  expect(report.streams.children).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('Leave .incremental() out'),
  })
})

test('an aborted run commits its complete pages and does not wait for a source that ignores the signal', async () => {
  const stop = new AbortController()
  await using test = await testDatabase()
  const stuck = source<{ id: number }>(async function* () {
    yield { records: [{ id: 1 }], position: 1 }
    stop.abort(new Error('enough'))
    await new Promise(() => {})
  })
  const report = await runPipeline(pipeline('p', { streams: { stuck: stuck.into('t.stuck', { key: 'id' }) } }), {
    database: test.url,
    signal: stop.signal,
  })
  expect(report).toMatchObject({
    status: 'interrupted',
    ms: expect.any(Number),
    streams: { stuck: { counts: { inserted: 1 } } },
  })
  expect(report.ms).toBeLessThan(5_000)
})

test('pages without a position may each bring a column', async () => {
  await using test = await testDatabase()
  const own = source<Record<string, number>>(async function* () {
    for (let page = 0; page < 6; page += 1) yield { records: [{ id: page, [`column_${page}`]: page }] }
  })
  const report = await runPipeline(pipeline('p', { streams: { own: own.into('t.own', { key: 'id' }) } }), {
    database: test.url,
    batch: { rows: 1 },
  })
  expect(report.streams.own).toMatchObject({ status: 'done', counts: { inserted: 6 } })
})

test('a COMMIT of held pages whose answer is lost costs its connection, and no other', async () => {
  await using test = await testDatabase()
  const url = new URL(test.url)
  const committing = new Set<Link>()
  await using proxy = await PgProxy.open({
    host: url.hostname,
    port: Number(url.port),
    watchers: [
      {
        before: ({ from, text, link }) => {
          if (from === 'client' && text?.includes('sluice.advance') === true) committing.add(link)
          if (from === 'client' || !committing.has(link)) return undefined
          link.cut()
          return 'drop'
        },
      },
    ],
  })
  const own = source<{ id: number }>(async function* () {
    for (let page = 0; page < 10; page += 1) {
      yield { records: [{ id: page }] }
      yield { records: [{ id: 100 + page }], position: page }
    }
  })
  const report = await runPipeline(pipeline('p', { streams: { own: own.into('t.own', { key: 'id' }) } }), {
    database: proxy.through(test.url),
    batch: { rows: 1 },
  })
  expect(report.streams.own).toMatchObject({ status: 'done', counts: { fetched: 20, inserted: 20 } })
  expect(committing.size).toBeGreaterThan(5)
})

test('a table that keeps changing is named with what the database says', async () => {
  await using test = await testDatabase()
  await test.database.query(
    `create schema t;
     create table t.items (id bigint primary key);
     create function t.raise() returns trigger language plpgsql as
       $$ begin perform t.missing(); return new; end $$;
     create trigger raise before insert on t.items for each row execute function t.raise()`,
  )
  await using api = await apiServer([{ json: [{ id: 1 }] }])
  const report = await runPipeline(
    pipeline('p', {
      streams: {
        items: http(api.origin).get<{ id: number }[]>('/').pages(onePage()).records().into('t.items', { key: 'id' }),
      },
    }),
    { database: test.url },
  )
  expect(report.streams.items.error).toContain('function t.missing() does not exist')
})

test('a cursor that is text and does not grow is told once, however many lists have it', async () => {
  const posts = [1, 2].map((id) => ({ id, title: `Post ${id}`, updatedAt: '2024-01-01T00:00:00Z' }))
  await using api = await apiServer(({ path: asked }) => ({
    json: asked === '/blogs' ? [{ id: 'a' }, { id: 'b' }] : posts.map((post) => ({ ...post, blog: asked })),
  }))
  await using test = await testDatabase()
  const blogs = http(api.origin)
    .get<{ id: string }[]>('/blogs')
    .pages(onePage())
    .records()
    .flatMap(({ id }) =>
      http(api.origin)
        .get<{ id: number; blog: string; title: string }[]>(path`/blogs/${id}`)
        .pages(onePage())
        .records()
        .incremental('title'),
    )
  const told: string[] = []
  const report = await runPipeline(
    pipeline('p', { streams: { posts: blogs.into('t.posts', { key: ['blog', 'id'] }) } }),
    { database: test.url, onEvent: (event) => void (event.type === 'warning' && told.push(event.message)) },
  )
  expect(report.streams.posts).toMatchObject({ status: 'done', counts: { inserted: 4 } })
  expect(told).toEqual([expect.stringMatching(/'Post 1'.*Did you mean 'updatedAt'\?/)])
  expect(report.streams.posts?.warnings).toEqual(told)
})
