import { describe, expect, test } from '@jest/globals'
import {
  byCursor,
  byHeader,
  byLastRecord,
  byLinkHeader,
  byNextUrl,
  byOffset,
  byPage,
  byRelay,
  http,
  onePage,
} from '../../../src/index.ts'
import type { Api, PageRequest, Paging } from '../../../src/model/request.ts'
import type { Endpoint } from '../../../src/define/endpoint.ts'
import type { JsonValue } from '../../../src/model/json.ts'
import { apiServer, type ApiAnswer, type ApiRequest } from '../../support/api-server.ts'
import { readPages, recordsOf } from '../read-pages.ts'

interface Body {
  data: unknown[] | Body
}
interface Walk {
  /** Path and query of each request. */
  readonly requested: string[]
  readonly records: unknown[]
  readonly error?: unknown
}

/** Reads all pages of an API, and returns the error instead of throwing it. */
async function walk(
  response: (request: ApiRequest) => ApiAnswer,
  paging: unknown,
  {
    records = 'data',
    query = {},
    json,
    options = {},
  }: {
    records?: 'data' | 'data.data'
    query?: Record<string, string | number>
    json?: Record<string, JsonValue>
    options?: Partial<Api>
  } = {},
): Promise<Walk> {
  await using server = await apiServer(response)
  const api = http(server.origin, options)
  const endpoint: Endpoint<Body> = json ? api.post<Body>('/posts', { json }) : api.get<Body>('/posts', query)
  const flow = endpoint.pages(paging as Paging<Body>).records(records)
  const read: unknown[] = []
  try {
    read.push(...recordsOf(await readPages(flow)))
  } catch (error) {
    return { requested: server.requests.map(({ url, body }) => decodeURIComponent(body || url)), records: read, error }
  }
  return { requested: server.requests.map(({ url, body }) => decodeURIComponent(body || url)), records: read }
}

/** 25 posts, 5 to a page. */
const posts = (page: number): { id: number }[] =>
  Array.from({ length: page >= 1 && page <= 5 ? 5 : 0 }, (_, index) => ({ id: (page - 1) * 5 + index }))
