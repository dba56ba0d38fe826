import { sleep } from '../../flow/signals/sleep.ts'

/** Where a scheduler has its time from; a test brings its own. */
export interface Clock {
  readonly now: () => Date
  /** Wait so many milliseconds of this clock, or reject with the signal's reason. */
  readonly sleep: (ms: number, options: { readonly signal: AbortSignal }) => Promise<void>
}

/** Timers stand still while a machine sleeps, so the clock on the wall is looked at twice a minute. */
const lookAgainMs = 30_000

/** The clock on the wall. */
export const wallClock: Clock = Object.freeze({
  now: () => new Date(),
  sleep: async (ms: number, { signal }: { readonly signal: AbortSignal }) => {
    const until = Date.now() + ms
    for (let left = ms; left > 0; left = until - Date.now()) await sleep(Math.min(left, lookAgainMs), { signal })
  },
})
