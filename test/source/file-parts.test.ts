// Files in a multipart form: sent as they are, with each page and each try, and in no position.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { expect, jest, test } from '@jest/globals'
import {
  awsSignature,
  byPage,
  describePipeline,
  filePart,
  fromData,
  http,
  onePage,
  pipeline,
  secret,
  signed,
  since,
  text,
  toData,
} from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { testDatabase } from '../support/database.ts'

jest.setTimeout(30_000)

interface Row {
  id: number
}
interface SentForm {
  readonly form: FormData
  readonly hash: string
  readonly headers: Readonly<Record<string, unknown>>
}

/** A server that reads bodies as bytes, by undici's parser as any other server would. */
async function formServer(answer: (sent: SentForm, index: number) => { status?: number; json?: unknown }) {
  const sent: SentForm[] = []
  const server = createServer((request, response) => {
    const reply = async (): Promise<void> => {
      const bytes = await buffer(request)
      const type = request.headers['content-type'] ?? ''
      const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData()
      const hash = createHash('sha256').update(bytes).digest('hex')
      const index = sent.push({ form, hash, headers: request.headers }) - 1
      const { status = 200, json = [] } = answer(sent[index] as SentForm, index)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
    }
    void reply()
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  return { origin, sent, [Symbol.asyncDispose]: async () => void server.close() }
}

/** What a part of a form is. A file without a name is text to the parser. */
async function partOf(value: ReturnType<FormData['get']>): Promise<unknown> {
  if (value === null || typeof value === 'string') return value
  return [value.name, value.type, Buffer.from(await value.arrayBuffer()).toString('latin1')]
}

const BYTES = Uint8Array.from([0, 255, 13, 10, 45, 45, 128])

test('a file is sent byte for byte behind the fields, again after a failure, and is signed so', async () => {
  const signedHashes: string[] = []
  await using api = await formServer((_, index) => (index === 0 ? { status: 503 } : { json: [{ id: 1 }] }))
  const sign = signed([], ({ bytes }) => {
    signedHashes.push(createHash('sha256').update(bytes).digest('hex'))
    return {}
  })
  let calls = 0
  const rows = http(api.origin, { attempts: 2, auth: sign })
    .post<Row[]>('/match', {
      multipart: {
        image: filePart(BYTES, { filename: 'a "b".png', contentType: 'image/png' }),
        lines: [filePart('1\n2\n'), filePart(async () => `ä${(calls += 1)}`, { filename: 'c.txt' })],
        meta: filePart('{"a":1}', { filename: false, contentType: 'application/json' }),
        kind: 'x\ny',
      },
    })
    .pages(onePage())
    .records()
    .into('t.rows', { key: 'id' })
  for await (const { id } of rows.rows()) expect(id).toBe(1)
  const [first, second] = api.sent
  expect(second?.hash).toBe(first?.hash)
  expect(signedHashes).toEqual([first?.hash, second?.hash])
  const entries = await Promise.all([...(second?.form ?? [])].map(async ([name, value]) => [name, await partOf(value)]))
  expect(entries).toEqual([
    ['kind', 'x\r\ny'],
    ['image', ['a "b".png', 'image/png', Buffer.from(BYTES).toString('latin1')]],
    ['lines', ['lines', 'text/plain; charset=utf-8', '1\n2\n']],
    ['lines', ['c.txt', 'text/plain; charset=utf-8', Buffer.from('ä1').toString('latin1')]],
    ['meta', '{"a":1}'],
  ])
})

test('AWS signs the bytes of a file, and a function that takes them for text is refused', async () => {
  await using api = await formServer(() => ({ json: [] }))
  const read = async (auth: Parameters<typeof http>[1] & {}): Promise<void> => {
    const rows = http(api.origin, { attempts: 1, ...auth })
      .post<Row[]>('/match', { multipart: { image: filePart(BYTES) } })
      .pages(onePage())
      .records()
    for await (const _ of rows.into('t.rows', { key: 'id', allowEmpty: true }).rows()) break
  }
  await expect(
    read({ auth: signed([], ({ body }) => ({ headers: { 'x-length': `${body.length}` } })) }),
  ).rejects.toThrow('Sign request.bytes instead of request.body')
  process.env['FILE_PARTS_KEY'] = 'key'
  const key = secret('FILE_PARTS_KEY')
  await read({ auth: awsSignature({ service: 's3', region: 'r', accessKeyId: key, secretAccessKey: key }) })
  expect(api.sent[0]?.headers['x-amz-content-sha256']).toBe(api.sent[0]?.hash)
})

test('an interrupted reading sends the file with its next page, and the ledger does not hold it', async () => {
  let isBroken = true
  await using api = await formServer(({ form }) => {
    const page = Number(form.get('page'))
    return page === 2 && isBroken ? { status: 500 } : { json: [{ id: page }] }
  })
  await using target = await testDatabase()
  const rows = http(api.origin, { attempts: 1 })
    .post<Row[]>('/list', { multipart: { ids: filePart('the content'), more: filePart(() => 'called') } })
    .pages(byPage('page', { max: 3 }))
    .records()
  const flow = pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
  expect((await runPipeline(flow, { database: target.url })).streams.rows.status).toBe('failed')
  const stored = await target.database.query('select position::text, definition from sluice.slices')
  expect(JSON.stringify(stored)).toContain('page')
  expect(JSON.stringify(stored)).not.toContain('the content')
  isBroken = false
  expect((await runPipeline(flow, { database: target.url })).streams.rows).toMatchObject({
    status: 'done',
    counts: { inserted: 2 },
  })
  for (const { form } of api.sent) {
    expect(await partOf(form.get('ids'))).toEqual(['ids', 'text/plain; charset=utf-8', 'the content'])
    expect(await partOf(form.get('more'))).toEqual(['more', 'text/plain; charset=utf-8', 'called'])
  }
})

test('a file may have bounds, and is left out while the range has no such end', async () => {
  await using api = await formServer(() => ({ json: [{ id: 1, at: '2026-01-02T00:00:00Z' }] }))
  await using target = await testDatabase()
  const rows = http(api.origin, { attempts: 1 })
    .post<(Row & { at: string })[]>('/search', {
      multipart: { query: filePart(text`{"from":"${since}"}`, { contentType: 'application/json' }), limit: 10 },
    })
    .pages(onePage())
    .records()
    .incremental('at', { lookback: 0 })
  const flow = pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
  await runPipeline(flow, { database: target.url })
  await runPipeline(flow, { database: target.url })
  expect(await Promise.all(api.sent.map(({ form }) => partOf(form.get('query'))))).toEqual([
    null,
    ['query', 'application/json', '{"from":"2026-01-02T00:00:00Z"}'],
  ])
  expect([...(api.sent[1]?.form.keys() ?? [])]).toEqual(['limit', 'query'])
})

test('bytes are data as all else, and a description names the files', async () => {
  await using api = await formServer(() => ({ json: [{ id: 1 }] }))
  await using target = await testDatabase()
  const rows = http(api.origin)
    .post<Row[]>('/x', { multipart: { image: filePart(BYTES, { filename: 'a.png' }) } })
    .pages(onePage())
    .records()
  const flow = pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
  expect(describePipeline(flow)).toContain('/x multipart {} files {image=a.png}')
  const again = fromData(JSON.parse(JSON.stringify(toData(flow))) as ReturnType<typeof toData>)
  await runPipeline(again, { database: target.url })
  expect(await partOf(api.sent[0]?.form.get('image') ?? null)).toEqual([
    'a.png',
    'application/octet-stream',
    Buffer.from(BYTES).toString('latin1'),
  ])
})

test('the content of a file tells the equal records of two parents apart; a function cannot', async () => {
  await using api = await formServer(({ form }) => ({
    json: form.has('ids') ? [{ at: '2026-01-01T00:00:00Z' }] : [{ id: 1 }, { id: 2 }],
  }))
  await using target = await testDatabase()
  const source = http(api.origin, { attempts: 1 })
  const flow = (file: (id: number) => ReturnType<typeof filePart>) =>
    pipeline('p', {
      streams: {
        rows: source
          .post<Row[]>('/parents', { multipart: { a: 'b' } })
          .pages(onePage())
          .records()
          .flatMap(({ id }) =>
            source
              .post<{ at: string }[]>('/children', { multipart: { ids: file(id) } })
              .pages(onePage())
              .records()
              .incremental('at'),
          )
          .into('t.rows', { write: 'append' }),
      },
    })
  const text = flow((id) => filePart(`${id}`))
  for (const inserted of [2, 0])
    expect((await runPipeline(text, { database: target.url })).streams.rows).toMatchObject({
      status: 'done',
      counts: { inserted },
    })
  const byFunction = await runPipeline(
    flow((id) => filePart(() => `${id}`)),
    { database: target.url },
  )
  expect(byFunction.streams.rows).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('multipart.ids: beneath .flatMap() the content of a file is text or bytes'),
  })
})

