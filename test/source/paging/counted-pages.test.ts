import { describe, expect, test } from '@jest/globals'
import { byOffset, byPage, http } from '../../../src/index.ts'
import { apiServer, type ApiRequest } from '../../support/api-server.ts'
import { readPages, recordsOf } from '../read-pages.ts'
import { all, ids, pageOf, posts, walk } from './walk.ts'

describe('byPage', () => {
  test('byPage reads as many pages as the response says, from page 1', async () => {
    const { requested, records } = await walk(
      (request) => ({ json: { data: posts(pageOf(request)), total_pages: 5 } }),
      byPage('page', { pages: 'total_pages' as never }),
    )
    expect(ids(records)).toEqual(all)
    expect(requested.toSorted()).toEqual([1, 2, 3, 4, 5].map((page) => `/posts?page=${page}`))
  })

  test('byPage counts from 0 with `start: 0`', async () => {
    const { requested, records } = await walk(
      (request) => ({ json: { data: posts(pageOf(request) + 1), total_pages: 5 } }),
      byPage('page', { start: 0, pages: 'total_pages' as never }),
    )
    expect(ids(records)).toEqual(all)
    expect(requested.toSorted()).toEqual([0, 1, 2, 3, 4].map((page) => `/posts?page=${page}`))
  })

  test('byPage stops at the last announced page, also if empty pages before it announce nothing', async () => {
    const { requested, records, error } = await walk(
      (request) => ({ json: { data: posts(pageOf(request)), ...(pageOf(request) < 6 && { total: 9 }) } }),
      byPage('page', { pages: (body: { total?: number }) => body.total }),
    )
    expect(error).toBeUndefined()
    expect(ids(records)).toEqual(all)
    expect(requested).toHaveLength(9)
  })

  test('byPage stops at an empty first page, whose total may be missing', async () => {
    const { requested, error } = await walk(
      () => ({ json: { data: [], meta: {} } }),
      byPage('page', { pages: (body: { meta: { page?: { total: number } } }) => body.meta.page!.total }),
    )
    expect({ requested, error }).toEqual({ requested: ['/posts?page=1'], error: undefined })
  })

  test('byPage overwrites a parameter of the request', async () => {
    const { requested } = await walk((request) => ({ json: { data: posts(pageOf(request)) } }), byPage('page'), {
      query: { page: 100 },
    })
    expect(requested[0]).toBe('/posts?page=1')
  })

  test('byPage requests the last page that is allowed, and no further', async () => {
    const { requested } = await walk(
      (request) => ({ json: { data: posts(pageOf(request)) } }),
      byPage('page', { max: 2 }),
    )
    expect(requested).toEqual(['/posts?page=1', '/posts?page=2'])
  })

  test('byPage stops at the first condition that ends it', async () => {
    const { requested } = await walk(
      (request) => ({ json: { data: posts(pageOf(request)), more: true } }),
      byPage('page', { max: 3, more: 'more' as never }),
    )
    expect(requested).toHaveLength(3)
    const limited = await walk(
      (request) => ({ json: { data: posts(pageOf(request)), more: pageOf(request) < 2 } }),
      byPage('page', { max: 3, more: 'more' as never }),
    )
    expect(limited.requested).toHaveLength(2)
  })

  test('byPage accepts a total as text, and refuses one that is missing or not a number', async () => {
    const text = await walk(
      (request) => ({ json: { data: posts(pageOf(request)), total: '3' } }),
      byPage('page', { pages: 'total' as never }),
    )
    expect(text.requested).toHaveLength(3)
    for (const total of ['invalid', {}, true, null]) {
      const wrong = await walk(
        (request) => ({ json: { data: posts(pageOf(request)), meta: { total } } }),
        byPage('page', { pages: 'meta.total' as never }),
      )
      expect(wrong.error).toMatchObject({
        code: 'PAGING',
        message: expect.stringContaining("GET /posts: 'meta.total' should be the number of pages or records"),
      })
      expect(wrong.records).toEqual([])
    }
    const missing = await walk(
      (request) => ({ json: { data: posts(pageOf(request)) } }),
      byPage('page', { pages: 'meta.total' as never }),
    )
    expect(missing.error).toMatchObject({
      message: "GET /posts: 'meta.total' should be the number of pages or records, but is missing",
    })
  })

  test('byPage fails if the API returns the same page for every number', async () => {
    const { requested, records, error } = await walk(() => ({ json: { data: posts(1) } }), byPage('p'))
    expect(error).toMatchObject({
      code: 'PAGING',
      message: expect.stringMatching(/seems to ignore the parameter 'p'.+\. The query that was sent: \?p=2$/),
    })
    expect(requested.length).toBeLessThanOrEqual(3)
    expect(records).toEqual([])
  })

  test('byPage requests pages concurrently if their number is known, and yields them in order', async () => {
    // Pages 2 to 4 are answered once all three are asked for, and page 2 after 3 and 4.
    const [three, others] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const [asked, answered] = [new Set<number>(), new Set<number>()]
    await using server = await apiServer(async (request) => {
      const page = pageOf(request)
      const answer = { json: { data: posts(page), total_pages: 5 } }
      if (page === 1 || page === 5) return answer
      if (asked.add(page).size === 3) three.resolve()
      await three.promise
      if (page === 2) await others.promise
      else if (answered.add(page).size === 2) others.resolve()
      return answer
    })
    const flow = http(server.origin, { concurrency: 3 })
      .get<{ data: { id: number }[]; total_pages: number }>('/posts')
      .pages(byPage('page', { pages: 'total_pages' }))
      .records('data')
    const pages = await readPages(flow)
    expect(ids(recordsOf(pages))).toEqual(all)
    expect(server.mostAtOnce).toBe(3)
    expect(pages.map(({ position }) => (position as { query?: { page: string } }).query?.page)).toEqual([
      '2',
      '3',
      '4',
      '5',
      undefined,
    ])
  })

  test('byPage requests all pages that the response announced, also if they are empty', async () => {
    const { records, requested } = await walk(
      (request) => ({ json: { data: pageOf(request) > 2 ? [] : posts(pageOf(request)), total_pages: 50 } }),
      byPage('page', { pages: 'total_pages' as never }),
      { options: { concurrency: 4 } },
    )
    expect(ids(records)).toEqual(all.slice(0, 10))
    expect(requested).toHaveLength(50)
  })
})

