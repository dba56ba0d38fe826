import { describe, expect, test } from '@jest/globals'
import { DecodeError, HttpError, UsageError } from '../../../src/model/errors.ts'
import type { Auth } from '../../../src/model/request.ts'
import { apiServer, type ApiHandler } from '../../support/api-server.ts'
import { failure, testClient } from '../../support/http-client.ts'

const SECRET = 'p/w+1 ü'
const environment = { SECRET }
const secret = { secret: 'SECRET' }

describe('credentials', () => {
  test.each<[Auth, string, string]>([
    [{ type: 'bearer', token: { secret: 'PLAIN' } }, 'authorization', 'Bearer plain-token'],
    [
      { type: 'basic', user: 'me', password: secret },
      'authorization',
      `Basic ${Buffer.from(`me:${SECRET}`).toString('base64')}`,
    ],
    [{ type: 'header', name: 'X-API-Key', value: { secret: 'PLAIN' } }, 'x-api-key', 'plain-token'],
    [
      { type: 'header', name: 'authorization', value: { secret: 'PLAIN' }, scheme: 'Token' },
      'authorization',
      'Token plain-token',
    ],
  ])('%j set their header in each request', async (auth, name, value) => {
    await using api = await apiServer([{ json: [] }])
    await using client = testClient({ base: api.origin, auth }, { ...environment, PLAIN: 'plain-token' })
    await client.get('/x')
    expect(api.requests[0]?.headers[name]).toBe(value)
    expect(JSON.stringify(client.events)).not.toContain(value)
  })

  test('in a parameter replace an earlier one, and are not shown', async () => {
    await using api = await apiServer([{ json: [] }])
    await using client = testClient(
      { base: api.origin, auth: { type: 'query', name: 'k', value: secret } },
      environment,
    )
    const { url } = await client.get('/x?k=old&page=2')
    expect(api.requests[0]?.query.getAll('k')).toEqual([SECRET])
    expect(url).toBe(`${api.origin}/x?page=2`)
    expect(JSON.stringify(client.events)).not.toContain(encodeURIComponent(SECRET))
  })

  test('of an endpoint replace those of the API', async () => {
    await using api = await apiServer([{ json: [] }])
    await using client = testClient({ base: api.origin, auth: { type: 'bearer', token: secret } }, { SECRET: 'token' })
    await client.get('/x', { headers: { Authorization: 'Token other' } })
    expect(api.requests[0]?.headers.authorization).toBe('Token other')
  })

  test('that are missing throw before anything is sent', async () => {
    await using api = await apiServer([{ json: [] }])
    await using client = testClient({ base: api.origin, auth: { type: 'bearer', token: secret } })
    await expect(client.get('/x')).rejects.toThrow(UsageError)
    expect(api.requests).toHaveLength(0)
  })

  test.each([
    [401, ': the credentials were refused; check SECRET'],
    [403, ': the credentials lack a permission; check what SECRET may read'],
  ])('refused with %i are named in the error', async (status, remedy) => {
    await using api = await apiServer([{ status }])
    await using client = testClient({ base: api.origin, auth: { type: 'bearer', token: secret } }, { SECRET: 'token' })
    expect((await failure(client.get('/x'))).message).toBe(`GET /x answered ${status}${remedy}`)
  })

  test('of a user are named with the user, who may be the wrong one', async () => {
    await using api = await apiServer([{ status: 401 }])
    const auth = { type: 'basic', user: 'report', password: secret } as const
    await using client = testClient({ base: api.origin, auth }, { SECRET: 'password' })
    expect((await failure(client.get('/x'))).message).toBe(
      'GET /x answered 401: the credentials were refused; check the user "report" and SECRET',
    )
  })
})

