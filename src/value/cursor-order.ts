// Cursor values are kept as the API wrote them and compared by kind, so that no digit of a timestamp or of a large
// number is lost.
/** How the text of a cursor value is compared. */
export type CursorKind = 'instant' | 'number' | 'text'

/**
 * A moment with every digit of its fraction: whole seconds since 1970, and the digits after the point without zeros at
 * their end.
 */
export interface Instant {
  readonly seconds: number
  readonly fraction: string
}

const iso = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i
const decimal = /^(-?)(\d+)(?:\.(\d+))?$/

/**
 * A date or time of ISO 8601; without an offset it is UTC. Undefined for anything else, and for days that do not exist.
 */
export function parseInstant(text: string): Instant | undefined {
  return usualInstant(text) ?? anyInstant(text)
}

/** Midnights of the days seen last; records of a page share most of them. */
const midnights = new Map<string, number>()

/** `2024-01-31T12:00:00.123Z`, as nearly every API writes it: read without a regular expression, for every record. */
function usualInstant(text: string): Instant | undefined {
  const { length } = text
  if (
    length < 20 ||
    length > 40 ||
    text.charCodeAt(length - 1) !== 90 ||
    text.charCodeAt(10) !== 84 ||
    text.charCodeAt(13) !== 58 ||
    text.charCodeAt(16) !== 58
  )
    return undefined
  const hour = twoDigits(text, 11)
  const minute = twoDigits(text, 14)
  const second = twoDigits(text, 17)
  if (!(hour < 24 && minute < 60 && second < 60)) return undefined
  let fraction = ''
  if (length > 20) {
    if (text.charCodeAt(19) !== 46 || length === 21) return undefined
    let end = length - 1
    for (let place = 20; place < end; place++) if (!isDigit(text.charCodeAt(place))) return undefined
    while (end > 20 && text.charCodeAt(end - 1) === 48) end--
    fraction = text.slice(20, end)
  }
  const day = text.slice(0, 10)
  let midnight = midnights.get(day)
  if (midnight === undefined) {
    midnight = anyInstant(day)?.seconds
    if (midnight === undefined) return undefined
    if (midnights.size > 1_000) midnights.clear()
    midnights.set(day, midnight)
  }
  return { seconds: midnight + hour * 3_600 + minute * 60 + second, fraction }
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57
function twoDigits(text: string, place: number): number {
  const tens = text.charCodeAt(place)
  const ones = text.charCodeAt(place + 1)
  return isDigit(tens) && isDigit(ones) ? (tens - 48) * 10 + ones - 48 : NaN
}

function anyInstant(text: string): Instant | undefined {
  const match = iso.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match
  const midnight = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  if (midnight.getUTCMonth() !== Number(month) - 1 || Number(hour) > 24 || Number(minute) > 59 || Number(second) > 60)
    return undefined
  const offset =
    zone.length === 1
      ? 0
      : (zone.startsWith('-') ? -1 : 1) *
        (Number(zone.slice(1, 3)) * 3_600 + Number(zone.slice(3).replace(':', '') || 0) * 60)
  return {
    seconds: midnight.getTime() / 1_000 + Number(hour) * 3_600 + Number(minute) * 60 + Number(second) - offset,
    fraction: fraction.replace(/0+$/, ''),
  }
}

export const cursorKind = (text: string): CursorKind =>
  decimal.test(text) ? 'number' : parseInstant(text) ? 'instant' : 'text'

/**
 * Negative where `a` is before `b`. Two values of different kinds, which one cursor should never have, are compared as
 * text.
 */
export function compareCursors(a: string, b: string): number {
  if (a === b) return 0
  const [one, other] = [parseInstant(a), parseInstant(b)]
  if (one && other) return one.seconds - other.seconds || order(one.fraction, other.fraction)
  return decimal.test(a) && decimal.test(b) ? compareDecimals(a, b) : order(a, b)
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function compareDecimals(a: string, b: string): number {
  const [, minusA, wholeA = '', fractionA = ''] = decimal.exec(a) ?? []
  const [, minusB, wholeB = '', fractionB = ''] = decimal.exec(b) ?? []
  const digits = Math.max(fractionA.length, fractionB.length)
  const difference =
    BigInt(`${minusA ?? ''}${wholeA}${fractionA.padEnd(digits, '0')}`) -
    BigInt(`${minusB ?? ''}${wholeB}${fractionB.padEnd(digits, '0')}`)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}
