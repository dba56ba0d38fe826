import { describe, expect, test } from '@jest/globals'
import {
  apiKey,
  byCursor,
  byLinkHeader,
  byNextUrl,
  byOffset,
  byPage,
  http,
  onePage,
  path,
  secret,
} from '../../src/index.ts'
import { openScope } from '../../src/read/open-scope.ts'
import { readRecipe } from '../../src/read/read-recipe.ts'
import { MemoryBudget } from '../../src/flow/memory-budget.ts'
import type { Page, Position } from '../../src/model/page.ts'
import type { Recipe } from '../../src/model/recipe.ts'
import type { Client, DecodedResponse, Scope } from '../../src/model/scope.ts'
import { readHttp } from '../../src/source/read-http.ts'
import { readSecrets } from '../../src/observe/secrets.ts'
import { apiServer, type ApiRequest } from '../support/api-server.ts'
import { readPages, recordsOf } from './read-pages.ts'

interface Listing {
  data: { id: number }[]
  next: number | null
  pages: number
  link?: string
}

/** A listing of six pages with two records each, for every paginator. */
const listing = (request: ApiRequest, name: string): Listing & { link: string } => {
  const page =
    name === 'offset' ? Number(request.query.get('offset') ?? 0) / 2 + 1 : Number(request.query.get(name) ?? 1)
  return {
    data: page > 6 ? [] : [{ id: page * 2 }, { id: page * 2 + 1 }],
    next: page < 6 ? page + 1 : null,
    pages: 6,
    link: page < 6 ? `/x?${name}=${page + 1}` : '',
  }
}

