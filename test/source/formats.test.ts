// Bodies of all formats, from real responses to the records of pages.
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { byLinkHeader, byNextUrl, csv, http, json, ndjson, onePage, xml, zip, type Format } from '../../src/index.ts'
import { apiServer, type ApiAnswer } from '../support/api-server.ts'
import { zipOf } from '../support/zip.ts'
import { readPages, recordsOf } from './read-pages.ts'

const ROWS = [
  { id: '1', name: 'Müller' },
  { id: '2', name: 'x, y' },
]
const CSV = 'id,name\n1,Müller\n2,"x, y"\n'
const NDJSON = ROWS.map((row) => `${JSON.stringify(row)}\n`).join('')

const typed = (type: string, body: string | Uint8Array): ApiAnswer => ({ headers: { 'content-type': type }, body })

/** Reads all records of one response. */
async function recordsIn(answer: ApiAnswer, { path = '/x', format }: { path?: string; format?: Format } = {}) {
  await using server = await apiServer([answer])
  const flow = http(server.origin, { attempts: 1 })
    .get<unknown[]>(path as '/x', {}, format ? { format } : {})
    .pages(onePage())
    .records()
  return recordsOf(await readPages(flow))
}

describe('a body is read by the content type of its response', () => {
  test.each([
    ['text/csv; charset=utf-8', CSV],
    ['text/csv; charset=iso-8859-1', Buffer.from(CSV, 'latin1')],
    ['text/csv; charset=utf-16le', Buffer.from(CSV, 'utf16le')],
    ['text/tab-separated-values', 'id\tname\n1\tMüller\n2\tx, y\n'],
    ['application/x-ndjson', NDJSON],
    ['application/jsonl', NDJSON],
    ['application/zip', zipOf({ 'a.csv': CSV })],
    // The body decides, as with JSON of a wrong type.
    ['text/csv', JSON.stringify(ROWS)],
    ['text/xml', JSON.stringify(ROWS)],
    ['application/x-ndjson', JSON.stringify(ROWS)],
    ['text/plain', JSON.stringify(ROWS)],
  ])('%s', async (type, body) => {
    expect(await recordsIn(typed(type, body))).toEqual(ROWS)
  })
})

test.each([
  ['/export.csv', 'application/octet-stream', CSV],
  ['/export.csv.gz', 'application/gzip', gzipSync(CSV)],
  ['/export.jsonl.gz', 'application/x-gzip', gzipSync(NDJSON)],
  ['/export.ndjson', 'binary/octet-stream', NDJSON],
])('a file %s of type %s is read by its name', async (path, type, body) => {
  expect(await recordsIn(typed(type, body), { path })).toEqual(ROWS)
})

test('a body packed by content-encoding is unpacked first', async () => {
  expect(await recordsIn({ ...typed('text/csv', CSV), encoding: 'gzip' })).toEqual(ROWS)
})

test('the word on the request decides, and says what it accepts', async () => {
  await using server = await apiServer([typed('text/plain', 'id;name\n1;"Müller"\n2;"x, y"\n')])
  const flow = http(server.origin)
    .get<unknown[]>('/x', {}, { format: csv({ delimiter: ';' }) })
    .pages(onePage())
    .records()
  expect(recordsOf(await readPages(flow))).toEqual(ROWS)
  expect(server.requests[0]?.headers.accept).toBe('text/csv, */*;q=0.5')
})

test('a header of the request is sent instead of the one of its format', async () => {
  await using server = await apiServer([typed('text/csv', CSV)])
  const options = { format: csv(), headers: { Accept: 'application/vnd.rows' } }
  await readPages(http(server.origin).get<unknown[]>('/x', {}, options).pages(onePage()).records())
  expect(server.requests[0]?.headers.accept).toBe('application/vnd.rows')
})

test('rows and lines that cannot be read are rejects, and the others are read', async () => {
  await using server = await apiServer(({ path }) =>
    path === '/csv' ? typed('text/csv', 'a,b\n1,2\n3\n4,5\n') : typed('application/jsonl', '{"a":1}\noops\n{"a":2}\n'),
  )
  const api = http(server.origin)
  const [rows] = await readPages(api.get<unknown[]>('/csv').pages(onePage()).records())
  expect(rows).toMatchObject({
    records: [
      { a: '1', b: '2' },
      { a: '4', b: '5' },
    ],
    counts: { fetched: 3, rejected: 1 },
    rejects: [
      {
        stage: 'read',
        reason: 'line 3 has 1 field where 2 are expected',
        record: { line: 3, fields: ['3'] },
      },
    ],
  })
  const [lines] = await readPages(api.get<unknown[]>('/lines').pages(onePage()).records())
  expect(lines).toMatchObject({
    records: [{ a: 1 }, { a: 2 }],
    rejects: [{ stage: 'read', reason: /^line 2 is no JSON/, record: { line: 2, text: 'oops' } }],
  })
})

