import { onAbort } from './on-abort.ts'

/**
 * Waits for a promise, or rejects with the signal's reason as soon as it aborts. The work behind the promise goes on;
 * it has to obey the signal itself.
 */
export async function abortable<T>(promise: PromiseLike<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  using _ = onAbort(signal, reject)
  return await Promise.race([aborted, promise])
}
