import { describe, expect, jest, test } from '@jest/globals'
import { setTimeout } from 'node:timers/promises'
import { openClient } from '../../../src/http/client.ts'
import { realTime, type Time } from '../../../src/http/limits/time.ts'
import { RateLimitedError } from '../../../src/model/errors.ts'
import type { Api, Auth } from '../../../src/model/request.ts'
import { readSecrets } from '../../../src/observe/secrets.ts'
import { apiServer, type ApiHandler, type ApiServer } from '../../support/api-server.ts'
import { freeMemory } from '../../support/free-memory.ts'
import { failure, testClient } from '../../support/http-client.ts'

// Which requests count in the rate and in the concurrency of an API: all that are sent to its host.

jest.setTimeout(20_000)

const auth: Auth = {
  type: 'client credentials',
  tokenUrl: '/oauth/token',
  clientId: 'me',
  clientSecret: { secret: 'SECRET' },
}
const secrets = { SECRET: 's3cr3t' }
const paths = ({ requests }: ApiServer): string[] => requests.map(({ path }) => path)

/** `/hops/3` redirects to `/hops/2` and so on. Each token is good for one request. */
const answer: ApiHandler = async ({ path }) => {
  await setTimeout(5)
  const hops = Number(/^\/hops\/(\d+)$/.exec(path)?.[1] ?? 0)
  if (hops > 0) return { status: 302, headers: { location: `/hops/${hops - 1}` } }
  return { json: path === '/oauth/token' ? { access_token: 'token', expires_in: 0 } : [path] }
}

describe('the rate of an API', () => {
  test('counts each hop of a redirect', async () => {
    await using api = await apiServer(answer)
    await using client = testClient({ base: api.origin, rate: '2/s' })
    await client.get('/hops/3')
    expect(paths(api)).toHaveLength(4)
    expect(client.time.slept).toEqual([1_000])
    expect(client.events).toContainEqual({ type: 'waiting', stream: 'posts', for: 'rate limit', ms: 1_000 })
  })

  test('counts a token request to the host of the API', async () => {
    await using api = await apiServer(answer)
    await using client = testClient({ base: api.origin, rate: '1/s', auth }, secrets)
    await client.get('/x')
    expect(paths(api)).toEqual(['/oauth/token', '/x'])
    expect(client.time.slept).toEqual([1_000])
    expect(client.events).toContainEqual({ type: 'waiting', stream: 'posts', for: 'rate limit', ms: 1_000 })
  })

  test('does not count a token request to another host', async () => {
    await using login = await apiServer(answer)
    await using api = await apiServer(answer)
    await using client = testClient(
      { base: api.origin, rate: '1/s', auth: { ...auth, tokenUrl: `${login.origin}/oauth/token` } },
      secrets,
    )
    await client.get('/x')
    expect(client.time.slept).toEqual([])
  })

  test('does not count a hop to another host', async () => {
    await using files = await apiServer(answer)
    await using api = await apiServer([{ status: 302, headers: { location: `${files.origin}/x` } }])
    await using client = testClient({ base: api.origin, rate: '1/s', allowedOrigins: [files.origin] })
    await client.get('/a')
    expect(client.time.slept).toEqual([])
  })

  test('is waited for outside the time limit of a request', async () => {
    await using api = await apiServer(answer)
    await using client = open({ base: api.origin, rate: '2/s', timeout: '300ms', attempts: 1 })
    expect(await client.get('/hops/3')).toEqual(['/hops/0'])
  })
})

/** Opens a client with the clock of this process. */
function open(api: Api, time: Time = realTime) {
  const never = new AbortController()
  const client = openClient(api, {
    secrets: readSecrets(secrets),
    emit: () => {},
    now: () => new Date(),
    time,
  })
  return {
    get: async (url: string, signal = never.signal): Promise<unknown> =>
      (await client.send({ method: 'GET', url, query: {} }, { signal, memory: freeMemory() })).body,
    [Symbol.asyncDispose]: async () => client[Symbol.asyncDispose](),
  }
}

describe('a concurrency of 1', () => {
  test('with a rate admits requests that need tokens and redirects, one at a time', async () => {
    await using api = await apiServer(answer)
    await using client = open({ base: api.origin, rate: '30/s', concurrency: 1, auth })
    const bodies = await Promise.all(Array.from({ length: 5 }, async (_, index) => client.get(`/hops/${index % 3}`)))
    expect(bodies).toEqual(Array.from({ length: 5 }, () => ['/hops/0']))
    expect(api.mostAtOnce).toBe(1)
    expect(paths(api).filter((path) => path === '/oauth/token')).toHaveLength(5)
  })

  test('goes on after a request that was cancelled while it waited for its token', async () => {
    await using api = await apiServer(answer)
    await using client = testClient({ base: api.origin, rate: '1/s', concurrency: 1, auth }, secrets)
    const stop = new AbortController()
    const cancelled = failure(client.get('/x', { signal: stop.signal }))
    stop.abort(new Error('stopped'))
    expect((await cancelled).message).toBe('stopped')
    expect((await client.get('/y')).body).toEqual(['/y'])
  })
})

