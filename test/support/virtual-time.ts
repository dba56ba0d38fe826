import type { Time } from '../../src/http/limits/time.ts'

export interface VirtualTime extends Time {
  /** All waits, in milliseconds. */
  readonly slept: readonly number[]
  readonly pass: (ms: number) => void
}

/** Returns a clock that moves only by waits. Each wait ends at once. */
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