const wrong = (value: unknown): never => value as never
const broken = (): never => {
  throw new Error('no such file')
}

test('what is no file, and a file where none can stand, is refused', async () => {
  const api = http('http://localhost:1', { attempts: 1 })
  expect(() => filePart(wrong(5))).toThrow('its content is text, bytes (a Uint8Array), or a function')
  expect(() => filePart('a', wrong({ name: 'b' }))).toThrow('Did you mean "filename"?')
  expect(() => filePart('a', { filename: '' })).toThrow('filename is a text, or false for none, not ""')
  expect(() => filePart('a', { contentType: 'a\r\nx: y' })).toThrow('in one line')
  const multipart = wrong({ a: [filePart('a'), 'b'] })
  expect(() => api.post('/x', { multipart })).toThrow('multipart.a has files beside other values')
  expect(() => api.post('/x', { multipart: { a: [filePart(since)] } })).toThrow('stands alone, not in a list')
  const read = async (options: object): Promise<void> => {
    const rows = api.post<Row[]>('/x', options).pages(onePage()).records()
    for await (const _ of rows.into('t.rows', { key: 'id' }).rows()) break
  }
  await expect(read({ multipart: () => ({ a: filePart('a') }) })).rejects.toThrow('a: a file stands in multipart')
  await expect(read({ form: { a: filePart('a') } })).rejects.toThrow('a: a file stands in multipart')
  await expect(read({ multipart: { a: filePart(wrong(() => 5)) } })).rejects.toThrow('must return text or bytes')
  await expect(read({ multipart: { a: filePart(broken) } })).rejects.toThrow(
    'POST /x: the file of multipart.a: its function threw: no such file',
  )
})
