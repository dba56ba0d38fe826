const twoDigits = (value: number): string => String(value).padStart(2, '0')

/** `2026-01-31 12:00:05`, in the time zone of whoever reads it. */
export function formatTime(date: Date): string {
  return `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())} ${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}:${twoDigits(date.getSeconds())}`
}

/** `45 s`, `12 min`, `3 h`, `2 d`: as much as one wants to know of an age. */
export function formatAge(ms: number): string {
  const [size, unit] = ages.find(([size]) => ms >= 2 * size) ?? [1_000, 's']
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`
}
const ages = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
] as const
