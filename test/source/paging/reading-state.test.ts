import { describe, expect, test } from '@jest/globals'
import { byCursor, byOffset, byPage, http, inHeader, onePage, type Records } from '../../../src/index.ts'
import type { Page, Position } from '../../../src/model/page.ts'
import type { ApiResponse, Paging } from '../../../src/model/request.ts'
import { afterPage, NOTHING_READ, readingAt, type ReadingState } from '../../../src/source/paging/reading-state.ts'
import { apiServer, type ApiRequest, type ApiServer } from '../../support/api-server.ts'
import { readPages, recordsOf } from '../read-pages.ts'
import { all, ids, pageOf, posts } from './walk.ts'

interface Listing {
  data: { id: number }[]
  total: number
  pages: number
  next: string | null
}

const answer = (request: ApiRequest) => {
  const page = request.query.has('offset') ? Number(request.query.get('offset')) / 5 + 1 : pageOf(request)
  return { json: { data: posts(page), total: 25, total_count: 25, pages: 5, next: page < 5 ? String(page + 1) : null } }
}

const flowOf = (server: ApiServer, paging: Paging<Listing>): Records<{ id: number }> =>
  http(server.origin).get<Listing>('/posts', { limit: 5 }).pages(paging).records('data')

const readingOf = ({ position }: Page): unknown => (position as { reading?: unknown }).reading

const response = (
  records: unknown[],
  { body = {}, headers = {} }: Partial<Pick<ApiResponse<unknown>, 'body' | 'headers'>> = {},
) => ({ body, headers, status: 200, url: 'http://api.example/x', records })

const states = (paging: Paging<never>, ...pages: ReturnType<typeof response>[]): ReadingState => {
  let state = NOTHING_READ
  for (const page of pages) state = afterPage(state, paging, page)
  return state
}

const stating = (total: unknown): ReturnType<typeof response> => response([{}], { body: { total } })

describe('what is known of a reading', () => {
  test.each([
    ['byOffset', byOffset<Listing>('offset', { total: 'total' })],
    ['byPage', byPage<Listing>('page', { pages: 'pages' })],
    ['byCursor', byCursor<Listing>('page', 'next')],
  ])('with %s, a resumed reading knows what an uninterrupted one does', async (_, paging) => {
    await using server = await apiServer(answer)
    const flow = flowOf(server, paging)
    const whole = await readPages(flow)
    expect(readingOf(whole[0]!)).toMatchObject({ pages: 1, records: 5, largestPage: 5, emptyInRow: 0 })
    for (const [index, { position }] of whole.slice(0, -1).entries()) {
      const rest = await readPages(flow, { position: JSON.parse(JSON.stringify(position)) as Position })
      expect(rest.map(({ position }) => position)).toEqual(whole.slice(index + 1).map(({ position }) => position))
    }
  })

  test('it is not sent, and a resumed reading still requests pages at once', async () => {
    await using server = await apiServer(answer)
    const flow = flowOf(server, byOffset<Listing>('offset', { total: 'total' }))
    const [first] = await readPages(flow, { pages: 1 })
    const rest = await readPages(flow, { position: first!.position! })
    expect(ids(recordsOf(rest))).toEqual(all.slice(5))
    expect(server.requests.map(({ url }) => url).filter((url) => url.includes('reading'))).toEqual([])
    expect(new Set(server.requests.slice(-4).map(({ url }) => url)).size).toBe(4)
  })

  test('a paginator that is a function does not see it', async () => {
    await using server = await apiServer(answer)
    const seen: string[][] = []
    const flow = flowOf(server, ({ body }, request) => {
      seen.push(Object.keys(request).toSorted())
      return body.next === null ? undefined : { ...request, query: { page: body.next } }
    })
    const [first] = await readPages(flow, { pages: 1 })
    expect(readingOf(first!)).toMatchObject({ records: 5 })
    await readPages(flow, { position: first!.position! })
    expect(new Set(seen.map((names) => names.join()))).toEqual(new Set(['method,query,url']))
  })

  test('a position of an older version has none, and is valid', async () => {
    await using server = await apiServer(answer)
    const paging = byOffset<Listing>('offset', { total: 'total' })
    const position = { method: 'GET', url: '/posts', query: { limit: '5', offset: '10' } } as const
    expect(readingAt(position, position, paging)).toEqual({ ...NOTHING_READ, records: 10, isPartial: true })
    expect(readingAt(position, position, onePage())).toEqual({ ...NOTHING_READ, isPartial: true })
    const rest = await readPages(flowOf(server, paging), { position })
    expect(ids(recordsOf(rest))).toEqual(all.slice(10))
    expect(readingOf(rest[0]!)).toMatchObject({ records: 15, total: 25, isPartial: true })
    // Records that came before are not counted, so a number in the body proves nothing.
    const numbered = await readPages(flowOf(server, byPage('page')), {
      position: { ...position, query: { page: '4' } },
    })
    expect(numbered.at(-1)!.completeness).toEqual({ grade: 'ended', reasons: [] })
  })
})

describe('the stated number of records', () => {
  test('its first and last value are known, and whether it changed', () => {
    const paging = byOffset('offset', { total: 'total' as never }) as Paging<never>
    expect(states(paging, stating(10), stating('10'))).toMatchObject({ firstCount: 10, lastCount: 10 })
    expect(states(paging, stating(10), stating(10))).not.toHaveProperty('hasChanged')
    expect(states(paging, stating(10), stating(9), stating(10))).toMatchObject({
      firstCount: 10,
      lastCount: 10,
      hasChanged: true,
    })
  })

  test.each<[Record<string, string>, number | undefined]>([
    [{ 'x-total-count': '2000' }, 2000],
    [{ 'x-total': ' 37 ' }, 37],
    [{ 'x-wp-total': '4' }, 4],
    [{ 'content-range': 'items 0-24/319' }, 319],
    [{ 'content-range': '0-24/319' }, 319],
    [{ 'content-range': 'items */0' }, 0],
    [{ 'content-range': 'items 0-24/*' }, undefined],
    [{ 'content-range': 'bytes 0-99/1000' }, undefined],
    [{ 'x-total': '12.50' }, undefined],
    [{ 'x-total': '' }, undefined],
    [{}, undefined],
  ])('the headers %j state it without being named', (headers, count) => {
    expect(states(onePage(), response([{}], { headers })).lastCount).toBe(count)
  })

  test('the place that the paginator names goes before a header', () => {
    const named = byOffset('offset', { total: inHeader('x-matches') }) as Paging<never>
    const headers = { 'x-matches': '7', 'x-total-count': '2000' }
    expect(states(named, response([{}], { headers })).lastCount).toBe(7)
  })
})
