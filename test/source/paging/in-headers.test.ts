import { describe, expect, test } from '@jest/globals'
import {
  byCursor,
  byLastRecord,
  byLinkHeader,
  byNextUrl,
  byOffset,
  byPage,
  http,
  inHeader,
  secret,
  apiKey,
} from '../../../src/index.ts'
import { openScope } from '../../../src/read/open-scope.ts'
import { readRecipe } from '../../../src/read/read-recipe.ts'
import { readSecrets } from '../../../src/observe/secrets.ts'
import { apiServer, type ApiAnswer, type ApiRequest } from '../../support/api-server.ts'
import { readPages, recordsOf } from '../read-pages.ts'
import { pagesToLast } from '../../../src/source/paging/link-header.ts'
import { all, ids, pageOf, posts, walk } from './walk.ts'

describe('values in headers', () => {
  test('byPage reads the number of pages from a header, requests them at once, and none behind the last', async () => {
    const { requested, records } = await walk(
      (request) =>
        pageOf(request) > 5
          ? { status: 400, json: { code: 'invalid_page_number' } }
          : { json: { data: posts(pageOf(request)) }, headers: { 'X-Total-Pages': '5' } },
      byPage('page', { pages: inHeader('X-Total-Pages') }),
    )
    expect(ids(records)).toEqual(all)
    expect(requested.toSorted()).toEqual([1, 2, 3, 4, 5].map((page) => `/posts?page=${page}`))
  })

  test.each([
    ['x-total-count', (): string => '25'],
    ['content-range', (from: number): string => `items ${from}-${from + 4}/25`],
  ])('byOffset reads the total from %s', async (header, value) => {
    const { requested, records } = await walk(
      ({ query }) => ({
        json: { data: posts(1 + Number(query.get('offset')) / 5) },
        headers: { [header]: value(Number(query.get('offset'))) },
      }),
      byOffset('offset', { total: inHeader(header) }),
    )
    expect(ids(records)).toEqual(all)
    expect(requested).toHaveLength(5)
  })

  test('a header that is missing or holds no number is an error with its name', async () => {
    const missing = await walk(() => ({ json: { data: posts(1) } }), byPage('page', { pages: inHeader('x-pages') }))
    expect(missing.error).toMatchObject({
      code: 'PAGING',
      message: "GET /posts: the header 'x-pages' should be the number of pages or records, but is missing",
    })
    const range = await walk(
      () => ({ json: { data: posts(1) }, headers: { 'content-range': 'items 0-4/*' } }),
      byOffset('offset', { total: inHeader('content-range') }),
    )
    expect(range.error).toMatchObject({ code: 'PAGING' })
  })

  test('byPage ends where `more` in a header is false', async () => {
    const { requested } = await walk(
      (request) => ({
        json: { data: posts(pageOf(request)) },
        headers: { 'x-has-more': pageOf(request) < 3 ? 'True' : 'False' },
      }),
      byPage('page', { more: inHeader('x-has-more') }),
    )
    expect(requested).toHaveLength(3)
  })

  test('byNextUrl follows a URL in a header', async () => {
    const { requested } = await walk(
      ({ path }) => ({ json: { data: posts(1) }, headers: path === '/posts' ? { 'x-next': '/b?c=1' } : {} }),
      byNextUrl(inHeader('x-next')),
    )
    expect(requested).toEqual(['/posts', '/b?c=1'])
  })
})