describe('byOffset', () => {
  test('byOffset advances by the records that came, not by the limit', async () => {
    // The server gives 2 at most, though the limit is 10: stepping by the limit would skip 8 of 10 records.
    const { records, requested } = await walk(
      (request) => ({ json: { data: all.slice(from(request), from(request) + 2).map((id) => ({ id })), total: 5 } }),
      byOffset('offset', { total: 'total' as never }),
      { query: { limit: 10 } },
    )
    expect(requested).toEqual([0, 2, 4].map((offset) => `/posts?limit=10&offset=${offset}`))
    expect(ids(records)).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('byOffset requests nothing beyond the total', async () => {
    const { requested } = await walk(
      (request) => ({ json: { data: all.slice(from(request), from(request) + 2).map((id) => ({ id })), total: '4' } }),
      byOffset('offset', { total: 'total' as never }),
    )
    expect(requested).toEqual(['/posts?offset=0', '/posts?offset=2'])
  })

  test('byOffset starts at `start`', async () => {
    const { requested } = await walk(
      (request) => ({
        json: { data: Array.from({ length: 42 }, (_, id) => ({ id: from(request) + id })), total: 200 },
      }),
      byOffset('offset', { start: 123, total: 'total' as never, max: 170 }),
      { query: { limit: 42 } },
    )
    expect(requested).toEqual(['/posts?limit=42&offset=123', '/posts?limit=42&offset=165'])
  })

  test('byOffset ends at an empty page, and at the greatest offset that is allowed', async () => {
    const empty = await walk(
      (request) => ({ json: { data: from(request) < 10 ? posts(1 + from(request) / 5) : [] } }),
      byOffset('offset'),
    )
    expect(empty.requested).toHaveLength(3)
    const last = await walk(
      (request) => ({ json: { data: posts(1 + from(request) / 5) } }),
      byOffset('offset', { max: 5 }),
    )
    expect(last.requested).toEqual(['/posts?offset=0', '/posts?offset=5'])
  })
})

const from = ({ query }: ApiRequest): number => Number(query.get('offset'))
