// Sessions: a login whose answer is the token, how requests send it, and when the login is sent again.
import { describe, expect, test } from '@jest/globals'
import { apiKey, basic, bearer, inHeader, secret, session, signed, type SessionOptions } from '../../../src/index.ts'
import { apiServer, type ApiHandler, type ApiServer } from '../../support/api-server.ts'
import { failure, testClient } from '../../support/http-client.ts'

const environment = { PASSWORD: 'p/w+1 "ü"', USER: 'reporter', KEY: 'a-key-of-mine' }
const given = { loginUrl: '/login', json: { user: 'me', password: secret('PASSWORD') }, token: 'data.token' }
const paths = ({ requests }: ApiServer): string[] => requests.map(({ path }) => path)

/** An API that logs in with tokens `token-1`, `token-2` …, and admits those from `oldest` on. */
function sessions(fields: object = {}, more: { oldest?: number } = {}): ApiHandler {
  let issued = 0
  return ({ path, headers }) => {
    if (path === '/login') return { json: { data: { token: `token-${(issued += 1)}` }, ...fields } }
    const token = Number(/token-(\d+)$/.exec(headers.authorization ?? '')?.[1] ?? 0)
    return token >= (more.oldest ?? 1) ? { json: headers.authorization } : { status: 401 }
  }
}

describe('a login', () => {
  test('sends JSON with secrets at any depth, and its token goes with each request', async () => {
    await using api = await apiServer(sessions())
    const json = { login: { user: secret('USER'), keys: [secret('PASSWORD'), 7] }, remember: true }
    await using client = testClient({ base: api.origin, auth: session({ ...given, json }) }, environment)
    expect((await client.get('/x')).body).toBe('Bearer token-1')
    expect((await client.get('/y')).body).toBe('Bearer token-1')
    expect(paths(api)).toEqual(['/login', '/x', '/y'])
    expect(api.requests[0]).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } })
    expect(JSON.parse(api.requests[0]?.body ?? '')).toEqual({
      login: { user: 'reporter', keys: [environment.PASSWORD, 7] },
      remember: true,
    })
    expect(JSON.stringify(client.events)).not.toMatch(/token-1|reporter/)
  })

  test('sends a form, parameters and headers', async () => {
    await using api = await apiServer(sessions())
    const { json: _, ...others } = given
    const auth = session({
      ...others,
      method: 'PUT',
      form: { user: 'me', password: secret('PASSWORD') },
      query: { key: secret('KEY') },
      headers: { 'X-Tenant': secret('USER'), accept: 'application/vnd.login+json' },
    })
    await using client = testClient({ base: api.origin, auth }, environment)
    await client.get('/x')
    const [login] = api.requests
    expect(login).toMatchObject({
      method: 'PUT',
      headers: {
        'x-tenant': 'reporter',
        accept: 'application/vnd.login+json',
        'content-type': 'application/x-www-form-urlencoded',
      },
    })
    expect(Object.fromEntries(new URLSearchParams(login?.body))).toEqual({ user: 'me', password: environment.PASSWORD })
    expect(login?.query.get('key')).toBe(environment.KEY)
    expect(api.requests[1]?.headers['x-tenant']).toBeUndefined()
  })

  test.each<[string, SessionOptions['auth'], string, string]>([
    [
      'basic',
      basic('me', secret('KEY')),
      'authorization',
      `Basic ${Buffer.from('me:a-key-of-mine').toString('base64')}`,
    ],
    ['a key', apiKey(secret('KEY'), { header: 'x-key' }), 'x-key', 'a-key-of-mine'],
    ['a signature', signed([secret('KEY')], ({ body }) => ({ headers: { 's-body': body } })), 's-body', '{"a":1}'],
  ])('has credentials of its own: %s', async (_, auth, name, value) => {
    await using api = await apiServer(sessions())
    await using client = testClient(
      { base: api.origin, auth: session({ ...given, json: { a: 1 }, ...(auth && { auth }) }) },
      environment,
    )
    await client.get('/x')
    await client.get('/y')
    expect(paths(api)).toEqual(['/login', '/x', '/y'])
    expect(api.requests[0]?.headers[name]).toBe(value)
    expect(api.requests[1]?.headers[name]).toBe(name === 'authorization' ? 'Bearer token-1' : undefined)
  })

  test('counts in the rate of the API', async () => {
    await using api = await apiServer(sessions())
    await using client = testClient({ base: api.origin, rate: '1/s', auth: session(given) }, environment)
    await client.get('/x')
    expect(client.time.slept).toEqual([1_000])
  })

  test('is shared by requests that need it at once', async () => {
    await using api = await apiServer(sessions())
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    await Promise.all(Array.from({ length: 8 }, async () => client.get('/x')))
    expect(paths(api).filter((path) => path === '/login')).toHaveLength(1)
  })

  test('to another host sends nothing of the API, and the API nothing of it', async () => {
    await using login = await apiServer(sessions())
    await using api = await apiServer([{ json: [] }])
    const auth = session({ ...given, loginUrl: `${login.origin}/login` })
    await using client = testClient({ base: api.origin, auth, headers: { 'x-own': 'own' } }, environment)
    await client.get('/x')
    expect(login.requests[0]?.headers['x-own']).toBeUndefined()
    expect(api.requests[0]?.headers.authorization).toBe('Bearer token-1')
  })
})

