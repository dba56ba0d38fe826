// Signed tokens: assertions that a real server verifies and exchanges, and tokens that are sent themselves.
import { describe, expect, test } from '@jest/globals'
import { jwtVerify, type JWTPayload } from 'jose'
import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { HttpError } from '../../../src/model/errors.ts'
import { googleServiceAccount, jwt, secret, session, type JwtOptions } from '../../../src/index.ts'
import { apiServer, type ApiHandler, type ApiServer } from '../../support/api-server.ts'
import { failure, testClient } from '../../support/http-client.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }).toString()
const environment = {
  KEY: pem(rsa.privateKey),
  EC_KEY: pem(ec.privateKey),
  SHARED: 'a shared secret of the tests',
  CLIENT: 'client-7',
  USER_NAME: 'me@corp.example',
}
/** The clock of the client in tests. */
const NOW = new Date('2024-05-01T12:00:00Z')
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const paths = ({ requests }: ApiServer): string[] => requests.map(({ path }) => path)

interface Verified {
  readonly claims: JWTPayload
  readonly header: { readonly alg: string; readonly kid?: string | undefined; readonly typ?: string | undefined }
}

/** A server that exchanges an assertion for a token if its signature holds, and admits requests with that token. */
function exchange(key: KeyObject, algorithm: string, verified: Verified[] = [], fields: object = {}): ApiHandler {
  let issued = 0
  return async ({ path, body, headers }) => {
    if (path !== '/token') return headers.authorization?.startsWith('Bearer granted-') ? { json: [] } : { status: 401 }
    const form = new URLSearchParams(body)
    try {
      const assertion = form.get('assertion') ?? form.get('client_assertion') ?? ''
      const { payload, protectedHeader } = await jwtVerify(assertion, key, {
        algorithms: [algorithm],
        currentDate: NOW,
        requiredClaims: ['iss', 'aud', 'exp', 'iat', 'jti'],
        maxTokenAge: '1h',
      })
      verified.push({ claims: payload, header: protectedHeader })
      return { json: { access_token: `granted-${(issued += 1)}`, token_type: 'Bearer', ...fields } }
    } catch {
      return { status: 400, json: { error: 'invalid_grant' } }
    }
  }
}
const verify = async (authorization: string | undefined) =>
  jwtVerify(authorization?.replace('Bearer ', '') ?? '', ec.publicKey, { currentDate: NOW })

const given: JwtOptions = { key: secret('KEY'), issuer: 'my-client', tokenUrl: '/token' }