describe('a cursor that is sent as a header', () => {
  test('byCursor sends it, beside the headers of the request, and ends without one', async () => {
    await using server = await apiServer(continued)
    const flow = http(server.origin, { headers: { 'x-api': 'a' } })
      .get<{ data: { id: number }[] }>('/posts', {}, { headers: { 'X-Own': 'b' } })
      .pages(byCursor(inHeader('X-Continuation'), inHeader('X-Continuation')))
      .records('data')
    const pages = await readPages(flow)
    expect(ids(recordsOf(pages))).toEqual(all)
    expect(server.requests.map(({ headers }) => headers['x-continuation'])).toEqual([undefined, '2', '3', '4', '5'])
    expect(server.requests.at(-1)!.headers).toMatchObject({ 'x-api': 'a', 'x-own': 'b' })
  })

  test('a slice that stops after any page resumes with it', async () => {
    await using server = await apiServer(continued)
    const flow = http(server.origin)
      .get<{ data: { id: number }[] }>('/posts')
      .pages(byCursor(inHeader('x-continuation'), inHeader('x-continuation')))
      .records('data')
    const whole = await readPages(flow)
    for (const [index, { position }] of whole.entries())
      expect(ids(recordsOf(await readPages(flow, { position: position! })))).toEqual(all.slice((index + 1) * 5))
  })

  test('a circle of such cursors is detected', async () => {
    const { requested, error } = await walk(
      () => ({ json: { data: posts(1), next: 'same' } }),
      byCursor(inHeader('x-after'), 'next'),
    )
    expect(error).toMatchObject({ code: 'PAGING', message: expect.stringContaining('was read before') })
    expect(requested).toHaveLength(2)
  })

  test('a page number and a field of the last record may be sent as headers too', async () => {
    const numbered = await walk(
      ({ headers }) => ({ json: { data: posts(Number(headers['x-page'])) } }),
      byPage(inHeader('x-page')),
    )
    expect(ids(numbered.records)).toEqual(all)
    const after = await walk(
      ({ headers }) => ({
        json: { data: posts(headers['x-after'] === undefined ? 1 : 1 + (Number(headers['x-after']) + 1) / 5) },
      }),
      byLastRecord(inHeader('x-after'), 'data.id'),
    )
    expect(ids(after.records)).toEqual(all)
  })

  test('a cursor with a line break is refused', async () => {
    const { requested, error } = await walk(
      () => ({ json: { data: posts(1), next: 'a\r\nauthorization: b' } }),
      byCursor(inHeader('x-after'), 'next'),
    )
    expect(error).toMatchObject({
      code: 'PAGING',
      message: "GET /posts: the value for the header 'x-after' contains characters that no header may have",
    })
    expect(requested).toHaveLength(1)
  })

  test('a position holds the name of a secret in a header, and the request has its value', async () => {
    await using server = await apiServer(({ headers }) => ({
      json: { data: posts(1), next: headers['x-after'] === undefined ? 'with-top-secret-value' : null },
    }))
    const flow = http(server.origin, { auth: apiKey(secret('KEY'), { query: 'key' }) })
      .get<{ data: { id: number }[]; next: string | null }>('/posts')
      .pages(byCursor(inHeader('x-after'), 'next'))
      .records('data')
    const secrets = readSecrets({ KEY: 'top-secret-value' })
    const [page] = await readPages(flow, { pages: 1, secrets })
    expect(page!.position).toMatchObject({ headers: { 'x-after': 'with-{secret:KEY}' } })
    await readPages(flow, { position: page!.position!, secrets: readSecrets({ KEY: 'top-secret-value' }) })
    expect(server.requests.at(-1)!.headers['x-after']).toBe('with-top-secret-value')
  })
})

describe('the last relation of a Link header', () => {
  test.each([
    ['/x', '</x?page=2>; rel="next", </x?page=7>; rel="last"', 7],
    ['/x?page=3', '</x?page=4>; rel="next", </x?page=7>; rel="last"', 5],
    ['/x', '</x?p=1>; rel=next, </x?p=4>; rel=last', 5],
    ['/x?limit=50', '</x?limit=50&offset=50>; rel=next, </x?limit=50&offset=170>; rel=last', 4],
    ['/x', '</x?page=2>; rel="next", </x?page=2>; rel="last"', 2],
    ['/x', '</x?page=2>; rel="next"', undefined],
    ['/x', '</x?after=a>; rel="next", </x?after=z>; rel="last"', undefined],
    ['/x', '</x?a=2&b=2>; rel="next", </x?a=7&b=8>; rel="last"', undefined],
    ['/x?page=9', '</x?page=2>; rel="next", </x?page=7>; rel="last"', undefined],
  ])('a page at %s with %s is one of %s', (url, header, pages) => {
    expect(pagesToLast(header, `http://api.example${url}`)).toBe(pages)
  })

  test('byLinkHeader reports the number of pages', async () => {
    await using server = await apiServer((request) => ({
      json: posts(pageOf(request)),
      headers:
        pageOf(request) < 5
          ? { link: `</posts?page=${pageOf(request) + 1}>; rel="next", </posts?page=5>; rel="last"` }
          : {},
    }))
    const totals: unknown[] = []
    await using scope = openScope({
      secrets: readSecrets({}),
      emit: (event) => void (event.type === 'pages.total' && totals.push(event.pages)),
    })
    const { recipe } = http(server.origin).get<{ id: number }[]>('/posts').pages(byLinkHeader()).records()
    const read = readRecipe(recipe, { position: null, restart: 'page' }, { ...scope, stream: 'posts' })
    for await (const page of read) page.hold?.[Symbol.dispose]()
    expect(totals).toEqual([5])
  })
})

const continued = ({ headers }: ApiRequest): ApiAnswer => {
  const page = Number(headers['x-continuation'] ?? 1)
  return { json: { data: posts(page) }, headers: page < 5 ? { 'x-continuation': String(page + 1) } : {} }
}
