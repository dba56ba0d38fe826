// Requests that a function of the user signs.
import { expect, test } from '@jest/globals'
import { createHmac } from 'node:crypto'
import { apiKey, bearer, http, secret, signed } from '../../../src/index.ts'
import { secretsOf } from '../../../src/model/secrets-of.ts'
import { apiServer } from '../../support/api-server.ts'
import { failure, testClient } from '../../support/http-client.ts'

const environment = { KEY: 'a-key', SIGNING_KEY: 'Jefe', TOKEN: 'a-token' }
const hmac = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('hex')

test('a signature covers the request as it is sent, and both secrets reach the function', async () => {
  await using api = await apiServer([{ json: [] }])
  const auth = [
    apiKey(secret('TOKEN'), { query: 'token' }),
    signed([secret('KEY'), secret('SIGNING_KEY')], ({ method, url, headers, body }, [key = '', signingKey = '']) => ({
      headers: {
        'X-Key': key,
        'x-signature': hmac(signingKey, [method, url.pathname, url.search, headers['x-of-api'], body].join('\n')),
      },
    })),
  ]
  await using client = testClient({ base: api.origin, auth, headers: { 'X-Of-Api': 'v1' } }, environment)
  await client.get('/x?page=2', { method: 'POST', json: { a: 'ä' } })
  const [sent] = api.requests
  expect(sent?.headers['x-key']).toBe('a-key')
  expect(sent?.headers['x-signature']).toBe(hmac('Jefe', 'POST\n/x\n?page=2&token=a-token\nv1\n{"a":"ä"}'))
  expect(JSON.stringify(client.events)).not.toMatch(/a-key|a-token/)
})

test('the HMAC of RFC 4231, test case 2, is sent as it is', async () => {
  await using api = await apiServer([{ json: [] }])
  const auth = signed([secret('SIGNING_KEY')], (_request, [key = '']) => ({
    headers: { 'x-signature': hmac(key, 'what do ya want for nothing?') },
  }))
  await using client = testClient({ base: api.origin, auth }, environment)
  await client.get('/x')
  expect(api.requests[0]?.headers['x-signature']).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  )
})

test('each try and each redirect is signed anew, and an earlier signature in a link is left out', async () => {
  await using api = await apiServer([
    { json: [] },
    { status: 503 },
    { status: 307, headers: { location: '/moved?page=2&signature=old' } },
    { json: [] },
  ])
  const signedUrls: string[] = []
  const auth = signed([secret('KEY')], ({ url }) => {
    signedUrls.push(url.pathname + url.search)
    url.pathname = '/changed-by-the-function'
    return { query: { signature: `s${signedUrls.length}` } }
  })
  await using client = testClient({ base: api.origin, auth }, environment)
  await client.get('/x?page=1')
  const { url } = await client.get('/x?page=2&signature=old')
  expect(signedUrls).toEqual(['/x?page=1', '/x?page=2', '/x?page=2', '/moved?page=2'])
  expect(api.requests.map(({ query }) => query.getAll('signature'))).toEqual([['s1'], ['s2'], ['s3'], ['s4']])
  expect(api.requests.map(({ path }) => path)).toEqual(['/x', '/x', '/x', '/moved'])
  expect(url).toBe(`${api.origin}/moved?page=2`)
  expect(JSON.stringify(client.events)).not.toContain('signature')
})

test('another origin gets no signature', async () => {
  await using other = await apiServer([{ json: [] }])
  await using api = await apiServer([{ status: 302, headers: { location: `${other.origin}/file` } }])
  const auth = signed([secret('KEY')], () => ({ headers: { 'x-signature': 's' }, query: { sig: 's' } }))
  await using client = testClient({ base: api.origin, auth, allowedOrigins: [other.origin] }, environment)
  await client.get('/x')
  expect(api.requests[0]?.headers['x-signature']).toBe('s')
  expect(other.requests[0]?.headers['x-signature']).toBeUndefined()
  expect(other.requests[0]?.query.has('sig')).toBe(false)
})

test('requests with functions of their own are not taken for one', async () => {
  await using api = await apiServer([{ json: [] }])
  await using client = testClient({ base: api.origin, auth: bearer(secret('TOKEN')) }, environment)
  for (const word of ['one', 'two'])
    await client.get('/x', { auth: [signed([secret('KEY')], () => ({ headers: { 'x-signature': word } }))] })
  expect(api.requests.map(({ headers }) => headers['x-signature'])).toEqual(['one', 'two'])
})

const throwing = (_request: unknown, [key]: readonly string[]): never => {
  throw new Error(`no ${key}`)
}

test('what a function does wrong is said, without its secrets', async () => {
  await using api = await apiServer([{ json: [] }])
  await using client = testClient({ base: api.origin }, environment)
  const messageFor = async (sign: unknown): Promise<string> =>
    (await failure(client.get('/x', { auth: signed([secret('KEY')], sign as () => object) }))).message
  expect(await messageFor(throwing)).toBe('signed(): its function threw for GET /x: no {secret:KEY}')
  expect(await messageFor(async () => ({}))).toContain('at once, not a promise or nothing')
  expect(await messageFor(() => undefined)).toContain('at once, not a promise or nothing')
  expect(await messageFor(() => ({ headers: { 'x-a': undefined } }))).toContain("headers of which 'x-a' is not text")
  expect(api.requests).toHaveLength(0)
})

test('a definition without secrets or function is refused', () => {
  expect(() => signed('KEY' as never, () => ({}))).toThrow('give its secrets as a list')
  expect(() => signed(['a value' as never], () => ({}))).toThrow('give a secret by its name')
  expect(() => signed([], undefined as never)).toThrow('give a function')
  // A run looks for these before its first request.
  expect(secretsOf(signed([secret('KEY'), secret('TOKEN')], () => ({})))).toEqual(['KEY', 'TOKEN'])
  const one = signed([], () => ({}))
  expect(() => http('https://api.example', { auth: [one, one] })).toThrow(
    'two of its credentials are sent in a signature',
  )
})