describe('the token', () => {
  test.each<[SessionOptions['sendAs'], string, string | undefined]>([
    [{ header: 'X-Session' }, 'x-session', 'token-1'],
    [{ header: 'Authorization', scheme: 'Token' }, 'authorization', 'Token token-1'],
  ])('is sent as %j', async (sendAs, name, value) => {
    await using api = await apiServer(({ path }) => ({ json: path === '/login' ? { data: { token: 'token-1' } } : [] }))
    await using client = testClient(
      { base: api.origin, auth: session({ ...given, ...(sendAs && { sendAs }) }) },
      environment,
    )
    await client.get('/x')
    expect(api.requests[1]?.headers[name]).toBe(value)
  })

  test('is sent as a parameter, and not shown', async () => {
    await using api = await apiServer(({ path }) => ({ json: path === '/login' ? { data: { token: 'token-1' } } : [] }))
    const auth = session({ ...given, sendAs: { query: 'sid' } })
    await using client = testClient({ base: api.origin, auth }, environment)
    const { url } = await client.get('/x?page=2')
    expect(api.requests[1]?.query.get('sid')).toBe('token-1')
    expect(url).toBe(`${api.origin}/x?page=2`)
    expect(JSON.stringify(client.events)).not.toContain('token-1')
  })

  test('is read from a header, whatever the body is', async () => {
    await using api = await apiServer(({ path, headers }) =>
      path === '/login'
        ? { body: '<html>', headers: { 'X-Subject-Token': 'token-of-a-header' } }
        : { json: headers.authorization },
    )
    const auth = session({ ...given, token: inHeader('x-subject-token') })
    await using client = testClient({ base: api.origin, auth }, environment)
    expect((await client.get('/x')).body).toBe('Bearer token-of-a-header')
  })

  test('is hidden in messages', async () => {
    await using api = await apiServer(({ path }) =>
      path === '/login' ? { json: { data: { token: 'token-1' } } } : { body: '<p>unknown token-1</p>' },
    )
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    expect((await failure(client.get('/x'))).message).not.toContain('token-1')
  })

  test('may be a number', async () => {
    await using api = await apiServer(({ path, headers }) =>
      path === '/login' ? { json: { data: { token: 12_345_678 } } } : { json: headers.authorization },
    )
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    expect((await client.get('/x')).body).toBe('Bearer 12345678')
  })
})

