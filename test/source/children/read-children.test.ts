import { describe, expect, test } from '@jest/globals'
import { MemoryBudget } from '../../../src/flow/memory-budget.ts'
import { byPage, http, path, source, type Stream } from '../../../src/index.ts'
import type { Page, Position, ReadCounts } from '../../../src/model/page.ts'
import { apiServer } from '../../support/api-server.ts'
import { forum, type Forum, type Post, type Reaction, type Topic } from '../forum.ts'
import { readPages, recordsOf } from '../read-pages.ts'

const ids = (pages: readonly Page[]): unknown[] => recordsOf(pages).map((record) => (record as { id: unknown }).id)
const lastPosition = (pages: readonly Page[]): Position =>
  JSON.parse(JSON.stringify(pages.findLast(({ position }) => position !== undefined)?.position ?? null)) as Position
/** The pages that a run which died would have committed: up to the last page with a position. */
const committed = (pages: readonly Page[]): Page[] =>
  pages.slice(0, pages.findLastIndex(({ position }) => position !== undefined) + 1)
const sums = (pages: readonly Page[]): ReadCounts =>
  pages.reduce(
    (sum, { counts }) =>
      Object.fromEntries(
        Object.entries(sum).map(([name, count]) => [name, count + counts[name as keyof ReadCounts]]),
      ) as unknown as ReadCounts,
    { fetched: 0, expanded: 0, filtered: 0, duplicate: 0, rejected: 0, parents: 0 },
  )

/** Child streams of one forum, in every shape. */
const shapes: Record<string, (forum: Forum) => Stream<unknown>> = {
  'one deep': ({ all, posts }) => all.flatMap(posts, { concurrency: 3 }),
  'one deep, one at a time': ({ all, posts }) => all.flatMap(posts),
  'parents whose pages are requested at once': ({ atOnce, posts, reactions }) =>
    atOnce.flatMap(posts, { concurrency: 2 }).flatMap(reactions, { concurrency: 2 }),
  'two deep in a chain': ({ all, posts, reactions }) =>
    all.flatMap(posts, { concurrency: 2 }).flatMap(reactions, { concurrency: 3 }),
  'two deep in a chain, one at a time': ({ all, posts, reactions }) => all.flatMap(posts).flatMap(reactions),
  'two deep in the child': ({ all, posts, reactions }) =>
    all.flatMap((topic) => posts(topic).flatMap(reactions, { concurrency: 2 }), { concurrency: 3 }),
  'parents that a stage drops and rejects': ({ all, posts }) =>
    all
      .map((topic) => {
        if (topic.id === 3) throw new Error('not this one')
        return topic
      })
      .filter(({ id }) => id !== 2)
      .flatMap(posts, { concurrency: 2 }),
  'children that a stage drops': ({ all, posts, reactions }) =>
    all
      .flatMap((topic) => posts(topic).filter(({ id }) => !id.endsWith('-2')), { concurrency: 2 })
      .filter(({ id }) => id !== '5-1')
      .flatMap(reactions),
  'a stream for some, a list for others, nothing for the rest': ({ all, posts }) =>
    all.flatMap(
      (topic) =>
        (topic.id % 3 === 0
          ? [{ id: `list ${topic.id}a` }, { id: `list ${topic.id}b` }]
          : topic.id === 4
            ? []
            : posts(topic)) as never,
      { concurrency: 2 },
    ),
  'parents whose child cannot be made': ({ all, posts }) =>
    all.flatMap(
      (topic) => {
        if (topic.id === 5) throw new TypeError('no posts')
        return posts({ ...topic, id: (topic.id === 2 ? '..' : topic.id) as number })
      },
      { concurrency: 2 },
    ),
  'lists only': ({ all }) =>
    all.flatMap(({ id }) => Array.from({ length: id % 3 }, (_, index) => ({ id: `${id}.${index}` }))),
  'lists of children': ({ all, posts }) =>
    all.flatMap(posts, { concurrency: 2 }).flatMap(async ({ id }) => [{ id: `${id}a` }, { id: `${id}b` }]),
  'parents from a custom source': ({ posts }) =>
    source<Topic>(async function* ({ position }) {
      for (let id = Number(position ?? 0) + 1; id <= 5; id++) yield { records: [{ id, title: '' }], position: id }
    }).flatMap(posts, { concurrency: 2 }),
}