const ids = (records: unknown[]): number[] => records.map((record) => (record as { id: number }).id)
const all = Array.from({ length: 25 }, (_, id) => id)
const pageOf = ({ query }: ApiRequest, name = 'page'): number => Number(query.get(name) ?? 1)

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

  test('byPage stops at an empty page, whose total may be missing', async () => {
    const { requested, records, error } = await walk(
      (request) => ({ json: { data: posts(pageOf(request)), ...(pageOf(request) < 6 && { total: 99 }) } }),
      byPage('page', { pages: (body: { total?: number }) => body.total }),
    )
    expect(error).toBeUndefined()
    expect(ids(records)).toEqual(all)
    expect(requested).toContain('/posts?page=6')
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

  test('byPage accepts a total as text, and refuses one that is not a number, or is missing on a page with records', async () => {
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
      message: expect.stringContaining("seems to ignore the parameter 'p'"),
    })
    expect(requested.length).toBeLessThanOrEqual(3)
    expect(records).toEqual([])
  })

  test('byPage requests pages concurrently if their number is known, and yields them in order', async () => {
    await using server = await apiServer(async (request) => {
      const page = pageOf(request)
      await new Promise((resolve) => void setTimeout(resolve, page === 2 ? 60 : 10))
      return { json: { data: posts(page), total_pages: 5 } }
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

  test('byPage stops at an empty page, although the response announced more', async () => {
    const { records, requested } = await walk(
      (request) => ({ json: { data: pageOf(request) > 2 ? [] : posts(pageOf(request)), total_pages: 50 } }),
      byPage('page', { pages: 'total_pages' as never }),
      { options: { concurrency: 4 } },
    )
    expect(ids(records)).toEqual(all.slice(0, 10))
    expect(requested.length).toBeLessThan(10)
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

describe('byCursor', () => {
  test.each([null, '', undefined])('byCursor ends where the cursor is %j', async (end) => {
    const { requested, records } = await walk(
      ({ query }) => ({
        json: {
          data: posts(query.get('cursor') === 'c-2' ? 2 : 1),
          meta: { next: query.get('cursor') === 'c-2' ? end : 'c-2' },
        },
      }),
      byCursor('cursor', 'meta.next'),
    )
    expect(requested).toEqual(['/posts', '/posts?cursor=c-2'])
    expect(ids(records)).toEqual(all.slice(0, 10))
  })

  test('byCursor sends numbers with all digits, also integers that no double can hold', async () => {
    const { requested } = await walk(
      ({ query }) => ({
        body: `{"data":[{"id":1}],"next":${query.get('cursor') ? 'null' : '9007199254740993'}}`,
        headers: { 'content-type': 'application/json' },
      }),
      byCursor('cursor', 'next'),
    )
    expect(requested[1]).toBe('/posts?cursor=9007199254740993')
  })

  test('byCursor continues after an empty page that has a cursor', async () => {
    const { requested } = await walk(
      ({ query }) => ({ json: { data: query.get('cursor') ? posts(1) : [], next: query.get('cursor') ? null : 'x' } }),
      byCursor('cursor', 'next'),
    )
    expect(requested).toHaveLength(2)
  })

  test('byCursor ends where `more` is false, although there is a cursor', async () => {
    const { requested } = await walk(
      () => ({ json: { data: posts(1), next: 'x', has_more: false } }),
      byCursor('cursor', 'next', { more: 'has_more' as never }),
    )
    expect(requested).toHaveLength(1)
  })

  test('byCursor fails where `more` is true, but there is no cursor, before it yields the page', async () => {
    const { requested, records, error } = await walk(
      () => ({ json: { data: posts(1), next: null, has_more: true } }),
      byCursor('cursor', 'next', { more: 'has_more' as never }),
    )
    expect(error).toMatchObject({
      code: 'PAGING',
      message: expect.stringContaining("'has_more' says that there are more pages, but 'next' is empty"),
    })
    expect({ requested, records }).toEqual({ requested: ['/posts'], records: [] })
  })

  test.each([
    ['false', 1],
    ['true', 2],
  ])('byCursor accepts the text %j as `more`', async (more, requests) => {
    const { requested } = await walk(
      ({ query }) => ({
        json: { data: posts(1), next: query.get('cursor') ? 'y' : 'x', more: query.get('cursor') ? false : more },
      }),
      byCursor('cursor', 'next', { more: 'more' as never }),
    )
    expect(requested).toHaveLength(requests)
  })

  test.each([['yes'], [undefined], [1]])('byCursor refuses %j as `more`', async (more) => {
    const { error } = await walk(
      () => ({ json: { data: posts(1), next: 'x', more } }),
      byCursor('cursor', 'next', { more: 'more' as never }),
    )
    expect(error).toMatchObject({ code: 'PAGING' })
  })

  test('byCursor continues after a page with null in place of the records', async () => {
    const { requested, records } = await walk(
      ({ query }) => ({
        json:
          query.get('t') === 'c'
            ? { data: null, next: null }
            : { data: posts(1), next: query.get('t') === 'b' ? 'c' : 'b' },
      }),
      byCursor('t', 'next'),
    )
    expect(requested).toHaveLength(3)
    expect(records).toHaveLength(10)
  })

  test('byCursor writes into the JSON of a request: a dot leads one level down, and other members stay', async () => {
    const { requested } = await walk(
      ({ body }) => ({ json: { data: posts(1), next: body.includes('next') ? null : 2 } }),
      byCursor('page.next', 'next'),
      { json: { size: 5, page: { of: 'all' } } },
    )
    expect(requested).toEqual(['{"size":5,"page":{"of":"all"}}', '{"size":5,"page":{"of":"all","next":2}}'])
  })
})

describe('a circle', () => {
  test.each([
    ['of one', ['a', 'a']],
    ['of two', ['a', 'b', 'a']],
    ['back to the start', ['a', 'b', 'c', 'b']],
  ])('a circle %s is an error before its page is yielded', async (_, tokens) => {
    let request = 0
    const { records, error, requested } = await walk(
      () => ({ json: { data: [{ id: request }], next: tokens[request++] } }),
      byCursor('cursor', 'next'),
    )
    expect(error).toMatchObject({ code: 'PAGING', message: expect.stringContaining('was read before') })
    expect(records).toEqual([])
    expect(requested).toHaveLength(tokens.length)
  })

  test('a circle of URLs, of relay cursors and of a custom paginator is detected', async () => {
    for (const [response, paging] of [
      [{ data: posts(1), next: '/posts' }, byNextUrl('next')],
      [{ data: { data: posts(1), pageInfo: { hasNextPage: true, endCursor: 'x' } } }, byRelay('data')],
      [{ data: posts(1) }, (_: unknown, request: PageRequest) => request],
    ] as const) {
      const { error, requested } = await walk(() => ({ json: response }), paging, {
        records: 'data' in response.data ? 'data.data' : 'data',
      })
      expect(error).toMatchObject({ code: 'PAGING' })
      expect(requested.length).toBeLessThanOrEqual(2)
    }
  })

  test('two slices with the same requests are no circle', async () => {
    await using server = await apiServer((request) => ({
      json: { data: posts(pageOf(request)), next: pageOf(request) < 3 ? pageOf(request) + 1 : null },
    }))
    const flow = http(server.origin)
      .get<{ data: { id: number }[]; next: number | null }>('/posts')
      .pages(byCursor('page', 'next'))
      .records('data')
    expect(recordsOf(await readPages(flow))).toEqual(recordsOf(await readPages(flow)))
  })
})

describe('byNextUrl', () => {
  test('byNextUrl resolves a relative URL, and sends each parameter once', async () => {
    const { requested } = await walk(nextUrlResponse('/posts?page=2&param1=value1'), byNextUrl('next'), {
      query: { param1: 'value1' },
    })
    expect(requested).toEqual(['/posts?param1=value1', '/posts?page=2&param1=value1'])
  })

  test('byNextUrl does not encode twice', async () => {
    await using server = await apiServer(nextUrlResponse('?page=2&query=%E3%81%82'))
    await readPages(
      http(server.origin)
        .get<{ data: { id: number }[]; next: string }>('/posts')
        .pages(byNextUrl('next'))
        .records('data'),
    )
    expect(server.requests[1]?.url).toBe('/posts?page=2&query=%E3%81%82')
  })

  test('byNextUrl finds a name with dots, and ends at empty text', async () => {
    const { requested } = await walk(
      ({ query }) => ({ json: { data: posts(1), '@odata.nextLink': query.get('page') ? '' : '/posts?page=2' } }),
      byNextUrl('@odata.nextLink'),
    )
    expect(requested).toHaveLength(2)
  })

  test('byNextUrl fails where `more` is true, but there is no URL', async () => {
    const { error } = await walk(
      () => ({ json: { data: posts(1), next: null, more: true } }),
      byNextUrl('next', { more: 'more' as never }),
    )
    expect(error).toMatchObject({ code: 'PAGING' })
  })

  test('byNextUrl refuses another origin, and sends nothing there', async () => {
    await using thief = await apiServer([{ json: { data: [] } }])
    const { error, records } = await walk(nextUrlResponse(`${thief.origin}/posts`), byNextUrl('next'))
    expect(error).toMatchObject({ code: 'HTTP', message: expect.stringContaining('another origin') })
    expect({ requests: thief.requests.length, records }).toEqual({ requests: 0, records: [] })
  })
})

describe('headers', () => {
  test('byLinkHeader follows rel=next to exactly its URL, and ends without one', async () => {
    await using server = await apiServer((request) => ({
      json: posts(pageOf(request)),
      headers:
        pageOf(request) < 5
          ? {
              link: `<${server.origin}/other?page=${pageOf(request) + 1}>; rel="next", <${server.origin}/posts?page=5>; rel="last"`,
            }
          : {},
    }))
    const pages = await readPages(
      http(server.origin).get<{ id: number }[]>('/posts', { per_page: 5 }).pages(byLinkHeader()).records(),
    )
    expect(ids(recordsOf(pages))).toEqual(all)
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/posts?per_page=5',
      ...[2, 3, 4, 5].map((page) => `/other?page=${page}`),
    ])
  })

  test('byLinkHeader follows another relation', async () => {
    const { requested } = await walk(
      ({ path }) => ({
        json: { data: posts(1) },
        headers: path === '/posts' ? { link: '</a>; rel=next, </b,c;d>; title="x, <y>"; REL="prev older"' } : {},
      }),
      byLinkHeader('older'),
    )
    expect(requested).toEqual(['/posts', '/b,c;d'])
  })

  test("byHeader passes a header's value as a parameter", async () => {
    const { requested } = await walk(
      ({ query }) => ({ json: { data: posts(1) }, headers: query.get('page') ? {} : { 'X-Next': '2' } }),
      byHeader('page', 'X-Next'),
    )
    expect(requested).toEqual(['/posts', '/posts?page=2'])
  })

  test('onePage sends one request, whatever the response says', async () => {
    const { requested } = await walk(
      () => ({ json: { data: posts(1), next: '/posts?page=2' }, headers: { link: '</x>; rel="next"' } }),
      onePage(),
    )
    expect(requested).toEqual(['/posts'])
  })
})

describe('byLastRecord', () => {
  test('byLastRecord sends a field of the last record, and ends at an empty page', async () => {
    const { requested, records } = await walk(
      (request) => ({ json: { data: all.slice(after(request), after(request) + 10).map((id) => ({ id })) } }),
      byLastRecord('after', 'data.id'),
    )
    expect(ids(records)).toEqual(all)
    expect(requested).toEqual(['/posts', '/posts?after=9', '/posts?after=19', '/posts?after=24'])
  })

  test('byLastRecord fails if the last record has no such field, and if an empty page says that there is more', async () => {
    const renamed = await walk(() => ({ json: { data: [{ uid: 1 }] } }), byLastRecord('after', 'data.id'))
    expect(renamed.error).toMatchObject({
      code: 'PAGING',
      message: expect.stringContaining("the last record has no 'data.id'"),
    })
    const empty = await walk(
      () => ({ json: { data: [], has_more: true } }),
      byLastRecord('after', 'data.id', { more: 'has_more' as never }),
    )
    expect(empty.error).toMatchObject({ code: 'PAGING', message: expect.stringContaining('the page is empty') })
  })
})

describe('byRelay', () => {
  test('byRelay sends the end cursor as a variable until there is no next page', async () => {
    const { variables } = await relay((after) => ({ hasNextPage: after === undefined, endCursor: 'e' }))
    expect(variables).toEqual([{ first: 5 }, { first: 5, after: 'e' }])
  })

  test.each([
    ['a next page without an end cursor', { hasNextPage: true, endCursor: null }],
    ['an end cursor that does not move', { hasNextPage: true, endCursor: 'same' }],
    ['no pageInfo', undefined],
  ])('byRelay fails at %s', async (_, pageInfo) => {
    expect((await relay(() => pageInfo)).error).toMatchObject({ code: 'PAGING' })
  })
})

describe('a custom paginator', () => {
  test('a custom paginator gets the response and the request, and returns the next request', async () => {
    const { requested } = await walk(
      ({ query }) => ({ json: { data: posts(1), more: query.get('after') === null }, headers: { 'x-after': 'z' } }),
      (
        { body, headers, records }: { body: { more: boolean }; headers: Record<string, string>; records: unknown[] },
        request: PageRequest,
      ) =>
        body.more && records.length > 0
          ? { ...request, query: { ...request.query, after: headers['x-after'] ?? '' } }
          : undefined,
    )
    expect(requested).toEqual(['/posts', '/posts?after=z'])
  })

  test('a custom paginator fails with its own message, and if it returns no request', async () => {
    const thrown = await walk(
      () => ({ json: { data: posts(1) } }),
      () => {
        throw new TypeError('no such page')
      },
    )
    expect(thrown.error).toMatchObject({
      code: 'PAGING',
      message: "GET /posts: the paginator's function failed: no such page",
    })
    const wrong = await walk(
      () => ({ json: { data: posts(1) } }),
      () => 'next',
    )
    expect(wrong.error).toMatchObject({ code: 'PAGING' })
  })
})

const from = ({ query }: ApiRequest): number => Number(query.get('offset'))

const nextUrlResponse =
  (next: string | null) =>
  ({ query }: ApiRequest): ApiAnswer => ({ json: { data: posts(1), next: query.get('page') === '2' ? null : next } })

const after = ({ query }: ApiRequest): number => Number(query.get('after') ?? -1) + 1

const relay = async (pageInfo: (after: unknown) => unknown): Promise<Walk & { variables: unknown[] }> => {
  await using server = await apiServer(({ body }) => ({
    json: {
      data: {
        issues: {
          nodes: posts(1),
          pageInfo: pageInfo((JSON.parse(body) as { variables: { after?: string } }).variables.after),
        },
      },
    },
  }))
  const flow = http(server.origin)
    .graphql<{ issues: { nodes: { id: number }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } }>(
      'query',
      { first: 5 },
    )
    .pages(byRelay('issues'))
    .records('issues.nodes')
  const variables = (): unknown[] =>
    server.requests.map(({ body }) => (JSON.parse(body) as { variables: unknown }).variables)
  try {
    return { requested: [], records: recordsOf(await readPages(flow)), variables: variables() }
  } catch (error) {
    return { requested: [], records: [], error, variables: variables() }
  }
}