describe('a placeholder {secret:NAME} in a request', () => {
  test('is replaced by the value, encoded in a URL', async () => {
    await using api = await apiServer([{ json: [] }])
    await using client = testClient(
      { base: api.origin, auth: { type: 'header', name: 'x-key', value: { secret: 'PLAIN' } } },
      { PLAIN: 'a b&c' },
    )
    await client.get('/x/{secret:PLAIN}?next={secret:PLAIN}', {
      method: 'POST',
      query: { q: '{secret:PLAIN}' },
      json: { a: ['{secret:PLAIN}'] },
    })
    expect(api.requests[0]).toMatchObject({ url: '/x/a%20b%26c?next=a%20b%26c&q=a%20b%26c', body: '{"a":["a b&c"]}' })
  })

  test('is not replaced if the secret belongs to another API, because a link may contain it', async () => {
    await using api = await apiServer([{ json: [] }])
    await using client = testClient(
      { base: api.origin, auth: { type: 'bearer', token: { secret: 'OWN' } } },
      { OWN: 'own-token', OTHER: 'other-token' },
    )
    await client.get('/x?next={secret:OTHER}', { query: { q: '{secret:OTHER}' } })
    expect(api.requests[0]?.url).not.toContain('other-token')
  })
})

/** Returns an API that issues tokens 1, 2, 3 … and accepts those for which `admits` returns true. */
const tokens = (fields: object, admits: (token: number) => boolean = () => true): ApiHandler => {
  let issued = 0
  return ({ path, headers }) => {
    if (path === '/oauth/token')
      return { json: { access_token: `token-${(issued += 1)}`, token_type: 'Bearer', ...fields } }
    return admits(Number(headers.authorization?.replace('Bearer token-', '')))
      ? { json: headers.authorization }
      : { status: 401 }
  }
}
const paths = ({ requests }: { requests: readonly { path: string }[] }): string[] => requests.map(({ path }) => path)

