import { describe, expect, test } from '@jest/globals'
import { byHeader, byLinkHeader, byNextUrl, http } from '../../../src/index.ts'
import type { NextRequest, Paging } from '../../../src/model/request.ts'
import { apiServer, type ApiServer } from '../../support/api-server.ts'
import { readPages, recordsOf, type ReadingOptions } from '../read-pages.ts'
import { numbers, type Row } from './moving-server.ts'

const SIZE = 5
type Way = 'link' | 'url' | 'path' | 'header' | 'function' | 'token'

/** Leads from each page to the next one. `after` is called when the answer to the n-th request has been made. */
const listOf = (rows: Row[], way: Way, after: (request: number) => void = () => {}): Promise<ApiServer> =>
  apiServer(({ url, query, body, index }) => {
    const sent = JSON.parse(body || '{}') as { page?: number }
    const page = Number(/\/page\/(\d+)\//.exec(url)?.[1] ?? query.get('page') ?? sent.page ?? 1)
    const from = Number(query.get('offset') ?? query.get('after') ?? (page - 1) * SIZE)
    const items = rows.slice(from, from + SIZE)
    const isEnd = items.length === 0
    const answer = {
      link: { json: { items }, headers: isEnd ? {} : { link: `</list?a=%7B&page=${page + 1}&b=1>; rel="next"` } },
      url: { json: { items, next: isEnd ? null : `/list?offset=${from + items.length}` } },
      path: { json: { items, next: isEnd ? null : `/list/page/${page + 1}/?a=1` } },
      header: { json: { items }, headers: isEnd ? {} : { 'x-next-page': `${page + 1}` } },
      function: { json: { items } },
      token: { json: { items, next: isEnd ? null : `/list?after=${from + items.length}` } },
    }[way]
    after(index + 1)
    return answer
  })

const nextPage: NextRequest<never> = ({ records }, request) =>
  records.length === 0 ? undefined : { ...request, json: { page: Number(request.json?.['page'] ?? 1) + 1 } }

const pagingOf = (way: Way): Paging<never> =>
  ({
    link: byLinkHeader(),
    url: byNextUrl('next'),
    path: byNextUrl('next'),
    token: byNextUrl('next'),
    header: byHeader('page', 'x-next-page'),
    function: nextPage,
  })[way]

const read = (server: ApiServer, way: Way, options: ReadingOptions = {}) => {
  const api = http(server.origin, { attempts: 1 })
  const request =
    way === 'function' ? api.post<{ items: Row[] }>('/list', { json: { page: 1 } }) : api.get<{ items: Row[] }>('/list')
  return readPages(request.pages(pagingOf(way) as never).records('items'), { key: ['id'], ...options })
}

const idsOf = (pages: Awaited<ReturnType<typeof read>>): number[] => [
  ...new Set((recordsOf(pages) as Row[]).map(({ id }) => id).toSorted((a, b) => a - b)),
]
const rowsOf = (count: number): Row[] => numbers(count).map((id) => ({ id }))
const WAYS = ['link', 'url', 'path', 'header', 'function'] as const

describe.each(WAYS)('a list whose responses lead to the next page, by %s', (way) => {
  test('it is read again if a record comes twice', async () => {
    const rows = rowsOf(20)
    // 7 is deleted and 8 comes before it: one record comes twice, another one would be skipped.
    await using server = await listOf(rows, way, (request) => {
      if (request === 2) rows.unshift({ id: 100 })
      if (request === 3) rows.splice(0, 3)
    })
    const pages = await read(server, way)
    expect(idsOf(pages)).toEqual(expect.arrayContaining(numbers(20).slice(3)))
    expect(pages.at(-1)?.completeness).toEqual({ grade: 'ended', reasons: [] })
    expect(server.requests.length).toBeGreaterThan(8)
  })

  test('it is open if it has moved in each of three passes', async () => {
    const rows = rowsOf(20)
    await using server = await listOf(rows, way, (request) => {
      if (request % 3 === 0) rows.unshift({ id: 100 + request })
    })
    const { completeness } = (await read(server, way)).at(-1) ?? {}
    expect(completeness?.grade).toBe('open')
    expect(completeness?.reasons.join()).toContain('the list moved while it was read (a record came twice, in pass 3)')
  })

  test('a resumed reading requests the records before its position, and goes on', async () => {
    const rows = rowsOf(20)
    await using server = await listOf(rows, way)
    const [, second] = await read(server, way, { pages: 2 })
    const asked = server.requests.length
    const pages = await read(server, way, { position: second?.position ?? null })
    expect(idsOf(pages)).toEqual(numbers(20).slice(10))
    expect(recordsOf(pages)).toHaveLength(10)
    expect(server.requests.length - asked).toBeLessThanOrEqual(4)
    expect(pages.at(-1)?.completeness?.grade).toBe('ended')
  })

  test('a resumed reading begins anew if other records stand before its position', async () => {
    const rows = rowsOf(20)
    await using server = await listOf(rows, way)
    const [, second] = await read(server, way, { pages: 2 })
    rows.splice(0, 3)
    const pages = await read(server, way, { position: second?.position ?? null })
    expect(idsOf(pages)).toEqual(numbers(20).slice(3))
    expect(pages.at(-1)?.completeness?.grade).toBe('ended')
  })

  test('a second pass that was interrupted before its first page still sees that the list moves', async () => {
    const rows = rowsOf(20)
    await using server = await listOf(rows, way, (request) => {
      if (request === 2) rows.unshift({ id: 100 })
      // In the second pass: a record comes twice, and another one is skipped.
      if (request === 8) rows.unshift({ id: 200 })
      if (request === 9) rows.splice(0, 4)
    })
    const pass = await read(server, way, { pages: 6 })
    expect(pass.at(-1)?.position).toMatchObject({ reading: { list: { pass: 2 } } })
    const pages = await read(server, way, { position: pass.at(-1)?.position ?? null })
    expect(idsOf(pages)).toEqual(expect.arrayContaining(rows.map(({ id }) => id)))
    expect(pages.at(-1)?.completeness?.grade).toBe('ended')
  })

  test('a resumed reading without a key restarts its slice if other records stand before its position', async () => {
    const rows = rowsOf(20)
    await using server = await listOf(rows, way)
    const KEYLESS = { key: undefined, restart: 'slice' } as unknown as ReadingOptions
    const [, second] = await read(server, way, { ...KEYLESS, pages: 2 })
    rows.splice(0, 3)
    await expect(read(server, way, { ...KEYLESS, position: second?.position ?? null })).rejects.toThrow('moved')
  })
})

test('a list whose URLs have a token of the API is read once, also if a record comes twice', async () => {
  const rows = rowsOf(20)
  await using server = await listOf(rows, 'token', (request) => {
    if (request === 2) rows.unshift({ id: 100 })
  })
  const pages = await read(server, 'token')
  expect(pages.at(-1)?.completeness?.grade).toBe('ended')
  expect(server.requests).toHaveLength(6)
  expect(pages[0]?.position).not.toHaveProperty('reading.list')
})