describe.each(Object.entries(shapes))('children: %s', (_, shape) => {
  test('a slice that stops after any page resumes behind it: nothing is lost, doubled or counted twice', async () => {
    await using api = await forum()
    const flow = shape(api)
    const whole = await readPages(flow)
    expect(ids(whole).length).toBeGreaterThan(3)
    expect(whole.at(-1)!.position).toEqual({ end: true })
    for (let stop = 1; stop <= whole.length; stop++) {
      const stopped = committed(whole.slice(0, stop))
      const rest = await readPages(flow, { position: lastPosition(stopped), restart: 'slice' })
      expect({ stop, ids: [...ids(stopped), ...ids(rest)] }).toEqual({ stop, ids: ids(whole) })
      expect({ stop, ...sums([...stopped, ...rest]) }).toEqual({ stop, ...sums(whole) })
      expect([...stopped, ...rest].flatMap(({ rejects }) => rejects)).toEqual(whole.flatMap(({ rejects }) => rejects))
    }
  })

  test('a slice that stops after each page gets to its end', async () => {
    await using api = await forum()
    const flow = shape(api)
    const read: Page[] = []
    for (let position: Position = null; JSON.stringify(position) !== '{"end":true}'; position = lastPosition(read)) {
      read.push(...(await readPages(flow, { position, pages: 1, restart: 'slice' })))
    }
    expect(ids(read)).toEqual(ids(await readPages(flow)))
  })
})

test('a child position that version 0.1 stored resumes behind its parents', async () => {
  await using api = await forum()
  const flow = api.all.flatMap(api.posts)
  // Digests of the first two topics, and of the first three while posts of the third are read, as 0.1 computed them.
  const behindTwo = { at: null, done: 2, digest: 'fO3fQ5zoa39Ic1HrCrgobi', child: null, apart: true }
  const third = { method: 'GET', url: '/topics/3/posts', query: { page: '2' } }
  const insideThird = { ...behindTwo, digest: 'JoaynYdSrsufB47KbWS097', child: third }
  const whole = ids(await readPages(flow))
  expect(ids(await readPages(flow, { position: behindTwo, restart: 'slice' }))).toEqual(whole.slice(3))
  expect(ids(await readPages(flow, { position: insideThird, restart: 'slice' }))).toEqual(whole.slice(5))
})

describe('parents that changed while a slice was interrupted', () => {
  const changes: Record<string, (topics: Topic[]) => void> = {
    'a new one before all others': (topics) => topics.unshift({ id: 11, title: 'new' }),
    'one that was read, edited': (topics) => {
      topics[0] = { ...topics[0]!, title: 'edited' }
    },
    'one that was read, deleted': (topics) => topics.splice(0, 1),
    'all but the first deleted': (topics) => topics.splice(1),
  }

  test.each(Object.entries(changes))('%s: the page of parents restarts, or the slice does', async (_, change) => {
    for (const [shape, pages] of [
      ['one deep', 3],
      ['one deep', 5],
      ['two deep in a chain', 6],
      ['two deep in the child', 5],
    ] as const) {
      await using api = await forum()
      const flow = shapes[shape]!(api)
      const stopped = await readPages(flow, { pages })
      const position = lastPosition(stopped)
      change(api.topics)
      await expect(readPages(flow, { position, restart: 'slice' })).rejects.toMatchObject({ code: 'POSITION_LOST' })
      const rest = await readPages(flow, { position, restart: 'page' })
      // After a merge by key, every record of the changed API is there.
      expect([...new Set([...ids(stopped), ...ids(rest)])]).toEqual(expect.arrayContaining(ids(await readPages(flow))))
    }
  })

  test('parents behind the position may change', async () => {
    await using api = await forum()
    const flow = shapes['one deep']!(api)
    const stopped = await readPages(flow, { pages: 2 })
    api.topics[2] = { id: 9, title: 'another' }
    const rest = await readPages(flow, { position: lastPosition(stopped), restart: 'slice' })
    expect(ids([...stopped, ...rest])).toEqual(ids(await readPages(flow)))
  })
})