describe('client credentials', () => {
  const auth: Auth = {
    type: 'client credentials',
    tokenUrl: '/oauth/token',
    clientId: 'me',
    clientSecret: secret,
    scope: 'read',
    fields: { audience: 'all' },
  }

  test('fetch a token by a form, and reuse it', async () => {
    await using api = await apiServer(tokens({ expires_in: 600 }))
    await using client = testClient({ base: api.origin, auth }, environment)
    expect((await client.get('/x')).body).toBe('Bearer token-1')
    expect((await client.get('/x')).body).toBe('Bearer token-1')
    expect(paths(api)).toEqual(['/oauth/token', '/x', '/x'])
    expect(api.requests[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded')
    expect(Object.fromEntries(new URLSearchParams(api.requests[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'me',
      client_secret: SECRET,
      scope: 'read',
      audience: 'all',
    })
  })

  test.each([
    [{ expires_in: 600 }, 600],
    [{ expires_in: '600' }, 600],
    [{}, 3_600],
    [{ expires_in: 10 }, 10],
  ])('reuse a token until shortly before its expiry: %j', async (fields, seconds) => {
    await using api = await apiServer(tokens(fields))
    await using client = testClient({ base: api.origin, auth }, environment)
    await client.get('/x')
    client.time.pass(seconds * 1_000 * 0.85)
    expect((await client.get('/x')).body).toBe('Bearer token-1')
    client.time.pass(seconds * 1_000 * 0.145)
    expect((await client.get('/x')).body).toBe('Bearer token-2')
  })

  test('fetch a token for each request if it expires at once', async () => {
    await using api = await apiServer(tokens({ expires_in: 0 }))
    await using client = testClient({ base: api.origin, auth }, environment)
    await client.get('/x')
    expect((await client.get('/x')).body).toBe('Bearer token-2')
  })

  test('share one fetch between concurrent requests', async () => {
    await using api = await apiServer(tokens({}))
    await using client = testClient({ base: api.origin, auth }, environment)
    await Promise.all(Array.from({ length: 8 }, async () => client.get('/x')))
    expect(paths(api).filter((path) => path === '/oauth/token')).toHaveLength(1)
  })

  test('fetch one new token after a 401, and send the requests again', async () => {
    let oldest = 1
    await using api = await apiServer(tokens({}, (token) => token >= oldest))
    await using client = testClient({ base: api.origin, auth }, environment)
    await client.get('/x')
    oldest = 2
    const responses = await Promise.all(Array.from({ length: 4 }, async () => client.get('/x')))
    expect(responses.map(({ body }) => body)).toEqual(Array.from({ length: 4 }, () => 'Bearer token-2'))
    expect(paths(api).filter((path) => path === '/oauth/token')).toHaveLength(2)
    expect(client.time.slept).toEqual([])
  })

  test('fail if the API refuses a new token too', async () => {
    await using api = await apiServer(tokens({}, () => false))
    await using client = testClient({ base: api.origin, auth }, environment)
    expect((await failure(client.get('/x'))).message).toBe(
      'GET /x answered 401: the credentials were refused; check SECRET',
    )
    expect(paths(api)).toEqual(['/oauth/token', '/x', '/oauth/token', '/x'])
  })

  test('that the token endpoint refuses are named in the error', async () => {
    await using api = await apiServer([{ status: 401, json: { error: 'invalid_client' } }])
    await using client = testClient({ base: api.origin, auth }, environment)
    const error = await failure(client.get('/x'))
    expect(error).toBeInstanceOf(HttpError)
    expect(error.message).toBe(
      `POST ${api.origin}/oauth/token answered 401: the client credentials were refused; ` +
        'check the client ID "me", SECRET and the scope',
    )
    expect(api.requests).toHaveLength(1)
  })

  test('stand in the header where the token endpoint wants it, escaped as in a form', async () => {
    await using api = await apiServer(tokens({ expires_in: 600 }))
    await using client = testClient({ base: api.origin, auth: { ...auth, clientSecretIn: 'header' } }, environment)
    expect((await client.get('/x')).body).toBe('Bearer token-1')
    const [{ headers, body } = {}] = api.requests
    const encoded = Buffer.from('me:p%2Fw%2B1+%C3%BC').toString('base64')
    expect(headers?.['authorization']).toBe(`Basic ${encoded}`)
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'read',
      audience: 'all',
    })
    expect(JSON.stringify(client.events)).not.toContain(encoded)
  })

  test('are sent again if the token endpoint fails for a moment', async () => {
    await using api = await apiServer([{ status: 503 }, { json: { access_token: 'token-1' } }, { json: 'fine' }])
    await using client = testClient({ base: api.origin, auth }, environment)
    expect((await client.get('/x')).body).toBe('fine')
  })

  test('fail for a response without a token', async () => {
    await using api = await apiServer([{ json: { error: 'no' } }])
    await using client = testClient({ base: api.origin, auth }, environment)
    await expect(client.get('/x')).rejects.toThrow(DecodeError)
  })

  test('serve other requests when one is cancelled, and time out when the endpoint hangs', async () => {
    let asked = 0
    await using api = await apiServer(({ path }) => {
      if (path === '/x') return { json: 'fine' }
      return (asked += 1) === 1 ? { hang: true } : { json: { access_token: 'token-1' } }
    })
    await using client = testClient({ base: api.origin, auth, timeout: '200ms' }, environment)
    const stop = new AbortController()
    const cancelled = failure(client.get('/x', { signal: stop.signal }))
    const other = client.get('/x')
    stop.abort(new Error('stopped'))
    expect((await cancelled).message).toBe('stopped')
    expect((await other).body).toBe('fine')
  })

  test('go to the token endpoint only, and the token to the API only', async () => {
    await using login = await apiServer([{ json: { access_token: 'token-1' } }])
    await using api = await apiServer([{ json: [] }])
    await using client = testClient(
      { base: api.origin, auth: { ...auth, tokenUrl: `${login.origin}/token` } },
      environment,
    )
    await client.get('/x')
    expect(login.requests[0]?.headers.authorization).toBeUndefined()
    expect(api.requests[0]?.headers.authorization).toBe('Bearer token-1')
  })

  test('are not sent to the target of a redirect of the token endpoint', async () => {
    await using evil = await apiServer([{ json: { access_token: 'x' } }])
    await using api = await apiServer([{ status: 307, headers: { location: `${evil.origin}/token` } }])
    await using client = testClient({ base: api.origin, auth, allowedOrigins: [evil.origin] }, environment)
    await expect(client.get('/x')).rejects.toThrow(HttpError)
    expect(evil.requests).toHaveLength(0)
  })
})
