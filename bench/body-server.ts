// One large body, in any format, made while it is sent.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const BODY_FORMATS = ['json', 'ndjson', 'csv', 'xml'] as const
export type BodyFormat = (typeof BODY_FORMATS)[number]

export interface BodyServer extends AsyncDisposable {
  readonly origin: string
  /** The number of records in the body of a format. */
  readonly recordsIn: (format: BodyFormat) => number
  /** Requests so far. */
  readonly requests: number
  /** Bodies stop after so many bytes, until their connection is closed. */
  holdAt: number
}

/** Beyond 2^53, so that a double would change it. */
export const FIRST_SERIAL = 9_007_199_254_740_993n
const TEXT = 'The quick brown fox jumps over the lazy dog, and says "ünïcode" & more <b>. '.repeat(4)
const XML_TEXT = TEXT.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
const CSV_TEXT = TEXT.replaceAll('"', '""')
const JSON_TEXT = JSON.stringify(TEXT)
const CHUNK_RECORDS = 200

interface Writing {
  readonly type: string
  readonly head: string
  readonly tail: string
  readonly record: (id: number, serial: bigint) => string
}

const at = (id: number): string => new Date(1_700_000_000_000 + id * 1_000).toISOString()

const WRITINGS: Readonly<Record<BodyFormat, Writing>> = {
  json: {
    type: 'application/json',
    head: '{"version":2,"items":[',
    tail: '],"complete":true}',
    record: (id, serial) =>
      `${id === 0 ? '' : ','}{"id":${id},"serial":${serial},"at":"${at(id)}","price":12.50,"text":${JSON_TEXT}}`,
  },
  ndjson: {
    type: 'application/x-ndjson',
    head: '',
    tail: '',
    record: (id, serial) => `{"id":${id},"serial":${serial},"at":"${at(id)}","price":12.50,"text":${JSON_TEXT}}\n`,
  },
  csv: {
    type: 'text/csv',
    head: 'id,serial,at,price,text\n',
    tail: '',
    record: (id, serial) => `${id},${serial},${at(id)},12.50,"${CSV_TEXT}"\n`,
  },
  xml: {
    type: 'application/xml',
    head: '<?xml version="1.0" encoding="utf-8"?><export><items>',
    tail: '</items></export>',
    record: (id, serial) =>
      `<item id="${id}"><serial>${serial}</serial><at>${at(id)}</at><price>12.50</price>` +
      `<text>${XML_TEXT}</text></item>`,
  },
}

/** Starts a server whose path `/json` and so on answers a body of about so many bytes. */
export async function serveBodies(bytes: number): Promise<BodyServer> {
  let requests = 0
  let holdAt = Infinity
  const recordsIn = (format: BodyFormat): number =>
    Math.ceil(bytes / Buffer.byteLength(WRITINGS[format].record(1_000_000, FIRST_SERIAL)))
  const server = createServer((request, response) => {
    requests += 1
    const format = (request.url ?? '').slice(1) as BodyFormat
    void send(response, WRITINGS[format], recordsIn(format), holdAt).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    recordsIn,
    get requests() {
      return requests
    },
    get holdAt() {
      return holdAt
    },
    set holdAt(value) {
      holdAt = value
    },
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function send(response: ServerResponse, writing: Writing, count: number, holdAt: number): Promise<void> {
  const { type, head, tail, record } = writing
  response.writeHead(200, { 'content-type': type, etag: '"one"' })
  let sent = 0
  const closed = once(response, 'close')
  const write = async (text: string): Promise<void> => {
    if (sent > holdAt) await closed
    if (response.destroyed) throw new Error('the client has left')
    sent += text.length
    if (!response.write(text)) await Promise.race([once(response, 'drain'), closed])
  }
  if (head !== '') await write(head)
  for (let from = 0; from < count; from += CHUNK_RECORDS) {
    let text = ''
    for (let id = from; id < Math.min(count, from + CHUNK_RECORDS); id += 1)
      text += record(id, FIRST_SERIAL + BigInt(id))
    await write(text)
  }
  response.end(tail)
}
