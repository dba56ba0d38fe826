import { types } from 'node:util'
import { Decimal } from '../../value/decimal.ts'
import { decimalParts } from '../../value/decimal-text.ts'
import { fractionDigits, isDay } from '../../value/instant.ts'

/** What a new column is made of. */
export type ColumnKind = 'boolean' | 'bigint' | 'numeric' | 'timestamptz' | 'date' | 'jsonb' | 'text'

const least = -(2n ** 63n)
const most = 2n ** 63n - 1n

/** Whether a whole number fits bigint. */
export const isInt8 = (value: bigint): boolean => value >= least && value <= most

/**
 * The column that a value would get if it were the first one; undefined where it says nothing (null) or cannot be
 * stored at all.
 */
export function columnKindOf(value: unknown): ColumnKind | undefined {
  switch (typeof value) {
    case 'boolean':
      return 'boolean'
    case 'number':
      if (!Number.isFinite(value)) return undefined
      return Number.isSafeInteger(value) || (Number.isInteger(value) && isInt8(BigInt(value))) ? 'bigint' : 'numeric'
    case 'bigint':
      return isInt8(value) ? 'bigint' : 'numeric'
    case 'string':
      if (value.includes('\0') || !value.isWellFormed()) return undefined
      if (isDay(value)) return 'date'
      return isTimestamp(value) ? 'timestamptz' : 'text'
    case 'object':
      if (value === null) return undefined
      if (value instanceof Decimal) return decimalParts(value.text) ? 'numeric' : undefined
      if (types.isDate(value)) return Number.isNaN(value.getTime()) ? undefined : 'timestamptz'
      return ArrayBuffer.isView(value) ? undefined : 'jsonb'
    case 'undefined':
    case 'function':
    case 'symbol':
      return undefined
  }
}

/** Strictly RFC 3339 and exact in a timestamptz: what looks otherwise is more likely to be a text. */
function isTimestamp(value: string): boolean {
  const digits = fractionDigits(value)
  return digits >= 0 && digits <= 6 && value.charCodeAt(10) === 84 && !value.endsWith('z')
}

/** The narrowest kind that holds both. */
export function commonKind(one: ColumnKind | undefined, other: ColumnKind | undefined): ColumnKind | undefined {
  if (one === undefined || one === other) return other
  if (other === undefined) return one
  if (one === 'jsonb' || other === 'jsonb') return 'jsonb'
  const numbers: readonly ColumnKind[] = ['bigint', 'numeric']
  return numbers.includes(one) && numbers.includes(other) ? 'numeric' : 'text'
}
