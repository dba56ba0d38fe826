import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DataSet } from './records.ts'

/** One response in the log of the API. */
export interface Served {
  readonly n: number
  readonly stream: 'items' | 'folders' | 'notes'
  readonly folder: number | undefined
  /** The number of records before it in its list. */
  readonly offset: number
  readonly since: string | undefined
  readonly records: number
  /** The whole body was handed to the network, and it was a right one. */
  complete: boolean
}

/** A fault that the API has instead of a response. */
export type Fault =
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    }
  | { readonly kind: 'reset' | 'truncated' | 'html' }

export interface ApiOptions {
  /** Asked at each request; the n-th since the server has been opened. */
  fault?: (request: { readonly n: number; readonly url: URL }) => Fault | undefined
  /** Before an answer leaves, and after it has; `run` is the name of the run that has asked. */
  before?: (n: number, run: string) => void | Promise<void>
  after?: (n: number) => void
  /** Milliseconds before each answer. @default 2 */
  readonly latency?: number
}

/**
 * A real HTTP server with two lists paged by cursor, the second one below each of the records of a third. It logs what
 * it has served.
 */
export class Api implements AsyncDisposable {
  readonly log: Served[] = []
  /** Requests being answered now. */
  under = 0
  readonly options: ApiOptions
  data: DataSet
  readonly #server: Server
  #requests = 0

  private constructor(data: DataSet, options: ApiOptions) {
    this.data = data
    this.options = options
    this.#server = createServer(
      { keepAliveTimeout: 60_000 },
      (request, response) => void this.#answer(request, response),
    )
  }

  static async open(data: DataSet, options: ApiOptions = {}): Promise<Api> {
    const api = new Api(data, options)
    api.#server.listen(0, '127.0.0.1')
    await once(api.#server, 'listening')
    return api
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get requests(): number {
    return this.#requests
  }

  /** Returns the complete responses since the log had this length. */
  served(stream: Served['stream'], from = 0): Served[] {
    return this.log.slice(from).filter((answer) => answer.stream === stream && answer.complete)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const n = ++this.#requests
    const url = new URL(request.url ?? '/', 'http://api')
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    this.under++
    try {
      await this.options.before?.(n, String(request.headers['x-run']))
      await sleep(this.options.latency ?? 2)
      const fault = this.options.fault?.({ n, url })
      if (fault?.kind === 'status') return void response.writeHead(fault.status, fault.headers).end(fault.body ?? '')
      if (fault?.kind === 'html')
        return void response
          .writeHead(200, { 'content-type': 'text/html' })
          .end('<!doctype html><title>Please log in</title>')
      if (fault?.kind === 'reset') return void request.socket.resetAndDestroy()
      const { served, body } = this.#page(n, url)
      const bytes = Buffer.from(JSON.stringify(body))
      if (fault?.kind === 'truncated') {
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
          .write(bytes.subarray(0, bytes.length >> 1), () => request.socket.destroy())
        return
      }
      this.log.push(served)
      if (gone.signal.aborted) return
      response.once('finish', () => (served.complete = true))
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
        .end(bytes, () => this.options.after?.(n))
    } finally {
      this.under--
    }
  }

  #page(n: number, url: URL): { served: Served; body: object } {
    const [, first, folder, second] = url.pathname.split('/')
    const stream = (second ?? first) as Served['stream']
    const offset = Number(url.searchParams.get('cursor')?.slice(1) ?? 0)
    const since = url.searchParams.get('updated_since') ?? undefined
    const list = this.#list(stream, folder === undefined ? undefined : Number(folder)).filter(
      (record) => since === undefined || !('updated' in record) || Date.parse(record.updated) >= Date.parse(since),
    )
    const size = this.data.pages[stream]
    const records = list.slice(offset, offset + size)
    // Items go on until a page is empty, as in many an API; the others say which page is their last.
    const hasMore = stream === 'items' ? records.length === size : offset + size < list.length
    return {
      served: {
        n,
        stream,
        folder: folder === undefined ? undefined : Number(folder),
        offset,
        since,
        records: records.length,
        complete: false,
      },
      body: { [stream]: records, next: hasMore ? `c${offset + size}` : null },
    }
  }

  #list(stream: Served['stream'], folder: number | undefined): readonly (object | { updated: string })[] {
    if (stream === 'items') return this.data.items
    if (stream === 'folders') return this.data.folders
    const notes = this.data.notes.get(folder ?? Number.NaN)
    if (!notes) throw new Error(`The harness's API has no folder ${folder}`)
    return notes
  }
}
