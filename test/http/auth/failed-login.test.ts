// Logins of sessions that fail: what the error says, and that no password is sent again or elsewhere.
import { inspect } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { DecodeError, HttpError } from '../../../src/model/errors.ts'
import { secret, session } from '../../../src/index.ts'
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