test('fetch() fails at a row that cannot be read', async () => {
  await using server = await apiServer([typed('text/csv', 'a,b\n1\n')])
  const { signal } = new AbortController()
  await expect(http(server.origin).get<unknown[]>('/x').fetch({ signal })).rejects.toThrow('line 2 has 1 field')
})

test('pages of CSV follow a Link header', async () => {
  await using server = await apiServer(({ query }) => {
    const page = Number(query.get('page') ?? 1)
    const link = { link: `</x?page=${page + 1}>; rel="next"` }
    return { headers: { 'content-type': 'text/csv', ...(page < 3 && link) }, body: `id\n${page}\n` }
  })
  const flow = http(server.origin).get<unknown[]>('/x').pages(byLinkHeader()).records()
  expect(recordsOf(await readPages(flow))).toEqual([{ id: '1' }, { id: '2' }, { id: '3' }])
})

test('pages of XML follow a URL in the body, whether they have many records, one or none', async () => {
  await using server = await apiServer(({ query }) => {
    const page = Number(query.get('page') ?? 1)
    const entries = ['<entry id="1"/><entry id="2"/>', '<entry id="3"/>', ''][page - 1]
    const next = page < 3 ? `<next>/x?page=${page + 1}</next>` : ''
    return typed('application/atom+xml', `<feed>${entries}${next}</feed>`)
  })
  const flow = http(server.origin)
    .get<{ feed: { entry: { '@id': string }[]; next?: string } }>('/x')
    .pages(byNextUrl('feed.next'))
    .records('feed.entry')
  expect(recordsOf(await readPages(flow))).toEqual([{ '@id': '1' }, { '@id': '2' }, { '@id': '3' }])
})

test('a path that no element has is an error that names what is there', async () => {
  await using server = await apiServer([typed('text/xml', '<feed><item/></feed>')])
  const api = http(server.origin, { attempts: 1 })
  const read = readPages(api.get<{ rss: { item: unknown[] } }>('/x').pages(onePage()).records('rss.item'))
  await expect(read).rejects.toThrow("'rss.item': the body has no 'rss', only feed")
})

describe('zip', () => {
  const archive = zipOf({ 'data/a.csv': 'id\n1\n', 'readme.txt': 'hello', 'data/b.csv': 'id\n2\n' })
  test('the records of all members that match are read, in their order', async () => {
    expect(await recordsIn(typed('application/zip', archive), { format: zip({ member: 'data/*.csv' }) })).toEqual([
      { id: '1' },
      { id: '2' },
    ])
  })
  test('the format of the members may be named', async () => {
    const format = zip({ member: '*.txt', format: csv() })
    expect(await recordsIn(typed('application/zip', zipOf({ 'a.txt': 'id\n7\n' })), { format })).toEqual([{ id: '7' }])
  })
  test.each<[string, Buffer, Format, string]>([
    ['no member matches', archive, zip({ member: '*.json' }), 'without a member "*.json"; it has data/a.csv'],
    ['it is cut', archive.subarray(0, -30), zip(), 'a zip archive that cannot be read'],
    ['a member is damaged', damaged(archive, 'id\n2'), zip({ member: '*.csv' }), 'has another checksum than it states'],
  ])('it fails if %s', async (_, body, format, message) => {
    await expect(recordsIn(typed('application/zip', body), { format })).rejects.toThrow(message)
  })
})

/** Changes a byte of a text in an archive whose members are not packed. */
function damaged(archive: Buffer, text: string): Buffer {
  const bytes = Buffer.from(archive)
  bytes[bytes.indexOf(text)] = 0x49
  return bytes
}

test.each<[Format | undefined, string, string]>([
  [ndjson(), 'x\u0000', ''],
  [json({ encoding: 'latin1' }), '[{"a":"\u00fc"}]', 'ü'],
])('%j reads what its name says', async (format, body, text) => {
  const answer = typed('text/csv', Buffer.from(body, 'latin1'))
  const records = await recordsIn(answer, format ? { format } : {})
  expect(records).toEqual(text === '' ? [] : [{ a: text }])
})

test('a broken body is requested again, and then fails with what came', async () => {
  await using server = await apiServer([typed('text/xml', '<a><b></a>'), typed('text/xml', '<a><b/></a>')])
  const flow = http(server.origin, { attempts: 2 })
    .get<{ a: { b: unknown[] } }>('/x', {}, { format: xml() })
    .pages(onePage())
    .records('a.b')
  expect(recordsOf(await readPages(flow))).toEqual([''])
  expect(server.requests).toHaveLength(2)
  await using broken = await apiServer([typed('text/xml', '<a><b></a>')])
  const read = http(broken.origin, { attempts: 1 }).get<{ a: { b: unknown[] } }>('/x').pages(onePage()).records('a.b')
  await expect(readPages(read)).rejects.toThrow('GET /x answered 200 with XML that is not valid in line 1')
})
