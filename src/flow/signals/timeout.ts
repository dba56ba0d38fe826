import { abortable } from './abortable.ts'
import { durationText, LONGEST_TIMER } from '../../value/duration.ts'
import { defineErrorName } from '../../value/error.ts'
import { LinkedSignal } from './linked-signal.ts'

/** Something took longer than it may. */
export class TimeoutError extends Error {
  readonly code = 'TIMEOUT'
  static {
    defineErrorName(this)
  }
}

/**
 * A signal that aborts with the one given, or with a TimeoutError after `ms`. Disposing it leaves neither timer nor
 * listener behind.
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
 * Give some work `ms`. It rejects in time even when the work does not heed its signal; the work is then left to itself.
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
