// Numbers for integer, numeric and floating-point columns, exactly as the column returns them.
import { Decimal } from '../../value/decimal.ts'
import {
  decimalParts,
  fitsRange,
  fitsReal,
  fitsScale,
  isInteger,
  isStoredAsWritten,
  sameDecimal,
} from '../../value/decimal-text.ts'
import type { ColumnType, TextOptions } from './column-type.ts'
import { displayValue, doesNotFit, TypeMismatch } from './type-mismatch.ts'

const INT8_RANGE = [-(2n ** 63n), 2n ** 63n - 1n] as const
const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int2: [-32_768n, 32_767n],
  int4: [-2_147_483_648n, 2_147_483_647n],
}

/** Returns true if a bigint column can hold the whole number. */
export const isInt8 = (value: bigint): boolean => value >= INT8_RANGE[0] && value <= INT8_RANGE[1]

export function integerText(value: unknown, type: ColumnType): string {
  if (typeof value === 'number' && !Number.isFinite(value)) return notFinite(value)
  if (typeof value === 'number' && !Number.isInteger(value)) return doesNotFit(value, type)
  const text = typeof value === 'number' ? String(BigInt(value)) : numberText(value)
  if (text === undefined || !isInteger(text)) return doesNotFit(value, type)
  const whole = BigInt(text)
  const [least, most] = RANGES[type.base] ?? INT8_RANGE
  return whole >= least && whole <= most ? text : outOfRange(value, type)
}

export function numericText(value: unknown, type: ColumnType, { round }: TextOptions): string {
  const text = numberText(value)
  const parts = text === undefined ? undefined : decimalParts(text)
  if (text === undefined || !parts) return typeof value === 'number' ? notFinite(value) : doesNotFit(value, type)
  const [precision, scale = 0] = type.limits
  if (precision === undefined || round) return text
  if (!fitsRange(parts, precision, scale)) outOfRange(value, type)
  return fitsScale(parts, scale) ? text : doesNotFit(value, type, ' without being rounded', 'round')
}

export function floatText(value: unknown, type: ColumnType, { round }: TextOptions): string {
  const text = numberText(value)
  if (text === undefined) return doesNotFit(value, type)
  const double = Number(text)
  if (!Number.isFinite(double)) return typeof value === 'number' ? text : outOfRange(value, type)
  if (round) return String(double)
  const isSingle = type.base === 'float4'
  if (isSingle && !Number.isFinite(Math.fround(double))) outOfRange(value, type)
  const isExact = typeof value === 'number' || sameDecimal(String(double), text)
  if (!isExact || (isSingle && !fitsReal(double))) doesNotFit(value, type, ' without being rounded', 'round')
  return String(double)
}

/** Throws for NaN and the infinities, which only floating-point columns hold. */
export function notFinite(value: number): never {
  throw new TypeMismatch(`only a column of type double precision can hold ${value}`, { permanent: true })
}

function outOfRange(value: unknown, { sql }: ColumnType): never {
  throw new TypeMismatch(`${displayValue(value)} is out of range of ${sql}`)
}

/** Returns the text of any numeric value, or undefined. Strings count only if the column returns them unchanged. */
function numberText(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (value instanceof Decimal) return value.text
  return typeof value === 'string' && isStoredAsWritten(value) ? value : undefined
}
