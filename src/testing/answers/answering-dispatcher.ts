import { Dispatcher } from 'undici'

/** A request as it would be sent. */
export interface SentRequest {
  readonly method: string
  readonly url: URL
  /** Names are in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The answer to a request. */
export interface GivenAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: Buffer
}

/** Answers requests by a function, in place of connections. What the function throws is the error of the request. */
export class AnsweringDispatcher extends Dispatcher {
  readonly #answer: (request: SentRequest) => GivenAnswer

  constructor(answer: (request: SentRequest) => GivenAnswer) {
    super()
    this.#answer = answer
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const controller = new Controller()
    // The caller waits for the answer only after this call.
    setImmediate(() => {
      try {
        handler.onRequestStart?.(controller, {})
        controller.throwIfAborted()
        const { status, headers, body } = this.#answer(sentRequest(options))
        handler.onResponseStart?.(controller, status, headers)
        if (!controller.aborted && body.length > 0) handler.onResponseData?.(controller, body)
        controller.throwIfAborted()
        handler.onResponseEnd?.(controller, {})
      } catch (error) {
        handler.onResponseError?.(controller, Error.isError(error) ? error : new Error(String(error)))
      }
    })
    return true
  }

  // Nothing is open.
  override close(): Promise<void> {
    return Promise.resolve()
  }

  override destroy(): Promise<void> {
    return Promise.resolve()
  }
}

/** Returns a request as undici gets it, as data. */
export function sentRequest({ method, origin, path, headers, body }: Dispatcher.DispatchOptions): SentRequest {
  const given = Object.entries((headers ?? {}) as Record<string, string>)
  return {
    method,
    url: new URL(String(origin) + path),
    headers: Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value])),
    body: sentText(body),
  }
}

class Controller implements Dispatcher.DispatchController {
  aborted = false
  paused = false
  reason: Error | null = null
  readonly rawHeaders = null
  readonly rawTrailers = null

  abort(reason: Error): void {
    this.aborted = true
    this.reason = reason
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason ?? new Error('The request was aborted')
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }
}

/** Bytes that are no text are shown by one character each, so that different ones differ. */
function sentText(body: Dispatcher.DispatchOptions['body']): string {
  if (Buffer.isBuffer(body)) return body.toString('latin1')
  return typeof body === 'string' ? body : ''
}
