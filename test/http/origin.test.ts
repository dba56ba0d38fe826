import { describe, expect, test } from '@jest/globals'
import { HttpError } from '../../src/model/errors.ts'
import type { Auth } from '../../src/model/request.ts'
import { apiServer } from '../support/api-server.ts'
import { failure, testClient } from '../support/http-client.ts'

const secrets = { TOKEN: 's3cr3t-token' }
const token = { secret: 'TOKEN' }
const auths: readonly Auth[] = [
  { type: 'bearer', token },
  { type: 'basic', user: 'me', password: token },
  { type: 'header', name: 'x-key', value: token },
  { type: 'query', name: 'k', value: token },
]

describe.each(auths)('credentials by $type', (auth) => {
  test('are not sent by a link to another origin: the request is refused', async () => {
    await using evil = await apiServer([{ json: [] }])
    await using api = await apiServer([{ json: [] }])
    await using client = testClient({ base: api.origin, auth }, secrets)
    const error = await failure(client.get(`${evil.origin}/x?key=abc`))
    expect(error).toBeInstanceOf(HttpError)
    expect(error.message).toBe(
      `GET ${evil.origin}/x was not requested: it is not on ${api.origin}. ` +
        `To follow it without credentials, add ${evil.origin} to the API's allowedOrigins.`,
    )
    expect(evil.requests).toHaveLength(0)
  })

  test.each([301, 302, 303, 307, 308])(
    'are not sent by a redirect %i to another origin: it is refused',
    async (status) => {
      await using evil = await apiServer([{ json: [] }])
      await using api = await apiServer([{ status, headers: { location: `${evil.origin}/x` } }])
      await using client = testClient({ base: api.origin, auth }, secrets)
      const error = await failure(client.get('/a'))
      expect(error.message).toContain(
        `GET /a (redirected to ${evil.origin}/x) was not requested: it is not on ${api.origin}.`,
      )
      expect(evil.requests).toHaveLength(0)
      expect(api.requests).toHaveLength(1)
    },
  )

  test('are not sent to an allowed origin, nor are headers and secrets of the API', async () => {
    await using other = await apiServer([{ json: ['other'] }])
    await using api = await apiServer([{ status: 302, headers: { location: `${other.origin}/y` } }])
    await using client = testClient(
      { base: api.origin, auth, headers: { 'x-own': 'a' }, allowedOrigins: [other.origin] },
      secrets,
    )
    expect((await client.get(`${other.origin}/x?v={secret:TOKEN}`, { headers: { 'x-endpoint': 'b' } })).body).toEqual([
      'other',
    ])
    expect((await client.get('/a', { headers: { 'x-endpoint': 'b' } })).body).toEqual(['other'])
    expect(other.requests).toHaveLength(2)
    for (const request of other.requests) {
      expect(JSON.stringify(request)).not.toMatch(/s3cr3t|x-own|x-endpoint|x-key|authorization/)
      expect(request.query.has('k')).toBe(false)
    }
  })

  test('are sent by a redirect within the own origin', async () => {
    await using api = await apiServer([{ status: 302, headers: { location: '/b?page=2' } }, { json: ['b'] }])
    await using client = testClient({ base: api.origin, auth }, secrets)
    expect(await client.get('/a')).toMatchObject({ body: ['b'], url: `${api.origin}/b?page=2` })
    const [first, second] = api.requests
    expect(second?.headers).toEqual(first?.headers)
    expect(second?.query.get('k')).toBe(first?.query.get('k'))
    expect(client.events.map((event) => event.type === 'request.finished' && event.status)).toEqual([302, 200])
  })
})

describe('a redirect', () => {
  test.each([
    [301, 'GET', ''],
    [302, 'GET', ''],
    [303, 'GET', ''],
    [307, 'POST', '{"a":1}'],
    [308, 'POST', '{"a":1}'],
  ])('with %i of a POST is followed by %s', async (status, method, body) => {
    await using api = await apiServer([{ status, headers: { location: '/b' } }, { json: [] }])
    await using client = testClient({ base: api.origin })
    await client.get('/a', { method: 'POST', json: { a: 1 } })
    expect(api.requests[1]).toMatchObject({ method, body, url: '/b' })
  })

  test('loop ends after 11 requests', async () => {
    await using api = await apiServer(() => ({ status: 302, headers: { location: '/a' } }))
    await using client = testClient({ base: api.origin })
    expect((await failure(client.get('/a'))).message).toBe(
      'GET /a was redirected 11 times: its redirects seem to form a loop',
    )
    expect(api.requests).toHaveLength(11)
  })

  test.each([{}, { location: 'javascript:alert(1)' }, { location: 'http://' }])(
    'without a location fails: %j',
    async (headers) => {
      await using api = await apiServer([{ status: 302, headers }])
      await using client = testClient({ base: api.origin })
      expect((await failure(client.get('/a'))).message).toBe('GET /a answered 302 without the location of another page')
    },
  )
})
