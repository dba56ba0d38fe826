// The one reader of ISO 8601. It works by hand, without a regular expression: it runs for every cursor value and for
// every value of a timestamptz column.

/** A moment with every digit of its fraction. */
export interface Instant {
  /** Whole seconds since 1970, rounded down. */
  readonly seconds: number
  /** Digits after the point, without zeros at the end. */
  readonly fraction: string
}

const [COMMA, DASH, POINT, COLON, T, Z, LOWER_T, LOWER_Z, PLUS, BLANK] = [44, 45, 46, 58, 84, 90, 116, 122, 43, 32]
const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

// Parts of the text that `scan` read last. They are module state, because an object for each value costs a third more.
let year = 0
let month = 0
let day = 0
let secondOfDay = 0
let offset = 0
let fractionStart = 0
let fractionEnd = 0
let isExact = false

/**
 * Reads a day or a time: `2024-01-31`, `2024-01-31T12:00`, `2024-01-31 12:00:00.123+02:00`. Returns false for other
 * text and for days that do not exist.
 */
function scan(text: string): boolean {
  if (!scanDay(text)) return false
  secondOfDay = 0
  offset = 0
  fractionStart = 0
  fractionEnd = 0
  isExact = false
  return text.length === 10 || scanTime(text)
}

function scanDay(text: string): boolean {
  const century = pair(text, 0)
  const yearOfCentury = pair(text, 2)
  if (century < 0 || yearOfCentury < 0 || text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return false
  year = century * 100 + yearOfCentury
  month = pair(text, 5)
  day = pair(text, 8)
  if (month < 1 || month > 12 || day < 1) return false
  const isLeapFebruary = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day <= (isLeapFebruary ? 29 : (DAYS_OF_MONTH[month - 1] ?? 0))
}

function scanTime(text: string): boolean {
  const separator = text.charCodeAt(10)
  if (separator !== T && separator !== BLANK && separator !== LOWER_T) return false
  const hour = pair(text, 11)
  const minute = pair(text, 14)
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || text.charCodeAt(13) !== COLON) return false
  secondOfDay = hour * 3_600 + minute * 60
  if (text.charCodeAt(16) !== COLON) return scanZone(text, 16)
  const second = pair(text, 17)
  if (second < 0 || second > 60) return false
  secondOfDay += second
  const point = text.charCodeAt(19)
  let at = 19
  if (point === POINT || point === COMMA) {
    at = 20
    while (isDigit(text.charCodeAt(at))) at += 1
    if (at === 20) return false
    fractionStart = 20
    fractionEnd = at
  }
  isExact = hour < 24 && second < 60 && year > 0 && point !== COMMA
  return scanZone(text, at)
}

/** Reads `Z` or an offset up to the end of the text. Without either the time is exact no more, and taken as UTC. */
function scanZone(text: string, start: number): boolean {
  const { length } = text
  let at = start
  if (isBlank(text, at)) {
    at += 1
    isExact = false
  }
  if (at === length) {
    isExact = false
    return true
  }
  const sign = text.charCodeAt(at)
  if (sign === Z || sign === LOWER_Z) return at + 1 === length
  const hours = pair(text, at + 1)
  if ((sign !== PLUS && sign !== DASH) || hours < 0) return false
  at += 3
  let minutes = 0
  if (at === length) isExact = false
  else {
    // Many APIs leave the colon out (`+0200`), and PostgreSQL reads it.
    if (text.charCodeAt(at) === COLON) at += 1
    minutes = pair(text, at)
    if (minutes < 0 || at + 2 !== length) return false
  }
  isExact &&= hours < 16 && minutes < 60
  offset = (sign === DASH ? -1 : 1) * (hours * 3_600 + minutes * 60)
  return true
}

/**
 * Reads a date or time of ISO 8601; without an offset it is UTC. Returns undefined for other text, and for days that
 * do not exist.
 */
export function parseInstant(text: string): Instant | undefined {
  if (!scan(text)) return undefined
  let end = fractionEnd
  while (end > fractionStart && text.charCodeAt(end - 1) === 48) end -= 1
  return {
    seconds: daysSince1970() * 86_400 + secondOfDay - offset,
    fraction: end === fractionStart ? '' : text.slice(fractionStart, end),
  }
}

