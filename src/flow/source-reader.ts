import { LinkedSignal } from './signals/linked-signal.ts'

export type Source<T> = AsyncIterable<T> | Iterable<T | PromiseLike<T>>

/**
 * Where items come from. As a function it gets a signal that aborts once nothing more is wanted: leaving then does not
 * have to wait for a slow read, since `return()` of a generator stands in line behind its pending `next()`.
 */
export type SourceInput<T> = Source<T> | ((signal: AbortSignal) => Source<T>)

/**
 * How long a failure or a cancellation waits for a source that is still reading. A well-behaved one has stopped long
 * before; any other must neither hide the failure nor hang the run.
 */
const CLOSE_GRACE_MS = 100

/** One reading of a source: one `next` at a time, and one `close`. */
export class SourceReader<T> {
  readonly #iterator: AsyncIterator<T> | Iterator<T | PromiseLike<T>>
  readonly #link: LinkedSignal
  #pending: Promise<unknown> = Promise.resolve()
  #ended = false
  #closed = false

  constructor(input: SourceInput<T>, signal: AbortSignal | undefined) {
    this.#link = new LinkedSignal(signal)
    try {
      const source = typeof input === 'function' ? input(this.#link.signal) : input
      this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
    } catch (error) {
      this.#link[Symbol.dispose]()
      throw error
    }
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const step = this.#step()
    this.#pending = step.catch(() => {})
    return step
  }

  /** Tell the source to clean up and wait until it has, unless it ended by itself. Its error in doing so is thrown. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const cancelled = this.#link.signal.aborted
    this.#link.abort(new DOMException('The reader left', 'AbortError'))
    try {
      if (cancelled)
        await atMost(
          CLOSE_GRACE_MS,
          this.#returned().catch(() => {}),
        )
      else await this.#returned()
    } finally {
      this.#link[Symbol.dispose]()
    }
  }

  /** Close after a failure, which nothing that happens here may cover or delay for long. */
  async abandon(): Promise<void> {
    this.#link.abort(new DOMException('The reader failed', 'AbortError'))
    await this.close()
  }

  async #step(): Promise<IteratorResult<T, undefined>> {
    if (this.#ended || this.#closed) return { done: true, value: undefined }
    let step: IteratorResult<T | PromiseLike<T>, unknown>
    try {
      step = await this.#iterator.next()
    } catch (error) {
      this.#ended = true
      throw error
    }
    this.#ended = step.done === true
    return step.done ? { done: true, value: undefined } : { done: false, value: await step.value }
  }

  async #returned(): Promise<void> {
    if (!this.#ended) await this.#iterator.return?.()
    await this.#pending
  }
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([work, new Promise((resolve) => void (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}
