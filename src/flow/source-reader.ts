import { LinkedSignal } from './signals/linked-signal.ts'

export type Source<T> = AsyncIterable<T> | Iterable<T | PromiseLike<T>>

/**
 * A source of items, or a function that opens one. The function receives a signal that aborts when no more items are
 * wanted. It ends a slow read at once; `return()` of a generator would wait behind its pending `next()`.
 */
export type SourceInput<T> = Source<T> | ((signal: AbortSignal) => Source<T>)

/**
 * After a failure or a cancellation, a source has this long to close. One that obeys its signal closes at once; any
 * other one must not hide the failure or block the run.
 */
const CLOSE_GRACE_MS = 100

/** Reads one source from its start: one `next` at a time, and one `close`. */
export class SourceReader<T> {
  readonly #iterator: AsyncIterator<T> | Iterator<T | PromiseLike<T>>
  readonly #link: LinkedSignal
  #pending: Promise<unknown> = Promise.resolve()
  #isEnded = false
  #isClosed = false

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

  /** Returns the next item, or the end. */
  next(): Promise<IteratorResult<T, undefined>> {
    const step = this.#step()
    this.#pending = step.catch(() => {})
    return step
  }

  /** Closes the source unless it has ended, waits for its cleanup, and throws an error of the cleanup. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const isCancelled = this.#link.signal.aborted
    this.#link.abort(new DOMException('The reader left', 'AbortError'))
    try {
      if (isCancelled)
        await atMost(
          CLOSE_GRACE_MS,
          this.#return().catch(() => {}),
        )
      else await this.#return()
    } finally {
      this.#link[Symbol.dispose]()
    }
  }

  /** Closes the source after a failure. Throws nothing, and waits 100 ms at most. */
  async abandon(): Promise<void> {
    this.#link.abort(new DOMException('The reader failed', 'AbortError'))
    await this.close()
  }

  async #step(): Promise<IteratorResult<T, undefined>> {
    if (this.#isEnded || this.#isClosed) return { done: true, value: undefined }
    let step: IteratorResult<T | PromiseLike<T>, unknown>
    try {
      step = await this.#iterator.next()
    } catch (error) {
      this.#isEnded = true
      throw error
    }
    this.#isEnded = step.done === true
    return step.done ? { done: true, value: undefined } : { done: false, value: await step.value }
  }

  async #return(): Promise<void> {
    if (!this.#isEnded) await this.#iterator.return?.()
    await this.#pending
  }
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([work, new Promise((resolve) => void (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}
