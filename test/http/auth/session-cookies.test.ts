// Sessions whose token is a cookie, and the cookies of any session.
import { describe, expect, test } from '@jest/globals'
import { apiKey, inCookie, secret, session, type SessionOptions } from '../../../src/index.ts'
import { apiServer, type ApiAnswer, type ApiHandler, type ApiServer } from '../../support/api-server.ts'
import { failure, testClient } from '../../support/http-client.ts'

const environment = { PASSWORD: 'a-password' }
const form = { user: 'me', password: secret('PASSWORD') }
const given: SessionOptions = { loginUrl: '/login', form, token: inCookie('sid') }
const paths = ({ requests }: ApiServer): string[] => requests.map(({ path }) => path)

/** Logs in with cookies `sid=session-1`, `sid=session-2` …; returns the cookies of each other request. */
function cookies(
  attributes = '',
  answer: (cookie: string, path: string) => ApiAnswer = (cookie) => ({ json: cookie }),
): ApiHandler {
  let issued = 0
  return ({ path, headers }) =>
    path === '/login'
      ? {
          body: '<html>',
          headers: { 'set-cookie': [`sid=session-${(issued += 1)}${attributes}`, 'lang=en; Path=/v1'] },
        }
      : answer(headers.cookie ?? '', path)
}
const DELETED = { 'set-cookie': ['sid=; Max-Age=0'] }

describe('the cookies of a login', () => {
  test('go back to the API, by their paths', async () => {
    await using api = await apiServer(cookies())
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    expect((await client.get('/x')).body).toBe('sid=session-1')
    expect((await client.get('/v1/x')).body).toBe('lang=en; sid=session-1')
    expect(paths(api)).toEqual(['/login', '/x', '/v1/x'])
    expect(api.requests[1]?.headers.authorization).toBeUndefined()
    expect(JSON.stringify(client.events)).not.toContain('session-1')
  })

  test('come after those that the API is given', async () => {
    await using api = await apiServer(cookies())
    const headers = { Cookie: 'consent=yes' }
    await using client = testClient({ base: api.origin, auth: session(given), headers }, environment)
    expect((await client.get('/x')).body).toBe('consent=yes; sid=session-1')
  })

  test('go with a token too', async () => {
    await using api = await apiServer(({ path, headers }) =>
      path === '/login'
        ? { json: { token: 'token-1' }, headers: { 'set-cookie': 'node=7' } }
        : { json: [headers.authorization, headers.cookie] },
    )
    await using client = testClient({ base: api.origin, auth: session({ ...given, token: 'token' }) }, environment)
    expect((await client.get('/x')).body).toEqual(['Bearer token-1', 'node=7'])
  })

  test('of a redirect are a session: a form in a browser is answered so', async () => {
    await using api = await apiServer(({ path, headers }) =>
      path === '/login'
        ? { status: 302, headers: { location: 'https://evil.example/', 'set-cookie': 'sid=session-1' } }
        : { json: headers.cookie },
    )
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    expect((await client.get('/x')).body).toBe('sid=session-1')
    expect(paths(api)).toEqual(['/login', '/x'])
  })

  test('may stand in a header as well', async () => {
    await using api = await apiServer(({ path, headers }) =>
      path === '/login' ? { headers: { 'set-cookie': 'csrf=abcd-efgh' } } : { json: headers['x-csrf'] },
    )
    const auth = session({ ...given, token: inCookie('csrf'), sendAs: { header: 'x-csrf' } })
    await using client = testClient({ base: api.origin, auth }, environment)
    expect((await client.get('/x')).body).toBe('abcd-efgh')
  })

  test('do not keep a redirect from a path that is not theirs', async () => {
    await using api = await apiServer(
      cookies('; Path=/a', (cookie, path) =>
        path === '/a/x' ? { status: 302, headers: { location: '/files/x' } } : { json: cookie },
      ),
    )
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    expect((await client.get('/a/x')).body).toBe('')
  })

  test('go with other credentials', async () => {
    await using api = await apiServer(({ path, headers }) =>
      path === '/login' ? { headers: { 'set-cookie': 'sid=session-1' } } : { json: [headers.cookie, headers['x-key']] },
    )
    const auth = [session(given), apiKey(secret('PASSWORD'), { header: 'x-key' })]
    await using client = testClient({ base: api.origin, auth }, environment)
    expect((await client.get('/x')).body).toEqual(['sid=session-1', 'a-password'])
  })

  test('go to no other origin, by a link or by a redirect', async () => {
    await using files = await apiServer([{ json: [] }])
    await using api = await apiServer(
      cookies('', (cookie, path) =>
        path === '/away' ? { status: 307, headers: { location: `${files.origin}/x` } } : { json: cookie },
      ),
    )
    await using client = testClient(
      { base: api.origin, auth: session(given), allowedOrigins: [files.origin] },
      environment,
    )
    await client.get('/x')
    await client.get(`${files.origin}/file`)
    await client.get('/away')
    expect(files.requests.map(({ headers }) => headers.cookie)).toEqual([undefined, undefined])
  })

  test('of another origin are not kept', async () => {
    await using files = await apiServer([{ json: [], headers: { 'set-cookie': ['sid=evil; Path=/', 'other=1'] } }])
    await using api = await apiServer(
      cookies('', (cookie, path) =>
        path === '/away' ? { status: 307, headers: { location: `${files.origin}/x` } } : { json: cookie },
      ),
    )
    await using client = testClient(
      { base: api.origin, auth: session(given), allowedOrigins: [files.origin] },
      environment,
    )
    await client.get(`${files.origin}/file`)
    await client.get('/away')
    expect((await client.get('/x')).body).toBe('sid=session-1')
    expect(files.requests).toHaveLength(2)
  })
})

