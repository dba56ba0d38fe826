import { expect, test } from '@jest/globals'
import { openScope } from '../../src/read/open-scope.ts'
import { replayRecord } from '../../src/read/read-recipe.ts'
import { inBatches, type Stream } from '../../src/index.ts'
import type { Page, Reject } from '../../src/model/page.ts'
import { forum, type Forum } from '../source/forum.ts'
import { readPages, recordsOf } from '../source/read-pages.ts'

/** Reads with a fault in a stage, removes the fault, and replays the rejects. */
async function replayRejects(
  flow: (isBroken: () => boolean) => Stream<unknown>,
): Promise<{ rejects: Reject[]; missing: unknown[]; replayed: unknown[] }> {
  let isBroken = true
  const { recipe } = flow(() => isBroken)
  const broken = await readPages({ recipe })
  isBroken = false
  const whole = recordsOf(await readPages({ recipe }))
  const read = new Set(recordsOf(broken).map((record) => JSON.stringify(record)))
  const rejects = broken.flatMap(({ rejects }) => rejects)
  await using scope = openScope()
  const pages: Page[] = []
  for (const reject of JSON.parse(JSON.stringify(rejects)) as Reject[])
    for await (const page of replayRecord(recipe, reject, scope)) pages.push(page)
  return { rejects, missing: whole.filter((record) => !read.has(JSON.stringify(record))), replayed: recordsOf(pages) }
}

test.each<[string, (of: Forum, broken: () => boolean) => Stream<unknown>]>([
  [
    'a record of a source',
    ({ all }, broken) => all.map((topic) => fails(broken() && topic.id % 2 === 0, { ...topic, more: 1 })),
  ],
  [
    'a child',
    ({ all, posts }, broken) =>
      all
        .map((topic) => ({ ...topic, more: 1 }))
        .flatMap((topic) =>
          posts(topic).map((post) => fails(broken() && post.id === '3-2', { ...post, more: topic.more })),
        ),
  ],
  [
    'a child in a stage behind it',
    ({ all, posts }, broken) =>
      all.flatMap(posts).map((post) => fails(broken() && post.topic === 3, { ...post, title: post.id })),
  ],
  [
    'a grandchild in a chain',
    ({ all, posts, reactions }, broken) =>
      all
        .flatMap(posts)
        .flatMap(reactions)
        .map((reaction) => fails(broken() && reaction.post === '2-2', reaction)),
  ],
  [
    'a grandchild in the child',
    ({ all, posts, reactions }, broken) =>
      all.flatMap((topic) =>
        posts(topic).flatMap((post) =>
          reactions(post).map((reaction) =>
            fails(broken() && reaction.post === '2-2', { ...reaction, topic: topic.title, at: post.id }),
          ),
        ),
      ),
  ],
  [
    'a parent, and with it its children',
    ({ all, posts }, broken) => all.map((topic) => fails(broken() && topic.id === 2, topic)).flatMap(posts),
  ],
  [
    'a parent whose function failed, and with it its children',
    ({ all, posts }, broken) => all.flatMap((topic) => fails(broken() && topic.id === 2, posts(topic))),
  ],
  [
    'a child of a batch, whose stages look at the whole batch',
    ({ all, postsOf }, broken) =>
      all
        .map((topic) => ({ ...topic, more: 1 }))
        .flatMap(
          inBatches(3, (batch) =>
            postsOf(batch).map((post) =>
              fails(broken() && post.id === '2-2', { ...post, of: batch.map(({ id, more }) => id + more) }),
            ),
          ),
        ),
  ],
  [
    'a grandchild of a batch',
    ({ all, postsOf, reactions }, broken) =>
      all
        .flatMap(inBatches(3, postsOf))
        .flatMap(reactions)
        .map((reaction) => fails(broken() && reaction.post === '2-2', reaction)),
  ],
  [
    'a child of a batch of children',
    ({ all, posts, reactionsOf }, broken) =>
      all
        .flatMap(posts)
        .flatMap(
          inBatches(2, (batch) =>
            reactionsOf(batch).map((reaction) =>
              fails(broken() && reaction.post === '2-2', { ...reaction, of: batch.map(({ id }) => id) }),
            ),
          ),
        ),
  ],
  [
    'a batch whose function failed, and with it its children',
    ({ all, posts }, broken) =>
      all.flatMap(inBatches(1, ([topic]) => fails(broken() && topic!.id === 2, posts(topic!)))),
  ],
  [
    'one of a list',
    ({ all }, broken) =>
      all.flatMap(({ id }) => [{ id }, { id: -id }]).map((record) => fails(broken() && record.id === -2, record)),
  ],
])('a replay of %s yields the same records as a slice without the fault', async (rejected, flow) => {
  await using api = await forum()
  const { rejects, missing, replayed } = await replayRejects((broken) => flow(api, broken))
  expect(rejects.length).toBeGreaterThan(0)
  expect(missing.length).toBeGreaterThan(0)
  // The record that became a list is replayed, so the whole list comes again.
  expect(replayed).toEqual(rejected === 'one of a list' ? [{ id: 2 }, ...missing] : missing)
})

test('a replay rejects a record whose parent now becomes several parents', async () => {
  await using api = await forum()
  let isBroken = true
  const { recipe } = api.all
    .flatMap((topic) => (isBroken ? [topic] : [topic, topic]))
    .flatMap((topic) => api.posts(topic).map((post) => fails(isBroken && post.id === '3-2', post)))
  const [reject] = (await readPages({ recipe })).flatMap(({ rejects }) => rejects)
  isBroken = false
  await using scope = openScope()
  const pages = await Array.fromAsync(replayRecord(recipe, reject!, scope))
  expect(pages.flatMap(({ rejects }) => rejects)).toMatchObject([
    { stage: 'flatMap', reason: expect.stringContaining('several records from its parent'), record: { id: 3 } },
  ])
})

function fails<T>(isBroken: boolean, value: T): T {
  if (isBroken) throw new Error('not yet')
  return value
}
