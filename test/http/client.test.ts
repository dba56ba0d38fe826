import { randomBytes } from 'node:crypto'
import { getEventListeners } from 'node:events'
import { describe, expect, test } from '@jest/globals'
import { openClient } from '../../src/http/client.ts'
import { UsageError } from '../../src/model/errors.ts'
import { readSecrets } from '../../src/observe/secrets.ts'
import { apiServer } from '../support/api-server.ts'
import { freeMemory } from '../support/free-memory.ts'
import { failure, testClient } from '../support/http-client.ts'

describe('a request', () => {
  test('is sent below the base with its parameters and headers, and its response is decoded', async () => {
    await using api = await apiServer([{ json: { id: 1 }, headers: { 'X-Next': ['a', 'b'] } }])
    await using client = testClient({ base: `${api.origin}/v1`, headers: { 'X-Version': '7', 'X-Both': 'api' } })
    const response = await client.get('/customers', {
      query: { limit: '100', 'tag[]': ['a', 'b'] },
      headers: { 'x-both': 'endpoint' },
    })
    expect(response).toMatchObject({
      status: 200,
      body: { id: 1 },
      bytes: 8,
      url: `${api.origin}/v1/customers?limit=100&tag%5B%5D=a&tag%5B%5D=b`,
    })
    expect(response.headers['x-next']).toBe('a, b')
    expect(api.requests[0]).toMatchObject({
      method: 'GET',
      url: '/v1/customers?limit=100&tag%5B%5D=a&tag%5B%5D=b',
      headers: { 'x-version': '7', 'x-both': 'endpoint', accept: 'application/json' },
    })
  })

  test('sends its JSON', async () => {
    await using api = await apiServer([{ json: [] }])
    await using client = testClient({ base: api.origin })
    await client.get('/search', { method: 'POST', json: { after: 'é', none: undefined } })
    expect(api.requests[0]).toMatchObject({
      method: 'POST',
      body: '{"after":"é"}',
      headers: { 'content-type': 'application/json' },
    })
  })

  test.each(['gzip', 'br', 'zstd'] as const)('decompresses a small and a large body: %s', async (encoding) => {
    const large = Array.from({ length: 40_000 }, (_, id) => Math.sin(id))
    await using api = await apiServer([
      { json: { a: 1 }, encoding },
      { json: large, encoding },
    ])
    await using client = testClient({ base: api.origin })
    expect((await client.get('/x')).body).toEqual({ a: 1 })
    expect(JSON.stringify((await client.get('/x')).body)).toBe(JSON.stringify(large))
    expect(api.requests[0]?.headers['accept-encoding']).toContain(encoding)
  })

  test('returns numbers exactly that a double would round', async () => {
    await using api = await apiServer([
      { body: '{"id":9007199254740993}', headers: { 'content-type': 'application/json' } },
    ])
    await using client = testClient({ base: api.origin })
    expect((await client.get('/x')).body).toEqual({ id: 9007199254740993n })
  })

  test('returns no body for status 204 and for a status of emptyOn', async () => {
    await using api = await apiServer([{ status: 204 }, { status: 404, json: { error: 'gone' } }, { status: 503 }])
    await using client = testClient({ base: api.origin })
    expect(await client.get('/x')).toMatchObject({ status: 204, body: undefined, bytes: 0 })
    expect(await client.get('/x', { emptyOn: [404] })).toMatchObject({ status: 404, body: undefined })
    expect(await client.get('/x', { emptyOn: [503] })).toMatchObject({ status: 503, body: undefined })
    expect(api.requests).toHaveLength(3)
  })

  test('emits an event without secrets', async () => {
    await using api = await apiServer([{ json: [1] }])
    await using client = testClient({ base: api.origin })
    await client.get('/x', { query: { token: 's3cr3t', page: '2' }, stream: 'invoices' })
    expect(client.events).toEqual([
      {
        type: 'request.finished',
        stream: 'invoices',
        method: 'GET',
        url: `${api.origin}/x?token=***&page=2`,
        status: 200,
        bytes: 3,
        ms: expect.any(Number),
      },
    ])
  })

  test('waits while as many requests are in flight as concurrency allows', async () => {
    await using api = await apiServer(async () => {
      await new Promise((resolve) => setTimeout(resolve, 10))
      return { json: [] }
    })
    await using client = testClient({ base: api.origin, concurrency: 3 })
    await Promise.all(Array.from({ length: 12 }, async () => client.get('/x')))
    expect(api.mostAtOnce).toBe(3)
    expect(api.connections).toBeLessThanOrEqual(3)
  })

  test('rejects with the reason of its signal when it is cancelled, wherever it is', async () => {
    await using api = await apiServer(({ path }) =>
      path === '/body' ? { json: [1, 2, 3], hang: 'body' } : { hang: true },
    )
    await using client = testClient({ base: api.origin, concurrency: 1 })
    for (const paths of [['/head'], ['/body'], ['/head', '/queued']]) {
      const stop = new AbortController()
      const reason = new Error('stopped')
      const before = api.requests.length
      const sent = paths.map(async (path) => client.get(path, { signal: stop.signal }))
      while (api.requests.length === before) await new Promise((resolve) => setTimeout(resolve, 5))
      stop.abort(reason)
      for (const { status, ...rest } of await Promise.allSettled(sent))
        expect({ status, ...rest }).toEqual({ status: 'rejected', reason })
    }
    await expect(client.get('/x', { signal: AbortSignal.abort('before') })).rejects.toBe('before')
    expect(client.memory.held).toBe(0)
  })
})