describe('later answers', () => {
  test('set the cookies anew', async () => {
    await using api = await apiServer(
      cookies('; Max-Age=100', (cookie) => ({ json: cookie, headers: { 'set-cookie': 'sid=session-x; Max-Age=100' } })),
    )
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    for (let n = 0; n < 5; n += 1) {
      await client.get('/x')
      client.time.pass(80_000)
    }
    expect((await client.get('/x')).body).toBe('sid=session-x')
    expect(paths(api).filter((path) => path === '/login')).toHaveLength(1)
  })

  test('of a redirect on the way do so too', async () => {
    await using api = await apiServer(
      cookies('', (cookie, path) =>
        path === '/a' ? { status: 302, headers: { location: '/b', 'set-cookie': 'step=1; Path=/' } } : { json: cookie },
      ),
    )
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    expect((await client.get('/a')).body).toBe('sid=session-1; step=1')
  })

  test('that set none leave the session until its cookie expires', async () => {
    await using api = await apiServer(cookies('; Max-Age=100'))
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    await client.get('/x')
    client.time.pass(85_000)
    expect((await client.get('/x')).body).toBe('sid=session-1')
    client.time.pass(10_000)
    expect((await client.get('/x')).body).toBe('sid=session-2')
  })
})

// An API may answer with less to a request without a session, and nobody would notice.
describe('a session that ended', () => {
  test.each<[string, ApiAnswer]>([
    ['a page', { json: 'less', headers: DELETED }],
    ['a large page', { json: Array.from({ length: 50_000 }, () => 'less'), headers: DELETED }],
    ['401', { status: 401, headers: DELETED }],
    ['a redirect', { status: 302, headers: { ...DELETED, location: 'https://sso.example/login' } }],
  ])('is replaced if the answer deletes its cookie: %s', async (_, ended) => {
    await using api = await apiServer(cookies('', (cookie) => (cookie === 'sid=session-1' ? ended : { json: cookie })))
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    const parts = { signal: new AbortController().signal }
    expect((await client.get('/x', { parts, records: '' })).body).toBe('sid=session-2')
    expect(paths(api)).toEqual(['/login', '/x', '/login', '/x'])
  })

  test('again at once fails, and takes no page', async () => {
    await using api = await apiServer(cookies('', () => ({ json: 'less', headers: DELETED })))
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    const error = await failure(client.get('/x'))
    expect(error).toMatchObject({ code: 'HTTP', kind: 'credentials', status: 200 })
    expect(error.message).toBe(
      "GET /x answered 200: the session has ended, its cookie 'sid' is no longer valid. " +
        'Check PASSWORD, and what else the API wants of a session',
    )
    expect(paths(api)).toEqual(['/login', '/x', '/login', '/x'])
  })

  test('while a request waited for the rate is replaced before it is sent', async () => {
    await using api = await apiServer(cookies('; Max-Age=1'))
    await using client = testClient({ base: api.origin, rate: '1/m', auth: session(given) }, environment)
    expect(await failure(client.get('/x'))).toMatchObject({ kind: 'credentials', status: 0 })
    expect(paths(api)).toEqual(['/login', '/login'])
  })
})

describe('a login without its cookie', () => {
  test('names the cookies that came', async () => {
    await using api = await apiServer([{ body: '<form>', headers: { 'set-cookie': ['csrf=1', 'lang=en'] } }])
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    expect((await failure(client.get('/x'))).message).toBe(
      `POST ${api.origin}/login answered 200 without the cookie 'sid', but with csrf, lang. ` +
        'The login may be refused; check PASSWORD and the place of the token',
    )
    expect(api.requests).toHaveLength(1)
  })

  test('on another host says that cookies belong to their host', async () => {
    await using login = await apiServer(cookies())
    await using api = await apiServer([{ json: [] }])
    const auth = session({ ...given, loginUrl: `${login.origin.replace('127.0.0.1', 'localhost')}/login` })
    await using client = testClient({ base: api.origin, auth }, environment)
    expect((await failure(client.get('/x'))).message).toContain(
      "answered 200 without the cookie 'sid': only cookies of the API's own host, 127.0.0.1, can be its session",
    )
    expect(api.requests).toHaveLength(0)
  })

  test.each([
    ['a path', '; Path=/auth'],
    ['https://', '; Secure; Path=/'],
  ])('for the URL sends nothing: %s', async (_, attributes) => {
    await using api = await apiServer(cookies(attributes))
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    expect((await failure(client.get('/x'))).message).toBe(
      "GET /x was not requested: the cookie 'sid' of the session is not for this URL. " +
        "Look at its Path, and at its Secure, which needs 'https://' in the API's base",
    )
    expect(paths(api)).toEqual(['/login'])
  })
})