test('the last minutes of a wait of one path hold no slot that other paths need', async () => {
  await using api = await apiServer(({ path }) =>
    path === '/slow' ? { status: 429, headers: { 'retry-after': '400' } } : { json: [path] },
  )
  let clock = 0
  const slept: number[] = []
  const time = {
    clock: () => clock,
    sleep: (ms: number, { signal }: { readonly signal: AbortSignal }) =>
      new Promise<void>((_, reject) => {
        slept.push(ms)
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      }),
  }
  await using client = open({ base: api.origin, concurrency: 1 }, time)
  await expect(client.get('/slow')).rejects.toThrow(RateLimitedError)
  clock = 200_000
  const stop = new AbortController()
  const waiting = failure(client.get('/slow', stop.signal))
  expect(await client.get('/other')).toEqual(['/other'])
  stop.abort(new Error('stopped'))
  expect((await waiting).message).toBe('stopped')
  expect(slept).toEqual([200_000])
})

describe('a wait of an hour', () => {
  const refused = { status: 429, headers: { 'retry-after': '3600' } }

  test('holds for an endpoint, whatever the values in its path', async () => {
    await using api = await apiServer(({ path }) => (path.endsWith('/items') ? refused : { json: [] }))
    await using client = testClient({ base: `${api.origin}/v1/` })
    const endpoint = '/orders/{}/items'
    const error = await failure(client.get('/orders/1/items?page=2', { endpoint }))
    expect(error.message).toContain(
      'GET /orders/1/items answered 429 (retry after 2024-05-01T13:00:00.000Z). ' +
        `Until then no request is sent to ${api.origin}/v1/orders/{}/items.`,
    )
    expect((await failure(client.get('/orders/2/items', { endpoint }))).message).toBe(
      `${api.origin}/v1/orders/{}/items admits no request until 2024-05-01T13:00:00.000Z ` +
        '(GET /orders/1/items answered 429 with retry-after: 3600). ' +
        'A run waits 5 minutes at most. Run again then: it continues from what was committed.',
    )
    await client.get('/orders/1', { endpoint: '/orders/{}' })
    await client.get('/orders', { endpoint: '/orders' })
    expect(paths(api)).toEqual(['/v1/orders/1/items', '/v1/orders/1', '/v1/orders'])
  })

  test('holds for a path without its query if no endpoint is named', async () => {
    await using api = await apiServer(({ path }) => (path === '/slow' ? refused : { json: [] }))
    await using client = testClient({ base: api.origin })
    await failure(client.get('/slow?page=1'))
    for (const url of ['/slow?page=2', '/slow/', `${api.origin}//slow`])
      expect(await failure(client.get(url))).toBeInstanceOf(RateLimitedError)
    await client.get('/slower')
    expect(paths(api)).toEqual(['/slow', '/slower'])
  })

  test('that the target of a redirect asks for holds for the path that was asked', async () => {
    await using api = await apiServer(({ path }) => {
      if (path === '/a') return { status: 302, headers: { location: '/b' } }
      return path === '/b' ? refused : { json: [] }
    })
    await using client = testClient({ base: api.origin })
    await failure(client.get('/a'))
    expect(await failure(client.get('/a'))).toBeInstanceOf(RateLimitedError)
    await client.get('/c')
    expect(paths(api)).toEqual(['/a', '/b', '/c'])
  })

  test('of a path ends a redirect that leads to it', async () => {
    await using api = await apiServer(({ path }) =>
      path === '/a' ? { status: 302, headers: { location: '/b' } } : refused,
    )
    await using client = testClient({ base: api.origin })
    await failure(client.get('/b'))
    expect((await failure(client.get('/a'))).message).toContain(`${api.origin}/b admits no request until`)
    expect(paths(api)).toEqual(['/b', '/a'])
  })

  test('of another host does not close the API, whatever its headers say', async () => {
    await using files = await apiServer([{ ...refused, headers: { 'retry-after': '3600', 'x-ratelimit-limit': '1' } }])
    await using api = await apiServer(answer)
    await using client = testClient({ base: api.origin, allowedOrigins: [files.origin] })
    await failure(client.get(`${files.origin}/x`))
    expect((await failure(client.get(`${files.origin}/x`))).message).toContain(`${files.origin}/x admits no request`)
    await client.get('/x')
    expect(files.requests).toHaveLength(1)
  })

  test('of the token endpoint names its path', async () => {
    await using api = await apiServer([refused])
    await using client = testClient({ base: api.origin, auth }, secrets)
    expect((await failure(client.get('/x'))).message).toContain(
      `Until then no request is sent to ${api.origin}/oauth/token.`,
    )
    expect((await failure(client.get('/y'))).message).toContain(`${api.origin}/oauth/token admits no request until`)
    expect(api.requests).toHaveLength(1)
  })

  test('shows no secret of a path', async () => {
    await using api = await apiServer([refused])
    await using client = testClient(
      { base: api.origin, auth: { type: 'header', name: 'x-key', value: { secret: 'SECRET' } } },
      secrets,
    )
    await failure(client.get('/s3cr3t/{secret:SECRET}/x'))
    const { message } = await failure(client.get('/s3cr3t/{secret:SECRET}/x'))
    expect(message).toContain(`${api.origin}/{secret:SECRET}/{secret:SECRET}/x admits no request`)
    expect(message).not.toContain('s3cr3t')
  })
})
