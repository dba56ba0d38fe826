import { describe, expect, test } from '@jest/globals'
import { byCursor, byLinkHeader, byOffset, byPage, http } from '../../../src/index.ts'
import { apiServer, type ApiAnswer, type ApiRequest } from '../../support/api-server.ts'
import { readPages, recordsOf } from '../read-pages.ts'
import { all, ids, pageOf, posts, walk } from './walk.ts'

describe('an empty page with an announcement of more', () => {
  test('byPage continues over empty pages while `more` is true', async () => {
    const { requested, records } = await walk(
      (request) => ({
        json: { data: [2, 4].includes(pageOf(request)) ? [] : posts(pageOf(request)), more: pageOf(request) < 5 },
      }),
      byPage('page', { more: 'more' as never }),
    )
    expect(ids(records)).toEqual([...all.slice(0, 5), ...all.slice(10, 15), ...all.slice(20)])
    expect(requested).toHaveLength(5)
  })

  test('byPage continues over an empty page below the number of pages, also if it has no number', async () => {
    for (const emptyPage of [{ data: [], pages: 5 }, { data: [] }, { data: [], pages: null }]) {
      const { requested, records } = await walk(
        (request) => ({ json: pageOf(request) === 2 ? emptyPage : { data: posts(pageOf(request)), pages: 5 } }),
        byPage('page', { pages: (body: { pages?: number }) => body.pages }),
      )
      expect(ids(records)).toEqual(all.filter((id) => id < 5 || id > 9))
      expect(requested.toSorted()).toEqual([1, 2, 3, 4, 5].map((page) => `/posts?page=${page}`))
    }
  })

  test('byPage continues over a page with status 204 below the number of pages', async () => {
    const { records } = await walk(
      (request) => (pageOf(request) === 2 ? { status: 204 } : { json: { data: posts(pageOf(request)), pages: 5 } }),
      byPage('page', { pages: (body: { pages: number }) => body.pages }),
    )
    expect(ids(records)).toEqual(all.filter((id) => id < 5 || id > 9))
  })

  test('byPage continues over a first page that is empty', async () => {
    const { records } = await walk(
      (request) => ({ json: { data: pageOf(request) === 1 ? [] : posts(pageOf(request)), pages: 5 } }),
      byPage('page', { pages: 'pages' as never }),
    )
    expect(ids(records)).toEqual(all.slice(5))
  })

  test('byPage ends at an empty page whose `more` is false or missing', async () => {
    for (const more of [false, undefined, null]) {
      const { requested } = await walk(
        (request) => ({
          json: pageOf(request) < 3 ? { data: posts(pageOf(request)), more: true } : { data: [], more },
        }),
        byPage('page', { more: 'more' as never }),
      )
      expect(requested).toHaveLength(3)
    }
  })

  test('a page with status 204 ends the other paginators, also a function and one with `more`', async () => {
    for (const paging of [byCursor('c', 'next', { more: 'more' as never }), ({ body }: { body: Body }) => body.next]) {
      const { requested, error } = await walk(() => ({ status: 204 }), paging)
      expect({ requested, error }).toEqual({ requested: ['/posts'], error: undefined })
    }
  })

  test('byLinkHeader follows the link of a page with status 204', async () => {
    const { requested } = await walk(
      ({ path }) =>
        path === '/posts' ? { status: 204, headers: { link: '</b>; rel="next"' } } : { json: { data: posts(1) } },
      byLinkHeader(),
    )
    expect(requested).toEqual(['/posts', '/b'])
  })
})

