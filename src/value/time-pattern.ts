// Patterns of times such as `YYYY-MM-DD HH:mm`: they read and write the forms that an API has of its own.

/** The parts of a time as a text has them. */
export interface TimeParts {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** Digits after the point. */
  readonly fraction: string
  /** Seconds east of UTC, or the name of a zone; undefined if the text has neither. */
  readonly offset: number | string | undefined
}

export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

/** What each token reads. */
const TOKENS: Readonly<Record<string, string>> = {
  YYYY: String.raw`(?<year>\d{4})`,
  MMM: `(?<monthName>[A-Za-z]{3})`,
  MM: String.raw`(?<month>\d\d)`,
  M: String.raw`(?<month>\d\d?)`,
  DD: String.raw`(?<day>\d\d)`,
  D: String.raw`(?<day>\d\d?)`,
  HH: String.raw`(?<hour>\d\d)`,
  H: String.raw`(?<hour>\d\d?)`,
  hh: String.raw`(?<hour12>\d\d)`,
  h: String.raw`(?<hour12>\d\d?)`,
  A: `(?<half>[AaPp][Mm])`,
  mm: String.raw`(?<minute>\d\d)`,
  ss: String.raw`(?<second>\d\d)`,
  S: String.raw`(?<fraction>\d+)`,
  Z: String.raw`(?<offset>Z|[+-]\d\d(?::?\d\d)?)`,
  z: `(?<zoneName>[A-Za-z]{1,5})`,
}

/** A token, a text in brackets, or one other character. */
const PART = /YYYY|MMM|MM|M|DD|D|HH|H|hh|h|A|mm|ss|S|Z|z|\[(?<quoted>[^\]]*)\]|(?<literal>[^])/g

/** The tokens that can be written, each with its number of milliseconds. */
const WRITABLE: Readonly<Record<string, number>> = {
  YYYY: 86_400_000,
  MMM: 86_400_000,
  MM: 86_400_000,
  M: 86_400_000,
  DD: 86_400_000,
  D: 86_400_000,
  HH: 3_600_000,
  H: 3_600_000,
  mm: 60_000,
  ss: 1_000,
}

interface Part {
  readonly token?: string
  readonly literal?: string
}

/** A pattern of times. */
export class TimePattern {
  readonly #parts: readonly Part[]
  readonly #expression: RegExp
  /** True if the pattern has a time of the day. */
  readonly hasTime: boolean
  /** True if the pattern has an offset, or the name of a zone. */
  readonly hasZone: boolean

