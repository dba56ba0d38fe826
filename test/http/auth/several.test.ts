// Several credentials together, those of one request, and secrets that stand in files.
import { expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiKey, basic, bearer, clientCredentials, http, onePage, pipeline, secret } from '../../../src/index.ts'
import { secretsIn } from '../../../src/define/secrets-in.ts'
import { readSecrets } from '../../../src/observe/secrets.ts'
import { apiServer } from '../../support/api-server.ts'
import { failure, testClient } from '../../support/http-client.ts'

const environment = { TOKEN: 'a-token', KEY: 'a-key', PASSWORD: 'a-password' }

test('several credentials are sent together, and all are hidden', async () => {
  await using api = await apiServer([{ json: [] }])
  const auth = [bearer(secret('TOKEN')), apiKey(secret('KEY'), { query: 'key' })]
  await using client = testClient({ base: api.origin, auth }, environment)
  const { url } = await client.get('/x?page=1')
  expect(api.requests[0]?.headers.authorization).toBe('Bearer a-token')
  expect(api.requests[0]?.query.get('key')).toBe('a-key')
  expect(url).toBe(`${api.origin}/x?page=1`)
  expect(JSON.stringify(client.events)).not.toMatch(/a-key|a-token/)
})

test('a key may have a scheme before it, which is one word of a header', async () => {
  await using api = await apiServer([{ json: [] }])
  const auth = apiKey(secret('KEY'), { header: 'Authorization', scheme: 'Token' })
  await using client = testClient({ base: api.origin, auth }, environment)
  await client.get('/x')
  expect(api.requests[0]?.headers.authorization).toBe('Token a-key')
  expect(JSON.stringify(client.events)).not.toContain('a-key')
  for (const scheme of ['', 'two words', 'Token:\r\nx: y'])
    expect(() => apiKey(secret('KEY'), { header: 'x-key', scheme })).toThrow('a scheme is one word')
  expect(() => apiKey(secret('KEY'), { query: 'key', scheme: 'Token' })).toThrow('belongs to a header')
})

test('credentials of a request replace those of the API, and an empty list sends none', async () => {
  await using api = await apiServer([{ json: [] }])
  await using client = testClient({ base: api.origin, auth: bearer(secret('TOKEN')) }, environment)
  await client.get('/own', { auth: basic('me', secret('PASSWORD')) })
  await client.get('/none', { auth: [] })
  await client.get('/api')
  expect(api.requests.map(({ headers }) => headers.authorization)).toEqual([
    `Basic ${Buffer.from('me:a-password').toString('base64')}`,
    undefined,
    'Bearer a-token',
  ])
})

test('an endpoint names the secrets of its own credentials', async () => {
  await using api = await apiServer([{ json: [] }])
  const source = http(api.origin, { auth: bearer(secret('TOKEN')) })
  const records = source.get<{ id: number }[]>('/x', {}, { auth: apiKey(secret('KEY'), { header: 'x-key' }) })
  const { streams } = pipeline('p', {
    streams: { rows: records.pages(onePage()).records().into('t.rows', { key: 'id' }) },
  })
  expect(secretsIn(streams.rows.recipe)).toEqual(['KEY'])
  const options = { auth: [bearer(secret('TOKEN')), basic('me', secret('PASSWORD'))] }
  expect(() => http(api.origin, options)).toThrow("two of its credentials are sent in the header 'authorization'")
})

test('a status 401 names the secrets of the request', async () => {
  await using api = await apiServer([{ status: 401 }])
  await using client = testClient({ base: api.origin, auth: bearer(secret('TOKEN')) }, environment)
  const { message } = await failure(client.get('/x', { auth: apiKey(secret('KEY'), { header: 'x-key' }) }))
  expect(message).toBe('GET /x answered 401: the credentials were refused; check KEY')
})

test('a secret may stand in a file, and both at once are refused', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-secret-'))
  try {
    const path = join(directory, 'token')
    writeFileSync(path, 'token of a file\n')
    const secrets = readSecrets({ TOKEN_FILE: path, KEY_FILE: join(directory, 'nothing'), BOTH: 'x', BOTH_FILE: path })
    expect(secrets.value('TOKEN')).toBe('token of a file')
    expect(secrets.hide('is token of a file')).toBe('is {secret:TOKEN}')
    expect(secrets.reveal('{secret:TOKEN}')).toBe('token of a file')
    expect(() => secrets.value('KEY')).toThrow(/^secret KEY: the file .*nothing of KEY_FILE cannot be read/)
    expect(() => secrets.value('BOTH')).toThrow('both BOTH and BOTH_FILE are set. Keep one of them')
    expect(() => secrets.value('NONE')).toThrow('set NONE there, or NONE_FILE to the path of a file that holds it')
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('requests whose equal credentials are written anew each time share one token', async () => {
  await using api = await apiServer(({ path }) =>
    path === '/token' ? { json: { access_token: 'fetched-token', expires_in: 3_600 } } : { json: [] },
  )
  await using client = testClient({ base: api.origin }, environment)
  const [first, second] = ['me', 'me'].map((clientId) =>
    clientCredentials({ tokenUrl: '/token', clientId, clientSecret: secret('PASSWORD') }),
  )
  await client.get('/a', { auth: first })
  await client.get('/b', { auth: second })
  expect(api.requests.map(({ path }) => path)).toEqual(['/token', '/a', '/b'])
})