/** Counts days of the Gregorian calendar in years that begin in March, so that a leap day is the last of its year. */
function daysSince1970(): number {
  const marchYear = month > 2 ? year : year - 1
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  return marchYear * 365 + leapDays + dayOfYear - 719_468
}

/** Returns true for `YYYY-MM-DD` of a day that exists. PostgreSQL has no year 0. */
export const isDay = (text: string): boolean => text.length === 10 && scanDay(text) && year > 0

/**
 * Returns the number of fraction digits of an RFC 3339 time with an offset, also of one without its colon. Returns -1
 * for text that PostgreSQL would not keep as it is: it turns second 60 and hour 24 into another time, and accepts only
 * offsets below 16 hours.
 */
export const fractionDigits = (text: string): number =>
  text.length >= 20 && scan(text) && isExact ? fractionEnd - fractionStart : -1

/** Returns the fraction digits after the first point without zeros at the end: `5` of `12:00:00.500`. */
export function significantFraction(text: string): string {
  const start = text.indexOf('.') + 1
  if (start === 0) return ''
  let end = start
  while (isDigit(text.charCodeAt(end))) end += 1
  while (end > start && text.charCodeAt(end - 1) === 48) end -= 1
  return text.slice(start, end)
}

/** The form in which a text writes a time. */
export interface InstantLayout {
  /** `T` or a blank between day and time; empty for a day. */
  readonly separator: string
  readonly hasSeconds: boolean
  /** The character before the fraction, and the number of its digits. */
  readonly point: string
  readonly digits: number
  /** `Z`, an offset, or nothing, as it is written. */
  readonly zone: string
  readonly offsetSeconds: number
}

/** Returns the form of a text that `parseInstant` can read, otherwise undefined. */
export function instantLayout(text: string): InstantLayout | undefined {
  if (!scan(text)) return undefined
  const hasSeconds = text.charCodeAt(16) === COLON
  const digits = fractionEnd - fractionStart
  const wholeEnd = hasSeconds ? 19 : 16
  return {
    separator: text.slice(10, 11),
    hasSeconds,
    point: digits > 0 ? text.slice(19, 20) : '',
    digits,
    zone: text.slice(digits > 0 ? fractionEnd : wholeEnd),
    offsetSeconds: offset,
  }
}

/** Returns a time without an offset, `2024-01-31 10:00:00.5`, as if it were UTC. Undefined for other text. */
export function parseLocalTime(text: string): Instant | undefined {
  const layout = instantLayout(text)
  if (!layout || layout.separator === '' || layout.zone !== '') return undefined
  const exact = `${text.replace(',', '.')}${layout.hasSeconds ? '' : ':00'}Z`
  return fractionDigits(exact) < 0 ? undefined : parseInstant(exact)
}

/** Compares two instants with every digit of their fractions; negative if `a` is earlier. */
export const compareInstants = (a: Instant, b: Instant): number =>
  a.seconds - b.seconds || (a.fraction < b.fraction ? -1 : Number(a.fraction > b.fraction))

/** Returns milliseconds since 1970, rounded down. */
export const instantMs = ({ seconds, fraction }: Instant): number =>
  seconds * 1_000 + Number(fraction.padEnd(3, '0').slice(0, 3))

/** Writes a `Date` as PostgreSQL reads it: ISO 8601, but with its own form for years beyond 9999 and before 1. */
export function dateText(date: Date): string {
  const iso = date.toISOString()
  if (iso.length === 24 && !iso.startsWith('0000')) return iso
  const fullYear = date.getUTCFullYear()
  const rest = iso.slice(iso.indexOf('-', 1))
  return fullYear > 0
    ? `${String(fullYear).padStart(4, '0')}${rest}`
    : `${String(1 - fullYear).padStart(4, '0')}${rest} BC`
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57

/** Returns two digits as a number, or a negative number if they are no digits. */
function pair(text: string, at: number): number {
  const tens = text.charCodeAt(at)
  const ones = text.charCodeAt(at + 1)
  return isDigit(tens) && isDigit(ones) ? tens * 10 + ones - 528 : -1
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code === BLANK || (code >= 9 && code <= 13) || (code > 127 && text.charAt(at).trim() === '')
}