describe('a child whose position the API has forgotten', () => {
  test('a child whose position is lost restarts if rows are merged; else the slice restarts', async () => {
    await using api = await forum()
    const flow = api.all.flatMap(api.posts)
    const stopped = await readPages(flow, { pages: 5 }) // Topic 3 has two pages of posts, and an empty one.
    const position = lastPosition(stopped)
    expect(position).toMatchObject({ done: 2, child: { url: '/topics/3/posts', query: { page: '2' } } })
    api.gone.add('/topics/3/posts?page=2')
    // Its second page is still gone, but now it was requested after the first one.
    await expect(readPages(flow, { position, restart: 'page' })).rejects.toMatchObject({ code: 'HTTP', status: 410 })
    expect(api.server.requests.filter(({ url }) => url === '/topics/3/posts?page=1')).toHaveLength(2)
    await expect(readPages(flow, { position, restart: 'slice' })).rejects.toMatchObject({ code: 'POSITION_LOST' })
  })

  test('a lost position of the parents restarts the slice', async () => {
    await using api = await forum()
    const flow = api.all.flatMap(api.posts)
    const stopped = await readPages(flow, { pages: 10 })
    expect(lastPosition(stopped)).toMatchObject({ at: { query: { c: '3' } } })
    api.gone.add('/topics?c=3')
    await expect(readPages(flow, { position: lastPosition(stopped), restart: 'page' })).rejects.toMatchObject({
      code: 'POSITION_LOST',
    })
  })

  test('a position of another definition restarts the slice', async () => {
    await using api = await forum()
    await expect(
      readPages(api.all.flatMap(api.posts), { position: { method: 'GET', url: '/x', query: {} } }),
    ).rejects.toMatchObject({ code: 'POSITION_LOST' })
  })
})

describe('what is counted and rejected', () => {
  test('parents count as parents, and their rejects count once', async () => {
    await using api = await forum()
    const pages = await readPages(shapes['parents that a stage drops and rejects']!(api))
    expect(sums(pages)).toEqual({ fetched: 4 + 1, expanded: 0, filtered: 0, duplicate: 0, rejected: 1, parents: 6 })
    expect(pages.flatMap(({ rejects }) => rejects)).toEqual([
      { stage: 'map', reason: 'not this one', record: { id: 3, title: 't3' } },
    ])
  })

  test('parents of parents count as parents', async () => {
    await using api = await forum()
    // Six topics have nine posts, which have eleven reactions.
    for (const shape of ['two deep in a chain', 'two deep in the child'])
      expect(sums(await readPages(shapes[shape]!(api)))).toMatchObject({ parents: 6 + 9, fetched: 11 })
  })

  test('a reject of a child holds its ancestors, outermost first, as they were read', async () => {
    await using api = await forum()
    const expected = {
      stage: 'map',
      reason: 'bad 2-2-1',
      record: { id: '2-2-1', post: '2-2' },
      parents: [
        { id: 2, title: 't2' },
        { id: '2-2', topic: 2 },
      ],
    }
    const named = api.all.map((topic) => ({ ...topic, more: 1 }))
    for (const flow of [
      named.flatMap(api.posts).filter(only).flatMap(api.reactions).map(fails),
      named
        .flatMap(api.posts)
        .filter(only)
        .flatMap((post) => api.reactions(post).map(fails)),
      named.flatMap((topic) =>
        api
          .posts(topic)
          .filter(only)
          .flatMap((post) => api.reactions(post).map(fails)),
      ),
      named.flatMap((topic) => api.posts(topic).filter(only).flatMap(api.reactions)).map(fails),
    ])
      expect((await readPages(flow)).flatMap(({ rejects }) => rejects)[0]).toEqual(expected)
  })

  test('a parent from which no request can be made is rejected alone, in its place', async () => {
    await using api = await forum()
    const pages = await readPages(shapes['parents whose child cannot be made']!(api))
    expect(pages.flatMap(({ rejects }) => rejects)).toEqual([
      {
        stage: 'flatMap',
        reason: expect.stringContaining("'..' cannot be a segment of a path"),
        record: { id: 2, title: 't2' },
      },
      { stage: 'flatMap', reason: 'no posts', record: { id: 5, title: 't5' } },
    ])
  })

  test('a list of n records counts n − 1 as expanded, and an empty list counts as filtered', async () => {
    await using api = await forum()
    expect(sums(await readPages(shapes['lists only']!(api)))).toEqual({
      fetched: 6,
      expanded: 2,
      filtered: 2,
      duplicate: 0,
      rejected: 0,
      parents: 0,
    })
  })

  test('a flatMap function that returns neither a stream nor a list rejects its record', async () => {
    const pages = await readPages(
      source<{ id: number }>(async function* () {
        yield { records: [{ id: 1 }, { id: 2 }] }
      }).flatMap(({ id }) => (id === 1 ? 'text' : [id]) as never),
    )
    expect(pages.flatMap(({ rejects }) => rejects)).toMatchObject([
      { reason: 'flatMap: the function must return a stream or a list of records', record: { id: 1 } },
    ])
    expect(recordsOf(pages)).toEqual([2])
  })
})

