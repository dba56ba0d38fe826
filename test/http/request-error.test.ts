import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { apiServer } from '../support/api-server.ts'
import { failure, testClient } from '../support/http-client.ts'
import { statusError } from '../../src/http/request-error.ts'

const now = new Date('2025-01-01T00:00:00Z')
const errorNameOf = (status: number, headers: Record<string, string>): string =>
  statusError(status, headers, {
    label: 'GET /x',
    credentialsProblem: 'a permission is missing',
    now,
    origin: 'https://api.example',
    path: '/x',
  }).name

/** Starts a server whose certificate nobody trusts. */
async function certified(): Promise<{ readonly port: number } & AsyncDisposable> {
  const certificates = join(import.meta.dirname, '..', 'support', 'tls')
  const [key, cert] = await Promise.all(['server.key', 'server.crt'].map((file) => readFile(join(certificates, file))))
  const server = createServer({ key, cert }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close()
    },
  }
}

describe('status 403', () => {
  test.each([
    ['without rate limit headers', {}, 'HttpError'],
    ['with requests left', { 'x-ratelimit-remaining': '12', 'x-ratelimit-reset': '1735689700' }, 'HttpError'],
    ['with no request left', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1735689700' }, 'TransientError'],
    ['with Retry-After', { 'retry-after': '60' }, 'TransientError'],
    ['with a Retry-After longer than a run waits', { 'retry-after': '3600' }, 'RateLimitedError'],
  ])('%s (%j) is a %s', (_, headers, expected) => {
    expect(errorNameOf(403, headers)).toBe(expected)
  })
})

describe('the fields of an error show', () => {
  test('that an API is unavailable, and after how many attempts', async () => {
    await using api = await apiServer([{ status: 503 }, { status: 502 }])
    await using client = testClient({ base: api.origin, attempts: 2 })
    expect(await failure(client.get('/x'))).toMatchObject({
      kind: 'unavailable',
      status: 502,
      attempts: 2,
      location: 'GET /x',
    })
  })

  test('that a timeout used up its only attempt', async () => {
    await using api = await apiServer([{ hang: true }])
    await using client = testClient({ base: api.origin, timeout: '60ms', attempts: 1 })
    expect(await failure(client.get('/x'))).toMatchObject({
      kind: 'unavailable',
      status: 0,
      attempts: 1,
      location: 'GET /x',
    })
  })

  test('the attempt that received a status that no retry changes', async () => {
    await using api = await apiServer([{ status: 500 }, { status: 404 }])
    await using client = testClient({ base: api.origin })
    expect(await failure(client.get('/x'))).toMatchObject({
      kind: 'status',
      status: 404,
      attempts: 2,
      location: 'GET /x',
    })
  })

  test.each([401, 403])('that status %i refuses the credentials', async (status) => {
    await using api = await apiServer([{ status }])
    await using client = testClient({ base: api.origin })
    expect(await failure(client.get('/x'))).toMatchObject({ kind: 'credentials', status, attempts: 1 })
  })

  test('that a wait is longer than a run accepts', async () => {
    await using api = await apiServer([{ status: 429, headers: { 'retry-after': '3600' } }])
    await using client = testClient({ base: api.origin })
    expect(await failure(client.get('/x'))).toMatchObject({
      kind: 'rate limit',
      status: 429,
      attempts: 1,
      location: 'GET /x',
    })
  })

  test('that nothing was sent', async () => {
    await using client = testClient({ base: 'https://api.example' })
    expect(await failure(client.get('https://other.example/x'))).toMatchObject({
      kind: 'not sent',
      status: 0,
      attempts: 0,
      location: 'GET https://other.example/x',
    })
  })
})

describe('the wrong scheme is told in plain words:', () => {
  test('https:// to a port without TLS, which is not asked again', async () => {
    await using api = await apiServer([{ json: [] }])
    const base = api.origin.replace('http:', 'https:')
    await using client = testClient({ base })
    const error = await failure(client.get('/x'))
    expect(error).toMatchObject({ kind: 'connection', attempts: 1 })
    expect(error.message).toBe(
      `GET /x could not be sent: ${new URL(base).host} does not speak TLS there. If the API is served without TLS, ` +
        'write http:// in place of https:// in the base URL; otherwise correct the port',
    )
    expect(client.time.slept).toEqual([])
  })

  test('http:// to a port with TLS', async () => {
    await using tls = await certified()
    await using client = testClient({ base: `http://localhost:${tls.port}`, attempts: 1 })
    expect((await failure(client.get('/x'))).message).toMatch(
      /^GET \/x got no complete response: .+ \(if localhost:\d+ expects TLS there, write https:\/\/ in place of http:/,
    )
  })

  test('http:// to a server that answers that it expects TLS', async () => {
    const body = '<html><body>The plain HTTP request was sent to HTTPS port</body></html>'
    await using api = await apiServer([{ status: 400, body, headers: { 'content-type': 'text/html' } }])
    await using client = testClient({ base: api.origin })
    expect((await failure(client.get('/x'))).message).toBe(
      'GET /x answered 400. The server expects TLS at this port: write https:// in place of http:// in the base URL',
    )
  })
})

test('a server with a certificate that is not trusted is named with the remedy, and not asked again', async () => {
  await using tls = await certified()
  await using client = testClient({ base: `https://localhost:${tls.port}` })
  const error = await failure(client.get('/x'))
  expect(error).toMatchObject({ kind: 'connection', status: 0, attempts: 1, location: 'GET /x' })
  expect(error.message).toMatch(
    /^GET \/x could not be sent: the server's certificate is not trusted \(.+\); name .+ in NODE_EXTRA_CA_CERTS$/,
  )
  expect(client.time.slept).toEqual([])
})
