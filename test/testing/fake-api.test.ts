import { describe, expect, test } from '@jest/globals'
import { byCursor, byNextUrl, byOffset, byPage, inHeader } from '../../src/index.ts'
import { fakeApi, fakeRecords, type FakeApi, type FakeApiOptions } from '../../src/testing/index.ts'
import { readPages, recordsOf } from '../source/read-pages.ts'
import { streamOfStyle, styles } from './flow-of-style.ts'

const idsOf = (records: readonly unknown[]): unknown[] => records.map((record) => (record as { id: number }).id)
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

/** Requests a path of the fake API by itself. */
async function ask(api: FakeApi, path: string, init?: RequestInit): Promise<{ status: number; text: string }> {
  const response = await fetch(api.url + path, init)
  return { status: response.status, text: await response.text() }
}

/** The faults of six requests. */
async function faultsOf(seed: number): Promise<unknown[]> {
  await using api = await fakeApi({ paging: 'offset of total', records: 60, faults: { seed, share: 0.5 } })
  for (let offset = 0; offset < 60; offset += 10) await ask(api, `/items?offset=${offset}`).catch(() => undefined)
  return api.requests.map(({ fault, status }) => [fault, status])
}

describe('fakeApi', () => {
  test.each(styles)('serves a list that the paginator of the style reads whole: %s', async (style) => {
    await using api = await fakeApi({ paging: style, records: 37 })
    const pages = await readPages(streamOfStyle(style, api.url), { key: ['id'] })
    expect(idsOf(recordsOf(pages))).toEqual(numbers(37))
    expect(pages.at(-1)?.completeness).toMatchObject({ grade: expect.stringMatching(/counted|ended/) })
    expect(api.requests.length).toBeGreaterThanOrEqual(style === 'one page' ? 1 : 4)
  })

  test('has the parameters and the members that the word names, and caps the size of a page', async () => {
    await using api = await fakeApi({
      paging: byCursor('page.after', 'meta.next', { total: inHeader('x-total'), more: 'meta.more' }),
      at: 'data.rows',
      records: [{ id: 'a' }, { id: 'b' }, { id: 'c' }],
      maxPageSize: 2,
      members: { ok: true },
    })
    const first = await fetch(`${api.url}/items?limit=1000`)
    const body = (await first.json()) as { meta: { next: string } }
    expect(body).toEqual({
      ok: true,
      data: { rows: [{ id: 'a' }, { id: 'b' }] },
      meta: { next: expect.any(String), more: true },
    })
    expect(first.headers.get('x-total')).toBe('3')
    const second = await ask(api, '/items', {
      method: 'POST',
      body: JSON.stringify({ page: { after: body.meta.next } }),
    })
    expect(JSON.parse(second.text)).toEqual({
      ok: true,
      data: { rows: [{ id: 'c' }] },
      meta: { next: null, more: false },
    })
  })

  test.each<[string, FakeApiOptions, string, number]>([
    ['a cursor that it has not made', { paging: 'cursor' }, '/items?cursor=x', 400],
    ['page 0', { paging: 'page' }, '/items?page=0', 400],
    ['a page behind the end', { paging: 'page', behindEnd: 404 }, '/items?page=9', 404],
    ['more records than it allows', { refuseLargerPages: true }, '/items?limit=101', 400],
    ['records that are too deep', { paging: 'offset', records: 50, maxDepth: 20 }, '/items?offset=15', 400],
    ['another path', {}, '/orders', 404],
    ['other credentials', { accepts: ({ headers }) => headers['x-key'] === 'k' }, '/items', 401],
  ])('refuses %s', async (_, options, path, status) => {
    await using api = await fakeApi(options)
    expect((await ask(api, path)).status).toBe(status)
    expect(api.requests).toMatchObject([{ number: 1, url: path, status }])
  })

  test('serves several lists, with values in their paths, and answers of the test', async () => {
    await using api = await fakeApi({
      lists: {
        '/orders': { paging: 'link header', at: '', records: 3, pageSize: 2 },
        '/orders/:id/lines': { paging: 'one page', records: ({ id }) => (id === '2' ? [{ line: 7 }] : undefined) },
      },
      answer: ({ path }) => (path === '/token' ? { json: { access_token: 't' } } : undefined),
    })
    expect((await fetch(`${api.url}/orders`)).headers.get('link')).toMatch(
      /^<http:\/\/127\.0\.0\.1:\d+\/orders\?cursor=\w+>; rel="next"$/,
    )
    expect(await ask(api, '/orders/2/lines')).toEqual({ status: 200, text: '{"items":[{"line":7}]}' })
    expect((await ask(api, '/orders/3/lines')).status).toBe(404)
    expect((await ask(api, '/token')).text).toBe('{"access_token":"t"}')
    expect(() => api.list('/lines')).toThrow('there is no list at /lines: it has /orders, /orders/:id/lines')
  })

  test('returns what has changed, by a time and by a delta token', async () => {
    await using api = await fakeApi({
      paging: byNextUrl('next'),
      records: fakeRecords(4).map(({ id }) => ({ id, at: `2025-01-0${id}` })),
      since: { parameter: 'from', until: 'to', field: 'at' },
      delta: { at: 'delta', parameter: 'token' },
    })
    const bodyOf = async (query: string): Promise<{ items: { id: number }[]; delta: string }> =>
      JSON.parse((await ask(api, `/items${query}`)).text) as { items: { id: number }[]; delta: string }
    const whole = await bodyOf('?from=2025-01-02&to=2025-01-04')
    expect(idsOf(whole.items)).toEqual([2, 3])
    api.list().move(0)
    const changed = await bodyOf(`?token=${whole.delta}`)
    expect(changed.items).toEqual([{ id: 1, at: '2025-01-04T00:00:01.000Z' }])
    expect(await bodyOf(`?token=${changed.delta}`)).toMatchObject({ items: [] })
  })

  test('the same seed brings the same faults, and the log names them', async () => {
    const first = await faultsOf(3)
    expect(await faultsOf(3)).toEqual(first)
    expect(await faultsOf(4)).not.toEqual(first)
    expect(new Set(first.flat()).size).toBeGreaterThan(3)
  })

  test.each<[string, object, unknown]>([
    ['an unknown style', { paging: 'pages' }, 'there is no style "pages" for /items. The styles are one page, page'],
    ['an unknown fault', { faults: [{ request: 1, fault: '504' }] }, 'there is no fault "504". The faults are 500'],
    ['an unknown option', { paged: 'page' }, 'fakeApi(): there is no option "paged"'],
    ['a place by a function', { paging: byPage('page', { total: () => 3 }) }, 'total of /items is a function'],
    ['a total in a list', { paging: byOffset('offset', { total: 'total' }), at: '' }, "so it has no 'total'"],
  ])('is refused with %s', async (_, options, message) => {
    await expect(fakeApi(options as FakeApiOptions)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(message as string),
    })
  })

  test('every planned fault is what its name says', async () => {
    const plan = ['500', '429', 'cut', 'truncated', 'html', 'empty page', 'wrong total', 'insert'] as const
    await using api = await fakeApi({
      paging: 'offset of total',
      records: 3,
      faults: plan.map((fault, index) => ({ request: index + 1, fault })),
    })
    const seen: unknown[] = []
    for (const _ of plan)
      seen.push(
        await ask(api, '/items').then(
          ({ status, text }) => [status, text.slice(0, 14)],
          () => 'cut',
        ),
      )
    expect(seen).toEqual([
      [500, '{"error":"this'],
      [429, '{"error":"this'],
      'cut',
      [200, '{"items":[{"id'],
      [200, '<!doctype html'],
      [200, '{"items":[],"t'],
      [200, '{"items":[{"id'],
      [200, '{"items":[{"id'],
    ])
    expect(api.requests.map(({ fault }) => fault)).toEqual(plan)
    expect(idsOf(api.list().records)).toEqual([4, 1, 2, 3])
  })
})
