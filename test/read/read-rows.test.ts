import { expect, test } from '@jest/globals'
import { byLinkHeader, byPage, http, onePage, path } from '../../src/index.ts'
import { apiServer } from '../support/api-server.ts'

test('rows of a child stream come in the order of their parents', async () => {
  await using server = await apiServer(({ path, query }) => {
    if (path === '/topics')
      return { json: query.get('page') === '3' ? [] : [1, 2, 3].map((id) => ({ id: `${query.get('page')}${id}` })) }
    const more = query.get('p') === null ? { link: `<${path}?p=2>; rel="next"` } : {}
    return { json: [{ at: path }, { at: path }].map(({ at }) => ({ at, p: query.get('p') ?? '1' })), headers: more }
  })
  const api = http(server.origin)
  const topics = api.get<{ id: string }[]>('/topics').pages(byPage('page')).records()
  const posts = topics.flatMap(
    (topic) =>
      api
        .get<{ at: string; p: string }[]>(path`/topics/${topic.id}/posts`)
        .pages(byLinkHeader())
        .records(),
    { concurrency: 4 },
  )
  const rows = await Array.fromAsync(posts.into('forum.posts', { key: 'at' }).rows())
  expect(rows.map(({ at, p }) => `${at.split('/')[2]}.${p}`)).toEqual(
    ['11', '12', '13', '21', '22', '23'].flatMap((id) => [`${id}.1`, `${id}.1`, `${id}.2`, `${id}.2`]),
  )
})

test('rows of a reading that is open end with an error, unless it is accepted', async () => {
  await using server = await apiServer([{ json: [{ id: 1 }], headers: { 'x-total-count': '2' } }])
  const flow = http(server.origin).get<{ id: number }[]>('/x').pages(onePage()).records().into('t.x', { key: 'id' })
  const read: unknown[] = []
  const reading = async (): Promise<void> => {
    for await (const row of flow.rows()) read.push(row)
  }
  await expect(reading()).rejects.toMatchObject({
    code: 'INCOMPLETE',
    message: expect.stringContaining("1 record came, but the header 'x-total-count' states 2"),
    reasons: [expect.stringMatching(/^GET \/x: 1 record came/)],
  })
  expect(read).toEqual([{ id: 1 }])
  expect(await Array.fromAsync(flow.rows({ complete: 'any' }))).toEqual([{ id: 1 }])
  // A reader that leaves early does not ask for everything.
  for await (const _ of flow.rows()) break
})
