// Times as APIs write them. Read by hand rather than by a regular expression: this is asked for every value of a
// timestamptz column.

const digit = (text: string, at: number): number => {
  const value = text.charCodeAt(at) - 48
  return value >= 0 && value <= 9 ? value : NaN
}
/** Two digits as a number, NaN where there are none. */
const pair = (text: string, at: number): number => digit(text, at) * 10 + digit(text, at + 1)

const daysOf = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Whether a text begins with a day that exists, as `YYYY-MM-DD`. PostgreSQL knows no year 0. */
function beginsWithDay(text: string): boolean {
  const year = pair(text, 0) * 100 + pair(text, 2)
  const month = pair(text, 5)
  const day = pair(text, 8)
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1) || text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45)
    return false
  return day <= (month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : daysOf[month - 1]!)
}

/** `YYYY-MM-DD`, and the day exists. */
export const isDay = (text: string): boolean => text.length === 10 && beginsWithDay(text)

/**
 * The fraction digits of an RFC 3339 time with its offset, or −1 where the text is none that PostgreSQL would keep: it
 * would turn second 60 and hour 24 into another time, and knows offsets below 16 hours only.
 */
export function fractionDigits(text: string): number {
  const { length } = text
  if (length < 20 || !beginsWithDay(text)) return -1
  const parting = text.charCodeAt(10)
  if ((parting !== 84 && parting !== 116 && parting !== 32) || text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58)
    return -1
  if (!(pair(text, 11) <= 23 && pair(text, 14) <= 59 && pair(text, 17) <= 59)) return -1
  let at = 19
  if (text.charCodeAt(19) === 46) {
    at = 20
    while (digit(text, at) >= 0) at += 1
    if (at === 20) return -1
  }
  const fraction = at === 19 ? 0 : at - 20
  const zone = text.charCodeAt(at)
  if (zone === 90 || zone === 122) return at + 1 === length ? fraction : -1
  if ((zone !== 43 && zone !== 45) || at + 6 !== length || text.charCodeAt(at + 3) !== 58) return -1
  return pair(text, at + 1) <= 15 && pair(text, at + 4) <= 59 ? fraction : -1
}

/** Fraction digits that say something: `.500` has one. */
export const meantDigits = (text: string): number => /\.(\d*?)0*(?!\d)/.exec(text)?.[1]!.length ?? 0

/**
 * Nanoseconds and finer, so that two instants can be compared: [milliseconds since 1970 of the whole second, fraction
 * as text].
 */
export function compareInstants(a: string, b: string): number {
  const difference = wholeSecond(a) - wholeSecond(b)
  if (difference !== 0) return difference
  const [one, other] = [fraction(a), fraction(b)]
  return one < other ? -1 : one > other ? 1 : 0
}
const wholeSecond = (text: string): number => Date.parse(text.replace(/\.\d+/, '').replace(' ', 'T').toUpperCase())
const fraction = (text: string): string => /\.(\d*?)0*(?!\d)/.exec(text)?.[1] ?? ''

/** A `Date` as PostgreSQL reads it: ISO 8601, but with years beyond 9999 and before 1 in its own way. */
export function dateText(date: Date): string {
  const iso = date.toISOString()
  if (iso.length === 24 && !iso.startsWith('0000')) return iso
  const year = date.getUTCFullYear()
  const rest = iso.slice(iso.indexOf('-', 1))
  return year > 0 ? `${String(year).padStart(4, '0')}${rest}` : `${String(1 - year).padStart(4, '0')}${rest} BC`
}
