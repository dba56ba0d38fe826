// `check` says what credentials may do and when they end, as far as answers say it, and sends no request for it.
import { describe, expect, test } from '@jest/globals'
import { SignJWT } from 'jose'
import { apiKey, bearer, clientCredentials, http, jwt, onePage, pipeline, secret, session } from '../../../src/index.ts'
import type { Auth } from '../../../src/model/request.ts'
import { checkPipelines } from '../../../src/run/check/check.ts'
import { apiServer, type ApiHandler } from '../../support/api-server.ts'

const DAY_S = 86_400
const now = Math.floor(Date.now() / 1_000)
const textOf = (seconds: number): string => `${new Date(seconds * 1_000).toISOString().slice(0, 19)}Z`
const signed = async (claims: object): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from('a key of the tests'.padEnd(32)))

/** Checks a stream with these credentials. Returns what is said of them, and the number of requests. */
async function check(
  auth: Auth | readonly Auth[],
  answer: ApiHandler,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ said: string[]; requests: number }> {
  await using api = await apiServer(answer)
  const items = http(api.origin, { auth }).get<{ id: number }[]>('/items').pages(onePage()).records()
  const flow = items.into('t.items', { key: 'id', complete: 'any' })
  const findings = await checkPipelines([{ pipeline: pipeline('p', { streams: { items: flow } }), file: 'p.ts' }], {
    environment: { TOKEN: 'a-token', ...environment },
    signal: new AbortController().signal,
  })
  const said = findings.filter(({ text, location }) => location === 'p.items' && text.startsWith('the credentials'))
  expect(JSON.stringify(findings)).not.toMatch(/eyJ|granted/)
  expect(findings.filter(({ isFault }) => isFault)).toEqual([])
  return {
    said: said.map(({ isAdvice, text }) => (isAdvice ? `advice: ${text}` : text)),
    requests: api.requests.length,
  }
}
const items =
  (headers: Readonly<Record<string, string>> = {}): ApiHandler =>
  () => ({ json: [{ id: 1 }], headers })

/** Answers `/token` with a token and these fields. */
const token =
  (fields: object): ApiHandler =>
  (request) =>
    request.path === '/token' ? { json: { access_token: 'granted-1', ...fields } } : items()(request)

test.each<[string, Auth]>([
  ['a token', clientCredentials({ tokenUrl: '/token', clientId: 'c', clientSecret: secret('TOKEN') })],
  ['a session', session({ loginUrl: '/token', token: 'access_token', lifetime: { at: 'expires_in' } })],
])('%s that never ends, by a number that no date has, does not let the check fail', async (_, auth) => {
  const { said } = await check(auth, token({ expires_in: 9e18 }))
  expect(said).toEqual([expect.stringMatching(/^the credentials: valid until 2\d{3}-.+Z, renewed in time$/)])
})

describe('headers of GitHub', () => {
  const ends = 'github-authentication-token-expiration'

  test('state the scopes of a token and its end', async () => {
    const headers = { 'X-OAuth-Scopes': 'repo, read:org', [ends]: '2123-04-05 06:07:08 UTC' }
    expect(await check(bearer(secret('TOKEN')), items(headers))).toEqual({
      said: ['the credentials: scope repo, read:org, valid until 2123-04-05T06:07:08Z'],
      requests: 1,
    })
  })

  test('that are empty mean no scope', async () => {
    expect((await check(bearer(secret('TOKEN')), items({ 'x-oauth-scopes': '' }))).said).toEqual([
      'the credentials: without a scope',
    ])
  })

  test('that state an end within two weeks lead to advice', async () => {
    const soon = textOf(now + 13 * DAY_S)
    const headers = { [ends]: soon.replace('T', ' ').replace('Z', ' UTC') }
    expect((await check(bearer(secret('TOKEN')), items(headers))).said).toEqual([
      `the credentials: valid until ${soon}`,
      `advice: the credentials end at ${soon}: replace TOKEN before`,
    ])
  })

  test('that cannot be read say nothing', async () => {
    expect((await check(bearer(secret('TOKEN')), items({ [ends]: 'never' }))).said).toEqual([])
  })
})

describe('a JWT that is sent as a bearer', () => {
  test.each<[object, string[]]>([
    [{ exp: now + 90 * DAY_S, scope: 'read write' }, [`scope read write, valid until ${textOf(now + 90 * DAY_S)}`]],
    [{ scp: ['Orders.Read', 'Users.Read'] }, ['scope Orders.Read Users.Read']],
    [{ sub: 'me' }, []],
  ])('states its claims %j', async (claims, said) => {
    const TOKEN = await signed(claims)
    expect((await check(bearer(secret('TOKEN')), items(), { TOKEN })).said).toEqual(
      said.map((text) => `the credentials: ${text}`),
    )
  })

  test('is not what only looks like one', async () => {
    for (const TOKEN of ['aaaa.bbbb.cccc', `x.${Buffer.from('null').toString('base64url')}.y`])
      expect((await check(bearer(secret('TOKEN')), items(), { TOKEN })).said).toEqual([])
  })

  test('is signed by jwt() itself, and renewed', async () => {
    const SHARED = 'a shared secret of the tests'
    const auth = jwt({ key: secret('SHARED'), algorithm: 'HS256', issuer: 'me', lifetime: '10m' })
    const { said, requests } = await check(auth, items(), { SHARED })
    expect(said).toEqual([expect.stringMatching(/^the credentials: valid until [\d-]+T[\d:]+Z, renewed in time$/)])
    expect(requests).toBe(1)
  })
})

describe('the answer of a token endpoint', () => {
  const auth = clientCredentials({ tokenUrl: '/token', clientId: 'me', clientSecret: secret('TOKEN') })

  test.each<[object, RegExp[]]>([
    [{ scope: 'read:all', expires_in: 600 }, [/^the credentials: scope read:all, valid until .+Z, renewed in time$/]],
    [{ expires_in: 600 }, [/^the credentials: valid until .+Z, renewed in time$/]],
    [{ scope: 'read:all' }, [/^the credentials: scope read:all, renewed in time$/]],
    [{}, []],
  ])('%j is said', async (fields, said) => {
    const found = await check([auth, apiKey(secret('TOKEN'), { header: 'x-key' })], token(fields))
    expect(found).toEqual({ said: said.map((text) => expect.stringMatching(text)), requests: 2 })
  })

  test('of a session states its end', async () => {
    const login = session({ loginUrl: '/token', token: 'access_token', lifetime: { at: 'expires_at' } })
    const { said } = await check(login, token({ expires_at: textOf(now + 3_600) }))
    expect(said).toHaveLength(1)
    const [, end = ''] = /valid until (\S+Z), renewed in time$/.exec(said[0] ?? '') ?? []
    expect(Math.abs(Date.parse(end) / 1_000 - now - 3_600)).toBeLessThan(30)
  })

  test('of a session whose definition states its end is not repeated', async () => {
    const login = session({ loginUrl: '/token', token: 'access_token', lifetime: '10m' })
    expect((await check(login, token({}))).said).toEqual([])
  })
})

test('credentials of which nothing is said are not mentioned', async () => {
  expect(await check(apiKey(secret('TOKEN'), { header: 'x-key' }), items())).toEqual({ said: [], requests: 1 })
})
