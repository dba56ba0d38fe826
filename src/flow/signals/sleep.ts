import { LONGEST_TIMER } from '../../value/duration.ts'
import { onAbort } from './on-abort.ts'

/**
 * Waits `ms` milliseconds, or rejects with the signal's reason as soon as it aborts. `node:timers/promises` would
 * reject with an error of its own, and ends at once for more than 24 days.
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
