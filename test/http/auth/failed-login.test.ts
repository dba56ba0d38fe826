// Logins of sessions that fail: what the error says, and that no password is sent again or elsewhere.
import { inspect } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { DecodeError, HttpError } from '../../../src/model/errors.ts'
import { inCookie, secret, session } from '../../../src/index.ts'
import { apiServer, type ApiServer } from '../../support/api-server.ts'
import { failure, testClient } from '../../support/http-client.ts'

const environment = { PASSWORD: 'p/w+1 "ü"', USER: 'reporter' }
const given = { loginUrl: '/login', json: { user: 'me', password: secret('PASSWORD') }, token: 'data.token' }
const paths = ({ requests }: ApiServer): string[] => requests.map(({ path }) => path)

describe('a login that fails', () => {
  test.each([400, 401, 403])('with %i names its secrets, and is not sent again in the run', async (status) => {
    await using api = await apiServer([{ status, json: { error: 'wrong password' } }])
    const json = { user: secret('USER'), password: secret('PASSWORD') }
    await using client = testClient({ base: api.origin, auth: session({ ...given, json }) }, environment)
    const error = await failure(client.get('/x'))
    expect(error).toBeInstanceOf(HttpError)
    expect(error).toMatchObject({ kind: 'credentials', status })
    expect(error.message).toBe(
      `POST ${api.origin}/login answered ${status}: the login was refused; check USER and PASSWORD`,
    )
    expect(await failure(client.get('/y'))).toBe(error)
    expect(paths(api)).toEqual(['/login'])
  })

  const cookie = { 'set-cookie': 'sid=session-of-nobody' }
  const page = '<form><INPUT name=p type=password></form>'
  const home = { status: 302, headers: { ...cookie, location: '/home' } }
  const byForm = { loginUrl: '/login', form: { password: secret('PASSWORD') }, token: inCookie('sid') }
  test.each([
    ['the form once more', { body: page, headers: cookie }, {}, 'with a form that asks for the password'],
    [
      'the login itself',
      { status: 302, headers: { ...cookie, location: '/login?failed' } },
      {},
      'a redirect to the login itself',
    ],
    [
      'an error',
      { status: 303, headers: { ...cookie, location: 'start?login_error=1' } },
      {},
      'a parameter for an error',
    ],
    ['an unexpected page', home, { expect: { header: { location: /start/ } } }, 'not as `expect` of session() says'],
    ['an unexpected text', { body: 'Wrong', headers: cookie }, { expect: { text: /Welcome/ } }, 'not as `expect`'],
  ])('by a form, with a cookie and %s, is no login', async (_, answer, more, problem) => {
    await using api = await apiServer([answer])
    await using client = testClient({ base: api.origin, auth: session({ ...byForm, ...more }) }, environment)
    const error = await failure(client.get('/x'))
    expect(error).toMatchObject({ kind: 'credentials' })
    expect(error.message).toContain(problem)
    expect(error.message).toContain('the login was refused; check PASSWORD, or say by `expect`')
    expect(await failure(client.get('/y'))).toBe(error)
    expect(paths(api)).toEqual(['/login'])
  })

  test('is none if `expect` says so, or if nothing hints at it', async () => {
    const logins = [
      [{ body: page, headers: cookie }, { expect: { text: /type=password/, status: 200 } }],
      [home, {}],
      [{ status: 302, headers: { ...cookie, location: '/login?x' } }, { expect: { status: [302, 303] } }],
    ] as const
    for (const [answer, more] of logins) {
      await using api = await apiServer([answer, { json: 'fine' }])
      await using client = testClient({ base: api.origin, auth: session({ ...byForm, ...more }) }, environment)
      expect((await client.get('/x')).body).toBe('fine')
    }
    expect(() => session({ ...byForm, expect: { body: {} } as never })).toThrow(
      'session(): expect: there is no option "body"',
    )
  })

  test('for a moment is sent again', async () => {
    await using api = await apiServer([{ status: 503 }, { json: { data: { token: 'token-1' } } }, { json: 'fine' }])
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    expect((await client.get('/x')).body).toBe('fine')
    expect(paths(api)).toEqual(['/login', '/login', '/x'])
  })

  test('without a token names the fields of the answer, not their values', async () => {
    await using api = await apiServer([{ json: { ok: false, error: 'no such user: reporter' } }])
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    const error = await failure(client.get('/x'))
    expect(error).toBeInstanceOf(DecodeError)
    expect(error.message).toBe(
      `POST ${api.origin}/login answered 200 without a token at 'data.token', but with ok, error. ` +
        'The login may be refused; check PASSWORD and the place of the token',
    )
    await failure(client.get('/y'))
    expect(api.requests).toHaveLength(1)
  })

  test('with HTML is not sent again: its password may be wrong', async () => {
    await using api = await apiServer([{ body: '<html><form>Log in</form></html>' }])
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    const error = await failure(client.get('/x'))
    expect(error).toBeInstanceOf(DecodeError)
    expect(error.message).toContain(`POST ${api.origin}/login answered 200 with text/html that is no JSON: "<html>`)
    expect(api.requests).toHaveLength(1)
  })

  test.each([
    ['text/plain', '5f0c9d1e-live-session'],
    ['application/xml', '<r><sessionId>5f0c9d1e-live-session</sessionId></r>'],
    ['application/json', `{"data": {"value": '5f0c9d1e-live-session'}}`],
  ])('with %s, which may be the token itself, quotes nothing of it', async (type, body) => {
    await using api = await apiServer([{ body, headers: { 'content-type': type } }])
    await using client = testClient({ base: api.origin, auth: session(given) }, environment)
    const error = await failure(client.get('/x'))
    expect(error.message).toContain(`POST ${api.origin}/login answered 200 with `)
    expect(error.message).toContain('"not shown: it may hold credentials"')
    expect(inspect(error, { depth: 5 })).not.toContain('5f0c9d1e')
    expect(JSON.stringify(client.events)).not.toContain('5f0c9d1e')
  })

  test.each([302, 307])('with a redirect to another origin sends no secret there: %i', async (status) => {
    await using evil = await apiServer([{ json: { data: { token: 'x' } } }])
    await using api = await apiServer([{ status, headers: { location: `${evil.origin}/login?a=b` } }])
    await using client = testClient(
      { base: api.origin, auth: session(given), allowedOrigins: [evil.origin] },
      environment,
    )
    expect((await failure(client.get('/x'))).message).toBe(
      `POST ${api.origin}/login answered ${status}, a redirect to ${evil.origin}/login: secrets are not sent on. ` +
        'Look at the answer, and give the URL of the login itself',
    )
    expect(evil.requests).toHaveLength(0)
    expect(api.requests).toHaveLength(1)
  })

  test('without its secret sends nothing', async () => {
    await using api = await apiServer([{ json: {} }])
    await using client = testClient({ base: api.origin, auth: session(given) })
    await expect(client.get('/x')).rejects.toThrow('secret PASSWORD is not set')
    expect(api.requests).toHaveLength(0)
  })
})
