import type { Time } from '../../src/http/limits/time.ts'

export interface VirtualTime extends Time {
  /** Every wait that was asked for, in milliseconds. */
  readonly slept: readonly number[]
  readonly pass: (ms: number) => void
}

/** Time that passes only by being waited for, and then at once. */
export function virtualTime(): VirtualTime {
  const slept: number[] = []
  let clock = 0
  return {
    slept,
    pass: (ms) => {
      clock += ms
    },
    clock: () => clock,
    sleep: async (ms, { signal }) => {
      signal.throwIfAborted()
      slept.push(ms)
      clock += ms
    },
  }
}
