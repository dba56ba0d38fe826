import { describe, expect, test } from '@jest/globals'
import { byPage, describePipeline, http, inBatches, onePage, pipeline, type Stream } from '../../../src/index.ts'
import type { Page } from '../../../src/model/page.ts'
import { definitionHash } from '../../../src/read/definition-hash.ts'
import { apiServer } from '../../support/api-server.ts'
import { forum, type Topic } from '../forum.ts'
import { readPages } from '../read-pages.ts'
import { ids, lastPosition } from './child-shapes.ts'

const completenessOf = (pages: readonly Page[]) => pages.at(-1)!.completeness

/** Parents 1 to 5 on two pages, and their items, of which the server returns those that it has. */
async function items(missing: readonly number[] = []) {
  const server = await apiServer(({ path, query, body }) => {
    if (path === '/parents') return { json: query.get('page') === '1' ? parents(1, 2, 3) : parents(4, 5).slice() }
    const sent = body === '' ? query.getAll('id').flatMap((id) => id.split(',')) : idsIn(body)
    return { json: sent.map(Number).flatMap((id) => (missing.includes(id) ? [] : [{ id, of: `parent ${id}` }])) }
  })
  const api = http(server.origin)
  const all = api
    .get<{ id: number }[]>('/parents')
    .pages(byPage('page', { max: 2 }))
    .records()
  return { server, api, all, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}
const numbers = (batch: readonly { id: number }[]) => batch.map(({ id }) => id)

/** Reads all in batches of two that expect a record of each parent. */
async function readEach(missing: readonly number[]): Promise<Page[]> {
  await using test = await items(missing)
  const { api, all } = test
  return await readPages(
    all.flatMap(
      inBatches(
        2,
        (batch) =>
          api
            .get<{ id: number }[]>('/items', { id: batch.map(({ id }) => id) })
            .pages(onePage())
            .records(),
        { expect: 'each' },
      ),
    ),
  )
}

const parents = (...numbers: number[]) => numbers.map((id) => ({ id }))
const idsIn = (body: string): unknown[] => (JSON.parse(body) as { filter: { ids: unknown[] } }).filter.ids

describe('a batch', () => {
  test('is one request for up to n parents of a page: ids joined, repeated or in the body', async () => {
    await using test = await items()
    const { api, all, server } = test
    const ways: ((batch: readonly { id: number }[]) => Stream<{ id: number }>)[] = [
      (batch) =>
        api
          .get<{ id: number }[]>('/items', { id: numbers(batch).join(',') })
          .pages(onePage())
          .records(),
      (batch) =>
        api
          .get<{ id: number }[]>('/items', { id: numbers(batch) })
          .pages(onePage())
          .records(),
      (batch) =>
        api
          .post<{ id: number }[]>('/items', { json: { filter: { ids: numbers(batch) } } })
          .pages(onePage())
          .records(),
    ]
    for (const way of ways) {
      const before = server.requests.length
      expect(ids(await readPages(all.flatMap(inBatches(2, way), { concurrency: 2 })))).toEqual([1, 2, 3, 4, 5])
      // Pages of 3 and 2 parents: batches of 2, 1 and 2.
      expect(server.requests.slice(before).filter(({ path }) => path === '/items')).toHaveLength(3)
    }
    expect(server.requests.map(({ url }) => url)).toEqual(
      expect.arrayContaining(['/items?id=1%2C2', '/items?id=1&id=2', '/items']),
    )
  })

  test('may have fewer records than parents, also none at all', async () => {
    await using test = await items([1, 2, 4])
    const { api, all } = test
    const pages = await readPages(
      all.flatMap(
        inBatches(2, (batch) =>
          api
            .get<{ id: number }[]>('/items', { id: batch.map(({ id }) => id) })
            .pages(onePage())
            .records(),
        ),
      ),
    )
    expect(ids(pages)).toEqual([3, 5])
    expect(pages.reduce((sum, { counts }) => sum + counts.parents, 0)).toBe(5)
    expect(completenessOf(pages)).toMatchObject({ grade: 'ended' })
  })

  test('that expects a record of each parent makes the reading open where one is missing', async () => {
    expect(completenessOf(await readEach([]))).toMatchObject({ grade: 'ended' })
    const pages = await readEach([2])
    expect(ids(pages)).toEqual([1, 3, 4, 5])
    expect(completenessOf(pages)).toEqual({
      grade: 'open',
      reasons: [expect.stringContaining('1 record came for a batch of 2')],
    })
  })

  test('that expects a record of each begins anew after an interruption, so that it counts all of them', async () => {
    await using api = await forum()
    const flow = api.all.filter(({ id }) => id % 4 > 0).flatMap(inBatches(2, api.postsOf, { expect: 'each' }))
    const whole = await readPages(flow)
    // Topics 1 and 2 have three posts on two pages, and an empty page ends them.
    expect(whole.slice(0, 3).map(({ position }) => position === undefined)).toEqual([true, true, false])
    expect(completenessOf(whole)).toMatchObject({ grade: 'ended' })
    for (let stop = 1; stop < whole.length; stop++) {
      const committed = whole.slice(0, whole.findLastIndex(({ position }, index) => index < stop && position) + 1)
      const rest = await readPages(flow, { position: lastPosition(committed), restart: 'slice' })
      expect({ stop, ids: [...ids(committed), ...ids(rest)] }).toEqual({ stop, ids: ids(whole) })
      expect(completenessOf(rest)).toMatchObject({ grade: 'ended' })
    }
  })

  test('with open readings makes the whole reading open, with their number', async () => {
    await using test = await items()
    const { api, all } = test
    const rule = { status: 200, when: ({ url }: { url: string }) => !url.includes('id=4'), action: 'skip' } as const
    const pages = await readPages(
      all.flatMap(
        inBatches(2, (batch) =>
          api
            .get<{ id: number }[]>('/items', { id: batch.map(({ id }) => id) }, { responseRules: [rule] })
            .pages(onePage())
            .records(),
        ),
      ),
    )
    expect(ids(pages)).toEqual([4, 5])
    expect(completenessOf(pages)).toMatchObject({
      grade: 'open',
      reasons: [expect.stringContaining('2 children may be incomplete')],
    })
  })

  test('from which no request can be made has all its parents rejected', async () => {
    await using api = await forum()
    const pages = await readPages(
      api.all.flatMap(
        inBatches(2, (batch) => {
          if (batch.some(({ id }) => id === 2)) throw new Error('not these')
          return api.postsOf(batch)
        }),
      ),
    )
    expect(pages.flatMap(({ rejects }) => rejects)).toEqual(
      [1, 2].map((id) => ({ stage: 'flatMap', reason: 'not these', record: { id, title: `t${id}` } })),
    )
    expect(ids(pages)).toEqual(['3-1', '3-2', '3-3', '5-1', '6-1', '6-2'])
  })
})

describe('a slice that stopped inside a batch', () => {
  const changes: Record<string, (topics: Topic[]) => void> = {
    'a parent came to its end': (topics) => topics.push({ id: 7, title: 'new' }),
    'a parent of it is gone': (topics) => topics.splice(4, 1),
    'a parent of it was edited': (topics) => {
      topics[5] = { ...topics[5]!, title: 'edited' }
    },
  }

  test.each(Object.entries(changes))(
    '%s: the batch is another one, so the page or the slice restarts',
    async (_, change) => {
      await using api = await forum(
        [1, 2, 4, 5, 6, 3].slice(0, 5).map((id) => ({ id, title: `t${id}` })),
        { size: 8 },
      )
      api.topics.push({ id: 3, title: 't3' })
      const flow = api.all.flatMap(inBatches(4, api.postsOf))
      const whole = await readPages(flow)
      // The second batch has two of four possible parents, which have six posts on three pages.
      const stop = whole.findIndex(({ position }) => {
        const { done, child } = (position ?? {}) as { done?: number; child?: unknown }
        return done === 4 && child !== null
      })
      const stopped = whole.slice(0, stop + 1)
      const position = lastPosition(stopped)
      expect(position).toMatchObject({ done: 4, child: { url: '/posts' } })
      change(api.topics)
      await expect(readPages(flow, { position, restart: 'slice' })).rejects.toMatchObject({ code: 'POSITION_LOST' })
      const rest = await readPages(flow, { position, restart: 'page' })
      expect([...new Set([...ids(stopped), ...ids(rest)])]).toEqual(expect.arrayContaining(ids(await readPages(flow))))
    },
  )
})

describe('inBatches', () => {
  test.each<[string, () => unknown, string]>([
    ['a size of 0', () => inBatches(0, () => ({}) as never), 'from 1, not 0'],
    ['no function', () => inBatches(2, undefined as never), 'give a function'],
    ['an unknown expectation', () => inBatches(2, () => ({}) as never, { expect: 'all' as never }), "must be 'each'"],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(message)
  })

  test('a function that returns no stream fails the stream, and so does a .flatMap below an expectation', async () => {
    await using api = await forum()
    for (const flow of [
      api.all.flatMap(inBatches(2, (() => [1]) as never)),
      api.all.flatMap(inBatches(2, (async () => api.postsOf([])) as never)),
      api.all.flatMap(inBatches(2, (batch) => api.postsOf(batch).flatMap(api.reactions), { expect: 'each' })),
    ])
      await expect(readPages(flow)).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining('inBatches()'),
      })
  })

  test('is described with its request', async () => {
    await using api = await forum()
    const text = describePipeline(
      pipeline('p', {
        streams: {
          posts: api.all
            .flatMap(inBatches(100, api.postsOf, { expect: 'each' }), { concurrency: 2 })
            .into('t.posts', { key: 'id' }),
        },
      }),
    )
    expect(text).toContain('for each batch of up to 100 records, expects one of each, 2 at once:')
    expect(text).toMatch(/GET \S+\/posts\?topics=\{id\}/)
  })

  test('of another size, or with another expectation, is another definition', async () => {
    await using api = await forum()
    const hashes = [inBatches(2, api.postsOf), inBatches(3, api.postsOf), inBatches(2, api.postsOf, { expect: 'each' })]
    expect(new Set(hashes.map((batches) => definitionHash(api.all.flatMap(batches).recipe))).size).toBe(3)
  })
})
