import { describe, expect, test } from '@jest/globals'
import { byCursor, byHeader, byLinkHeader, byNextUrl, byPage, http, onePage } from '../../../src/index.ts'
import type { RunEvent } from '../../../src/model/event.ts'
import type { Paging } from '../../../src/model/request.ts'
import { unusedWaysOn } from '../../../src/source/paging/unused-ways-on.ts'
import { apiServer, type ApiHandler } from '../../support/api-server.ts'
import { readPages } from '../read-pages.ts'

const response = (body: unknown, headers: Record<string, string> = {}) =>
  ({ body, headers, status: 200, url: 'http://api.example/x', records: [{}] }) as const
const cursor = byCursor('cursor', 'meta.next')

describe('names that look like a way to the next page', () => {
  test.each([
    [{ meta: { next_cursor: 'a' } }, ["'meta.next_cursor'"]],
    [{ nextPageToken: 'a', has_more: true }, ["'nextPageToken'", "'has_more'"]],
    [{ '@odata.nextLink': '/x?2' }, ["'@odata.nextLink'"]],
    [{ links: { next: { href: '/x?2' } } }, ["'links.next'"]],
    [{ page: { hasNextPage: true, number: 1 } }, ["'page.hasNextPage'"]],
    [{ continuationToken: 'a' }, ["'continuationToken'"]],
  ])('%j has them', (body, names) => {
    expect(unusedWaysOn(cursor, response(body))).toEqual(names)
  })

  test.each([
    [{ meta: {} }],
    [{ meta: { next: null, next_cursor: 'a' } }],
    [{ meta: { next: '' }, next_page: 2 }],
    [{ next_cursor: null, nextPage: '', has_more: false }],
    [{ next_cursor: 'a', has_more: false }],
    [{ items: [{ next: 'a' }], context: 'b', nextcloud: 'c' }],
  ])('%j has none', (body) => {
    expect(unusedWaysOn(cursor, response(body))).toEqual([])
  })

  test('headers have them too', () => {
    const headers = { link: '</x?2>; rel="next"', 'x-next-page': '2', 'x-next-offset': '' }
    expect(unusedWaysOn(byHeader('page', 'x-page'), response({}, headers))).toEqual([
      "the header 'link'",
      "the header 'x-next-page'",
    ])
  })

  test.each([
    ['byPage', byPage('page')],
    ['onePage', onePage()],
    ['a function', (): undefined => undefined],
    ['a cursor by a function', byCursor('cursor', (): undefined => undefined)],
  ])('%s looks for none', (_, paging) => {
    expect(unusedWaysOn(paging as Paging<never>, response({ next_cursor: 'a' }))).toEqual([])
  })
})

describe('a reading that ends with its first page', () => {
  test.each([
    ['byCursor', byCursor('cursor', 'meta.next')],
    ['byNextUrl', byNextUrl('meta.next')],
    ['byLinkHeader', byLinkHeader()],
  ])('%s warns of the names that stand there', async (_, paging) => {
    expect(await warningsOf(() => ({ json: { data: [{ id: 1 }], meta: { next_cursor: '2' } } }), paging)).toEqual([
      'GET /x: only one page was read, because the way to the next page is missing where the paginator looks for it. ' +
        "The response has 'meta.next_cursor'. Compare the paginator with it",
    ])
  })

  test('a way on that was there before may be left out at the end', async () => {
    expect(await warningsOf(handler, cursor)).toEqual([])
    const position = { method: 'GET', url: '/x', query: { cursor: '2' } } as const
    expect(await warningsOf(handler, cursor, { position })).toEqual([])
  })
})

async function warningsOf(
  handler: ApiHandler,
  paging: Paging<never> | Paging<unknown>,
  options: Parameters<typeof readPages>[1] = {},
): Promise<string[]> {
  await using server = await apiServer(handler)
  const events: RunEvent[] = []
  const flow = http(server.origin)
    .get<{ data: unknown[] }>('/x')
    .pages(paging as Paging<{ data: unknown[] }>)
    .records('data')
  await readPages(flow, { ...options, emit: (event) => void events.push(event) })
  return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
}

/** The first page has a cursor, the second one leaves it out. */
const handler: ApiHandler = ({ query }) => ({
  json: { data: [{ id: 1 }], next_page: 3, meta: query.has('cursor') ? {} : { next: '2' } },
})
