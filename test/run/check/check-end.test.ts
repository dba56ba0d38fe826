// `check` says whether the first page leads to the next one, and recommends a paginator.
import { expect, test } from '@jest/globals'
import {
  byCursor,
  byLinkHeader,
  byNextUrl,
  byOffset,
  byPage,
  http,
  inHeader,
  onePage,
  pipeline,
  type Paging,
} from '../../../src/index.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { readingApi } from '../../cases/reading-api.ts'
import { apiServer, type ApiAnswer } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'
import { findingsOf, remarksOf, useDatabase } from './support.ts'

useDatabase()

const rows = (count: number): object[] => Array.from({ length: count }, (_, id) => ({ id }))

interface Options {
  readonly limit?: number | undefined
  readonly table?: object
}

/** Returns the remarks on a stream whose API always sends one answer, and the number of its requests. */
async function remarksOn(answer: ApiAnswer, paging: unknown, { limit, table = {} }: Options = {}) {
  await using api = await apiServer([answer])
  const items = http(api.origin)
    .get<{ items: { id: number }[] }>('/items', { limit })
    .pages(paging as Paging<unknown>)
    .records((body) => body.items)
  const remarks = await remarksOf(items.into('t.items', { key: 'id', ...table }))
  expect(api.requests).toHaveLength(1)
  return remarks
}

const unproven = (reason: string): string =>
  `problem: a run could not prove that it reads everything: GET /items: ${reason}`

test('a cursor that was renamed is a problem, with the names of the answer and the paginator that fits', async () => {
  await using server = await readingApi()
  const items = http(server.origin)
    .get<{ items: { id: number }[]; meta: { next?: string } }>('/renamed-cursor')
    .pages(byCursor('cursor', 'meta.next'))
    .records('items')
  expect(await remarksOf(items.into('t.items', { key: 'id' }))).toEqual([
    'problem: a run could not prove that it reads everything: GET /renamed-cursor: only one page was read, because ' +
      "the way to the next page is missing where the paginator looks for it: 'meta.next'. The response has " +
      "'meta.next_cursor'. Compare the paginator with it",
    "advice: recommended for this answer: .pages(byCursor('cursor', 'meta.next_cursor'))",
  ])
  expect(server.requests).toHaveLength(1)
})

test('the right cursor is without a remark, also if the API omits it at the end', async () => {
  await using server = await readingApi()
  const items = (path: '/renamed-cursor' | '/omits-cursor-at-end', at: string) =>
    http(server.origin)
      .get<{ items: { id: number }[]; meta: Record<string, string | null> }>(path)
      .pages(byCursor('cursor', ({ meta }) => meta[at]))
      .records('items')
      .into('t.items', { key: 'id' })
  expect(await remarksOf(items('/renamed-cursor', 'next_cursor'))).toEqual([])
  expect(await remarksOf(items('/omits-cursor-at-end', 'next'))).toEqual([])
})

test('a total in a header shows that an API sends its Link header only to clients that ask for a page', async () => {
  await using server = await readingApi()
  const items = http(server.origin).get<{ id: number }[]>('/link-on-demand').pages(byLinkHeader()).records()
  const [first, recommended] = await remarksOf(items.into('t.items', { key: 'id' }))
  expect(first).toMatch(/^problem: .*100 records came, but the header 'x-total-count' states 2,?000/)
  expect(recommended).toContain("byOffset('offset', { total: inHeader('x-total-count') })")
})

test('a total in a header that is larger than the only page is a problem', async () => {
  const total = { json: { items: rows(3) }, headers: { 'x-total': '50' } }
  expect(await remarksOn(total, onePage())).toEqual([
    unproven(
      "3 records came, but the header 'x-total' states 50. Only one page was read. " +
        'Name the way to the next page in .pages(…)',
    ),
    "advice: recommended for this answer: .pages(byOffset('offset', { total: inHeader('x-total') })) " +
      "or .pages(byPage('page'))",
  ])
})

test('a page that is as large as what was requested is a problem if nothing says that it is the end', async () => {
  const full = { json: { items: rows(7) } }
  expect(await remarksOn(full, onePage(), { limit: 7 })).toEqual([
    unproven(
      'only one page was read, which seems to be full (7 records). If more pages exist, correct the paginator. ' +
        'Otherwise request larger pages, such as limit: 1000',
    ),
  ])
  expect(await remarksOn(full, byNextUrl('next'), { limit: 7 })).toEqual([
    expect.stringContaining("seems to be full (7 records), and 'next' is missing"),
  ])
})

