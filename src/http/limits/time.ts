import { sleep } from '../../flow/signals/sleep.ts'

/** Measures and waits. Tests replace it. */
export interface Time {
  /** Milliseconds from any start. Never goes back, unlike the date. */
  readonly clock: () => number
  readonly sleep: (ms: number, options: { readonly signal: AbortSignal }) => Promise<void>
}

/** The time of this process. */
export const realTime: Time = {
  clock: () => performance.now(),
  sleep: async (ms, options) => {
    await sleep(ms, options)
  },
}
