import { LONGEST_TIMER } from '../../value/duration.ts'
import { onAbort } from './on-abort.ts'

/**
 * Wait `ms`, or reject with the signal's own reason as soon as it aborts (`node:timers/promises` would throw an error
 * of its own).
 */
export async function sleep(ms: number, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
  signal?.throwIfAborted()
  for (let left = ms; left > LONGEST_TIMER; left -= LONGEST_TIMER) await timer(LONGEST_TIMER, signal)
  await timer(ms % LONGEST_TIMER, signal)
}

async function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const handle = setTimeout(resolve, ms)
  using _ = onAbort(signal, reject)
  try {
    await promise
  } finally {
    clearTimeout(handle)
  }
}