describe('the lifetime', () => {
  // The date of the tests is 2024-05-01T12:00:00Z. The server of a test states another one.
  const date = { date: 'Wed, 01 May 2024 12:00:00 GMT' }

  test.each<[SessionOptions['lifetime'], object, number]>([
    ['10m', {}, 600],
    [{ at: 'expires_in' }, { expires_in: 600 }, 600],
    [{ at: 'expires_in' }, { expires_in: '600' }, 600],
    [{ at: 'ttl', unit: 'ms' }, { ttl: 600_000 }, 600],
    [{ at: 'until', unit: 'unix' }, { until: Date.parse('2024-05-01T12:10:00Z') / 1_000 }, 600],
    [{ at: 'expires_at' }, { expires_at: '2024-05-01T12:10:00Z' }, 600],
  ])('%j ends a session shortly before: %j', async (lifetime, fields, seconds) => {
    const answer = sessions(fields)
    await using api = await apiServer(async (request) => ({ ...(await answer(request)), headers: date }))
    await using client = testClient(
      { base: api.origin, auth: session({ ...given, ...(lifetime && { lifetime }) }) },
      environment,
    )
    await client.get('/x')
    client.time.pass(seconds * 1_000 * 0.85)
    expect((await client.get('/x')).body).toBe('Bearer token-1')
    client.time.pass(seconds * 1_000 * 0.145)
    expect((await client.get('/x')).body).toBe('Bearer token-2')
  })

  test.each<[string, SessionOptions['lifetime'], object]>([
    ['without one', undefined, {}],
    ['where the answer says null', { at: 'expires_in' }, { expires_in: null }],
  ])('has no end %s', async (_, lifetime, fields) => {
    await using api = await apiServer(sessions(fields))
    await using client = testClient(
      { base: api.origin, auth: session({ ...given, ...(lifetime && { lifetime }) }) },
      environment,
    )
    await client.get('/x')
    client.time.pass(30 * 86_400_000)
    expect((await client.get('/x')).body).toBe('Bearer token-1')
  })

  test('that the answer does not state is an error', async () => {
    await using api = await apiServer(sessions({ expires: 600 }))
    const auth = session({ ...given, lifetime: { at: 'expires_in' } })
    await using client = testClient({ base: api.origin, auth }, environment)
    expect((await failure(client.get('/x'))).message).toBe(
      `POST ${api.origin}/login answered 200 without a number or a date at 'expires_in', ` +
        'but with data, expires: look at the lifetime of session()',
    )
  })
})

describe('a session that the API no longer knows', () => {
  test('is replaced by one login, and the pages go on', async () => {
    const more = { oldest: 1 }
    await using api = await apiServer(sessions({}, more))
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    await client.get('/x?page=1')
    more.oldest = 2
    const pages = await Promise.all([2, 3, 4].map(async (page) => client.get(`/x?page=${page}`)))
    expect(pages.map(({ body }) => body)).toEqual(['Bearer token-2', 'Bearer token-2', 'Bearer token-2'])
    expect(paths(api).filter((path) => path === '/login')).toHaveLength(2)
    expect(client.time.slept).toEqual([])
  })

  test('fails if the API refuses the new one too', async () => {
    await using api = await apiServer(sessions({}, { oldest: Infinity }))
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    expect((await failure(client.get('/x'))).message).toBe(
      'GET /x answered 401: the credentials were refused; check PASSWORD',
    )
    expect(paths(api)).toEqual(['/login', '/x', '/login', '/x'])
  })
})

test("the session's token is not sent to another origin, whatever a link says", async () => {
  await using files = await apiServer([{ json: [] }])
  await using api = await apiServer(sessions())
  await using client = testClient(
    { base: api.origin, auth: session(given), allowedOrigins: [files.origin] },
    environment,
  )
  await client.get('/x')
  await client.get(`${files.origin}/file`)
  expect(files.requests[0]?.headers.authorization).toBeUndefined()
})

test('sessions whose logins are signed by other functions are not taken for one', async () => {
  await using api = await apiServer(sessions())
  await using client = testClient({ base: api.origin }, environment)
  const [first, second] = ['a', 'b'].map((text) =>
    session({ ...given, auth: signed([secret('KEY')], () => ({ headers: { 'x-signature': text } })) }),
  )
  for (const auth of [first, second, first, bearer(secret('KEY'))]) await client.get('/x', { auth }).catch(() => {})
  const logins = api.requests.filter(({ path }) => path === '/login')
  expect(logins.map(({ headers }) => headers['x-signature'])).toEqual(['a', 'b'])
})
