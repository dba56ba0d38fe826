import { describe, expect, test } from '@jest/globals'
import { secretsIn } from '../../../src/define/secrets-in.ts'
import {
  apiKey,
  basic,
  bearer,
  clientCertificate,
  fromData,
  http,
  inCookie,
  inHeader,
  onePage,
  pipeline,
  secret,
  session,
  toData,
  type SessionOptions,
} from '../../../src/index.ts'

const given: SessionOptions = { loginUrl: '/login', json: { password: secret('PASSWORD') }, token: 'token' }
const made = (changes: object): unknown => session({ ...given, ...changes })

describe('a session', () => {
  test('is data, with the names of its secrets at any depth', () => {
    const auth = session({
      ...given,
      json: { user: { name: secret('USER'), keys: [secret('KEY')] } },
      headers: { 'x-app': secret('APP') },
      auth: basic('me', secret('OWN')),
    })
    const rows = http('https://api.example', { auth }).get<{ id: number }[]>('/x').pages(onePage()).records()
    const p = pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
    const names = ['USER', 'KEY', 'APP', 'OWN']
    expect(secretsIn(p.streams.rows.recipe)).toEqual(names)
    const { streams } = fromData(toData(p))
    expect(secretsIn(streams['rows']!.recipe)).toEqual(names)
  })

  test("sends its token after 'Bearer', or a cookie as a cookie only", () => {
    expect(session(given)).toMatchObject({ sendAs: { header: 'authorization', scheme: 'Bearer' }, method: 'POST' })
    expect(made({ token: inCookie('sid') })).not.toHaveProperty('sendAs')
  })

  test('can be renewed by a rule', () => {
    const responseRules = [{ text: /session expired/, action: 'renew' }] as const
    expect(() => http('https://api.example', { auth: session(given), responseRules })).not.toThrow()
  })
})

describe('is refused:', () => {
  test.each<[string, () => unknown, string]>([
    ['no URL', () => made({ loginUrl: undefined }), 'session(): give the URL of the login as text, as in loginUrl'],
    ['no token', () => made({ token: undefined }), 'session(): give the place of the token in the answer'],
    ['a function', () => made({ token: () => 'x' }), 'session(): give the place of the token in the answer'],
    ['a method', () => made({ method: 'DELETE' }), 'session(): method must be GET, POST or PUT, not "DELETE"'],
    ['two bodies', () => made({ form: { a: 'b' } }), 'session(): a login has one body. Give either json or form'],
    ['another option', () => made({ tokenUrl: '/x' }), 'session(): there is no option "tokenUrl"'],
    ['a body that is a secret', () => made({ json: secret('X') }), 'session(): json must be an object'],
    ['a number in a header', () => made({ headers: { a: 1 } }), 'session(): headers.a must be text or a secret'],
    ['no place', () => made({ sendAs: {} }), "session(): sendAs must be { header: 'x-token' } or { query: 'token' }"],
    ['two places', () => made({ sendAs: { header: 'a', query: 'b' } }), 'session(): sendAs must be { header'],
    ['a scheme in a parameter', () => made({ sendAs: { query: 'b', scheme: 'X' } }), 'a scheme belongs to a header'],
    [
      'a word in sendAs',
      () => made({ sendAs: { header: 'b', prefix: 'X' } }),
      'session(): sendAs: there is no option "prefix"',
    ],
    ['no duration', () => made({ lifetime: 'soon' }), 'session(): lifetime: "soon" is no duration'],
    ['a number', () => made({ lifetime: 600 }), "session(): lifetime must be a duration such as '30m', or { at"],
    ['a unit', () => made({ lifetime: { at: 'x', unit: 'h' } }), 'session(): lifetime.unit must be one of s, ms,'],
    ['a session for its login', () => made({ auth: session(given) }), 'its login cannot have a session as its auth'],
    [
      'a certificate for its login',
      () => made({ auth: clientCertificate({ certificate: secret('C'), key: secret('K') }) }),
      'session(): a client certificate belongs to the whole API',
    ],
    [
      'two credentials of its login in one place',
      () => made({ auth: [bearer(secret('A')), basic('me', secret('B'))] }),
      "session(): auth: two of its credentials are sent in the header 'authorization'",
    ],
    ['a cookie without a name', () => inCookie(''), 'inCookie(): give the name of a cookie'],
    [
      'two sessions',
      () => http('https://a.example', { auth: [session(given), session({ ...given, sendAs: { header: 'x' } })] }),
      'two of its credentials are sent in the cookies of a session',
    ],
    [
      'a key in the same header',
      () =>
        http('https://a.example', {
          auth: [session({ ...given, sendAs: { header: 'X-Key' } }), apiKey(secret('K'), { header: 'x-key' })],
        }),
      "two of its credentials are sent in the header 'x-key'",
    ],
  ])('%s', (_, define, message) => {
    expect(define).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }))
  })

  test('a header of the answer is not', () => {
    expect(() => made({ token: inHeader('x-token'), lifetime: { at: inHeader('x-ttl') } })).not.toThrow()
  })
})
