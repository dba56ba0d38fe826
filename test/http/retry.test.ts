import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { DecodeError, HttpError, RateLimitedError } from '../../src/model/errors.ts'
import { apiServer, type ApiAnswer } from '../support/api-server.ts'
import { failure, testClient } from '../support/http-client.ts'

/** Starts a server that answers each connection with these bytes and closes it. */
async function rawServer(bytes: string) {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.on('error', () => {})
    socket.once('data', () => socket.end(bytes))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections
    },
    [Symbol.asyncDispose]: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}

describe('a request is retried after', () => {
  test.each([408, 425, 429, 500, 502, 503, 504, 599])('status %i', async (status) => {
    await using api = await apiServer([{ status, body: '<html>' }, { status }, { json: [1] }])
    await using client = testClient({ base: api.origin })
    expect((await client.get('/x')).body).toEqual([1])
    expect(api.requests).toHaveLength(3)
  })

  test('a failed POST too', async () => {
    await using api = await apiServer([{ status: 503 }, { json: [1] }])
    await using client = testClient({ base: api.origin })
    await client.get('/x', { method: 'POST', json: { a: 1 } })
    expect(api.requests.map(({ body }) => body)).toEqual(['{"a":1}', '{"a":1}'])
  })

  test.each<[string, ApiAnswer]>([
    ['a connection that closes before the response', { raw: (response) => response.destroy() }],
    ['a body that breaks off', { json: 'x'.repeat(1_000), breakOff: 500 }],
    [
      'a chunked body that breaks off',
      { json: 'x'.repeat(1_000), breakOff: 500, headers: { 'content-length': [], 'transfer-encoding': 'chunked' } },
    ],
    [
      'a compressed body that breaks off',
      { body: Buffer.from('1f8b080000000000000a5b5c', 'hex'), headers: { 'content-encoding': 'gzip' } },
    ],
  ])('%s', async (_what, response) => {
    await using api = await apiServer([response, { json: [1] }])
    await using client = testClient({ base: api.origin })
    expect((await client.get('/x')).body).toEqual([1])
    expect(api.requests).toHaveLength(2)
    expect(client.memory.held).toBe('[1]'.length)
  })

  test.each<[string, ApiAnswer]>([
    ['HTML with status 200', { body: '<html><body>Down for a minute</body></html>' }],
    ['JSON that is cut off', { body: '{"items":[{"id":1,"upda', headers: { 'content-type': 'application/json' } }],
    ['an empty body', { headers: { 'content-type': 'application/json' } }],
    ['a body of one word', { body: 'OK' }],
    ['bytes that are no text', { body: Buffer.from('8f00ff10', 'hex') }],
  ])('%s, and fails with a DecodeError after the last try', async (_what, response) => {
    await using api = await apiServer([response, response, { json: [1] }, response])
    await using client = testClient({ base: api.origin, attempts: 3 })
    expect((await client.get('/x')).body).toEqual([1])
    expect(client.events.filter(({ type }) => type === 'request.retried')).toHaveLength(2)
    await expect(client.get('/x')).rejects.toThrow(DecodeError)
    expect(api.requests).toHaveLength(6)
    expect(client.memory.held).toBe('[1]'.length)
  })

  test.each([
    ['an invalid content length', 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: x\r\n\r\n[1]'],
    [
      'a content length that is longer than the body',
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\nconnection: close\r\n\r\n[1]',
    ],
    [
      'JSON without a length that breaks off',
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n[1, 2',
    ],
    ['bytes that are not HTTP', 'hello'],
    ['no bytes at all', ''],
  ])('%s', async (_what, bytes) => {
    await using api = await rawServer(bytes)
    await using client = testClient({ base: api.origin, attempts: 3 })
    const error = await failure(client.get('/x'))
    expect(error).toBeInstanceOf(HttpError)
    expect(error.message).toMatch(/^GET \/x got no complete response: .+, gave up after 3 attempts$/)
    expect(api.connections).toBe(3)
  })

  test('a refused connection', async () => {
    const api = await apiServer([])
    await api[Symbol.asyncDispose]()
    await using client = testClient({ base: api.origin })
    const error = await failure(client.get('/x'))
    expect(error.message).toMatch(/^GET \/x got no complete response: .*ECONNREFUSED.*, gave up after 5 attempts$/)
    expect(error).toMatchObject({ status: 0, cause: { code: 'ECONNREFUSED' } })
  })

  test.each([true, 'body'] as const)('a response that takes longer than the timeout (hang: %s)', async (hang) => {
    await using api = await apiServer([{ hang, json: [1, 2, 3] }])
    await using client = testClient({ base: api.origin, timeout: '60ms', attempts: 2 })
    const error = await failure(client.get('/x'))
    expect(error).toBeInstanceOf(HttpError)
    expect(error.message).toBe('GET /x took longer than 60ms, gave up after 2 attempts')
    expect(api.requests).toHaveLength(2)
  })
})

describe('a request fails at once after', () => {
  test.each([400, 401, 403, 404, 405, 409, 410, 422, 501, 300, 304])('status %i', async (status) => {
    await using api = await apiServer([{ status, json: { token: 's3cr3t' } }])
    await using client = testClient({ base: api.origin })
    const error = await failure(client.get('/topics/9/posts', { query: { page: '2' } }))
    expect(error).toBeInstanceOf(HttpError)
    expect(error).toMatchObject({ status })
    expect(error.message).toMatch(new RegExp(`^GET /topics/9/posts answered ${status}(:|$)`))
    expect(error.message).not.toContain('s3cr3t')
    expect(api.requests).toHaveLength(1)
    expect(client.memory.held).toBe(0)
  })

  test('a header that cannot be sent', async () => {
    await using api = await apiServer([])
    await using client = testClient(
      { base: api.origin, auth: { type: 'bearer', token: { secret: 'TOKEN' } } },
      { TOKEN: 'with\nnewline' },
    )
    const error = await failure(client.get('/x'))
    expect(error.message).toContain('could not be sent')
    expect(error.message).not.toContain('newline')
    expect(client.time.slept).toEqual([])
  })
})

describe('the waits between tries', () => {
  test('double, with 50 % of jitter', async () => {
    await using api = await apiServer([{ status: 503 }])
    await using client = testClient({ base: api.origin })
    const error = await failure(client.get('/x'))
    expect(error.message).toBe('GET /x answered 503, gave up after 5 attempts')
    expect(api.requests).toHaveLength(5)
    expect(client.time.slept).toHaveLength(4)
    for (const [index, ms] of client.time.slept.entries()) {
      expect(ms).toBeGreaterThanOrEqual(500 * 2 ** index)
      expect(ms).toBeLessThanOrEqual(1_500 * 2 ** index)
    }
  })

  test.each(['4', 'Wed, 01 May 2024 12:00:04 GMT'])('are as long as Retry-After: %s', async (after) => {
    await using api = await apiServer([
      { status: 429, headers: { 'retry-after': after, date: 'Wed, 01 May 2024 12:00:00 GMT' } },
      { json: [] },
    ])
    await using client = testClient({ base: api.origin })
    await client.get('/x')
    expect(client.time.slept).toEqual([4_000])
  })

  test.each(['0', '0.1'])('are no shorter than the backoff for Retry-After: %s', async (after) => {
    await using api = await apiServer([{ status: 429, headers: { 'retry-after': after } }])
    await using client = testClient({ base: api.origin, attempts: 3 })
    const error = await failure(client.get('/x'))
    expect(error.message).toMatch(/^GET \/x answered 429 \(retry after [01] s\), gave up after 3 attempts$/)
    expect(client.time.slept).toHaveLength(2)
    expect(Math.min(...client.time.slept)).toBeGreaterThanOrEqual(500)
  })

  test('are named with the request in the error after the last try', async () => {
    await using api = await apiServer([{ status: 429, body: '<html>', headers: { 'retry-after': '30' } }])
    await using client = testClient({ base: api.origin })
    const error = await failure(client.get('/topics/9/posts'))
    expect(error.message).toBe('GET /topics/9/posts answered 429 (retry after 30 s), gave up after 5 attempts')
    expect(error).toMatchObject({ status: 429, code: 'HTTP' })
    expect(client.time.slept).toEqual([30_000, 30_000, 30_000, 30_000])
  })

  test('are not longer than 5 minutes: beyond that the error names the time and the path', async () => {
    await using api = await apiServer([{ status: 429, headers: { 'retry-after': '301' } }])
    await using client = testClient({ base: api.origin })
    const error = await failure(client.get('/x'))
    expect(error).toBeInstanceOf(RateLimitedError)
    expect(error).toMatchObject({ status: 429, until: new Date('2024-05-01T12:05:01Z') })
    expect(error.message).toBe(
      'GET /x answered 429 (retry after 2024-05-01T12:05:01.000Z). ' +
        `Until then no request is sent to ${api.origin}/x. ` +
        'A run waits 5 minutes at most. Run again then: it continues from what was committed.',
    )
    expect(api.requests).toHaveLength(1)
  })

  test('emit an event each', async () => {
    await using api = await apiServer([{ status: 429, headers: { 'retry-after': '30' } }, { json: [] }])
    await using client = testClient({ base: api.origin })
    await client.get('/x')
    expect(client.events.map(({ type }) => type)).toEqual([
      'request.finished',
      'request.retried',
      'waiting',
      'request.finished',
    ])
    expect(client.events[1]).toEqual({
      type: 'request.retried',
      stream: 'posts',
      attempt: 1,
      reason: 'GET /x answered 429 (retry after 30 s)',
      waitMs: 30_000,
    })
    expect(client.events[2]).toEqual({ type: 'waiting', stream: 'posts', for: 'retry-after', ms: 30_000 })
  })

  test('include those for the declared rate', async () => {
    await using api = await apiServer([{ json: [] }, { json: [] }])
    await using client = testClient({ base: api.origin, rate: '1/s' })
    await client.get('/x')
    await client.get('/x')
    expect(client.events).toContainEqual({ type: 'waiting', stream: 'posts', for: 'rate limit', ms: 1_000 })
  })
})

test('a request with one attempt is not retried', async () => {
  await using api = await apiServer([{ status: 503 }])
  await using client = testClient({ base: api.origin, attempts: 1 })
  expect((await failure(client.get('/x'))).message).toBe('GET /x answered 503, gave up after 1 attempt')
  expect(client.time.slept).toEqual([])
})

test('a failed response leaves its connection to the next request', async () => {
  await using api = await apiServer(() => ({ status: 404, json: { error: 'x'.repeat(10_000) } }))
  await using client = testClient({ base: api.origin, concurrency: 1 })
  for (let request = 0; request < 5; request += 1) await client.get('/x', { emptyOn: [404] })
  expect(api.connections).toBe(1)
})

test.each([404, 302, 503])(
  'a large body that is not wanted does not occupy its connection: status %i',
  async (status) => {
    await using api = await apiServer(({ path }) =>
      path === '/fine' ? { json: [] } : { status, body: Buffer.alloc(1_000_000), headers: { location: '/fine' } },
    )
    await using client = testClient({ base: api.origin, concurrency: 1, timeout: '1s', attempts: 1 })
    for (let request = 0; request < 3; request += 1) await client.get('/x', { emptyOn: status === 302 ? [] : [status] })
    expect((await client.get('/fine')).body).toEqual([])
  },
)
