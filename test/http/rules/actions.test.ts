import { describe, expect, test } from '@jest/globals'
import { clientCredentials, http, inHeader, secret, type ResponseRule } from '../../../src/index.ts'
import { HttpError, RateLimitedError } from '../../../src/model/errors.ts'
import { apiServer, type ApiAnswer } from '../../support/api-server.ts'
import { failure, testClient } from '../../support/http-client.ts'
import { ask, dataOf } from './ask.ts'

describe('a rule with the action retry', () => {
  const quota: ApiAnswer = { status: 403, json: { error: { errors: [{ reason: 'rateLimitExceeded' }] } } }
  const rule: ResponseRule = { status: 403, body: { 'error.errors.reason': 'rateLimitExceeded' }, action: 'retry' }

  test('tries a failure again that would not be tried again', async () => {
    const { response, requests } = await ask([quota, quota, { json: [1] }], [rule])
    expect([response?.body, requests]).toEqual([[1], 3])
  })

  test('tries a success again that says in its body that it is none', async () => {
    const limited = { json: { ok: false, error: 'ratelimited' } }
    const { response, requests } = await ask(
      [limited, limited, { json: { ok: true } }],
      [{ body: { ok: false, error: 'ratelimited' }, action: 'retry' }],
    )
    expect([response?.body, requests]).toEqual([{ ok: true }, 3])
  })

  test('gives up after the attempts of the API', async () => {
    const { error, requests } = await ask([quota], [rule])
    expect(error).toBeInstanceOf(HttpError)
    expect(error).toMatchObject({ kind: 'unavailable', status: 403, attempts: 5 })
    expect(error?.message).toBe(
      'GET /x answered 403, and a rule retries it (403, error.errors.reason = "rateLimitExceeded": retry), ' +
        'gave up after 5 attempts',
    )
    expect(requests).toBe(5)
  })

  const now = Date.parse('2024-05-01T12:00:00Z')
  test.each<[string, Partial<ResponseRule>, ApiAnswer]>([
    ['a duration', { wait: '42s' }, {}],
    ['seconds of the body', { wait: { at: 'error.wait' } }, { json: { error: { wait: 42 } } }],
    ['seconds in text', { wait: { at: 'error.wait' } }, { json: { error: { wait: '42' } } }],
    ['milliseconds of the body', { wait: { at: 'wait', unit: 'ms' } }, { json: { wait: 42_000 } }],
    ['a moment in seconds', { wait: { at: 'at', unit: 'unix' } }, { json: { at: now / 1_000 + 42 } }],
    ['a moment in milliseconds', { wait: { at: 'at', unit: 'unix ms' } }, { json: { at: now + 42_000 } }],
    ['a date', { wait: { at: 'at' } }, { json: { at: '2024-05-01T12:00:42Z' } }],
    ['a header', { wait: { at: inHeader('X-Wait') } }, { headers: { 'x-wait': '42' } }],
    ['a function', { wait: { at: (body: unknown) => (body as { s: number }).s * 2 } }, { json: { s: 21 } }],
    ['the header retry-after, if there is no other', { wait: { at: 'none' } }, { headers: { 'retry-after': '42' } }],
    ['the header retry-after', {}, { headers: { 'retry-after': '42' } }],
  ])('waits at least as long as %s says', async (_, options, more) => {
    const answer = { status: 420, headers: { date: new Date(now).toUTCString(), ...more.headers }, ...more }
    const withDate = { ...answer, headers: { date: new Date(now).toUTCString(), ...more.headers } }
    const { slept } = await ask([withDate, { json: [1] }], [{ status: 420, ...options, action: 'retry' }])
    expect(Math.max(...slept)).toBe(42_000)
  })

  test('does not wait for what is no number and no date', async () => {
    for (const wait of [null, 'soon', '', { a: 1 }, -5]) {
      const answers = [{ status: 420, json: { wait } }, { json: [1] }]
      const { slept } = await ask(answers, [{ status: 420, wait: { at: 'wait' }, action: 'retry' }])
      expect(Math.max(...slept)).toBeLessThanOrEqual(1_500)
    }
  })

  test.each([
    ['all paths of the API', undefined, [42_000, 42_000]],
    ["all paths with reach: 'api'", 'api', [42_000, 42_000]],
    ["its own path with reach: 'path'", 'path', [42_000]],
  ] as const)('makes other requests wait too: those to %s', async (_, reach, waits) => {
    const rule: ResponseRule = { status: 420, action: 'retry', wait: '42s', ...(reach && { reach }) }
    const slept: number[] = []
    for (const path of ['/other', '/x']) {
      await using api = await apiServer(({ index }) => (index === 0 ? { status: 420, json: {} } : { json: [1] }))
      await using client = testClient({ base: api.origin, attempts: 1, responseRules: dataOf([rule]) })
      await failure(client.get('/x'))
      await client.get(path)
      slept.push(...client.time.slept)
    }
    expect(slept).toEqual(waits)
  })

  test.each([
    ['api', { 'retry-after': '3600' }, ['/x', '/other']],
    ['path', { 'retry-after': '20', 'x-ratelimit-limit': '5' }, ['/x']],
    ['path', { 'retry-after': '3600', 'x-ratelimit-limit': '5' }, ['/x']],
  ] as const)('says how far the wait of a header reaches: %s, %j', async (reach, headers, waiting) => {
    const rule: ResponseRule = { status: 429, body: { code: 'busy' }, action: 'retry', reach }
    const blocked: string[] = []
    for (const path of ['/x', '/other']) {
      await using api = await apiServer(({ index }) =>
        index === 0 ? { status: 429, headers, json: { code: 'busy' } } : { json: [1] },
      )
      await using client = testClient({ base: api.origin, attempts: 1, responseRules: dataOf([rule]) })
      await failure(client.get('/x'))
      const isRefused = await client.get(path).then(
        () => false,
        () => true,
      )
      if (isRefused || client.time.slept.length > 0) blocked.push(path)
    }
    expect(blocked).toEqual(waiting)
  })

  test('leaves the wait of a header as it is where the rule does not fit', async () => {
    const rule: ResponseRule = { status: 429, body: { code: 'busy' }, action: 'retry', reach: 'path' }
    await using api = await apiServer([
      { status: 429, headers: { 'retry-after': '20' }, json: { code: 'other' } },
      { json: [1] },
    ])
    await using client = testClient({ base: api.origin, attempts: 1, responseRules: dataOf([rule]) })
    await failure(client.get('/x'))
    await client.get('/other')
    expect(client.time.slept).toEqual([20_000])
  })

  test('is named in the refusal of the next request', async () => {
    await using api = await apiServer([{ json: { wait: 7_200 } }])
    const rule: ResponseRule = { body: { wait: /./ }, wait: { at: 'wait' }, action: 'retry' }
    await using client = testClient({ base: api.origin, responseRules: dataOf([rule]) })
    await failure(client.get('/x'))
    expect((await failure(client.get('/x'))).message).toContain(
      `${api.origin}/x admits no request until 2024-05-01T14:00:00.000Z ` +
        '(GET /x answered 200 with a wait of 2h, by a rule)',
    )
  })

  test('ends the stream with its position if the wait is longer than five minutes', async () => {
    const { error, requests } = await ask(
      [{ status: 420, json: { wait: 3_600 } }],
      [{ status: 420, wait: { at: 'wait' }, action: 'retry' }],
    )
    expect(error).toMatchObject({ code: 'RATE_LIMITED', until: new Date('2024-05-01T13:00:00Z') })
    expect(requests).toBe(1)
    const forEver = await ask(
      [{ status: 420, json: { wait: 1e300 } }],
      [{ status: 420, wait: { at: 'wait' }, action: 'retry' }],
    )
    expect(forEver.error).toBeInstanceOf(RateLimitedError)
  })
})

