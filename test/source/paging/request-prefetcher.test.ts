import { describe, expect, test } from '@jest/globals'
import { byCursor, byPage, http } from '../../../src/index.ts'
import { MemoryBudget } from '../../../src/flow/memory-budget.ts'
import type { Recipe } from '../../../src/model/recipe.ts'
import type { Client, DecodedResponse, Scope } from '../../../src/model/scope.ts'
import { readHttp } from '../../../src/source/read-http.ts'
import { readSecrets } from '../../../src/observe/secrets.ts'
import { apiServer } from '../../support/api-server.ts'
import { readPages, recordsOf } from '../read-pages.ts'
import { listing, type Listing } from '../listing.ts'

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
    const pages = readHttp(sourceOf(recipe), undefined, { position: null, restart: 'page' }, scope, {
      onTotal: (total) => totals.push(total),
    })
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

  test('three slices that request pages concurrently share a budget of about one page', async () => {
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
