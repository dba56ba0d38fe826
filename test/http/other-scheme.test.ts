import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readFile } from 'node:fs/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { bearer, byNextUrl, http, secret } from '../../src/index.ts'
import type { ApiAnswer } from '../support/api-server.ts'
import { failure, testClient, type TestClient } from '../support/http-client.ts'
import { AUTHORITY } from '../support/tls-server.ts'
import { twoSchemeServer, type SchemeRequest, type TwoSchemeServer } from '../support/two-scheme-server.ts'

const before = getCACertificates('default')
beforeAll(async () => setDefaultCACertificates([...before, await readFile(AUTHORITY, 'utf8')]))
afterAll(() => setDefaultCACertificates(before))

const clientOf = (base: string): TestClient =>
  testClient({ base, auth: { type: 'bearer', token: { secret: 'TOKEN' } } }, { TOKEN: 's3cr3t' })

const asked = ({ requests }: TwoSchemeServer): string[] =>
  requests.map(({ scheme, url, authorization }) => `${scheme} ${url} ${authorization}`)

/** A server whose `/a` redirects to a URL, and whose other paths answer a list. */
const redirecting = (target: (host: string, request: SchemeRequest) => string): Promise<TwoSchemeServer> => {
  const server: { host?: string } = {}
  return twoSchemeServer((request): ApiAnswer =>
    request.url === '/a'
      ? { status: 302, headers: { location: target(server.host ?? '', request) } }
      : { json: [request.url] },
  ).then((started) => Object.assign(server, { host: started.host }) && started)
}

describe('an API whose base is https://', () => {
  test('gets a link to http:// of its own host by https://, with credentials', async () => {
    await using api = await twoSchemeServer(() => ({ json: [1] }))
    await using client = clientOf(`https://${api.host}`)
    expect(await client.get(`http://${api.host}/x?page=2`)).toMatchObject({
      body: [1],
      url: `https://${api.host}/x?page=2`,
    })
    expect(asked(api)).toEqual(['https /x?page=2 Bearer s3cr3t'])
  })

  test('gets a link to http:// of its own host without a port by https:// at its own port', async () => {
    await using api = await twoSchemeServer(() => ({ json: [1] }))
    await using client = clientOf(`https://${api.host}`)
    await client.get('http://localhost/x')
    expect(asked(api)).toEqual(['https /x Bearer s3cr3t'])
  })

  test('gets a redirect to http:// of its own host by https://, with credentials', async () => {
    await using api = await redirecting((host) => `http://${host}/b/`)
    await using client = clientOf(`https://${api.host}`)
    expect((await client.get('/a')).url).toBe(`https://${api.host}/b/`)
    expect(asked(api)).toEqual(['https /a Bearer s3cr3t', 'https /b/ Bearer s3cr3t'])
  })

  test('that redirects to http:// of the same page for ever fails, and is never asked by http://', async () => {
    await using api = await redirecting((host) => `http://${host}/a`)
    await using client = clientOf(`https://${api.host}`)
    expect((await failure(client.get('/a'))).message).toBe(
      'GET /a was redirected 11 times: its redirects seem to form a loop',
    )
    expect(asked(api)).toEqual(Array.from({ length: 11 }, () => 'https /a Bearer s3cr3t'))
  })

  test.each(['http://localhost:1/x', 'http://127.0.0.1/x', 'http://localhost.evil.example/x'])(
    'refuses %s, which is another host or port',
    async (url) => {
      await using api = await twoSchemeServer(() => ({ json: [1] }))
      await using client = clientOf(`https://${api.host}`)
      expect((await failure(client.get(url))).message).toContain(`it is not on https://${api.host}.`)
      expect(api.requests).toEqual([])
    },
  )
})

describe('an API whose base is http://', () => {
  test('gets a link to https:// of its own host and port, with credentials', async () => {
    await using api = await twoSchemeServer(() => ({ json: [1] }))
    await using client = clientOf(`http://${api.host}`)
    expect((await client.get(`https://${api.host}/x`)).body).toEqual([1])
    expect(asked(api)).toEqual(['https /x Bearer s3cr3t'])
  })

  test('follows a redirect to https:// of its own host and port, with credentials', async () => {
    await using api = await redirecting((host) => `https://${host}/a/`)
    await using client = clientOf(`http://${api.host}`)
    expect((await client.get('/a')).url).toBe(`https://${api.host}/a/`)
    expect(asked(api)).toEqual(['http /a Bearer s3cr3t', 'https /a/ Bearer s3cr3t'])
  })

  test('that redirects to https:// and back for ever fails, and goes back to http:// never', async () => {
    await using api = await redirecting((host, { scheme }) => `${scheme === 'http' ? 'https' : 'http'}://${host}/a`)
    await using client = clientOf(`http://${api.host}`)
    expect((await failure(client.get('/a'))).message).toBe(
      'GET /a was redirected 11 times: its redirects seem to form a loop',
    )
    expect(api.requests.map(({ scheme }) => scheme)).toEqual(['http', ...Array.from({ length: 10 }, () => 'https')])
  })

  test('refuses https:// of another port', async () => {
    await using api = await twoSchemeServer(() => ({ json: [1] }))
    await using client = clientOf(`http://${api.host}`)
    expect((await failure(client.get('https://localhost:1/x'))).message).toContain('was not requested')
  })
})

test('pages that name the next one by http:// are all read by https://, with credentials', async () => {
  const known = { host: '' }
  await using api = await twoSchemeServer(({ url }) => {
    const page = Number(new URL(url, 'http://x').searchParams.get('page') ?? 1)
    return { json: { data: [{ id: page }], ...(page < 5 && { next: `http://${known.host}/rows?page=${page + 1}` }) } }
  })
  known.host = api.host
  process.env['OTHER_SCHEME_TOKEN'] = 's3cr3t'
  try {
    const rows = http(`https://${api.host}`, { auth: bearer(secret('OTHER_SCHEME_TOKEN')) })
      .get<{ data: { id: number }[]; next?: string }>('/rows')
      .pages(byNextUrl('next'))
      .records('data')
    const ids: unknown[] = []
    for await (const { id } of rows.into('t.rows', { key: 'id' }).rows()) ids.push(id)
    expect(ids.map(Number)).toEqual([1, 2, 3, 4, 5])
  } finally {
    delete process.env['OTHER_SCHEME_TOKEN']
  }
  expect(asked(api).every((one) => /^https \/rows\S* Bearer s3cr3t$/.test(one))).toBe(true)
})

test('a page that names itself by the other scheme is a circle, not a next page', async () => {
  const known = { host: '' }
  await using api = await twoSchemeServer(({ scheme }) => ({
    json: { data: [{ id: 1 }], next: `${scheme === 'http' ? 'https' : 'http'}://${known.host}/rows?page=1` },
  }))
  known.host = api.host
  const rows = http(`http://${api.host}`)
    .get<{ data: { id: number }[]; next: string }>('/rows')
    .pages(byNextUrl('next'))
    .records('data')
    .into('t.rows', { write: 'append' })
  const reading = (async () => {
    for await (const _ of rows.rows());
  })()
  expect((await failure(reading)).message).toContain('The paging goes in a circle')
  expect(api.requests).toHaveLength(2)
})