const good: readonly (readonly [title: string, answer: ApiAnswer, paging: unknown, limit: number | undefined])[] = [
  ['a page that is shorter than what was requested', { json: { items: rows(6) } }, onePage(), 7],
  ['a page of an unknown size', { json: { items: rows(100) } }, onePage(), undefined],
  ['a page without records', { json: { items: [] } }, onePage(), 7],
  [
    'a page without records and with a total of 0',
    { json: { items: [], total_count: 0 } },
    byOffset('offset', { total: 'total_count' }),
    7,
  ],
  ['a response without a body', { status: 204 }, byCursor('cursor', 'next'), 7],
  ['a short page without the way on', { json: { items: rows(3) } }, byCursor('cursor', 'next'), 7],
  ['a full page whose cursor is null', { json: { items: rows(7), next: null } }, byCursor('cursor', 'next'), 7],
  ['a full page that says that it has no more', { json: { items: rows(7), has_more: false } }, onePage(), 7],
  [
    'a full page with a total that it reaches',
    { json: { items: rows(7) }, headers: { 'x-total-count': '7' } },
    onePage(),
    7,
  ],
  ['a full page that leads to the next one', { json: { items: rows(7), next: 'abc' } }, byCursor('cursor', 'next'), 7],
  ['a first page by number', { json: { items: rows(7), total: 900 } }, byPage('page'), 7],
  [
    'a first page by offset below its total',
    { json: { items: rows(7) }, headers: { 'x-total': '900' } },
    byOffset('offset', { total: inHeader('x-total') }),
    7,
  ],
]
test.each(good)('%s is no problem', async (_, answer, paging, limit) => {
  expect(await remarksOn(answer, paging, { limit })).toEqual([])
})

const recommended: readonly (readonly [call: string, answer: ApiAnswer])[] = [
  ['byLinkHeader()', { json: { items: rows(3) }, headers: { link: '</items?page=2>; rel="next"' } }],
  ["byNextUrl('links.next')", { json: { items: rows(3), links: { next: '/items?page=2' }, total_count: 9 } }],
  ["byNextUrl('_links.next.href')", { json: { items: rows(3), _links: { next: { href: 'https://x.example/2' } } } }],
  ["byCursor('pageToken', 'nextPageToken')", { json: { items: rows(3), nextPageToken: 'abc' } }],
  ["byCursor('page', 'meta.next_page')", { json: { items: rows(3), meta: { next_page: 2 } } }],
  ["byContinue('continue')", { json: { items: rows(3), continue: { itcontinue: 'b', continue: '-||' } } }],
  ["byNextUrl(inHeader('next-page'))", { json: { items: rows(3) }, headers: { 'next-page': 'https://x.example/2' } }],
  ["byHeader('page', 'x-next-page')", { json: { items: rows(3) }, headers: { 'x-next-page': '2' } }],
  ["byPage('page', { pages: 'total_pages' })", { json: { items: rows(3), total_pages: 4, has_more: true } }],
  ["byPage('page', { more: 'has_more' })", { json: { items: rows(3), has_more: true } }],
  [
    "byPage('page', { pages: inHeader('x-total-pages') })",
    { json: { items: rows(3) }, headers: { 'x-total-pages': '2' } },
  ],
  ["byOffset('offset', { total: 'meta.total' })", { json: { items: rows(3), meta: { total: 9 } } }],
]
test.each(recommended)('%s is recommended where the answer names it', async (call, answer) => {
  const remarks = await remarksOn(answer, onePage())
  expect(remarks.at(-1)).toBe(`advice: recommended for this answer: .pages(${call})`)
  expect(remarks[0]).toMatch(/^problem: /)
})

test("an open reading is advice for a table with complete: 'any'", async () => {
  expect(await remarksOn({ json: { items: rows(7) } }, onePage(), { limit: 7, table: { complete: 'any' } })).toEqual([
    expect.stringMatching(/^advice: a run could not prove/),
  ])
})

test('a total that the paginator needs and that is missing is a problem, as in a run', async () => {
  await using api = await apiServer([{ json: { items: rows(3) } }])
  const items = http(api.origin)
    .get<{ items: { id: number }[]; total?: number }>('/items')
    .pages(byOffset('offset', { total: 'total' as never }))
    .records('items')
  expect(await findingsOf(items.into('t.items', { key: 'id' }))).toEqual([
    {
      location: 'p.items',
      isFault: true,
      text: expect.stringContaining("'total' should be the number of pages or records, but is missing"),
    },
  ])
  expect(api.requests).toHaveLength(1)
})

test('a full page without a link is no problem once a run has seen a link there', async () => {
  let size = 10
  await using api = await apiServer(({ query }) => {
    const page = Number(query.get('page') ?? 1)
    const link = page * 10 < size ? { link: `</items?page=${page + 1}>; rel="next"` } : {}
    return { json: rows(size).slice((page - 1) * 10, page * 10), headers: link }
  })
  await using own = await testDatabase()
  const flow = http(api.origin)
    .get<{ id: number }[]>('/items', { limit: 10 })
    .pages(byLinkHeader())
    .records()
    .into('t.items', { key: 'id' })
  expect(await remarksOf(flow, own)).toEqual([expect.stringMatching(/^problem: .*seems to be full/)])
  size = 15
  await runPipeline(pipeline('p', { streams: { items: flow } }), { database: own.url })
  size = 10
  expect(await remarksOf(flow, own)).toEqual([])
})