test('a signal has no listener left after its requests have ended', async () => {
  await using api = await apiServer(({ path }) => ({ status: path === '/fails' ? 503 : 200, json: [] }))
  await using client = testClient({ base: api.origin })
  const { signal } = new AbortController()
  await Promise.all([
    client.get('/x', { signal }),
    client.get('/x', { signal }),
    failure(client.get('/fails', { signal })),
  ])
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('concurrent responses of all sizes, compressed or not, some of them retried, never share a buffer', async () => {
  // A thread decompresses a body of more than 256 KB while others arrive.
  const texts = Array.from(
    { length: 120 },
    (_, page) =>
      `${page}:`.repeat(20 + ((page * 7_919) % 60_000)) +
      randomBytes(page % 3 === 0 ? 300_000 : 100).toString('base64'),
  )
  const timesRequested = new Map<string, number>()
  const codings = [undefined, undefined, 'gzip', 'br'] as const
  await using api = await apiServer(({ path }) => {
    const page = Number(path.slice(1))
    const before = timesRequested.get(path) ?? 0
    timesRequested.set(path, before + 1)
    const encoding = codings[page % 4]
    return {
      json: texts[page],
      ...(encoding && { encoding }),
      ...(page % 5 === 0 && before === 0 && { breakOff: 20 }),
    }
  })
  await using client = testClient({ base: api.origin, concurrency: 8 })
  const responses = await Promise.all(texts.map(async (_, page) => client.get(`/${page}`)))
  expect(responses.flatMap(({ body }, page) => (body === texts[page] ? [] : [page]))).toEqual([])
  expect([...timesRequested.values()].filter((times) => times === 2).length).toBe(24)
})

describe('memory', () => {
  test('is reserved before a request by the size of the last page, and held until the page is disposed', async () => {
    await using api = await apiServer([{ json: 'x'.repeat(1_000) }, { json: 'x' }])
    await using client = testClient({ base: api.origin })
    const first = await client.get('/x')
    expect(client.memory.held).toBe(1_002)
    const second = await client.get('/x')
    expect(client.memory.taken).toEqual([262_144, 1_002])
    expect(client.memory.held).toBe(1_002 + 3)
    first.hold[Symbol.dispose]()
    second.hold[Symbol.dispose]()
    expect(client.memory.held).toBe(0)
  })

  test('is counted while a page arrives that is larger than estimated', async () => {
    await using api = await apiServer([{ hang: 'body', json: 'x'.repeat(600_000) }])
    await using client = testClient({ base: api.origin })
    const stop = new AbortController()
    const sent = failure(client.get('/x', { signal: stop.signal }))
    while (client.memory.held < 600_000) await new Promise((resolve) => setTimeout(resolve, 5))
    stop.abort()
    await sent
    expect(client.memory.held).toBe(0)
  })

  test('is named in an event while a request waits for it', async () => {
    await using api = await apiServer([{ json: [] }])
    await using client = testClient({ base: api.origin })
    const free = freeMemory()
    const memory = {
      ...free,
      reserve: async (...given: Parameters<typeof free.reserve>) => {
        await new Promise((resolve) => setTimeout(resolve, 60))
        return free.reserve(...given)
      },
    }
    await client.get('/x', { memory })
    expect(client.events[0]).toEqual({ type: 'waiting', stream: 'posts', for: 'memory', ms: expect.any(Number) })
  })

  test('is released by a request that fails, and not held while it waits for its next try', async () => {
    await using api = await apiServer(() => ({ status: 503 }))
    const memory = freeMemory()
    const held: number[] = []
    await using client = openClient(
      { base: api.origin, attempts: 3 },
      {
        secrets: readSecrets({}),
        emit: () => {},
        now: () => new Date(),
        time: { clock: () => 0, sleep: async () => void held.push(memory.held) },
      },
    )
    await failure(
      client.send({ method: 'GET', url: '/x', query: {} }, { memory, signal: new AbortController().signal }),
    )
    expect(held).toEqual([0, 0])
    expect(memory.held).toBe(0)
  })
})

test.each([
  { concurrency: 0 },
  { attempts: 0 },
  { attempts: 1.5 },
  { maxPageSize: -1 },
  { rate: '10' as '10/s' },
  { timeout: 'soon' as '1s' },
])('an API with %j throws a UsageError', (wrong) => {
  expect(() => testClient({ base: 'https://api.example', ...wrong })).toThrow(UsageError)
})

test('an endpoint with limits of its own has a budget of its own, without the rate of the API', async () => {
  await using api = await apiServer(() => ({ json: [] }))
  await using client = testClient({ base: api.origin, rate: '1/h' })
  const rate = { requests: 2, per: '300ms' } as const
  for (const path of ['/a', '/b', '/a', '/b']) await client.get(path, { rate })
  await client.get('/others')
  expect(client.time.slept).toEqual([])
  await client.get('/a', { rate })
  await client.get('/a', { rate: { ...rate, requests: 3 } })
  expect(client.time.slept).toEqual([300])
  await client.get('/others')
  expect(client.time.slept).toEqual([300, 3_600_000 - 300])
})

describe('a wait', () => {
  const rate = '100/s' as const
  const slow = { 'retry-after': '20' }
  const long = { 'retry-after': '3600', 'x-ratelimit-limit': '10' }

  test.each([
    ['of the whole API holds for an endpoint with limits of its own', '/others', undefined, '/a', rate, [20_000]],
    ['of an endpoint with limits of its own holds for no other', '/a', rate, '/others', undefined, []],
    ['of such an endpoint holds for itself', '/a', rate, '/a', { requests: 100, per: 'second' }, [20_000]],
  ] as const)('%s', async (_, busy, busyRate, next, nextRate, slept) => {
    await using api = await apiServer(({ index }) => (index === 0 ? { status: 429, headers: slow } : { json: [] }))
    await using client = testClient({ base: api.origin, attempts: 1 })
    await expect(client.get(busy, { rate: busyRate })).rejects.toThrow('429')
    await client.get(next, { rate: nextRate })
    expect(client.time.slept).toEqual(slept)
  })

  test('that is too long ends a request to such an endpoint, and a rule gives one of it to the whole API', async () => {
    await using api = await apiServer(({ index }) => (index === 0 ? { status: 429, headers: long } : { json: [] }))
    await using client = testClient({ base: api.origin, attempts: 1 })
    await expect(client.get('/others')).rejects.toThrow('429')
    await expect(client.get('/a', { rate })).rejects.toThrow('admits no request until')
    await using other = await apiServer(({ index }) => (index === 0 ? { status: 503, headers: slow } : { json: [] }))
    await using second = testClient({ base: other.origin, attempts: 1 })
    const rules = [{ status: 503, action: 'retry', reach: 'api' }] as const
    await expect(second.get('/a', { rate, rules })).rejects.toThrow('503')
    await second.get('/others')
    expect(second.time.slept).toEqual([20_000])
  })
})
