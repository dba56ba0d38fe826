import { describe, expect, test } from '@jest/globals'
import { source, type Stream } from '../../../src/index.ts'
import { ListMovedError } from '../../../src/model/errors.ts'
import type { Page, Position } from '../../../src/model/page.ts'
import { forum, type Post, type Reaction, type Topic } from '../forum.ts'
import { readPages, recordsOf } from '../read-pages.ts'
import { ids, lastPosition, shapes, sums } from './child-shapes.ts'

/** The pages that a run which died would have committed: up to the last page with a position. */
const committed = (pages: readonly Page[]): Page[] =>
  pages.slice(0, pages.findLastIndex(({ position }) => position !== undefined) + 1)

describe.each(Object.entries(shapes))('children: %s', (_, shape) => {
  test('a slice that stops after any page resumes behind it: nothing is lost, doubled or counted twice', async () => {
    await using api = await forum()
    const flow = shape(api)
    // Positions of rows without a key hold what a resumed reading is checked by.
    const whole = await readPages(flow, { restart: 'slice' })
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
  expect(ids(await readPages(flow, { position: insideThird, restart: 'page' }))).toEqual(whole.slice(5))
  // A page number of 0.1 has no record to be checked by, so rows without a key are read again from the start.
  await expect(readPages(flow, { position: insideThird, restart: 'slice' })).rejects.toThrow(ListMovedError)
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
    expect(sums(pages)).toEqual({
      fetched: 4 + 1,
      expanded: 0,
      filtered: 0,
      duplicate: 0,
      deleted: 0,
      rejected: 1,
      parents: 6,
    })
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
      deleted: 0,
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
