import type { Dispatcher } from 'undici'
import { onAbort } from '../../flow/signals/on-abort.ts'
import type { ApiResponse } from '../../model/request.ts'
import { BodySource, type BodySourceOptions } from '../parts/body-source.ts'
import type { BodyBuffers } from './body-buffers.ts'

type Headers = ApiResponse<unknown>['headers']

/** An unwanted body is read up to these limits to keep its connection. Beyond them a new connection costs less. */
const MAX_DISCARDED = { bytes: 65_536, ms: 2_000 }

export interface BodyLimit {
  readonly bytes: number
  /** Returns the error of a body beyond the limit. @default no error: the body is cut there */
  readonly tooLarge?: () => Error
  /** Called with the number of bytes received so far. */
  readonly onBytes?: (bytes: number) => void
  /** Source of the buffer for a body of known length; the caller releases it. @default a new buffer */
  readonly buffers?: BodyBuffers
}

/** The response is returned as soon as its head has come, and its body is taken while it is received. */
export interface OpenBody {
  readonly open: BodySourceOptions
}

export interface ReceiveOptions {
  /** Called for the head of the response. Returns the limit of its body, or undefined if the body is not wanted. */
  readonly limitOf: (status: number, headers: Headers) => BodyLimit | OpenBody | undefined
  readonly signal: AbortSignal
}

export interface RawResponse {
  readonly status: number
  readonly headers: Headers
  /** The values of `set-cookie`, which cannot be told apart in `headers`. */
  readonly setCookies: readonly string[]
  /** As received, still compressed. Undefined if the body was not wanted. */
  readonly bytes: Buffer | undefined
  /** The body is longer than its limit, and only its beginning was received. */
  readonly isCut?: true
  /** The body while it is received. `bytes` is undefined then. */
  readonly source?: BodySource
}

/**
 * Sends one request and receives its whole response. Every body is read to its end or cancelled, because an unread one
 * would occupy its connection for ever.
 *
 * It does without undici's own `request`, which makes a stream of each body: a page is kept in memory as a whole
 * anyway, and a request costs 100 µs instead of 150 µs.
 */
export async function receive(
  agent: Dispatcher,
  request: Dispatcher.DispatchOptions,
  options: ReceiveOptions,
): Promise<RawResponse> {
  options.signal.throwIfAborted()
  const receiver = new Receiver(options)
  agent.dispatch(request, receiver)
  return receiver.response
}

class Receiver implements Dispatcher.DispatchHandler {
  readonly #options: ReceiveOptions
  readonly #result = Promise.withResolvers<RawResponse>()
  readonly #abortListener: Disposable
  #isEnded = false
  #controller: Dispatcher.DispatchController | undefined
  #head: Pick<RawResponse, 'status' | 'headers' | 'setCookies'> | undefined
  /** Undefined while the body is discarded. */
  #limit: BodyLimit | undefined
  #discardTimer: NodeJS.Timeout | undefined
  /** Holds a body of known length. Another one is joined from its chunks at the end. */
  #body: Buffer | undefined
  #chunks: Buffer[] = []
  #bytes = 0
  #source: BodySource | undefined

  constructor(options: ReceiveOptions) {
    this.#options = options
    this.#abortListener = onAbort(options.signal, (reason) => this.#cancel(reason))
  }

  get response(): Promise<RawResponse> {
    return this.#result.promise
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // The caller may have been cancelled while the request waited for a connection.
    if (this.#isEnded) controller.abort(new DOMException('The request was cancelled', 'AbortError'))
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    rawHeaders: Parameters<typeof headersOf>[0],
  ): void {
    if (status < 200) return
    const headers = headersOf(rawHeaders)
    const limit = this.#options.limitOf(status, headers)
    const head = { status, headers, setCookies: [rawHeaders['set-cookie'] ?? []].flat() }
    this.#head = head
    if (this.#isEnded) return
    if (limit && 'open' in limit) {
      const source = new BodySource(controller, limit.open)
      this.#source = source
      return this.#settle(() => this.#result.resolve({ ...head, bytes: undefined, source }))
    }
    this.#limit = limit
    if (!this.#limit) {
      this.#discardTimer = setTimeout(() => this.#cancel(undefined), MAX_DISCARDED.ms)
      return
    }
    const length = Number(headers['content-length'])
    if (length > this.#limit.bytes) this.#refuseLonger()
    else if (length > 0) this.#body = this.#limit.buffers?.acquire(length)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#source) return this.#source.push(chunk)
    if (this.#isEnded) return
    const offset = this.#bytes
    this.#bytes += chunk.length
    if (!this.#limit) {
      if (this.#bytes > MAX_DISCARDED.bytes) this.#cancel(undefined)
      return
    }
    if (this.#bytes > this.#limit.bytes) {
      this.#chunks.push(chunk.subarray(0, this.#limit.bytes - offset))
      this.#refuseLonger()
      this.#cut()
      return
    }
    if (this.#body) this.#body.set(chunk, offset)
    else this.#chunks.push(chunk)
    this.#limit.onBytes?.(this.#bytes)
  }

  onResponseEnd(): void {
    if (this.#source) return this.#source.end()
    const head = this.#head
    if (!head) return this.onResponseError(undefined, new Error('The response has no status'))
    const bytes = this.#limit && this.#joined()
    this.#settle(() => this.#result.resolve({ ...head, bytes }))
  }

  /** Resolves if only a discarded body failed: its response is complete without it. */
  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: unknown): void {
    if (this.#source) return this.#source.fail(error)
    const { resolve, reject } = this.#result
    const head = this.#limit ? undefined : this.#head
    this.#settle(() => (head ? resolve({ ...head, bytes: undefined }) : reject(error)))
  }

  /** Fails if a body beyond the limit is an error. */
  #refuseLonger(): void {
    if (this.#limit?.tooLarge) this.#cancel(this.#limit.tooLarge())
  }

  /** Ends the response with the beginning of its body. */
  #cut(): void {
    const head = this.#head
    const bytes = Buffer.concat(this.#chunks)
    if (head) this.#settle(() => this.#result.resolve({ ...head, bytes, isCut: true }))
    this.#cancel(undefined)
  }

  #joined(): Buffer {
    const [first, ...others] = this.#chunks
    if (first) return others.length === 0 ? first : Buffer.concat(this.#chunks, this.#bytes)
    // 204 and 304 may state a length without having a body. The rest of the buffer is then from an earlier body.
    return this.#body?.length === this.#bytes ? this.#body : (this.#body ?? Buffer.alloc(0)).subarray(0, this.#bytes)
  }

  #cancel(reason: unknown): void {
    this.onResponseError(undefined, reason)
    this.#controller?.abort(
      Error.isError(reason) ? reason : new DOMException('The response is not needed', 'AbortError'),
    )
  }

  #settle(settle: () => void): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#abortListener[Symbol.dispose]()
    clearTimeout(this.#discardTimer)
    settle()
    this.#chunks = []
  }
}

/** Returns headers with names in lower case, and several values of one name joined by a comma. */
export function headersOf(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  )
}
