import { describe, expect, test } from '@jest/globals'
import { byHeader, byLinkHeader, byNextUrl, http, onePage } from '../../../src/index.ts'
import { apiServer, type ApiAnswer, type ApiRequest } from '../../support/api-server.ts'
import { readPages, recordsOf } from '../read-pages.ts'
import { all, ids, pageOf, posts, walk } from './walk.ts'

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
    expect(error).toMatchObject({ code: 'HTTP', message: expect.stringContaining('was not requested') })
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
              link:
                `<${server.origin}/other?page=${pageOf(request) + 1}>; rel="next", ` +
                `<${server.origin}/posts?page=5>; rel="last"`,
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

const nextUrlResponse =
  (next: string | null) =>
  ({ query }: ApiRequest): ApiAnswer => ({ json: { data: posts(1), next: query.get('page') === '2' ? null : next } })
