// Child streams in every shape, for the tests of src/source/children.
import { inBatches, source, type Stream } from '../../../src/index.ts'
import type { Page, Position, ReadCounts } from '../../../src/model/page.ts'
import { type Forum, type Topic } from '../forum.ts'
import { recordsOf } from '../read-pages.ts'

export const ids = (pages: readonly Page[]): unknown[] =>
  recordsOf(pages).map((record) => (record as { id: unknown }).id)

export const lastPosition = (pages: readonly Page[]): Position =>
  JSON.parse(JSON.stringify(pages.findLast(({ position }) => position !== undefined)?.position ?? null)) as Position

export const sums = (pages: readonly Page[]): ReadCounts =>
  pages.reduce(
    (sum, { counts }) =>
      Object.fromEntries(
        Object.entries(sum).map(([name, count]) => [name, count + counts[name as keyof ReadCounts]]),
      ) as unknown as ReadCounts,
    { fetched: 0, expanded: 0, filtered: 0, duplicate: 0, deleted: 0, rejected: 0, parents: 0 },
  )

/** Child streams of one forum, in every shape. */
export const shapes: Record<string, (forum: Forum) => Stream<unknown>> = {
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
      (topic) => {
        if (topic.id === 4) return []
        const list = [{ id: `list ${topic.id}a` }, { id: `list ${topic.id}b` }]
        return (topic.id % 3 === 0 ? list : posts(topic)) as never
      },
      { concurrency: 2 },
    ),
  'parents whose child cannot be made': ({ all, posts }) =>
    all.flatMap(
      (topic) => {
        if (topic.id === 5) throw new Error('no posts')
        return posts({ ...topic, id: (topic.id === 2 ? '..' : topic.id) as number })
      },
      { concurrency: 2 },
    ),
  'lists only': ({ all }) =>
    all.flatMap(({ id }) => Array.from({ length: id % 3 }, (_, index) => ({ id: `${id}.${index}` }))),
  'lists of children': ({ all, posts }) =>
    all.flatMap(posts, { concurrency: 2 }).flatMap(async ({ id }) => [{ id: `${id}a` }, { id: `${id}b` }]),
  'batches of parents': ({ all, postsOf }) => all.flatMap(inBatches(2, postsOf), { concurrency: 2 }),
  'batches of parents that a stage drops and rejects': ({ all, postsOf }) =>
    all
      .map((topic) => {
        if (topic.id === 3) throw new Error('not this one')
        return topic
      })
      .filter(({ id }) => id !== 5)
      .flatMap(inBatches(2, postsOf), { concurrency: 3 }),
  'batches whose child cannot be made': ({ all, postsOf }) =>
    all.flatMap(
      inBatches(2, (batch) => {
        if (batch.some(({ id }) => id === 4)) throw new Error('no posts')
        return postsOf(batch)
      }),
      { concurrency: 2 },
    ),
  'children of batches': ({ all, postsOf, reactions }) =>
    all.flatMap(inBatches(3, postsOf), { concurrency: 2 }).flatMap(reactions, { concurrency: 2 }),
  'children in a batch': ({ all, postsOf, reactions }) =>
    all.flatMap(inBatches(2, (batch) => postsOf(batch).flatMap(reactions, { concurrency: 2 }))),
  'batches of children': ({ atOnce, posts, reactionsOf }) =>
    atOnce.flatMap(posts, { concurrency: 2 }).flatMap(inBatches(2, reactionsOf), { concurrency: 2 }),
  'parents from a custom source': ({ posts }) =>
    source<Topic>(async function* ({ position }) {
      for (let id = Number(position ?? 0) + 1; id <= 5; id++) yield { records: [{ id, title: '' }], position: id }
    }).flatMap(posts, { concurrency: 2 }),
}
