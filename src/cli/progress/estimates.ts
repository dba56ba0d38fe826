/** `56%`, rounded down: 100% only if everything is done. */
export const formatPercent = (share: number): string => `${Math.floor(share * 100 + 1e-9)}%`

/** A duration without false precision: `40 s`, `3 min`, `2 h 10 min`, `4 d`. */
export function formatRoughDuration(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return `${Math.round(hours / 24)} d`
}

/** `~3 min left` */
export const formatRemaining = (ms: number): string => `~${formatRoughDuration(ms)} left`
