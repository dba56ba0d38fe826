// How long windows take that are read several at once.

/** What is known of one window. */
export interface TimedWindow {
  readonly records: number
  readonly ms: number
}

/**
 * Returns what a window takes besides its records, and for each of them: the straight line through the known windows
 * that fits best. Neither is negative: with a line that would say so, all is the one or the other.
 */
export function windowTimes(known: readonly TimedWindow[]): { readonly baseMs: number; readonly msOfRecord: number } {
  const mean = (of: (one: TimedWindow) => number): number =>
    known.length === 0 ? 0 : known.reduce((sum, one) => sum + of(one), 0) / known.length
  const [records, ms] = [mean((one) => one.records), mean((one) => one.ms)]
  const spread = mean((one) => (one.records - records) ** 2)
  const slope = spread === 0 ? 0 : mean((one) => (one.records - records) * (one.ms - ms)) / spread
  if (slope <= 0) return { baseMs: ms, msOfRecord: 0 }
  const baseMs = ms - slope * records
  return baseMs < 0 ? { baseMs: 0, msOfRecord: ms / records } : { baseMs, msOfRecord: slope }
}

/** Returns how long readers take that each read one window after the other: the first that is free has the next one. */
export function scheduleMs(windows: readonly number[], readers: number): number {
  const free = Array.from({ length: Math.max(1, Math.min(readers, windows.length)) }, () => 0)
  for (const ms of windows) {
    const next = free.indexOf(Math.min(...free))
    free[next] = (free[next] ?? 0) + ms
  }
  return Math.max(...free)
}
