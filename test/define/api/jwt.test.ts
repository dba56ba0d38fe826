import { describe, expect, test } from '@jest/globals'
import { secretsIn } from '../../../src/define/secrets-in.ts'
import { googleServiceAccount, http, jwt, onePage, pipeline, secret, type JwtOptions } from '../../../src/index.ts'

const given: JwtOptions = { key: secret('KEY'), issuer: 'my-client', tokenUrl: '/token' }
const made = (changes: object): unknown => jwt({ ...given, ...changes })

test('a JWT names its secrets, and can be renewed by a rule', () => {
  const auth = jwt({ ...given, claims: { user: secret('USER') }, fields: { client_secret: secret('SECRET') } })
  const responseRules = [{ text: /token expired/, action: 'renew' }] as const
  const rows = http('https://api.example', { auth, responseRules }).get<{ id: number }[]>('/x').pages(onePage())
  const { streams } = pipeline('p', { streams: { rows: rows.records().into('t.rows', { key: 'id' }) } })
  expect(secretsIn(streams.rows.recipe).toSorted()).toEqual(['KEY', 'SECRET', 'USER'])
})

describe('jwt() refuses', () => {
  test.each<[string, () => unknown, string]>([
    ['a key that is no secret', () => made({ key: '-----BEGIN PRIVATE KEY-----' }), 'jwt(): give a secret by its name'],
    ['an algorithm', () => made({ algorithm: 'none' }), 'jwt(): algorithm must be one of RS256, ES256, HS256, not'],
    ['a grant', () => made({ grant: 'password' }), 'jwt(): grant must be one of jwt-bearer, client-credentials'],
    ['a longer life', () => made({ lifetime: '61m' }), "jwt(): lifetime must be '2m' to '1h'"],
    ['a shorter life', () => made({ lifetime: '1m' }), "jwt(): lifetime must be '2m' to '1h'"],
    ['no duration', () => made({ lifetime: 'soon' }), 'jwt(): lifetime: "soon" is no duration'],
    ['another option', () => made({ iss: 'x' }), 'jwt(): there is no option "iss". It has key, algorithm, keyId'],
    ['a number', () => made({ fields: { a: 7 } }), 'jwt(): fields.a must be text'],
    ['claims that are text', () => made({ claims: 'x' }), 'jwt(): claims must be an object'],
    ['fields of nothing', () => jwt({ key: secret('K'), fields: { a: 'b' } }), 'Give its tokenUrl'],
    ['no scope', () => googleServiceAccount({ key: secret('K'), scope: [] }), 'googleServiceAccount(): give the scope'],
    [
      'another credential in its header',
      () => http('https://a.example', { auth: [jwt(given), jwt(given)] }),
      "two of its credentials are sent in the header 'authorization'",
    ],
  ])('%s', (_, define, message) => {
    expect(define).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }))
    expect(define).toThrow(expect.not.objectContaining({ message: expect.stringContaining('PRIVATE KEY') }))
  })
})
