// Decimal numbers as text. They are read digit by digit, so that no digit is lost.
import { Decimal } from './decimal.ts'

/** A number as digits × 10^exponent. The digits have no zeros at either end; zero has no digits. */
export interface DecimalParts {
  readonly negative: boolean
  readonly digits: string
  readonly exponent: number
}

const [PLUS, MINUS, POINT, ZERO, UPPER_E, LOWER_E] = [43, 45, 46, 48, 69, 101]

/** Reads the text of a number; this is its canonical form. Returns undefined for text that is no number. */
export function decimalParts(text: string): DecimalParts | undefined {
  const { length } = text
  const negative = text.charCodeAt(0) === MINUS
  const start = negative ? 1 : 0
  const point = endOfDigits(text, start)
  if (point === start) return undefined
  let end = point
  if (text.charCodeAt(point) === POINT) {
    end = endOfDigits(text, point + 1)
    if (end === point + 1) return undefined
  }
  let power = 0
  if (end < length) {
    const letter = text.charCodeAt(end)
    if (letter !== LOWER_E && letter !== UPPER_E) return undefined
    const sign = text.charCodeAt(end + 1)
    const first = sign === PLUS || sign === MINUS ? end + 2 : end + 1
    if (first === length || endOfDigits(text, first) !== length) return undefined
    power = Number(text.slice(end + 1))
  }
  return significant(text, { negative, start, point, end, power })
}

/** Returns the digits without the zeros at both ends. */
function significant(
  text: string,
  { negative, start, point, end, power }: Record<'start' | 'point' | 'end' | 'power', number> & { negative: boolean },
): DecimalParts {
  let first = start
  while (first < end && (text.charCodeAt(first) === ZERO || first === point)) first += 1
  if (first === end) return { negative: false, digits: '', exponent: 0 }
  let last = end - 1
  while (text.charCodeAt(last) === ZERO || last === point) last -= 1
  const digits =
    first < point && last > point
      ? text.slice(first, point) + text.slice(point + 1, last + 1)
      : text.slice(first, last + 1)
  // The place of the last digit: 0 for ones, 1 for tens, -1 for tenths.
  return { negative, digits, exponent: power + (last < point ? point - 1 - last : point - last) }
}

/** Returns true for digits with an optional sign and fraction, but no exponent. */
export function isPlainDecimal(text: string): boolean {
  const start = text.charCodeAt(0) === MINUS ? 1 : 0
  const point = endOfDigits(text, start)
  if (point === start) return false
  if (point === text.length) return true
  return text.charCodeAt(point) === POINT && point + 1 < text.length && endOfDigits(text, point + 1) === text.length
}

/** Returns true for digits with an optional sign. */
export const isInteger = (text: string): boolean => isPlainDecimal(text) && !text.includes('.')

/**
 * Returns true for a number that a numeric column returns letter by letter: no leading zeros, no plus sign, no
 * exponent, no negative zero.
 */
export const isStoredAsWritten = (text: string): boolean =>
  isPlainDecimal(text) && !/^-?0\d/.test(text) && !/^-0(?:\.0*)?$/.test(text)

/** Digits that a numeric column holds before and behind the point. */
const [MAX_WHOLE, MAX_FRACTION] = [131_072, 16_383]

/** Returns the text of a number as a numeric column returns it: without an exponent, with the zeros of its fraction. */
export function numericColumnText(text: string): string {
  const [, sign = '', whole = '', fraction = '', power] = /^(-?)(\d+)(?:\.(\d+))?[eE]([+-]?\d+)$/.exec(text) ?? []
  if (power === undefined) return text
  const point = whole.length + Number(power)
  const digits = `${whole}${fraction}`
  // No column is as long as that.
  if (point > MAX_WHOLE || digits.length - point > MAX_FRACTION) return text
  const before =
    point > 0
      ? digits
          .slice(0, point)
          .padEnd(point, '0')
          .replace(/^0+(?=\d)/, '')
      : '0'
  const behind = point > 0 ? digits.slice(point) : digits.padStart(digits.length - point, '0')
  return `${sign}${before}${behind === '' ? '' : `.${behind}`}`
}