  /** Throws a RangeError for a text that is no pattern of a day or a time. */
  constructor(pattern: string) {
    this.#parts = partsOf(pattern)
    const tokens = this.#parts.flatMap(({ token }) => token ?? [])
    const has = (...names: string[]): boolean => names.some((name) => tokens.includes(name))
    const fault = (text: string): RangeError => new RangeError(`${JSON.stringify(pattern)} ${text}`)
    if (!has('YYYY') || !has('MM', 'M', 'MMM') || !has('DD', 'D'))
      throw fault('is not a form of time. Write its year, month and day, as in YYYY-MM-DD HH:mm:ss')
    if (has('hh', 'h') !== has('A')) throw fault('needs both hh and A for a clock of twelve hours')
    this.hasTime = has('HH', 'H', 'hh', 'h')
    this.hasZone = has('Z', 'z')
    if (!this.hasTime && (this.hasZone || has('mm', 'ss', 'S'))) throw fault('has no hour. Write it as HH')
    if (has('ss') && !has('mm')) throw fault('has seconds without minutes')
    if (has('S') && !has('ss')) throw fault('has a fraction without seconds')
    if (isAmbiguous(this.#parts)) throw fault('does not say where one number ends. Write MM, DD and HH')
    try {
      const source = this.#parts.map(({ token, literal = '' }) =>
        token ? TOKENS[token] : literal.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`),
      )
      this.#expression = new RegExp(`^${source.join('')}$`)
    } catch (cause) {
      throw new RangeError(`${JSON.stringify(pattern)} has a part twice`, { cause })
    }
  }

  /** Returns the parts of a text, undefined if it has another form or its day or time does not exist. */
  read(text: string): TimeParts | undefined {
    const groups = this.#expression.exec(text)?.groups
    if (!groups) return undefined
    const { monthName, hour12, half, zoneName, offset } = groups
    const parts = {
      year: toNumber(groups['year']),
      month: monthName === undefined ? toNumber(groups['month']) : monthNumber(monthName),
      day: toNumber(groups['day']),
      hour: hour12 === undefined ? toNumber(groups['hour']) : hourOf(toNumber(hour12), half),
      minute: toNumber(groups['minute']),
      second: toNumber(groups['second']),
      fraction: groups['fraction'] ?? '',
      offset: zoneName ?? (offset === undefined ? undefined : offsetSeconds(offset)),
    }
    return exists(parts) ? parts : undefined
  }

  /** Milliseconds of the smallest part. Undefined if the pattern has a part that is only read, such as a zone. */
  get step(): number | undefined {
    const steps = this.#parts.flatMap(({ token }) => (token === undefined ? [] : [WRITABLE[token] ?? Number.NaN]))
    const least = Math.min(...steps)
    return Number.isNaN(least) ? undefined : least
  }

  /** Writes a time, given in milliseconds as if its clock were UTC. */
  write(wallMs: number): string {
    const date = new Date(wallMs)
    return this.#parts.map(({ token, literal = '' }) => (token ? writtenPart(token, date) : literal)).join('')
  }
}

function partsOf(pattern: string): Part[] {
  return [...pattern.matchAll(PART)].map(({ 0: token, groups = {} }) => {
    const { quoted, literal } = groups
    if (quoted !== undefined) return { literal: quoted }
    if (literal === undefined) return { token }
    if (/[a-z]/i.test(literal) && literal !== 'T')
      throw new RangeError(
        `${JSON.stringify(pattern)}: ${literal} is not a part of a time. It has ` +
          `${Object.keys(TOKENS).join(', ')}; put other letters into brackets, as in [at]`,
      )
    return { literal }
  })
}

/** True if two numbers without a fixed length stand side by side: `2026111` as YYYYMD may be two days. */
function isAmbiguous(parts: readonly Part[]): boolean {
  let open = 0
  for (const { token = '' } of parts) {
    if (['', 'MMM', 'A', 'Z', 'z'].includes(token)) open = 0
    else if (['M', 'D', 'H', 'h', 'S'].includes(token)) open += 1
    if (open > 1) return true
  }
  return false
}

const two = (value: number): string => String(value).padStart(2, '0')
const toNumber = (part: string | undefined): number => Number(part ?? 0)

function writtenPart(token: string, date: Date): string {
  switch (token) {
    case 'YYYY':
      return String(date.getUTCFullYear()).padStart(4, '0')
    case 'MMM':
      return MONTHS[date.getUTCMonth()] ?? ''
    case 'MM':
      return two(date.getUTCMonth() + 1)
    case 'M':
      return String(date.getUTCMonth() + 1)
    case 'DD':
      return two(date.getUTCDate())
    case 'D':
      return String(date.getUTCDate())
    case 'HH':
      return two(date.getUTCHours())
    case 'H':
      return String(date.getUTCHours())
    case 'mm':
      return two(date.getUTCMinutes())
    case 'ss':
      return two(date.getUTCSeconds())
    default:
      throw new RangeError(`${token} can only be read`)
  }
}

/** Returns the number of a month's short English name, 0 if it is none. */
export const monthNumber = (name: string): number =>
  MONTHS.findIndex((month) => month.toLowerCase() === name.toLowerCase()) + 1

/** Returns 24, which no time has, for an hour that a clock of twelve hours does not show. */
const hourOf = (hour: number, half: string | undefined): number =>
  hour < 1 || hour > 12 ? 24 : (hour % 12) + (half?.toLowerCase() === 'pm' ? 12 : 0)

/** Reads `Z`, `+01`, `+0100` or `+01:00`. */
export function offsetSeconds(text: string): number {
  if (text.toUpperCase() === 'Z') return 0
  const [, sign, hours, minutes = 0] = /^([+-])(\d\d):?(\d\d)?$/.exec(text) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3_600 + Number(minutes) * 60)
}

/** True for a day that exists, and a time that a clock shows. */
export function exists({ year, month, day, hour, minute, second, offset }: TimeParts): boolean {
  const date = new Date(Date.UTC(2000, month - 1, day))
  date.setUTCFullYear(year, month - 1, day)
  return (
    year > 0 &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60 &&
    (typeof offset !== 'number' || Math.abs(offset) < 16 * 3_600)
  )
}

const patterns = new Map<string, TimePattern>()

/** Returns the pattern of a text, the same object each time. Throws a RangeError if it is none. */
export function timePattern(text: string): TimePattern {
  const pattern = patterns.get(text) ?? new TimePattern(text)
  patterns.set(text, pattern)
  return pattern
}
