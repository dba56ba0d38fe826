import { sleep } from '../../flow/signals/sleep.ts'

/** The time of a scheduler. A test has its own clock. */
export interface Clock {
  readonly now: () => Date
  /** Waits for some milliseconds of this clock. Rejects with the signal's reason if the signal aborts. */
  readonly sleep: (ms: number, options: { readonly signal: AbortSignal }) => Promise<void>
}

/** Timers stop while a machine sleeps, so the system clock is read twice a minute. */
const MAX_TIMER_MS = 30_000

/** The clock of the system. */
export const systemClock: Clock = Object.freeze({
  now: () => new Date(),
  sleep: async (ms: number, { signal }: { readonly signal: AbortSignal }) => {
    const until = Date.now() + ms
    for (let left = ms; left > 0; left = until - Date.now()) await sleep(Math.min(left, MAX_TIMER_MS), { signal })
  },
})
