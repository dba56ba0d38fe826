// The way of a connection: through a proxy of the environment, and with a client certificate.
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { openConnections, proxiesOf } from '../../src/http/connections.ts'
import { readSettings } from '../../src/http/settings.ts'
import { readSecrets } from '../../src/observe/secrets.ts'
import { apiServer } from '../support/api-server.ts'
import { proxyServer } from '../support/proxy-server.ts'

const file = (name: string): string => readFileSync(join(import.meta.dirname, '../support/tls', name), 'utf8')

// The process may run other test files after this one.
const before = getCACertificates('default')
beforeAll(() => setDefaultCACertificates([...before, file('ca.crt')]))
afterAll(() => setDefaultCACertificates(before))

async function get(url: string, options: Partial<Parameters<typeof openConnections>[0]> = {}): Promise<string> {
  await using connections = openConnections({
    settings: readSettings({ base: new URL(url).origin, timeout: '10s' }),
    certificate: undefined,
    secrets: readSecrets({}),
    environment: {},
    ...options,
  })
  const { origin, pathname, search } = new URL(url)
  const { body } = await connections.dispatcher.request({ origin, path: pathname + search, method: 'GET' })
  return await body.text()
}

/** An HTTPS server that says who is calling. It accepts any certificate of its own authority, and calls without one. */
async function tlsApi(): Promise<{ readonly origin: string } & AsyncDisposable> {
  const server = createServer(
    {
      key: file('server.key'),
      cert: file('server.crt'),
      ca: file('client.crt'),
      requestCert: true,
      rejectUnauthorized: false,
    },
    ({ socket }, response) => {
      const { subject } = (socket as TLSSocket).getPeerCertificate()
      response.end((socket as TLSSocket).authorized ? String(subject.CN) : 'nobody')
    },
  )
  server.listen(0)
  await once(server, 'listening')
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

test('requests go through HTTP_PROXY, and those to a host of NO_PROXY do not', async () => {
  await using api = await apiServer(() => ({ json: ['yes'] }))
  await using proxy = await proxyServer()
  const url = `${api.origin}/x?page=2`
  expect(await get(url, { environment: { HTTP_PROXY: proxy.url } })).toBe('["yes"]')
  expect(proxy.asked).toEqual([`GET ${url}`])
  expect(await get(url, { environment: { http_proxy: proxy.url, NO_PROXY: 'example.com,127.0.0.1' } })).toBe('["yes"]')
  expect(await get(url)).toBe('["yes"]')
  expect(proxy.asked).toHaveLength(1)
})

test('HTTPS goes through a tunnel of HTTPS_PROXY, which sees neither path nor credentials', async () => {
  await using api = await tlsApi()
  await using proxy = await proxyServer()
  expect(await get(`${api.origin}/secret`, { environment: { HTTPS_PROXY: proxy.url } })).toBe('nobody')
  expect(proxy.asked).toEqual([`CONNECT ${new URL(api.origin).host}`])
})

test.each([['directly'], ['through a proxy']])(
  'a client certificate is shown to its own origin only, %s',
  async (way) => {
    await using own = await tlsApi()
    await using other = await tlsApi()
    await using proxy = await proxyServer()
    const options = {
      settings: readSettings({ base: own.origin }),
      certificate: {
        type: 'client certificate',
        certificate: { secret: 'CERTIFICATE' },
        key: { secret: 'KEY' },
      } as const,
      secrets: readSecrets({ CERTIFICATE: file('client.crt'), KEY: file('client.key') }),
      environment: way === 'directly' ? {} : { HTTPS_PROXY: proxy.url },
    }
    expect(await get(`${own.origin}/x`, options)).toBe('sluice test client')
    expect(await get(`${other.origin}/x`, options)).toBe('nobody')
  },
)

test('a client certificate that is missing is named', async () => {
  const certificate = {
    type: 'client certificate',
    certificate: { secret: 'CERTIFICATE' },
    key: { secret: 'KEY' },
  } as const
  await expect(get('https://localhost/x', { certificate })).rejects.toThrow('secret CERTIFICATE is not set')
})

test('a proxy that is no URL is named by its variable, without its value', () => {
  expect(() => proxiesOf({ HTTPS_PROXY: 'http://me:hush@proxy.example:99999' })).toThrow(
    /^HTTPS_PROXY in the environment is not the URL of a proxy, because the port 99999 is above 65535\. Write it like/,
  )
  expect(proxiesOf({ https_proxy: 'http://proxy.example:3128' })).toMatchObject({ httpProxy: '' })
})