describe('an empty page of offsets', () => {
  test.each([
    ['limit', 'offset'],
    ['per_page', 'offset'],
    ['$top', '$skip'],
    ['page[limit]', 'page[offset]'],
  ])('byOffset steps over it by the %s of the request', async (limit, offset) => {
    const { requested, records } = await walk(
      ({ query }) => {
        const from = Number(query.get(offset))
        return { json: { data: from === 10 ? [] : all.slice(from, from + 5).map((id) => ({ id })), total: 25 } }
      },
      byOffset(offset, { total: 'total' as never }),
      { query: { [limit]: 5 } },
    )
    expect(ids(records)).toEqual(all.filter((id) => id < 10 || id > 14))
    expect(requested).toHaveLength(5)
  })

  test('byOffset steps over it by a parameter that it is told, also in JSON', async () => {
    const { requested } = await walk(
      ({ body }) => {
        const { from } = (JSON.parse(body) as { page: { from: number } }).page
        return { json: { data: from === 5 ? [] : records(from, 5), total: 25 } }
      },
      byOffset('page.from', { total: 'total' as never, limit: 'page.rows' }),
      { json: { page: { rows: 5 } } },
    )
    expect(requested.map((body) => (JSON.parse(body) as { page: { from: number } }).page.from)).toEqual([
      0, 5, 10, 15, 20,
    ])
  })

  test('byOffset steps by the largest page so far where the API gives fewer records than the limit', async () => {
    const { records } = await walk(holed(25), byOffset('offset', { total: 'total' as never }), {
      query: { limit: 100 },
    })
    expect(ids(records)).toEqual(all.filter((id) => id < 10 || id > 14))
  })

  test('byOffset fails at it where the size of a page is unknown', async () => {
    const { error, records } = await walk(holed(25), byOffset('offset', { total: 'total' as never }))
    expect(error).toMatchObject({
      code: 'PAGING',
      message:
        "GET /posts: the page at offset 10 is empty, but 'total' says that there are 25 records. The request states " +
        "no page size to step over it. Add one, such as limit: 100, or name the parameter: byOffset('offset', " +
        "{ limit: 'rows' })",
    })
    expect(records).toEqual([])
  })

  test('byOffset continues while `more` is true, and ends at an empty page otherwise', async () => {
    const { requested } = await walk(
      (request) => ({
        json: { data: offsetOf(request) === 10 ? [] : records(offsetOf(request), 5), more: offsetOf(request) < 30 },
      }),
      byOffset('offset', { more: 'more' as never }),
      { query: { limit: 5 } },
    )
    expect(requested).toHaveLength(7)
    const plain = await walk(holed(undefined), byOffset('offset'), { query: { limit: 5 } })
    expect(plain.requested).toHaveLength(3)
  })

  test('byOffset that stepped over empty pages makes the reading open, and names the first one at once', async () => {
    await using server = await apiServer((request) => ({
      json: { data: [5, 15].includes(offsetOf(request)) ? [] : records(offsetOf(request), 5), total: 25 },
    }))
    const flow = http(server.origin)
      .get<{ data: { id: number }[]; total: number }>('/posts', { limit: 5 })
      .pages(byOffset('offset', { total: 'total' }))
      .records('data')
    const pages = await readPages(flow)
    expect(recordsOf(pages)).toHaveLength(15)
    expect(pages.flatMap(({ completeness }) => completeness?.reasons ?? [])).toEqual([
      "GET /posts: the page at offset 5 is empty, although 'total' says that there are 25 records. The reading " +
        'continued at offset 10, so records between the two may be missing',
      "GET /posts: 15 records came, but 'total' states 25",
    ])
    expect(pages[1]!.completeness?.grade).toBe('open')
  })

  test('a slice that stopped at an empty page resumes behind it', async () => {
    await using server = await apiServer((request) => ({
      json: { data: offsetOf(request) === 10 ? [] : records(offsetOf(request), 5), total: 25 },
    }))
    const flow = http(server.origin)
      .get<{ data: { id: number }[]; total: number }>('/posts', { limit: 5 })
      .pages(byOffset('offset', { total: 'total' }))
      .records('data')
    const position = { method: 'GET', url: '/posts', query: { limit: '5', offset: '10' } } as const
    expect(ids(recordsOf(await readPages(flow, { position })))).toEqual(all.slice(15))
  })

  test('a slice that resumes at an empty page without a total goes on until a page states one', async () => {
    const position = { method: 'GET', url: '/posts', query: { limit: '5', page: '2', offset: '10' } } as const
    for (const paging of [
      byPage<Listing>('page', { pages: ({ total }) => total && total / 5 }),
      byOffset<Listing>('offset', { total: 'total' }),
    ]) {
      await using server = await apiServer((request) => {
        const from = offsetOf(request) + (pageOf(request) - 2) * 5
        return { json: from === 10 ? { data: [] } : { data: records(from, 5), total: 25 } }
      })
      const flow = http(server.origin).get<Listing>('/posts', { limit: 5 }).pages(paging).records('data')
      expect(ids(recordsOf(await readPages(flow, { position })))).toEqual(all.slice(15))
    }
  })

  test('byOffset ends at an empty page at the greatest offset that is allowed', async () => {
    const { error, requested } = await walk(holed(25), byOffset('offset', { total: 'total' as never, max: 10 }))
    expect({ error, requests: requested.length }).toEqual({ error: undefined, requests: 3 })
  })

  test('byOffset that counts from 1 reads the last record', async () => {
    const { records } = await walk(
      (request) => ({
        json: { data: all.slice(offsetOf(request) - 1, offsetOf(request) + 4).map((id) => ({ id })), total: 21 },
      }),
      byOffset('offset', { start: 1, total: 'total' as never }),
      { query: { limit: 5 } },
    )
    expect(ids(records)).toContain(20)
  })
})

describe('empty pages without end', () => {
  test.each([
    ['byPage', byPage('page', { more: 'more' as never })],
    ['byOffset', byOffset('page', { more: 'more' as never })],
    ['byCursor', byCursor('page', 'next')],
  ])('%s fails after 100 of them in a row', async (_, paging) => {
    const { requested, error } = await walk(
      (request) => ({ json: { data: [], more: true, next: pageOf(request) + 1 } }),
      paging,
      { query: { limit: 1 } },
    )
    expect(error).toMatchObject({
      code: 'PAGING',
      message: expect.stringContaining('GET /posts: more than 100 pages in a row are empty'),
    })
    expect(requested).toHaveLength(101)
  })

  test('a page with records starts the count of empty pages again', async () => {
    const { requested, error } = await walk(
      (request) => ({ json: { data: pageOf(request) % 100 === 0 ? posts(1) : [], more: pageOf(request) < 250 } }),
      byPage('page', { more: 'more' as never }),
    )
    expect(error).toBeUndefined()
    expect(requested).toHaveLength(250)
  })
})

interface Listing {
  data: { id: number }[]
  total?: number
}
interface Body {
  next: undefined
}

const offsetOf = ({ query }: ApiRequest): number => Number(query.get('offset'))
const records = (from: number, size: number): { id: number }[] => all.slice(from, from + size).map((id) => ({ id }))
/** 25 records, with an empty page at one offset. */
const holed =
  (total: unknown, hole = 10) =>
  (request: ApiRequest): ApiAnswer => ({
    json: { data: offsetOf(request) === hole ? [] : records(offsetOf(request), 5), total },
  })
