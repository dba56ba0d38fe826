import { durationText, LONGEST_TIMER } from '../../value/duration.ts'
import { defineErrorName } from '../../value/error.ts'
import { abortable } from './abortable.ts'
import { LinkedSignal } from './linked-signal.ts'

/** Work took longer than its time limit. */
export class TimeoutError extends Error {
  static {
    defineErrorName(this)
  }
  readonly code = 'TIMEOUT'
}

/** A time limit for work that may have to wait in between. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal
  /** Time does not count until the result is disposed. */
  readonly pause: () => Disposable
}

/**
 * Returns a signal that aborts with the given one, or with a `TimeoutError` after `ms` milliseconds. Disposing it
 * leaves neither timer nor listener. `what` begins the message: "… took longer than 30s".
 */
export function deadline(signal: AbortSignal | undefined, ms: number, what = 'The work'): Deadline {
  const link = new LinkedSignal(signal)
  let left = ms
  let startedAt = 0
  let timer: NodeJS.Timeout | undefined
  const start = (): void => {
    startedAt = performance.now()
    if (left <= LONGEST_TIMER)
      timer = setTimeout(() => link.abort(new TimeoutError(`${what} took longer than ${durationText(ms)}`)), left)
  }
  start()
  return {
    signal: link.signal,
    pause: () => {
      clearTimeout(timer)
      left -= performance.now() - startedAt
      return { [Symbol.dispose]: start }
    },
    [Symbol.dispose]: () => {
      clearTimeout(timer)
      link[Symbol.dispose]()
    },
  }
}

export interface TimeoutOptions {
  /** Begins the message: "… took longer than 30s". @default 'The work' */
  readonly what?: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Rejects with a `TimeoutError` if work takes longer than `ms` milliseconds, even if it ignores its signal. Such work
 * goes on unobserved.
 */
export async function withTimeout<T>(
  ms: number,
  work: (signal: AbortSignal) => PromiseLike<T> | T,
  { what, signal }: TimeoutOptions = {},
): Promise<T> {
  signal?.throwIfAborted()
  using limit = deadline(signal, ms, what)
  return await abortable(Promise.try(work, limit.signal), limit.signal)
}
