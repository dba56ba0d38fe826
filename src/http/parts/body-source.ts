// A body while it is received: chunks come in as fast as they are taken, and no faster.
import type { Dispatcher } from 'undici'
import { onAbort } from '../../flow/signals/on-abort.ts'
import { TimeoutError } from '../../flow/signals/timeout.ts'
import { durationText, LONGEST_TIMER } from '../../value/duration.ts'

/** Bytes that may wait. Beyond them nothing is received. */
const MAX_WAITING_BYTES = 262_144

export interface BodySourceOptions {
  /** Ends the body when it aborts. */
  readonly signal: AbortSignal
  /** The longest wait for the next bytes. */
  readonly timeoutMs: number
  /** Names the request in messages. */
  readonly label: string
}

export class BodySource implements Disposable {
  readonly #controller: Dispatcher.DispatchController
  readonly #options: BodySourceOptions
  readonly #abortListener: Disposable
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #outcome: { readonly error?: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(controller: Dispatcher.DispatchController, options: BodySourceOptions) {
    this.#controller = controller
    this.#options = options
    this.#abortListener = onAbort(options.signal, (reason) => this.fail(reason))
  }

  get label(): string {
    return this.#options.label
  }

  get signal(): AbortSignal {
    return this.#options.signal
  }

  push(chunk: Buffer): void {
    if (this.#outcome) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes > MAX_WAITING_BYTES) this.#controller.pause()
    this.#wake?.()
  }

  end(): void {
    this.#outcome ??= {}
    this.#abortListener[Symbol.dispose]()
    this.#wake?.()
  }

  /** Ends the body with an error, also if the connection is still open. */
  fail(error: unknown): void {
    if (this.#outcome) return
    this.#outcome = { error }
    this.#chunks.length = 0
    this.#abortListener[Symbol.dispose]()
    this.#controller.abort(Error.isError(error) ? error : new DOMException('The body is not needed', 'AbortError'))
    this.#wake?.()
  }

  /** Returns the next bytes, undefined at the end. Throws if the body broke off. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk) {
        this.#bytes -= chunk.length
        if (this.#controller.paused && this.#bytes <= MAX_WAITING_BYTES / 2) this.#controller.resume()
        return chunk
      }
      if (this.#outcome && 'error' in this.#outcome) throw this.#outcome.error
      if (this.#outcome) return undefined
      await this.#more()
    }
  }

  /** Cancels what was not received. */
  [Symbol.dispose](): void {
    this.fail(new DOMException('The body is not needed', 'AbortError'))
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    for (let chunk = await this.next(); chunk; chunk = await this.next()) yield chunk
  }

  async #more(): Promise<void> {
    const { timeoutMs, label } = this.#options
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const limit = durationText(timeoutMs)
    const timer =
      timeoutMs <= LONGEST_TIMER
        ? setTimeout(() => this.fail(new TimeoutError(`${label} sent nothing of its body for ${limit}`)), timeoutMs)
        : undefined
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.#wake = undefined
    }
  }
}
