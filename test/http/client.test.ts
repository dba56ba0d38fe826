import { randomBytes } from 'node:crypto'
import { getEventListeners } from 'node:events'
import { describe, expect, test } from '@jest/globals'
import { openClient } from '../../src/http/client.ts'
import { DecodeError, HttpError, UsageError } from '../../src/model/errors.ts'
import { readSecrets } from '../../src/observe/secrets.ts'
import { apiServer, type ApiAnswer } from '../support/api-server.ts'
import { freeMemory } from '../support/free-memory.ts'
import { failure, testClient } from '../support/http-client.ts'

describe('a request', () => {
  test('goes below the base, with its parameters and headers, and its answer is decoded', async () => {
    await using api = await apiServer([{ json: { id: 1 }, headers: { 'X-Next': ['a', 'b'] } }])
    await using client = testClient({ base: `${api.origin}/v1`, headers: { 'X-Version': '7', 'X-Both': 'api' } })
    const answer = await client.get('/customers', {
      query: { limit: '100', 'tag[]': ['a', 'b'] },
      headers: { 'x-both': 'endpoint' },
    })
    expect(answer).toMatchObject({
      status: 200,
      body: { id: 1 },
      bytes: 8,
      url: `${api.origin}/v1/customers?limit=100&tag%5B%5D=a&tag%5B%5D=b`,
    })
    expect(answer.headers['x-next']).toBe('a, b')
    expect(api.requests[0]).toMatchObject({
      method: 'GET',
      url: '/v1/customers?limit=100&tag%5B%5D=a&tag%5B%5D=b',
      headers: { 'x-version': '7', 'x-both': 'endpoint', accept: 'application/json' },
    })
  })

  test('sends JSON', async () => {
    await using api = await apiServer([{ json: [] }])
    await using client = testClient({ base: api.origin })
    await client.get('/search', { method: 'POST', json: { after: 'é', none: undefined } })
    expect(api.requests[0]).toMatchObject({
      method: 'POST',
      body: '{"after":"é"}',
      headers: { 'content-type': 'application/json' },
    })
  })

  test.each(['gzip', 'br', 'zstd'] as const)('unpacks %s, small and large', async (encoding) => {
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

  test('keeps numbers that a double would change', async () => {
    await using api = await apiServer([
      { body: '{"id":9007199254740993}', headers: { 'content-type': 'application/json' } },
    ])
    await using client = testClient({ base: api.origin })
    expect((await client.get('/x')).body).toEqual({ id: 9007199254740993n })
  })

  test('that answers 204 has no body, and one of emptyOn has none either', async () => {
    await using api = await apiServer([{ status: 204 }, { status: 404, json: { error: 'gone' } }, { status: 503 }])
    await using client = testClient({ base: api.origin })
    expect(await client.get('/x')).toMatchObject({ status: 204, body: undefined, bytes: 0 })
    expect(await client.get('/x', { emptyOn: [404] })).toMatchObject({ status: 404, body: undefined })
    expect(await client.get('/x', { emptyOn: [503] })).toMatchObject({ status: 503, body: undefined })
    expect(api.requests).toHaveLength(3)
  })

  test('is told of, without secrets', async () => {
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

  test('waits its turn: no more are under way than concurrency admits', async () => {
    await using api = await apiServer(async () => {
      await new Promise((resolve) => setTimeout(resolve, 10))
      return { json: [] }
    })
    await using client = testClient({ base: api.origin, concurrency: 3 })
    await Promise.all(Array.from({ length: 12 }, async () => client.get('/x')))
    expect(api.mostAtOnce).toBe(3)
    expect(api.connections).toBeLessThanOrEqual(3)
  })

  test('that is cancelled rejects with the reason of its signal, wherever it is', async () => {
    await using api = await apiServer(({ path }) =>
      path === '/body' ? { json: [1, 2, 3], hang: 'body' } : { hang: true },
    )
    await using client = testClient({ base: api.origin, concurrency: 1 })
    for (const paths of [['/head'], ['/body'], ['/head', '/waits-for-its-turn']]) {
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

test('a signal keeps no listener of a request that is over', async () => {
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

describe('an answer that is not what it should be', () => {
  test('is no JSON: says what came, with a few words of it, without secrets, and is not asked again', async () => {
    await using api = await apiServer([
      { body: `<html><title>Sign in</title> s3cr3t-token <a href="/?api_key=abc">${'x'.repeat(500)}</html>` },
    ])
    await using client = testClient(
      { base: api.origin, auth: { type: 'bearer', token: { secret: 'TOKEN' } } },
      { TOKEN: 's3cr3t-token' },
    )
    const error = await failure(client.get('/topics'))
    expect(error).toBeInstanceOf(DecodeError)
    expect(error.message).toMatch(
      /^GET \/topics answered 200 with text\/html that is no JSON: "<html><title>Sign in<\/title> /,
    )
    for (let at: unknown = error; at instanceof Error; at = at.cause)
      expect(`${at.message} ${at.stack}`).not.toMatch(/s3cr3t|abc/)
    expect(error.message.length).toBeLessThan(400)
    expect(api.requests).toHaveLength(1)
  })

  test('quotes no secret in its cause either', async () => {
    await using api = await apiServer([{ body: 's3cr3t-token' }])
    await using client = testClient(
      { base: api.origin, auth: { type: 'bearer', token: { secret: 'TOKEN' } } },
      { TOKEN: 's3cr3t-token' },
    )
    const { cause } = await failure(client.get('/topics'))
    expect((cause as Error).message).toContain('is not valid JSON')
    expect(`${(cause as Error).message}${(cause as Error).stack}`).not.toContain('s3cr3t')
  })

  test('is empty', async () => {
    await using api = await apiServer([{ headers: { 'content-type': 'application/json' } }])
    await using client = testClient({ base: api.origin })
    expect((await failure(client.get('/x'))).message).toBe(
      'GET /x answered 200 with JSON that cannot be read: its body is empty; look at the path, and at what the API wants to be sent',
    )
  })

  test('is not UTF-8, so its characters would change in silence', async () => {
    const headers = { 'content-type': 'application/json' }
    const latin = Buffer.from('{"name":"é"}', 'latin1')
    await using api = await apiServer([
      { body: latin, headers },
      { body: latin, headers: { 'content-type': 'application/json; charset=iso-8859-1' } },
    ])
    await using client = testClient({ base: api.origin })
    expect((await failure(client.get('/x'))).message).toContain('bytes that are not UTF-8')
    expect((await client.get('/x')).body).toEqual({ name: 'é' })
  })

  test.each([
    ['as its length says', { body: Buffer.alloc(200_000, ' ') }],
    ['as its length says, before its bytes come', { json: [1], hang: 'body', headers: { 'content-length': '200000' } }],
    [
      'as its bytes show',
      { body: Buffer.alloc(200_000, ' '), headers: { 'content-length': [], 'transfer-encoding': 'chunked' } },
    ],
    ['once it is unpacked', { body: Buffer.alloc(5_000_000, ' '), encoding: 'gzip' }],
    [
      'once so much of it is unpacked',
      { body: Buffer.concat([randomBytes(300_000), Buffer.alloc(5_000_000)]), encoding: 'gzip' },
      400_000,
    ],
    ['once it is unpacked', { body: Buffer.alloc(5_000_000, ' '), encoding: 'br' }],
    ['once it is unpacked', { body: Buffer.alloc(5_000_000, ' '), encoding: 'zstd' }],
  ] as [string, ApiAnswer, number?][])(
    'is larger than a page may be, %s',
    async (_when, answer, pageBytes = 100_000) => {
      await using api = await apiServer([answer])
      await using client = testClient({ base: api.origin, maxPageSize: pageBytes })
      const error = await failure(client.get('/x'))
      expect(error).toBeInstanceOf(DecodeError)
      expect(error.message).toBe(
        `GET /x answered more than ${pageBytes} bytes: ask for smaller pages, or raise the API's maxPageSize`,
      )
      expect(client.memory.held).toBe(0)
      expect(api.requests).toHaveLength(1)
    },
  )

  test('fails with a message that holds no secret, even where the path does', async () => {
    await using api = await apiServer([{ status: 404 }])
    await using client = testClient(
      { base: api.origin, auth: { type: 'bearer', token: { secret: 'TOKEN' } } },
      { TOKEN: 's3cr3t-token' },
    )
    const error = await failure(client.get('/bot/s3cr3t-token/x'))
    expect(error.message).toBe('GET /bot/{secret:TOKEN}/x answered 404')
    expect(error.stack).not.toContain('s3cr3t')
  })

  test('is packed in a way that was not asked for, or not as it says', async () => {
    await using api = await apiServer([
      { json: 1, headers: { 'content-encoding': 'compress' } },
      { json: 'no gzip at all', headers: { 'content-encoding': 'gzip' } },
    ])
    await using client = testClient({ base: api.origin })
    expect((await failure(client.get('/x'))).message).toContain('packed with "compress"')
    expect((await failure(client.get('/x'))).message).toContain('not gzip, as its content-encoding says')
  })
})

test("many answers at once, of all sizes, packed and not, some broken off and asked for again, never meet in one another's memory", async () => {
  // Beyond 256 KB a packed body is unpacked by a thread, while others arrive.
  const texts = Array.from(
    { length: 120 },
    (_, page) =>
      `${page}:`.repeat(20 + ((page * 7_919) % 60_000)) +
      randomBytes(page % 3 === 0 ? 300_000 : 100).toString('base64'),
  )
  const asked = new Map<string, number>()
  const codings = [undefined, undefined, 'gzip', 'br'] as const
  await using api = await apiServer(({ path }) => {
    const page = Number(path.slice(1))
    const before = asked.get(path) ?? 0
    asked.set(path, before + 1)
    const encoding = codings[page % 4]
    return {
      json: texts[page]!,
      ...(encoding && { encoding }),
      ...(page % 5 === 0 && before === 0 && { breakOff: 20 }),
    }
  })
  await using client = testClient({ base: api.origin, concurrency: 8 })
  const answers = await Promise.all(texts.map(async (_, page) => client.get(`/${page}`)))
  expect(answers.flatMap(({ body }, page) => (body === texts[page] ? [] : [page]))).toEqual([])
  expect([...asked.values()].filter((times) => times === 2).length).toBe(24)
})

describe('GraphQL', () => {
  const graphql = 'query ($after: String) { posts(after: $after) { id } }'

  test('sends a document with its variables, and answers its data', async () => {
    await using api = await apiServer([{ json: { data: { posts: [] } } }])
    await using client = testClient({ base: api.origin })
    expect((await client.get('/graphql', { graphql, json: { after: 'x' } })).body).toEqual({ posts: [] })
    expect(api.requests[0]?.method).toBe('POST')
    expect(JSON.parse(api.requests[0]!.body)).toEqual({ query: graphql, variables: { after: 'x' } })
  })

  test('fails on errors, with their messages, whatever data stands beside them', async () => {
    await using api = await apiServer([
      {
        json: {
          data: { posts: [] },
          errors: [{ message: 'no such field', path: ['posts', 0] }, { message: 'too complex' }],
        },
      },
    ])
    await using client = testClient({ base: api.origin })
    const error = await failure(client.get('/graphql', { graphql }))
    expect(error).toBeInstanceOf(HttpError)
    expect(error.message).toBe('POST /graphql answered with errors of GraphQL: no such field (at posts.0); too complex')
  })

  test('without data is no answer', async () => {
    await using api = await apiServer([{ json: {} }, { json: [] }])
    await using client = testClient({ base: api.origin })
    await expect(client.get('/graphql', { graphql })).rejects.toThrow(DecodeError)
    await expect(client.get('/graphql', { graphql })).rejects.toThrow(DecodeError)
  })
})

describe('memory', () => {
  test("is reserved before a page is asked for, as much as the last one took, and is the page's own until it is given back", async () => {
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

  test('is counted while a page that is larger than expected comes in', async () => {
    await using api = await apiServer([{ hang: 'body', json: 'x'.repeat(600_000) }])
    await using client = testClient({ base: api.origin })
    const stop = new AbortController()
    const sent = failure(client.get('/x', { signal: stop.signal }))
    while (client.memory.held < 600_000) await new Promise((resolve) => setTimeout(resolve, 5))
    stop.abort()
    await sent
    expect(client.memory.held).toBe(0)
  })

  test('that is waited for is told of', async () => {
    await using api = await apiServer([{ json: [] }])
    await using client = testClient({ base: api.origin })
    const free = freeMemory()
    const memory = {
      ...free,
      reserve: async (...asked: Parameters<typeof free.reserve>) => {
        await new Promise((resolve) => setTimeout(resolve, 60))
        return free.reserve(...asked)
      },
    }
    await client.get('/x', { memory })
    expect(client.events[0]).toEqual({ type: 'waiting', stream: 'posts', for: 'memory', ms: expect.any(Number) })
  })

  test('is given back when a request fails, and nothing is held while it waits to be tried again', async () => {
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
])('%j is a wrong definition', (wrong) => {
  expect(() => testClient({ base: 'https://api.example', ...wrong })).toThrow(UsageError)
})