describe('a rule with the action fail', () => {
  test('lets a success fail, with a message from the response', async () => {
    const answer = { json: { ok: false, error: { text: 'no\n  such   list' } } }
    const { error, requests } = await ask([answer], [{ body: { ok: false }, action: 'fail', message: 'error.text' }])
    expect(error).toMatchObject({ kind: 'rule', status: 200, message: 'GET /x answered 200: no such list' })
    expect(requests).toBe(1)
  })

  test('does not retry a failure that would be retried', async () => {
    const { error, requests } = await ask(
      [{ status: 503, json: {} }],
      [{ status: 503, action: 'fail', message: 'none' }],
    )
    expect(error?.message).toBe('GET /x answered 503: a rule lets it fail (503: fail with none)')
    expect(requests).toBe(1)
  })

  test('shows no secret in its message, and not all of a long one', async () => {
    const text = `bad s3cr3t-token ${'x'.repeat(352)} s3cr3t-token ${'x'.repeat(5_000)}`
    await using api = await apiServer([{ status: 400, json: { text } }])
    await using client = testClient(
      {
        base: api.origin,
        auth: { type: 'bearer', token: { secret: 'TOKEN' } },
        responseRules: dataOf([{ status: 400, action: 'fail', message: 'text' }]),
      },
      { TOKEN: 's3cr3t-token' },
    )
    const { message } = await failure(client.get('/x'))
    expect(message).toMatch(/^GET \/x answered 400: bad \{secret:\S+ xxx/)
    expect(message.replaceAll('{secret', '')).not.toContain('s3c')
    expect(message.length).toBeLessThan(700)
  })
})

/** Serves tokens by number, and accepts only the one with this number. */
async function askWithTokens(valid: number, refusal: ApiAnswer, rule: ResponseRule) {
  let tokens = 0
  await using api = await apiServer(({ path, headers }) => {
    if (path === '/token') return { json: { access_token: `token-${++tokens}`, expires_in: 3_600 } }
    return headers.authorization === `Bearer token-${valid}` ? { json: [1] } : refusal
  })
  const auth = clientCredentials({ tokenUrl: '/token', clientId: 'a', clientSecret: secret('S') })
  await using client = testClient({ ...http(api.origin, { auth, responseRules: [rule] }).api }, { S: 'very-secret' })
  const outcome = await client.get('/x').then(
    ({ body }) => body,
    (error: Error) => error,
  )
  return { outcome, paths: api.requests.map(({ path }) => path) }
}

describe('a rule with the action renew', () => {
  test('fetches new credentials once and sends the request again', async () => {
    const expired = { json: { ok: false, error: 'token_expired' } }
    const { outcome, paths } = await askWithTokens(2, expired, { body: { error: 'token_expired' }, action: 'renew' })
    expect(outcome).toEqual([1])
    expect(paths).toEqual(['/token', '/x', '/token', '/x'])
  })

  test('fails if the new credentials are refused too', async () => {
    const { outcome, paths } = await askWithTokens(9, { status: 403, json: {} }, { status: 403, action: 'renew' })
    expect(outcome).toMatchObject({ kind: 'credentials', status: 403 })
    expect((outcome as Error).message).toContain('also after they were renewed')
    expect(paths).toEqual(['/token', '/x', '/token', '/x'])
  })

  test('does not hide that a token has expired from the usual renewal after status 401', async () => {
    const { outcome, paths } = await askWithTokens(2, { status: 401, json: {} }, { status: 401, action: 'empty' })
    expect(outcome).toEqual([1])
    expect(paths).toEqual(['/token', '/x', '/token', '/x'])
  })
})
