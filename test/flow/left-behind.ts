import { getEventListeners } from 'node:events'

// Counts only timers of the code under test. Jest and others start and stop their own at any time.
const timers = new Set<NodeJS.Timeout>()
const { setTimeout: start, clearTimeout: clear } = globalThis
globalThis.setTimeout = Object.assign((call: () => void, ms?: number) => {
  const timer = start(() => {
    timers.delete(timer)
    call()
  }, ms)
  timers.add(timer)
  return timer
}, start)
globalThis.clearTimeout = (timer) => {
  timers.delete(timer as NodeJS.Timeout)
  clear(timer)
}

/** Returns a signal, and a function that counts the listeners and timers that the work under test has left. */
export function watched(): {
  readonly controller: AbortController
  readonly signal: AbortSignal
  leftBehind: () => { listeners: number; timers: number }
} {
  const controller = new AbortController()
  const before = timers.size
  return {
    controller,
    signal: controller.signal,
    leftBehind: () => ({
      listeners: getEventListeners(controller.signal, 'abort').length,
      timers: timers.size - before,
    }),
  }
}
export const nothing = { listeners: 0, timers: 0 }

/** Waits for this many turns of the event loop. */
export async function turns(count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => void setImmediate(resolve))
}

/** Returns a source that counts its reads, may be slow or fail, and notes its closing. */
export function counting({
  length = 1_000,
  failAt = Infinity,
  before,
}: { length?: number; failAt?: number; before?: (n: number) => Promise<void> | void } = {}) {
  const seen = { pulled: 0, closed: false }
  async function* source(): AsyncGenerator<number, void, undefined> {
    try {
      for (let n = 0; n < length; n++) {
        await before?.(n)
        if (n === failAt) throw new Error(`source failed at ${n}`)
        seen.pulled++
        yield n
      }
    } finally {
      // A source that closes at once would not show whether its reader waits for it.
      await turns()
      seen.closed = true
    }
  }
  return { seen, source: source() }
}

/** Waits until the signal aborts, and rejects with its reason. */
export const forever = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