describe('concurrency', () => {
  test('`concurrency` children are read at the same time, and yielded in the order of their parents', async () => {
    let open = 0
    let most = 0
    await using server = await apiServer(async ({ path, query }) => {
      if (path === '/parents')
        return { json: query.get('page') === '1' ? Array.from({ length: 12 }, (_, id) => ({ id })) : [] }
      most = Math.max(most, ++open)
      await new Promise((resolve) => void setTimeout(resolve, 5 + ((Number(path.split('/')[2]) * 7) % 20)))
      open--
      return { json: Number(query.get('page')) > 2 ? [] : [{ id: `${path.split('/')[2]}.${query.get('page')}` }] }
    })
    const api = http(server.origin, { concurrency: 50 })
    const flow = api
      .get<{ id: number }[]>('/parents')
      .pages(byPage('page'))
      .records()
      .flatMap(
        ({ id }) =>
          api
            .get<{ id: string }[]>(path`/of/${id}`)
            .pages(byPage('page'))
            .records(),
        { concurrency: 4 },
      )
    expect(ids(await readPages(flow))).toEqual(Array.from({ length: 12 }, (_, id) => [`${id}.1`, `${id}.2`]).flat())
    expect(most).toBe(4)
  })

  test('a child is yielded page by page, and only a bounded number of pages is requested ahead', async () => {
    await using server = await apiServer(({ path, query }) =>
      path === '/parents'
        ? { json: query.get('page') === '1' ? [{ id: 1 }, { id: 2 }] : [] }
        : { json: [{ id: `${path} ${query.get('page')}` }] },
    )
    const api = http(server.origin)
    const endless = api
      .get<{ id: number }[]>('/parents')
      .pages(byPage('page'))
      .records()
      .flatMap(
        ({ id }) =>
          api
            .get<{ id: string }[]>(path`/of/${id}`)
            .pages(byPage('page'))
            .records(),
        { concurrency: 2 },
      )
    expect(await readPages(endless, { pages: 5 })).toHaveLength(5)
    const requestsOf = (id: number): number => server.requests.filter(({ path }) => path === `/of/${id}`).length
    expect(requestsOf(1)).toBeLessThanOrEqual(6)
    expect(requestsOf(2)).toBeLessThanOrEqual(2)
  })

  test.each(Object.keys(shapes))(
    '%s is read within a budget of about one page, and all memory is released',
    async (shape) => {
      await using api = await forum(undefined, { size: 2 })
      const budget = new MemoryBudget(100)
      const pages = await readPages(shapes[shape]!(api), { memory: budget.account() })
      expect(ids(pages)).toEqual(ids(await readPages(shapes[shape]!(api))))
      expect({ used: budget.used, waiting: budget.waiting }).toEqual({ used: 0, waiting: 0 })
    },
  )

  test('three slices share a budget of about two pages without blocking each other', async () => {
    await using api = await forum()
    const budget = new MemoryBudget(200)
    await Promise.all(
      ['one deep', 'two deep in a chain', 'two deep in the child'].map((shape) =>
        readPages(shapes[shape]!(api), { memory: budget.account() }),
      ),
    )
    expect(budget.used).toBe(0)
  })

  test('leaving early cancels every request and releases all memory', async () => {
    await using api = await forum()
    for (const pages of [1, 2, 4, 7]) {
      const budget = new MemoryBudget(1 << 20)
      await readPages(shapes['two deep in a chain']!(api), { pages, memory: budget.account() })
      expect({ used: budget.used, waiting: budget.waiting }).toEqual({ used: 0, waiting: 0 })
    }
  })

  test('a child that fails ends the slice with its error, after the pages of the children before it', async () => {
    await using api = await forum()
    api.gone.add('/topics/3/posts?page=1')
    const read: Page[] = []
    const { openScope } = await import('../../../src/read/open-scope.ts')
    const { readRecipe } = await import('../../../src/read/read-recipe.ts')
    await using scope = openScope()
    await expect(async () => {
      for await (const page of readRecipe(
        api.all.flatMap(api.posts, { concurrency: 4 }).recipe,
        { position: null, restart: 'page' },
        scope,
      ))
        read.push(page)
    }).rejects.toMatchObject({ code: 'HTTP', status: 410 })
    expect(ids(read)).toEqual(['1-1', '2-1', '2-2'])
  })

  test('an aborted slice of children rejects with the reason of its signal', async () => {
    const controller = new AbortController()
    await using server = await apiServer(({ path }) => {
      if (path === '/parents') return { json: [{ id: 1 }] }
      controller.abort(new Error('enough'))
      return { hang: true }
    })
    const api = http(server.origin)
    const flow = api
      .get<{ id: number }[]>('/parents')
      .pages(byPage('page', { max: 1 }))
      .records()
      .flatMap(({ id }) =>
        api
          .get<{ id: string }[]>(path`/of/${id}`)
          .pages(byPage('page'))
          .records(),
      )
    await expect(readPages(flow, { signal: controller.signal })).rejects.toThrow('enough')
  })
})

