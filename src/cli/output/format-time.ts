const twoDigits = (value: number): string => String(value).padStart(2, '0')

/** `2026-01-31 12:00:05`, in the time zone of this machine. */
export function formatTime(date: Date): string {
  const day = [date.getFullYear(), twoDigits(date.getMonth() + 1), twoDigits(date.getDate())].join('-')
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':')}`
}

/** `45 s`, `12 min`, `3 h`, `2 d`: rounded down to the largest unit of which there are at least two. */
export function formatAge(ms: number): string {
  const [size, unit] = UNITS.find(([size]) => ms >= 2 * size) ?? [1_000, 's']
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`
}

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
] as const
