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

/**
 * Returns a signal that aborts with the given one, or with a `TimeoutError` after `ms` milliseconds. Disposing it
 * leaves neither timer nor listener. `what` begins the message: "… took longer than 30s".
 */
export function deadline(
  signal: AbortSignal | undefined,
  ms: number,
  what = 'The work',
): Disposable & { readonly signal: AbortSignal } {
  const link = new LinkedSignal(signal)
  const timer =
    ms > LONGEST_TIMER
      ? undefined
      : setTimeout(() => link.abort(new TimeoutError(`${what} took longer than ${durationText(ms)}`)), ms)
  return {
    signal: link.signal,
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
