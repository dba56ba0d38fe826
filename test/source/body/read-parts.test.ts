// Large bodies, from real responses to pages with positions inside the body.
import { createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { csv, http, ndjson, onePage, xml, zip, type Format } from '../../../src/index.ts'
import { PositionLostError } from '../../../src/model/errors.ts'
import type { Position } from '../../../src/model/page.ts'
import { apiServer, type ApiAnswer } from '../../support/api-server.ts'
import { zipOf } from '../../support/zip.ts'
import { readPages, recordsOf } from '../read-pages.ts'

const IDS = Array.from({ length: 400 }, (_, n) => String(n + 1))
const FILLER = 'é'.repeat(20)
const OBJECTS = IDS.map((id) => ({ id, name: `${FILLER} "${id}"` }))
const JSON_LIST = JSON.stringify(OBJECTS)
const lines = (rows: readonly string[]): string => rows.map((row) => `${row}\n`).join('')
const CSV = lines(['id,name', ...IDS.map((id) => `${id},"${FILLER} ""${id}"""`)])
const ELEMENTS = IDS.map((id) => `<row><id>${id}</id><name>${FILLER} &quot;${id}&quot;</name></row>`)
const XML = `<list>${ELEMENTS.join('')}</list>`

interface Case {
  readonly answer: ApiAnswer
  readonly format?: Format
  readonly path?: 'list.row' | 'data.items'
}
const typed = (type: string, body: string | Uint8Array, more: Partial<ApiAnswer> = {}): ApiAnswer => ({
  headers: { 'content-type': type },
  body,
  ...more,
})
const CASES: Readonly<Record<string, Case>> = {
  'JSON list': { answer: typed('application/json', JSON_LIST) },
  'JSON list at a path': {
    answer: typed('application/json', `{"n":1,"data":{"items":${JSON_LIST}},"end":true}`),
    path: 'data.items',
  },
  NDJSON: { answer: typed('application/x-ndjson', lines(OBJECTS.map((row) => JSON.stringify(row)))) },
  CSV: { answer: typed('text/csv', CSV) },
  'CSV in UTF-16': { answer: typed('text/plain', Buffer.from(CSV, 'utf16le')), format: csv({ encoding: 'utf-16le' }) },
  XML: { answer: typed('text/xml', XML), path: 'list.row' },
  'packed JSON': { answer: typed('application/json', JSON_LIST, { encoding: 'gzip' }) },
  'JSON packed with br': { answer: typed('application/json', JSON_LIST, { encoding: 'br' }) },
  'a gzip file': { answer: typed('application/gzip', gzipSync(CSV)), format: csv() },
  'a zip archive': {
    answer: typed(
      'application/zip',
      zipOf(
        {
          'a.csv': CSV.slice(0, CSV.indexOf('\n200,') + 1),
          'b.jsonl': lines(OBJECTS.slice(199).map((row) => JSON.stringify(row))),
        },
        { packed: true },
      ),
    ),
    format: zip(),
  },
}

/** A stream whose bodies are read in parts of 2,000 bytes. */
function flowOf(origin: string, { format, path }: Case, maxPageSize = 2_000) {
  const api = http(origin, { maxPageSize, attempts: 2 })
  const pages = api
    .get<{ list: { row: unknown[] }; data: { items: unknown[] } }>('/x', {}, format ? { format } : {})
    .pages(onePage())
  return path ? pages.records(path) : pages.records('' as 'data.items')
}

describe.each(Object.entries(CASES))('%s', (name, one) => {
  // An archive is read as a whole before its members are.
  const size = name === 'a zip archive' ? 12_000 : 2_000

  test('is read in parts, and a slice that stops after any part resumes behind it', async () => {
    await using server = await apiServer([one.answer])
    const flow = flowOf(server.origin, one, size)
    const whole = await readPages(flow)
    expect(whole.length).toBeGreaterThan(2)
    expect(recordsOf(whole)).toEqual(OBJECTS)
    expect(whole.at(-1)).toMatchObject({ position: { end: true }, completeness: { grade: 'ended' } })
    for (let stop = 1; stop < whole.length; stop += Math.ceil(whole.length / 6)) {
      const stopped = await readPages(flow, { pages: stop })
      const position = JSON.parse(JSON.stringify(stopped.at(-1)?.position)) as Position
      const rest = await readPages(flow, { position })
      expect([...recordsOf(stopped), ...recordsOf(rest)]).toEqual(OBJECTS)
      expect(rest.at(-1)?.completeness?.grade).toBe('ended')
    }
  })

  test('is requested again where it breaks off, and read on behind the last record', async () => {
    const body = Buffer.from(one.answer.body ?? '')
    await using server = await apiServer(({ index }) =>
      // A packed body is shorter than it looks.
      index < 1
        ? { ...one.answer, breakOff: Math.floor((body.length * 2) / (one.answer.encoding ? 60 : 3)) }
        : one.answer,
    )
    expect(recordsOf(await readPages(flowOf(server.origin, one, size)))).toEqual(OBJECTS)
    expect(server.requests).toHaveLength(2)
  })
})

const changed = (from: string, to: string): ApiAnswer => typed('text/csv', CSV.replace(from, to))

describe('a body that has changed', () => {
  test('before the stored position restarts the slice; behind it, it does not matter', async () => {
    let answer = typed('text/csv', CSV)
    await using server = await apiServer(() => answer)
    const flow = flowOf(server.origin, { answer })
    const stopped = await readPages(flow, { pages: 3 })
    const position = stopped.at(-1)?.position as Position
    const read = recordsOf(stopped).length
    answer = changed('\n2,', '\n0,')
    await expect(readPages(flow, { position })).rejects.toThrow(PositionLostError)
    await expect(readPages(flow, { position })).rejects.toThrow(`its first ${read} records have changed`)
    answer = changed('\n400,', '\n999,')
    expect(recordsOf(await readPages(flow, { position })).at(-1)).toMatchObject({ id: '999' })
    answer = typed('text/csv', CSV.slice(0, CSV.indexOf('\n3,') + 1))
    await expect(readPages(flow, { position })).rejects.toThrow(PositionLostError)
  })

  test('while it was read restarts the slice too', async () => {
    await using server = await apiServer(({ index }) =>
      index === 0 ? typed('text/csv', CSV, { breakOff: 9_000 }) : changed('\n2,', '\n0,'),
    )
    await expect(readPages(flowOf(server.origin, { answer: {} }))).rejects.toThrow(PositionLostError)
  })
})

/** Answers every request with these bytes, and closes the connection. */
async function rawServer(head: string, body: string): Promise<AsyncDisposable & { readonly origin: string }> {
  const server = createServer((socket: Socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${body}`))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    origin: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}

const half = (body: string): string => body.slice(0, body.length / 2)

describe('a body that ends too early is never done', () => {
  test.each<[string, string, string, Omit<Case, 'answer'>]>([
    ['a length that is not reached', `content-type: text/csv\r\ncontent-length: 99999`, half(CSV), {}],
    [
      'chunks without the last one',
      `content-type: text/csv\r\ntransfer-encoding: chunked`,
      `2000\r\n${CSV.slice(0, 0x2000)}`,
      {},
    ],
    ['a JSON list that is not closed', 'content-type: application/json', half(JSON_LIST), {}],
    ['XML that is not closed', 'content-type: text/xml', half(XML), { path: 'list.row' }],
    ['a quote that is not closed', 'content-type: text/csv', CSV.slice(0, CSV.indexOf('200,"') + 8), {}],
  ])('%s', async (_, head, body, one) => {
    await using server = await rawServer(`connection: close\r\n${head}`, body)
    await expect(readPages(flowOf(server.origin, { answer: {}, ...one }))).rejects.toThrow(
      /^GET \/x got no complete response: .*, gave up after 2 attempts$/,
    )
  })

  test('lines whose end only the connection states are open', async () => {
    await using server = await rawServer('connection: close\r\ncontent-type: text/csv', CSV)
    const pages = await readPages(flowOf(server.origin, { answer: {} }))
    expect(recordsOf(pages)).toEqual(OBJECTS)
    expect(pages.at(-1)?.completeness).toEqual({
      grade: 'open',
      reasons: [expect.stringMatching(/^GET \/x: the response states neither its length nor its end/)],
    })
  })
})

test('a total in a header, and a name beside the records that leads on, are compared with the records', async () => {
  const list = `{"list":{"row":${JSON_LIST},"next":"/x?page=2"}}`
  await using server = await apiServer(({ index }) =>
    index === 0
      ? typed('application/json', list)
      : { ...typed('text/csv', CSV), headers: { 'content-type': 'text/csv', 'x-total-count': '401' } },
  )
  const hinted = await readPages(flowOf(server.origin, { answer: {}, path: 'list.row' }))
  expect(hinted.at(-1)?.completeness?.reasons).toEqual([expect.stringContaining("The response has 'list.next'")])
  const counted = await readPages(flowOf(server.origin, { answer: {} }))
  expect(counted.at(-1)?.completeness?.reasons).toEqual([
    expect.stringContaining("400 records came, but the header 'x-total-count' states 401"),
  ])
})

test('all keys of a stated number of records prove that they were counted', async () => {
  await using server = await apiServer([
    { ...typed('text/csv', CSV), headers: { 'content-type': 'text/csv', 'x-total-count': '400' } },
  ])
  const pages = await readPages(flowOf(server.origin, { answer: {} }), { key: ['id'] })
  expect(pages.at(-1)?.completeness).toEqual({ grade: 'counted', reasons: [] })
})

test('a path that a large body does not have is an error, not a success without records', async () => {
  await using server = await apiServer([typed('application/json', `{"rows":[${JSON.stringify(OBJECTS[0])}]}`)])
  const flow = flowOf(server.origin, { answer: {}, path: 'data.items' }, 50)
  await expect(readPages(flow)).rejects.toThrow("beside the records at 'data.items'")
  await using large = await apiServer([typed('application/json', `{"rows":"${'x'.repeat(9_000_000)}"}`)])
  const missing = flowOf(large.origin, { answer: {}, path: 'data.items' }, 64_000_000)
  await expect(readPages(missing)).rejects.toThrow("'data.items': the body has no 'data', only rows")
})

test('a record that is larger than maxPageSize fails, however many small ones may come', async () => {
  await using server = await apiServer([typed('application/json', `[{"id":1},{"id":"${'x'.repeat(5_000)}"}]`)])
  await expect(readPages(flowOf(server.origin, { answer: {} }))).rejects.toThrow('a record of more than 2000 bytes')
})

test('values that JSON does not know, and rows that cannot be read, concern their records only', async () => {
  const bad = JSON_LIST.replace('"id":"7"', '"id":NaN')
  await using server = await apiServer(({ path }) =>
    path === '/x' ? typed('application/json', bad) : typed('text/csv', CSV.replace('\n7,', '\n7,x,')),
  )
  const records = recordsOf(await readPages(flowOf(server.origin, { answer: {} })))
  expect(records).toHaveLength(400)
  expect(records[6]).toMatchObject({ id: Number.NaN })
  const api = http(server.origin, { maxPageSize: 2_000 })
  const rejects = (await readPages(api.get<unknown[]>('/csv').pages(onePage()).records())).flatMap(
    (page) => page.rejects,
  )
  expect(rejects.map(({ reason }) => reason)).toEqual(['line 8 has 3 fields where 2 are expected'])
})

test('a rule that reads values of the body gets it as a whole', async () => {
  await using server = await apiServer([typed('application/json', JSON_LIST)])
  const api = http(server.origin, {
    responseRules: [{ body: { error: 'busy' }, action: 'retry' }],
    maxPageSize: 100_000,
  })
  expect(await readPages(api.get<unknown[]>('/x').pages(onePage()).records())).toHaveLength(1)
})

test('a small body of the same stream is one page', async () => {
  await using server = await apiServer([
    typed('application/x-ndjson', '{"id":1}\n'),
    typed('text/csv', 'id\n1\n', { encoding: 'gzip' }),
  ])
  for (const format of [ndjson(), csv()]) {
    const pages = await readPages(flowOf(server.origin, { answer: {}, format }))
    expect(pages).toHaveLength(1)
  }
  expect(xml()).toEqual({ type: 'xml' })
})
