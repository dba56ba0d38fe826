import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'

/** A request that the server received. */
export interface ApiRequest {
  /** Counted from 0. */
  readonly index: number
  readonly method: string
  /** The path and the query, as they were sent. */
  readonly url: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A response. Without members it is 200 with an empty body. */
export interface ApiAnswer {
  /** @default 200 */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly json?: unknown
  /** A body instead of `json`. Its content type is text/html, unless `headers` has another. */
  readonly body?: string | Uint8Array
  /** Compress the body. */
  readonly encoding?: 'gzip' | 'br' | 'zstd'
  /** Close the connection after this number of bytes of the body. */
  readonly breakOff?: number
  /** Never respond. `'body'` sends the headers, and never ends the body. */
  readonly hang?: true | 'body'
  /** Writes the response instead. */
  readonly raw?: (response: ServerResponse) => void
}

export interface ApiServer extends AsyncDisposable {
  readonly origin: string
  readonly requests: readonly ApiRequest[]
  /** The most requests that were under way at once. */
  readonly mostAtOnce: number
  /** Connections that were opened. */
  readonly connections: number
}

export type ApiHandler = (request: ApiRequest) => ApiAnswer | Promise<ApiAnswer>

const packers = {
  gzip: (bytes: Buffer) => gzipSync(bytes, { level: 1 }),
  br: (bytes: Buffer) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  zstd: (bytes: Buffer) => zstdCompressSync(bytes),
}

/** Starts a real HTTP server that logs its requests. A list of responses is sent in order, the last one repeatedly. */
export async function apiServer(answers: ApiHandler | readonly ApiAnswer[]): Promise<ApiServer> {
  const handler: ApiHandler =
    typeof answers === 'function' ? answers : ({ index }) => answers[Math.min(index, answers.length - 1)] ?? {}
  const requests: ApiRequest[] = []
  let underWay = 0
  let mostAtOnce = 0
  let connections = 0
  const server = createServer((incoming, response) => {
    mostAtOnce = Math.max(mostAtOnce, (underWay += 1))
    response.on('close', () => {
      underWay -= 1
    })
    const answer = async (): Promise<void> => {
      const { method = '', url = '', headers } = incoming
      const { pathname: path, searchParams: query } = new URL(url, 'http://localhost')
      const body = await text(incoming)
      const request = { index: requests.length, method, url, path, query, headers, body }
      requests.push(request)
      send(response, await handler(request))
    }
    answer().catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else response.writeHead(500, { 'content-type': 'text/plain' }).end(`the test's handler failed: ${String(error)}`)
    })
  })
  server.on('connection', () => {
    connections += 1
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get mostAtOnce() {
      return mostAtOnce
    },
    get connections() {
      return connections
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function send(
  response: ServerResponse,
  { status = 200, headers = {}, json, body, encoding, breakOff, hang, raw }: ApiAnswer,
): void {
  if (hang === true) return
  if (raw) return raw(response)
  const plain = Buffer.from(body ?? (json === undefined ? '' : JSON.stringify(json)))
  const bytes = encoding ? packers[encoding](plain) : plain
  response.writeHead(status, {
    ...(json === undefined
      ? body !== undefined && { 'content-type': 'text/html' }
      : { 'content-type': 'application/json' }),
    'content-length': String(bytes.length),
    ...(encoding && { 'content-encoding': encoding }),
    ...(headers as Record<string, string | string[]>),
  })
  if (hang === 'body') response.write(bytes.subarray(0, Math.max(1, bytes.length - 1)))
  else if (breakOff !== undefined) response.write(bytes.subarray(0, breakOff), () => response.destroy())
  else response.end(bytes)
}
