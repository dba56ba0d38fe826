import { sleep } from '../../flow/signals/sleep.ts'

/** How waits are measured and waited for; a clock that only goes forward, unlike the date. */
export interface Time {
  readonly clock: () => number
  readonly sleep: (ms: number, options: { readonly signal: AbortSignal }) => Promise<void>
}

/** The process's own time. */
export const realTime: Time = {
  clock: () => performance.now(),
  sleep: async (ms, options) => {
    await sleep(ms, options)
  },
}