test('parents and children may have one cursor together', async () => {
  await expect(readPages(own().flatMap(own))).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('.incremental() stands twice'),
  })
  await expect(
    readPages(
      own().flatMap(() =>
        source<number>(async function* () {
          yield { records: [1] }
        }).flatMap(own),
      ),
    ),
  ).rejects.toMatchObject({ code: 'USAGE' })
})

test('a cursor of the child is one cursor for all children', async () => {
  const parents = source<{ id: number }>(async function* () {
    yield { records: [{ id: 1 }, { id: 2 }, { id: 3 }], position: 1 }
  })
  const flow = parents.flatMap(({ id }) =>
    source<{ at: number }>(async function* () {
      yield { records: [{ at: 10 - id }, { at: 5 }] }
    }).incremental('at', { lookback: 1 }),
  )
  const pages = await readPages(flow, { since: '8' })
  expect(recordsOf(pages)).toEqual([{ at: 9 }, { at: 8 }, { at: 7 }])
  expect(pages.flatMap(({ highWaterMark }) => highWaterMark ?? [])).toEqual([
    { value: '9' },
    { value: '8' },
    { value: '7' },
  ])
})

const fails = (reaction: Reaction): never => {
  throw new Error(`bad ${reaction.id}`)
}

const only = (post: Post): boolean => post.id === '2-2'

const own = (): Stream<{ at: string }> =>
  source<{ at: string }>(async function* () {
    yield { records: [{ at: '2024-01-01' }] }
  }).incremental('at')
