import { getEventListeners, once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from '@jest/globals'
import { demoResponses } from '../../../src/cli/demo/demo-responses.ts'
import { startDemoApi } from '../../../src/cli/demo/start-demo-api.ts'

interface Bodies {
  customers: { id: number; updated_at: string }[]
  invoices: { id: string }[]
  events: { id: string; at: string }[]
  pages: number
  total: number
  next_cursor: string | null
}

/** Asks as a patient client would: again, when it was refused. */
function asking(answer = demoResponses()): { get: (url: string) => Bodies; refused: string[] } {
  const refused: string[] = []
  const get = (url: string): Bodies => {
    let { status, body } = answer(url)
    if (status !== 200) {
      refused.push(`${status} ${url.replace(/cursor=.*/, 'cursor')}`)
      ;({ status, body } = answer(url))
    }
    expect(status).toBe(200)
    return JSON.parse(body) as Bodies
  }
  return { get, refused }
}

function everyEvent(get: (url: string) => Bodies, since = ''): Bodies['events'] {
  const found: Bodies['events'] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Bodies = get(`/events?limit=200${since && `&since=${since}`}${cursor && `&cursor=${cursor}`}`)
    found.push(...page.events)
    cursor = page.next_cursor
  }
  return found
}

describe('the data of the demo API', () => {
  test('is at least 100,000 records, each once, and a few requests fail once', () => {
    const { get, refused } = asking()
    const customers: number[] = []
    const invoices: string[] = []
    for (let page = 1, pages = 1; page <= pages; page += 1) {
      const body = get(`/customers?page=${page}`)
      pages = body.pages
      for (const { id } of body.customers) {
        customers.push(id)
        for (let offset = 0, total = 1; offset < total;) {
          const listing = get(`/customers/${id}/invoices?offset=${offset}`)
          total = listing.total
          offset += listing.invoices.length
          invoices.push(...listing.invoices.map((invoice) => invoice.id))
        }
      }
    }
    const events = everyEvent(get)
    expect([customers.length, new Set(customers).size]).toEqual([2_000, 2_000])
    expect(new Set(invoices).size).toBe(invoices.length)
    expect(new Set(events.map(({ id }) => id)).size).toBe(80_000)
    expect(customers.length + invoices.length + events.length).toBeGreaterThan(100_000)
    expect(refused.filter((text) => text.startsWith('429')).length).toBe(4)
    expect(refused.filter((text) => text.startsWith('503')).length).toBe(7)
  })

  test('is the same at every start', () => {
    const urls = ['/customers?page=2', '/customers/1400/invoices?offset=600', '/events?since=2025-03-01T00:00:00Z']
    expect(urls.map(demoResponses())).toEqual(urls.map(demoResponses()))
  })

  test('from a time on includes all records of that time', () => {
    const { get } = asking()
    const all = everyEvent(get, '2025-12-10T00:00:00Z')
    const boundary = all.at(-1)?.at ?? ''
    const again = everyEvent(get, boundary)
    expect(again.length).toBeGreaterThan(1)
    expect(again).toEqual(all.filter(({ at }) => at >= boundary))
    const { customers, total } = get(
      `/customers?updated_since=${get('/customers?page=20').customers.at(-1)?.updated_at}`,
    )
    expect(customers.length).toBe(total)
    expect(customers.length).toBeGreaterThan(1)
  })

  test('can grow by records of the last time', () => {
    const [before, after] = [80_000, 80_001].map((events) =>
      everyEvent(asking(demoResponses({ events })).get, '2025-12-10T00:00:00Z'),
    ) as [Bodies['events'], Bodies['events']]
    expect(after.slice(0, -1)).toEqual(before)
    expect(after.at(-1)?.at).toBe(before.at(-1)?.at)
  })

  test.each([
    ['/events?cursor=nonsense', 400],
    ['/events?since=yesterday', 400],
    ['/events?limit=0', 400],
    ['/customers?page=x', 400],
    ['/customers/5/invoices', 404],
    ['/nothing', 404],
  ])('answers %s by %i and a reason', (url, status) => {
    const answer = demoResponses()(url)
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body)).toEqual({ error: { code: expect.any(String), message: expect.any(String) } })
  })
})

/** Each on a connection of its own, since the servers of these tests follow each other on the same port. */
async function ask(url: string, method = 'GET'): Promise<{ status: number | undefined; body: string }> {
  const sent = request(url, { method, agent: false }).end()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: answer.statusCode, body: await text(answer) }
}

describe('startDemoApi', () => {
  test('listens on loopback, and uses another port if its default port is in use', async () => {
    await using first = await startDemoApi({ latencyMs: 0 })
    await using second = await startDemoApi({ latencyMs: 0 })
    expect(first.origin).not.toBe(second.origin)
    const bodies = await Promise.all(
      [first, second].map(async ({ origin }) => (await ask(`${origin}/customers?page=1`)).body),
    )
    expect(bodies[0]).toBe(bodies[1])
    expect(new URL(first.origin).hostname).toBe('127.0.0.1')
  })

  test('throws if the given port is in use', async () => {
    await using api = await startDemoApi()
    const port = Number(new URL(api.origin).port)
    await expect(startDemoApi({ port })).rejects.toThrow(`port ${port} is in use`)
  })

  test('stops at its signal and leaves no listener behind', async () => {
    const stop = new AbortController()
    await using api = await startDemoApi({ signal: stop.signal, latencyMs: 0, port: 0 })
    expect((await ask(api.origin)).status).toBe(200)
    stop.abort()
    await expect(ask(api.origin)).rejects.toThrow('ECONNREFUSED')

    const { signal } = new AbortController()
    await (await startDemoApi({ signal }))[Symbol.asyncDispose]()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('refuses methods other than GET', async () => {
    await using api = await startDemoApi({ latencyMs: 0 })
    expect((await ask(`${api.origin}/customers`, 'POST')).status).toBe(405)
  })
})
