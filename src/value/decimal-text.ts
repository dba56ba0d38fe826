// Decimal numbers as text, so that no digit is lost.

/** digits × 10^exponent; no zeros at either end of the digits, none at all for zero. */
export interface DecimalParts {
  readonly negative: boolean
  readonly digits: string
  readonly exponent: number
}

const grammar = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** The value of a number's text, or undefined where it is none. */
export function decimalParts(text: string): DecimalParts | undefined {
  const found = grammar.exec(text)
  if (!found) return undefined
  const [, sign, whole = '', fraction = '', power = '0'] = found
  const all = (whole + fraction).replace(/^0+/, '')
  const digits = all.replace(/0+$/, '')
  if (digits === '') return { negative: false, digits, exponent: 0 }
  return { negative: sign === '-', digits, exponent: Number(power) - fraction.length + all.length - digits.length }
}

/** A string that a number's column gives back letter by letter: no leading zeros, no plus, no exponent. */
export const plainDecimal = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/

export const sameDecimal = (a: string, b: string): boolean => compareDecimals(a, b) === 0

/** Order by value; texts that are no numbers are NaN. */
export function compareDecimals(a: string, b: string): number {
  const [one, other] = [decimalParts(a), decimalParts(b)]
  if (!one || !other) return NaN
  if (one.negative !== other.negative) return one.negative ? -1 : 1
  const size = compareSizes(one, other)
  return one.negative ? -size : size
}

function compareSizes(one: DecimalParts, other: DecimalParts): number {
  if (one.digits === '' || other.digits === '') return Math.sign(one.digits.length - other.digits.length)
  const reach = one.digits.length + one.exponent - (other.digits.length + other.exponent)
  if (reach !== 0) return Math.sign(reach)
  return one.digits < other.digits ? -1 : one.digits > other.digits ? 1 : 0
}

/** Whether numeric(precision, scale) holds a number without rounding it. */
export function fitsNumeric({ digits, exponent }: DecimalParts, precision: number, scale: number): boolean {
  return digits === '' || (exponent >= -scale && digits.length + exponent <= precision - scale)
}

/** Whether `real` gives a number back as it was: it keeps 6 digits always, 9 sometimes. */
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
