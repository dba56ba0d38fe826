import { onAbort } from './on-abort.ts'

/**
 * Wait for a promise, or reject with the signal's own reason as soon as it aborts. What the promise stands for goes on:
 * abort that by itself.
 */
export async function abortable<T>(promise: PromiseLike<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  using _ = onAbort(signal, reject)
  return await Promise.race([aborted, promise])
}