describe('reading pages', () => {
  test.each([
    ['byPage', 'page', byPage<Listing>('page')],
    ['byPage with pages', 'page', byPage<Listing>('page', { pages: 'pages' })],
    ['byOffset', 'offset', byOffset<Listing>('offset')],
    ['byCursor', 'c', byCursor<Listing>('c', 'next')],
    ['byNextUrl', 'c', byNextUrl<Listing>((body) => body.link)],
    ['byLinkHeader', 'c', byLinkHeader()],
  ])('a slice with %s that stops after any page resumes behind it', async (_, name, paging) => {
    await using server = await apiServer((request) => {
      const json = listing(request, name)
      return { json, headers: json.link ? { link: `<${json.link}>; rel="next"` } : {} }
    })
    const flow = http(server.origin).get<Listing>('/x', { fixed: 1 }).pages(paging).records('data')
    const whole = await readPages(flow)
    expect(whole.at(-1)?.position).toEqual({ end: true })
    for (let stop = 1; stop <= whole.length; stop++) {
      const stopped = await readPages(flow, { pages: stop })
      const position = JSON.parse(JSON.stringify(stopped.at(-1)?.position)) as Position
      expect([...recordsOf(stopped), ...recordsOf(await readPages(flow, { position }))]).toEqual(recordsOf(whole))
    }
    expect(recordsOf(whole).map((record) => (record as { id: number }).id)).toEqual([
      2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
    ])
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
      const { recipe } = http(server.origin).get<Listing>('/x').pages(byCursor('c', 'next')).records('data')
      for await (const page of readRecipe(recipe, { position: null, restart: 'page' }, scope)) read.push(page)
    }).rejects.toThrow("GET /x: 'data': the body has no 'data', only rows")
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

describe('requests ahead', () => {
  test('the next page is requested before the last one is yielded, and no further one', async () => {
    const { scope, requested, respond } = manualClient()
    const { recipe } = http('http://x').get<Listing>('/x').pages(byCursor('c', 'next')).records('data')
    const pages = readHttp(sourceOf(recipe), undefined, { position: null, restart: 'page' }, scope)
    const first = pages.next()
    await turn()
    respond('1', body(1, 2))
    await first
    expect(requested).toEqual(['1', '2'])
    await pages.return()
  })

  test('a page that says it is the last one needs no total, also if totals are reported', async () => {
    const { scope, respond } = manualClient()
    const { recipe } = http('http://x')
      .get<Listing & { readonly more: boolean }>('/x')
      .pages(byPage('page', { more: 'more', pages: 'pages' }))
      .records('data')
    const totals: number[] = []
    const pages = readHttp(sourceOf(recipe), undefined, { position: null, restart: 'page' }, scope, (total) =>
      totals.push(total),
    )
    const first = pages.next()
    await turn()
    respond('1', { data: [{ id: 1 }], more: false })
    expect((await first).value?.records).toEqual([{ id: 1 }])
    expect(await pages.next()).toMatchObject({ done: true })
    expect(totals).toEqual([1])
  })

  test('leaving cancels pending requests, waits for them, and releases their responses', async () => {
    const { scope, requested, respond, aborted, released } = manualClient()
    const { recipe } = http('http://x', { concurrency: 3 })
      .get<Listing>('/x')
      .pages(byPage('page', { pages: 'pages' }))
      .records('data')
    const pages = readHttp(sourceOf(recipe), undefined, { position: null, restart: 'page' }, scope)
    const first = pages.next()
    await turn()
    respond('1', body(1, 2))
    await first
    expect(requested).toEqual(['1', '2', '3', '4'])
    respond('3', body(3, 4))
    await turn()
    await pages.return()
    expect(aborted).toEqual(expect.arrayContaining(['2', '4']))
    expect(released).toEqual(['3'])
  })

  test('leaving waits until a cancelled request has ended', async () => {
    const { scope, respond } = manualClient()
    let hasEnded = false
    const slow: Client = {
      send: (requested, options) =>
        scope
          .client({ base: '' })
          .send(requested, options)
          .catch(async (error: unknown) => {
            await turn()
            hasEnded = true
            throw error
          }),
    }
    const { recipe } = http('http://x').get<Listing>('/x').pages(byCursor('c', 'next')).records('data')
    const pages = readHttp(
      sourceOf(recipe),
      undefined,
      { position: null, restart: 'page' },
      { ...scope, client: () => slow },
    )
    const first = pages.next()
    await turn()
    respond('1', body(1, 2))
    await first
    await pages.return()
    expect(hasEnded).toBe(true)
  })

  test('the page that is wanted next never waits for memory of the pages behind it', async () => {
    const { scope } = manualClient()
    const budget = new MemoryBudget(2)
    const three = Promise.withResolvers<void>()
    const client: Client = {
      send: async ({ query }, { memory, signal }) => {
        const page = Number(query['page'])
        // The second page is retried, and asks for memory after the third one has taken all of it.
        if (page === 2) await three.promise
        const hold = await memory.reserve(page === 3 ? 2 : 1, { signal })
        if (page === 3) three.resolve()
        return { body: body(page, 1), status: 200, headers: {}, url: 'http://x/', bytes: 1, hold }
      },
    }
    const { recipe } = http('http://x', { concurrency: 3 })
      .get<Listing>('/x')
      .pages(byPage('page', { pages: () => 3 }))
      .records('data')
    const read: unknown[] = []
    for await (const page of readHttp(
      sourceOf(recipe),
      undefined,
      { position: null, restart: 'page' },
      { ...scope, client: () => client, memory: budget.account() },
    )) {
      read.push(...page.records)
      page.hold?.[Symbol.dispose]()
    }
    expect(read).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
    expect(budget.used).toBe(0)
  })

  test('a page that fails releases its memory', async () => {
    const { scope, respond, released } = manualClient()
    const { recipe } = http('http://x').get<Listing>('/x').pages(byCursor('c', 'next')).records('data')
    const pages = readHttp(sourceOf(recipe), undefined, { position: null, restart: 'page' }, scope)
    const first = pages.next()
    await turn()
    respond('1', { wrong: 1 })
    await expect(first).rejects.toMatchObject({ code: 'DECODE' })
    expect(released).toEqual(['1'])
  })

  test('pages that are requested concurrently fit into a budget of about one page, and three slices do not block each other', async () => {
    await using server = await apiServer((request) => ({
      json: { ...listing(request, 'page'), padding: 'x'.repeat(200) },
    }))
    const flow = http(server.origin, { concurrency: 4 })
      .get<Listing>('/x')
      .pages(byPage('page', { pages: 'pages' }))
      .records('data')
    const budget = new MemoryBudget(300)
    const read = await Promise.all([1, 2, 3].map(() => readPages(flow, { memory: budget.account() })))
    expect(read.map((pages) => recordsOf(pages).length)).toEqual([12, 12, 12])
    expect({ used: budget.used, waiting: budget.waiting }).toEqual({ used: 0, waiting: 0 })
  })

  test('an aborted slice rejects with the reason of its signal', async () => {
    const { scope } = manualClient()
    const controller = new AbortController()
    const { recipe } = http('http://x').get<Listing>('/x').pages(byCursor('c', 'next')).records('data')
    const first = readHttp(
      sourceOf(recipe),
      undefined,
      { position: null, restart: 'page' },
      { ...scope, signal: controller.signal },
    ).next()
    await turn()
    controller.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
  })
})

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** A client whose requests wait for `respond`. */
function manualClient(): {
  scope: Scope
  requested: string[]
  respond: (key: string, body: unknown) => void
  released: string[]
  aborted: string[]
} {
  const requested: string[] = []
  const released: string[] = []
  const aborted: string[] = []
  const waiting = new Map<string, (received: DecodedResponse) => void>()
  const client: Client = {
    send: ({ query }, { signal }) =>
      new Promise((resolve, reject) => {
        const key = String(query['c'] ?? query['page'] ?? 1)
        requested.push(key)
        waiting.set(key, resolve)
        signal.addEventListener('abort', () => {
          aborted.push(key)
          reject(signal.reason as Error)
        })
      }),
  }
  const memory = { reserve: () => Promise.reject(new Error('not here')), child: () => memory, recheck: () => {} }
  const secrets = readSecrets({})
  return {
    requested,
    released,
    aborted,
    scope: {
      signal: new AbortController().signal,
      now: () => new Date(),
      emit: () => {},
      secrets,
      client: () => client,
      memory,
    },
    respond: (key, body) =>
      waiting.get(key)?.({
        body,
        status: 200,
        headers: {},
        url: 'http://x/',
        bytes: 1,
        hold: { [Symbol.dispose]: () => void released.push(key) },
      }),
  }
}

const sourceOf = ({ source }: Recipe) => source as Parameters<typeof readHttp>[0]

const body = (page: number, next: number | null): Listing => ({ data: [{ id: page }], next, pages: 6 })
