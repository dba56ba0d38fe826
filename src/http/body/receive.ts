import type { Dispatcher } from 'undici'
import { onAbort } from '../../flow/signals/on-abort.ts'
import type { ApiResponse } from '../../model/request.ts'
import type { BodyBuffers } from './body-buffers.ts'

type Headers = ApiResponse<unknown>['headers']

/** The body of a failed answer is read so far to keep its connection; a longer or slower one is not worth it. */
const MAX_DISCARDED = { bytes: 65_536, ms: 2_000 }

export interface BodyLimit {
  readonly bytes: number
  /** The error that a larger body is. */
  readonly tooLarge: () => Error
  /** Told how many bytes have come so far. */
  readonly onBytes?: (bytes: number) => void
  /** Where a body goes that says how long it is; the caller gives it back. @default new memory */
  readonly memory?: BodyBuffers
}

export interface ReceiveOptions {
  /** Asked when status and headers are there: how much of the body is wanted, or undefined where none is. */
  readonly wants: (status: number, headers: Headers) => BodyLimit | undefined
  readonly signal: AbortSignal
}

export interface RawResponse {
  readonly status: number
  readonly headers: Headers
  /** As they came, packed or not; undefined where the body was not wanted. */
  readonly bytes: Buffer | undefined
}

/**
 * Send one request and receive its whole answer. Every body is read to its end or cancelled: an unread one would hold
 * its connection for ever.
 *
 * undici's own `request` makes a stream of each body. A page is kept whole anyway, and without the stream a request
 * costs 50 µs less of 150.
 */
export async function receive(
  agent: Dispatcher,
  request: Dispatcher.DispatchOptions,
  options: ReceiveOptions,
): Promise<RawResponse> {
  options.signal.throwIfAborted()
  const receiver = new Receiver(options)
  agent.dispatch(request, receiver)
  return receiver.answered
}

class Receiver implements Dispatcher.DispatchHandler {
  readonly #options: ReceiveOptions
  readonly #end = Promise.withResolvers<RawResponse>()
  readonly #heard: Disposable
  #isEnded = false
  #controller: Dispatcher.DispatchController | undefined
  #answer: { readonly status: number; readonly headers: Headers } | undefined
  /** Of the body that is read; undefined where it is discarded. */
  #limit: BodyLimit | undefined
  #patience: NodeJS.Timeout | undefined
  /** Of the whole body, where its length is known; else it is put together in the end. */
  #body: Buffer | undefined
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(options: ReceiveOptions) {
    this.#options = options
    this.#heard = onAbort(options.signal, (reason) => this.#cancel(reason))
  }

  get answered(): Promise<RawResponse> {
    return this.#end.promise
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // It may have waited for a connection for longer than its caller did for it.
    if (this.#isEnded) controller.abort(new DOMException('Nobody waits for this answer', 'AbortError'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    given: Parameters<typeof headersOf>[0],
  ): void {
    if (status < 200) return
    const headers = headersOf(given)
    this.#limit = this.#options.wants(status, headers)
    this.#answer = { status, headers }
    if (this.#isEnded) return
    if (!this.#limit) {
      this.#patience = setTimeout(() => this.#cancel(undefined), MAX_DISCARDED.ms)
      return
    }
    const length = Number(headers['content-length'])
    if (length > this.#limit.bytes) this.#cancel(this.#limit.tooLarge())
    else if (length > 0) this.#body = this.#limit.memory?.acquire(length)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isEnded) return
    const at = this.#bytes
    this.#bytes += chunk.length
    if (!this.#limit) {
      if (this.#bytes > MAX_DISCARDED.bytes) this.#cancel(undefined)
      return
    }
    if (this.#bytes > this.#limit.bytes) {
      this.#cancel(this.#limit.tooLarge())
      return
    }
    if (this.#body) this.#body.set(chunk, at)
    else this.#chunks.push(chunk)
    this.#limit.onBytes?.(this.#bytes)
  }

  onResponseEnd(): void {
    const bytes = this.#limit && this.#whole()
    this.#settle(() => this.#end.resolve({ ...this.#answer!, bytes }))
  }

  #whole(): Buffer {
    const [first, ...others] = this.#chunks
    if (first) return others.length === 0 ? first : Buffer.concat(this.#chunks, this.#bytes)
    // 204 and 304 may tell a length without having a body: the rest of the memory holds what it held before.
    return this.#body?.length === this.#bytes ? this.#body : (this.#body ?? Buffer.alloc(0)).subarray(0, this.#bytes)
  }

  /** Whatever becomes of a body that nobody wanted, its answer has come. */
  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: unknown): void {
    const { promise: _promise, resolve, reject } = this.#end
    this.#settle(() => (this.#answer && !this.#limit ? resolve({ ...this.#answer, bytes: undefined }) : reject(error)))
  }

  #cancel(reason: unknown): void {
    this.onResponseError(undefined, reason)
    this.#controller?.abort(
      Error.isError(reason) ? reason : new DOMException('This answer is not needed', 'AbortError'),
    )
  }

  #settle(settle: () => void): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#heard[Symbol.dispose]()
    clearTimeout(this.#patience)
    settle()
    this.#chunks = []
  }
}

/** Names in lower case, several of one name joined. */
export function headersOf(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  )
}
