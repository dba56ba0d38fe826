/** Text such as `'5m'`: milliseconds, seconds, minutes, hours, days or weeks. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd' | 'w'}`

/** A duration that only its user checks, for text that the compiler cannot see, such as an option of a command. */
export type DurationText = Duration | (string & {})

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** The longest wait of Node's timers; they turn a longer one into none at all. */
export const LONGEST_TIMER = 2 ** 31 - 1

/** Milliseconds of `'5m'`; a number is milliseconds already. */
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
  return Number(digits) * (units[unit] ?? Number.NaN)
}

/** `'5m'` of milliseconds, by the largest unit that leaves no fraction; for messages. */
export function durationText(ms: number): string {
  const [name, factor] = Object.entries(units).findLast(
    ([name, factor]) => name !== 'w' && ms >= factor && ms % factor === 0,
  ) ?? ['ms', 1]
  return `${ms / factor}${name}`
}