describe('an assertion', () => {
  test.each<[JwtOptions['algorithm'] & string, string, KeyObject]>([
    ['RS256', 'KEY', rsa.publicKey],
    ['ES256', 'EC_KEY', ec.publicKey],
    ['HS256', 'SHARED', createSecretKey(environment.SHARED, 'utf8')],
  ])('signed by %s is exchanged for a token', async (algorithm, name, key) => {
    const verified: Verified[] = []
    await using api = await apiServer(exchange(key, algorithm, verified))
    const auth = jwt({ ...given, algorithm, key: secret(name) })
    await using client = testClient({ base: api.origin, auth }, environment)
    await client.get('/x')
    await client.get('/y')
    expect(paths(api)).toEqual(['/token', '/x', '/y'])
    expect(new URLSearchParams(api.requests[0]?.body).get('grant_type')).toBe(JWT_BEARER)
    expect(verified[0]?.header).toEqual({ alg: algorithm, typ: 'JWT' })
  })

  test('has the claims that it is given', async () => {
    const verified: Verified[] = []
    await using api = await apiServer(exchange(rsa.publicKey, 'RS256', verified))
    const auth = jwt({
      ...given,
      issuer: secret('CLIENT'),
      subject: secret('USER_NAME'),
      scope: 'read write',
      keyId: 'key-1',
      claims: { box_sub_type: 'enterprise', nested: { user: secret('USER_NAME') } },
      lifetime: '10m',
      fields: { resource: 'all', client_secret: secret('SHARED') },
    })
    await using client = testClient({ base: `${api.origin}/`, auth }, environment)
    await client.get('/x')
    const iat = NOW.getTime() / 1_000 - 60
    expect(verified).toEqual([
      {
        header: { alg: 'RS256', typ: 'JWT', kid: 'key-1' },
        claims: {
          iss: 'client-7',
          sub: 'me@corp.example',
          aud: `${api.origin}/token`,
          scope: 'read write',
          iat,
          exp: iat + 600,
          jti: expect.stringMatching(/^[\da-f-]{36}$/),
          box_sub_type: 'enterprise',
          nested: { user: 'me@corp.example' },
        },
      },
    ])
    expect(Object.fromEntries(new URLSearchParams(api.requests[0]?.body))).toMatchObject({
      resource: 'all',
      client_secret: environment.SHARED,
    })
    expect(JSON.stringify(client.events)).not.toMatch(/granted-|eyJ/)
  })

  test('may prove who the client is', async () => {
    const verified: Verified[] = []
    await using api = await apiServer(exchange(rsa.publicKey, 'RS256', verified))
    const auth = jwt({ ...given, grant: 'client-credentials', scope: 'read', audience: 'https://login.example' })
    await using client = testClient({ base: api.origin, auth }, environment)
    await client.get('/x')
    const { client_assertion: _, ...form } = Object.fromEntries(new URLSearchParams(api.requests[0]?.body))
    expect(form).toEqual({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      scope: 'read',
    })
    expect(verified[0]?.claims).toMatchObject({ iss: 'my-client', sub: 'my-client', aud: 'https://login.example' })
    expect(verified[0]?.claims).not.toHaveProperty('scope')
  })

  test('is signed anew for each token, shortly before the last one expires and after a 401', async () => {
    const verified: Verified[] = []
    const answer = exchange(rsa.publicKey, 'RS256', verified, { expires_in: 600 })
    let isRefused = false
    await using api = await apiServer((request) => {
      const refused = isRefused && request.headers.authorization === 'Bearer granted-2'
      return refused ? { status: 401 } : answer(request)
    })
    await using client = testClient({ base: api.origin, auth: jwt(given) }, environment)
    await client.get('/x')
    client.time.pass(530_000)
    await client.get('/x')
    expect(verified).toHaveLength(1)
    client.time.pass(20_000)
    await client.get('/x')
    isRefused = true
    await client.get('/x')
    expect(new Set(verified.map(({ claims }) => claims.jti)).size).toBe(3)
    expect(api.requests.at(-1)?.headers.authorization).toBe('Bearer granted-3')
  })

  test('that the server refuses is named in the error', async () => {
    await using api = await apiServer(exchange(ec.publicKey, 'ES256'))
    await using client = testClient({ base: api.origin, auth: jwt(given) }, environment)
    const error = await failure(client.get('/x'))
    expect(error).toBeInstanceOf(HttpError)
    expect(error.message).toBe(
      `POST ${api.origin}/token answered 400: the signed assertion was refused (invalid_grant); check KEY, ` +
        "the issuer, the subject, the audience and the scope, and this machine's clock",
    )
    expect(paths(api)).toEqual(['/token'])
  })

  test('without an issuer sends nothing', async () => {
    await using api = await apiServer([{ json: [] }])
    const auth = jwt({ key: secret('KEY'), tokenUrl: '/token' })
    await using client = testClient({ base: api.origin, auth }, environment)
    await expect(client.get('/x')).rejects.toThrow("jwt(): an assertion needs its issuer, as in issuer: 'my-client'")
    expect(api.requests).toHaveLength(0)
  })
})

