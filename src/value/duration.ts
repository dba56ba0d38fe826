/** Text such as `'5m'`: milliseconds, seconds, minutes, hours, days or weeks. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd' | 'w'}`

/** A duration that only its user checks, for text that the compiler cannot see, such as an option of a command. */
export type DurationText = Duration | (string & {})

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** The longest wait of Node's timers, 24.8 days. They treat a longer one as 1 ms. */
export const LONGEST_TIMER = 2 ** 31 - 1

/** Returns the milliseconds of a text such as `'5m'`; a number counts milliseconds. Throws a RangeError otherwise. */
export function duration(text: string | number): number {
  const ms = typeof text === 'number' ? text : parse(text)
  if (!(ms >= 0 && ms < Infinity))
    throw new RangeError(
      `${JSON.stringify(text)} is no duration: write a number and one of ms, s, m, h, d, w, as in '5m'`,
    )
  return ms
}

function parse(text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text) ?? []
  return Number(digits) * (UNITS[unit] ?? Number.NaN)
}

/** Formats milliseconds as `'5m'`, in the largest unit that leaves no fraction. */
export function durationText(ms: number): string {
  const [name, factor] = Object.entries(UNITS).findLast(
    ([name, factor]) => name !== 'w' && ms >= factor && ms % factor === 0,
  ) ?? ['ms', 1]
  return `${ms / factor}${name}`
}