export const sameDecimal = (a: string, b: string): boolean => compareDecimals(a, b) === 0

/** Compares two numbers by value; negative if `a` is less. Returns NaN if one of them is no number. */
export function compareDecimals(a: string, b: string): number {
  const [one, other] = [decimalParts(a), decimalParts(b)]
  if (!one || !other) return Number.NaN
  if (one.negative !== other.negative) return one.negative ? -1 : 1
  const size = compareSizes(one, other)
  return one.negative ? -size : size
}

function compareSizes(one: DecimalParts, other: DecimalParts): number {
  if (one.digits === '' || other.digits === '') return Math.sign(one.digits.length - other.digits.length)
  const reach = one.digits.length + one.exponent - (other.digits.length + other.exponent)
  if (reach !== 0) return Math.sign(reach)
  return one.digits < other.digits ? -1 : Number(one.digits > other.digits)
}

/**
 * Returns the value that a number in JSON or SQL has in JavaScript: a `number` if it holds every digit, otherwise a
 * `bigint` or a `Decimal`. Returns undefined for text that is no number.
 */
export function exactNumber(text: string): number | bigint | Decimal | undefined {
  const parts = decimalParts(text)
  if (!parts) return undefined
  const number = Number(text)
  if (isInteger(text)) return Number.isSafeInteger(number) ? number : BigInt(text)
  const kept = decimalParts(String(number))
  return parts.digits === kept?.digits && parts.exponent === kept.exponent ? number : new Decimal(text)
}

/** Returns true if numeric(precision, scale) holds the number without rounding. */
export const fitsScale = ({ digits, exponent }: DecimalParts, scale: number): boolean =>
  digits === '' || exponent >= -scale

/** Returns true if numeric(precision, scale) has enough digits before the point. */
export const fitsRange = ({ digits, exponent }: DecimalParts, precision: number, scale: number): boolean =>
  digits === '' || digits.length + exponent <= precision - scale

/** Returns true if `real` returns a number as it was: it keeps 6 digits always, and up to 9 digits for some numbers. */
export function fitsReal(value: number): boolean {
  const stored = Math.fround(value)
  if (stored === value) return true
  if (!Number.isFinite(stored)) return false
  for (let digits = 1; digits <= 9; digits += 1) {
    const shown = Number(stored.toPrecision(digits))
    if (Math.fround(shown) === stored) return shown === value
  }
  return false
}

/** Subtracts a number from one in plain notation; keeps as many fraction digits as `text` has, rounded down. */
export function subtractDecimal(text: string, amount: string): string {
  const digits = fractionOf(text).length
  const scale = Math.max(digits, fractionOf(amount).length)
  const left = scaled(text, scale) - scaled(amount, scale)
  return unscaled(divideDown(left, 10n ** BigInt(scale - digits)), digits)
}

/** Integer division that rounds towards minus infinity; `/` of bigints rounds towards 0. */
export const divideDown = (value: bigint, divisor: bigint): bigint =>
  value < 0n && value % divisor !== 0n ? value / divisor - 1n : value / divisor

const fractionOf = (text: string): string => text.split('.')[1] ?? ''

const scaled = (text: string, scale: number): bigint =>
  BigInt(text.replace('.', '') + '0'.repeat(scale - fractionOf(text).length))

function unscaled(value: bigint, digits: number): string {
  if (digits === 0) return value.toString()
  const text = (value < 0n ? -value : value).toString().padStart(digits + 1, '0')
  return `${value < 0n ? '-' : ''}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

function endOfDigits(text: string, start: number): number {
  let at = start
  for (let code = text.charCodeAt(at); code >= 48 && code <= 57; code = text.charCodeAt(at)) at += 1
  return at
}
