import { describe, expect, test } from '@jest/globals'
import { apiKey, byCursor, byNextUrl, byPage, http, onePage, path, secret } from '../../src/index.ts'
import { openScope } from '../../src/read/open-scope.ts'
import { readRecipe } from '../../src/read/read-recipe.ts'
import type { Page, Position } from '../../src/model/page.ts'
import { readSecrets } from '../../src/observe/secrets.ts'
import { apiServer } from '../support/api-server.ts'
import { readPages, recordsOf } from './read-pages.ts'
import { listing, type Listing } from './listing.ts'
import { fakeApi } from '../../src/testing/index.ts'
import { streamOfStyle, styles } from '../testing/flow-of-style.ts'

describe('reading pages', () => {
  test.each(styles)('a slice that stops after any page resumes behind it: %s', async (style) => {
    await using api = await fakeApi({ paging: style, records: 57 })
    const flow = streamOfStyle(style, api.url)
    const whole = await readPages(flow)
    expect(whole.at(-1)?.position).toEqual({ end: true })
    for (let stop = 1; stop <= whole.length; stop++) {
      const stopped = await readPages(flow, { pages: stop })
      const position = JSON.parse(JSON.stringify(stopped.at(-1)?.position)) as Position
      expect([...recordsOf(stopped), ...recordsOf(await readPages(flow, { position }))]).toEqual(recordsOf(whole))
    }
    expect(recordsOf(whole)).toEqual(api.list().records)
  })

  test('a slice at END sends no request', async () => {
    await using server = await apiServer([{ json: [] }])
    expect(
      await readPages(http(server.origin).get<unknown[]>('/x').pages(onePage()).records(), { position: { end: true } }),
    ).toEqual([])
    expect(server.requests).toHaveLength(0)
  })

  test('a position holds the name of a secret in a URL, and the request has its value', async () => {
    await using server = await apiServer((request) => ({
      json: { ...listing(request, 'c'), link: `/x?c=2&copied=${request.query.get('key')}` },
    }))
    const flow = http(server.origin, { auth: apiKey(secret('KEY'), { query: 'key' }) })
      .get<Listing & { link: string }>('/x')
      .pages(byNextUrl('link'))
      .records('data')
    const secrets = readSecrets({ KEY: 'top/secret+value' })
    const [page] = await readPages(flow, { pages: 1, secrets })
    expect(JSON.stringify(page!.position)).not.toMatch(/top|key=/)
    expect(JSON.stringify(page!.position)).toContain('{secret:KEY}')
    const again = await readPages(flow, {
      pages: 1,
      position: page!.position!,
      secrets: readSecrets({ KEY: 'top/secret+value' }),
    })
    expect(server.requests.at(-1)!.query.get('copied')).toBe('top/secret+value')
    expect(again).toHaveLength(1)
  })

  test.each([
    [410, byPage<Listing>('page')],
    [410, byCursor<Listing>('c', 'next')],
    [400, byCursor<Listing>('c', 'next')],
    [404, byNextUrl<Listing>((body) => body.link)],
  ])('a status %d for a stored position loses the position', async (status, paging) => {
    await using server = await apiServer(() => ({ status, json: { error: 'cursor expired' } }))
    const flow = http(server.origin).get<Listing>('/x').pages(paging).records('data')
    await expect(
      readPages(flow, { position: { method: 'GET', url: '/x', query: { c: '7', page: '7' } } }),
    ).rejects.toMatchObject({ code: 'POSITION_LOST' })
    await expect(readPages(flow)).rejects.toMatchObject({ code: 'HTTP', status })
  })

  test('a status 404 for a counted page is a failure, not a lost position', async () => {
    await using server = await apiServer([{ status: 404 }])
    await expect(
      readPages(http(server.origin).get<Listing>('/x').pages(byPage('page')).records('data'), {
        position: { method: 'GET', url: '/x', query: { page: '7' } },
      }),
    ).rejects.toMatchObject({ code: 'HTTP' })
  })

  test('a status of `emptyOn`, and 204, end the slice without records', async () => {
    await using server = await apiServer(({ path }) =>
      path === '/none' ? { status: 404, json: { error: 1 } } : { status: 204 },
    )
    const api = http(server.origin)
    for (const url of ['/none', '/empty'] as const) {
      const pages = await readPages(
        api
          .get<Listing>(url, undefined, { emptyOn: [404] })
          .pages(byCursor('c', 'next'))
          .records('data'),
      )
      expect(pages).toMatchObject([{ records: [], position: { end: true }, counts: { fetched: 0 } }])
    }
  })

  test('pages before a failed one are yielded', async () => {
    await using server = await apiServer((request) =>
      request.query.get('c') === '3' ? { json: { rows: [] } } : { json: listing(request, 'c') },
    )
    const read: Page[] = []
    await expect(async () => {
      await using scope = openScope({ secrets: readSecrets({}) })
      const { recipe } = http(server.origin)
        .get<Listing>('/x', { of: 'a@b.example', limit: 2, key: 'k' })
        .pages(byCursor('c', 'next'))
        .records('data')
      for await (const page of readRecipe(recipe, { position: null, restart: 'page' }, scope)) read.push(page)
    }).rejects.toThrow(
      /^GET \/x: 'data': the body has no 'data', only rows.+ The query that was sent: \?of=…&limit=2&key=\*\*\*&c=3$/,
    )
    expect(recordsOf(read)).toHaveLength(4)
  })

  test('values of a path stay in their segment', async () => {
    await using server = await apiServer([{ json: [] }])
    const api = http(`${server.origin}/v1`)
    await readPages(
      api
        .get<unknown[]>(path`/kids/${'a/b?x=1#f'}/${7n}`)
        .pages(onePage())
        .records(),
    )
    expect(server.requests[0]!.url).toBe('/v1/kids/a%2Fb%3Fx%3D1%23f/7')
    for (const value of ['..', '.', ''])
      await expect(
        readPages(
          api
            .get<unknown[]>(path`/kids/${value}`)
            .pages(onePage())
            .records(),
        ),
      ).rejects.toThrow('cannot be a segment')
  })
})
