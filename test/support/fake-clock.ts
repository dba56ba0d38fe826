import { setTimeout as pause } from 'node:timers/promises'
import { onAbort } from '../../src/flow/signals/on-abort.ts'
import type { Clock } from '../../src/run/schedule/clock.ts'

/** A clock that only `goOn` moves, to the time at which the next sleeper wakes. */
export class FakeClock implements Clock {
  #now: number
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>()

  constructor(now: string) {
    this.#now = Date.parse(now)
  }

  now = (): Date => new Date(this.#now)

  get sleepers(): number {
    return this.#sleepers.size
  }

  sleep = async (ms: number, { signal }: { readonly signal: AbortSignal }): Promise<void> => {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const sleeper = { at: this.#now + Math.max(0, ms), wake: resolve }
    this.#sleepers.add(sleeper)
    using _ = onAbort(signal, reject)
    try {
      await promise
    } finally {
      this.#sleepers.delete(sleeper)
    }
  }

  /**
   * Moves the clock to `until`. Each step waits until `expected()` callers sleep: the others do real work, which takes
   * no time of this clock.
   */
  async goOn(until: string, expected: () => number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const end = Date.parse(until)
    while (this.#now < end) {
      signal.throwIfAborted()
      await new Promise((resolve) => setImmediate(resolve))
      if (this.#sleepers.size < expected()) {
        // Asking again at once would take the processor from the work that is awaited.
        await pause(1)
        continue
      }
      const next = Math.min(end, ...[...this.#sleepers].map(({ at }) => at))
      this.#now = Math.max(this.#now, next)
      for (const sleeper of this.#sleepers) if (sleeper.at <= this.#now) sleeper.wake()
    }
  }
}
