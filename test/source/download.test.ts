// Files that records name by their URLs, which are signed anew for each request.
import { gzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { bearer, csv, describePipeline, http, onePage, path, pipeline, secret } from '../../src/index.ts'
import type { Position } from '../../src/model/page.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { readPages, recordsOf } from './read-pages.ts'

const linesOf = (from: number, to: number): string =>
  ['id,name', ...Array.from({ length: to - from }, (_, n) => `${from + n},name of ${from + n}`), ''].join('\n')
const idsOf = (records: readonly unknown[]): number[] => records.map((record) => Number((record as { id: string }).id))
const plain = { headers: { 'content-type': 'text/plain' } }
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

/** A storage that answers each signature only once. */
async function storage(): Promise<ApiServer> {
  const used = new Set<string>()
  return apiServer(({ path, query }) => {
    const signature = query.get('signature') ?? ''
    if (used.has(signature)) return { status: 403, json: { error: 'expired' } }
    used.add(signature)
    const body = path === '/a.csv' ? linesOf(0, 300) : linesOf(300, 600)
    return { headers: { 'content-type': 'text/csv' }, body }
  })
}

/** An API that signs the URLs of two files for each request. */
async function exporter(files: string): Promise<ApiServer> {
  let signatures = 0
  const url = (name: string): string => `${files}/${name}?signature=s1gned${(signatures += 1)}`
  return apiServer(() => ({ json: { state: 'done', files: [{ url: url('a.csv') }, { url: url('b.csv') }] } }))
}

interface Export {
  readonly state: string
  readonly files: { readonly url: string }[]
}

test('files of another origin get no credentials, and a slice resumes inside of them with new URLs', async () => {
  await using files = await storage()
  await using api = await exporter(files.origin)
  const options = { auth: bearer(secret('TOKEN')), allowedOrigins: [files.origin], maxPageSize: 1_000 }
  const flow = http(api.origin, options)
    .get<Export>('/export')
    .pages(onePage())
    .records('files')
    .download<{ id: string; name: string }>('url')
  for (const restart of ['page', 'slice'] as const) {
    const whole = await readPages(flow, { restart })
    expect(idsOf(recordsOf(whole))).toEqual(upTo(600))
    expect(whole.length).toBeGreaterThan(8)
    for (const stop of [1, 4, Math.ceil(whole.length / 2), whole.length - 2]) {
      const stopped = await readPages(flow, { pages: stop, restart })
      const position = JSON.parse(JSON.stringify(stopped.at(-1)?.position)) as Position
      expect(JSON.stringify(position)).not.toContain('s1gned')
      const rest = await readPages(flow, { position, restart })
      expect(idsOf([...recordsOf(stopped), ...recordsOf(rest)])).toEqual(upTo(600))
    }
  }
  expect(api.requests.every(({ headers }) => headers.authorization === 'Bearer t0ken')).toBe(true)
  expect(files.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(false)
})

test('a file of an origin that is not allowed is not requested', async () => {
  await using files = await storage()
  await using api = await exporter(files.origin)
  const flow = http(api.origin).get<Export>('/export').pages(onePage()).records('files').download('url')
  await expect(readPages(flow)).rejects.toThrow(`add ${files.origin} to the API's allowedOrigins`)
  expect(files.requests).toHaveLength(0)
})

test('the file of a body is read in its format, from where its records are', async () => {
  await using api = await apiServer(({ path }) =>
    path === '/export' ? { json: { result: { url: '/files/1' } } } : { body: gzipSync('a;b\n1;2\n') },
  )
  const flow = http(api.origin)
    .get<{ result: { url: string } }>('/export')
    .pages(onePage())
    .download<{ a: string; b: string }>('result.url', { format: csv({ delimiter: ';' }) })
    .map(({ a, b }) => ({ a, sum: Number(a) + Number(b) }))
  expect(recordsOf(await readPages(flow))).toEqual([{ a: '1', sum: 3 }])
  const made = pipeline('files', { streams: { rows: flow.into('files.rows', { key: 'a' }) } })
  expect(describePipeline(made)).toContain(
    'download the file at result.url, csv, delimiter ";", records: the body itself',
  )
})

test('a record without a URL is rejected, and the files of the others are read', async () => {
  await using api = await apiServer(({ path }) =>
    path === '/export' ? { json: [{ url: null }, { url: '/f.csv' }] } : { ...plain, body: 'a\n1\n' },
  )
  const flow = http(api.origin).get<{ url: string | null }[]>('/export').pages(onePage()).records().download('url')
  const pages = await readPages(flow)
  expect(recordsOf(pages)).toEqual([{ a: '1' }])
  expect(pages.flatMap(({ rejects }) => rejects)).toMatchObject([
    { stage: 'flatMap', reason: expect.stringContaining("'url' holds no URL of a file") },
  ])
})

test('a path through a list of files is no file, because only the last one would be read', async () => {
  await using api = await exporter('http://127.0.0.1:1')
  const flow = http(api.origin).get('/export').pages(onePage()).download('files.url')
  const pages = await readPages(flow)
  expect(pages.flatMap(({ rejects }) => rejects)).toMatchObject([
    { stage: 'flatMap', reason: expect.stringContaining("'files.url' leads through a list of 2 files") },
  ])
})

test('downloads may stand in children', async () => {
  await using api = await apiServer(({ path }) => {
    if (path === '/exports') return { json: [{ id: 1 }, { id: 2 }] }
    return path.endsWith('.csv') ? { ...plain, body: `n\n${path}\n` } : { json: { url: `${path}.csv` } }
  })
  const client = http(api.origin)
  const flow = client
    .get<{ id: number }[]>('/exports')
    .pages(onePage())
    .records()
    .flatMap(({ id }) =>
      client
        .get<{ url: string }>(path`/exports/${id}`)
        .pages(onePage())
        .download<{ n: string }>('url'),
    )
  expect(recordsOf(await readPages(flow))).toEqual([{ n: '/exports/1.csv' }, { n: '/exports/2.csv' }])
})