describe('a service account of Google', () => {
  const file = {
    type: 'service_account',
    private_key_id: 'google-key-1',
    private_key: environment.KEY,
    client_email: 'reader@project.iam.example',
    token_uri: 'https://elsewhere.example/token',
  }

  test('signs by its JSON file, for the user that it acts for', async () => {
    const verified: Verified[] = []
    await using login = await apiServer(exchange(rsa.publicKey, 'RS256', verified))
    await using api = await apiServer([{ json: [] }])
    const auth = googleServiceAccount({
      key: secret('GOOGLE'),
      scope: ['https://scope.example/a', 'https://scope.example/b'],
      subject: 'boss@corp.example',
      tokenUrl: `${login.origin}/token`,
    })
    await using client = testClient({ base: api.origin, auth }, { GOOGLE: JSON.stringify(file, null, 2) })
    await client.get('/x')
    const iat = NOW.getTime() / 1_000 - 60
    expect(verified[0]).toMatchObject({
      header: { kid: 'google-key-1' },
      claims: {
        iss: 'reader@project.iam.example',
        sub: 'boss@corp.example',
        scope: 'https://scope.example/a https://scope.example/b',
        aud: `${login.origin}/token`,
        iat,
        exp: iat + 3_600,
      },
    })
  })

  test('is a short form of jwt()', () => {
    expect(googleServiceAccount({ key: secret('GOOGLE'), scope: 'a' })).toEqual(
      jwt({ key: secret('GOOGLE'), scope: 'a', lifetime: '1h', tokenUrl: 'https://oauth2.googleapis.com/token' }),
    )
  })
})

describe('a JWT without a token URL', () => {
  const auth = jwt({
    key: secret('EC_KEY'),
    algorithm: 'ES256',
    keyId: 'K1',
    issuer: 'I1',
    audience: 'appstoreconnect-v1',
    lifetime: '20m',
  })

  test('is the token itself', async () => {
    await using api = await apiServer([{ json: [] }])
    await using client = testClient({ base: api.origin, auth }, environment)
    await client.get('/x')
    const iat = NOW.getTime() / 1_000 - 60
    expect(await verify(api.requests[0]?.headers.authorization)).toMatchObject({
      protectedHeader: { alg: 'ES256', kid: 'K1', typ: 'JWT' },
      payload: { iss: 'I1', aud: 'appstoreconnect-v1', iat, exp: iat + 1_200 },
    })
    expect(JSON.stringify(client.events)).not.toContain('eyJ')
  })

  test('is hidden in messages', async () => {
    await using api = await apiServer(({ headers }) => ({ body: `<p>${headers.authorization?.slice(7)}</p>` }))
    await using client = testClient({ base: api.origin, auth }, environment)
    const { message } = await failure(client.get('/x'))
    expect(message).toContain('<p>')
    expect(message).not.toContain('eyJ')
  })

  test('is signed anew before it expires, and once after a 401', async () => {
    let refused = ''
    await using api = await apiServer(({ headers }) =>
      headers.authorization === refused ? { status: 401 } : { json: headers.authorization },
    )
    await using client = testClient({ base: api.origin, auth }, environment)
    const first = (await client.get('/x')).body
    client.time.pass(1_070_000)
    expect((await client.get('/x')).body).toBe(first)
    client.time.pass(11_000)
    const second = (await client.get('/x')).body
    expect(second).not.toBe(first)
    refused = String(second)
    expect((await client.get('/x')).body).not.toBe(second)
    expect(api.requests).toHaveLength(5)
  })
})

test('a GitHub App gets the token of its installation by a session', async () => {
  let issued = 0
  await using api = await apiServer(async ({ method, path, headers }) => {
    if (path !== '/app/installations/7/access_tokens') return { json: headers.authorization }
    const { payload } = await jwtVerify(headers.authorization?.replace('Bearer ', '') ?? '', rsa.publicKey, {
      currentDate: NOW,
      issuer: 'client-7',
      maxTokenAge: '11m',
    })
    if (method !== 'POST' || (payload.exp ?? 0) > NOW.getTime() / 1_000 + 600) return { status: 401 }
    const json = { token: `ghs_token-${(issued += 1)}`, expires_at: '2024-05-01T13:00:00Z', permissions: {} }
    return { status: 201, json, headers: { date: NOW.toUTCString() } }
  })
  const auth = session({
    loginUrl: '/app/installations/7/access_tokens',
    auth: jwt({ key: secret('KEY'), issuer: secret('CLIENT'), lifetime: '10m' }),
    token: 'token',
    lifetime: { at: 'expires_at' },
  })
  await using client = testClient({ base: api.origin, auth }, environment)
  expect((await client.get('/x')).body).toBe('Bearer ghs_token-1')
  client.time.pass(3_530_000)
  expect((await client.get('/x')).body).toBe('Bearer ghs_token-1')
  client.time.pass(11_000)
  expect((await client.get('/x')).body).toBe('Bearer ghs_token-2')
})
