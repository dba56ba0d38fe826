import { types } from 'node:util'
import { decimalParts } from '../../value/decimal-text.ts'
import { Decimal } from '../../value/decimal.ts'
import { fractionDigits, isDay } from '../../value/instant.ts'
import { isInt8 } from './number-text.ts'

/** The types that a new column can have without a declaration. */
export type ColumnKind = 'boolean' | 'bigint' | 'numeric' | 'timestamptz' | 'date' | 'jsonb' | 'text'

/** Returns true for an object whose members can be columns; a number, a text or a list has none. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Returns the column that a value gets if it is the first of its field; undefined if it does not determine one (null)
 * or cannot be stored at all.
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

/**
 * Accepts RFC 3339 that a timestamptz keeps exactly, also `+0200`, and a space between day and time, as RFC 3339 allows
 * it (`2026-01-31 10:00:00.000Z`). Other texts that look like times are more likely texts.
 */
function isTimestamp(value: string): boolean {
  const digits = fractionDigits(value)
  return digits >= 0 && digits <= 6 && SEPARATORS.has(value.charCodeAt(10)) && !value.endsWith('z')
}

/** `T` and the space. */
const SEPARATORS = new Set([84, 32])

/** Returns the narrowest kind that holds both. */
export function commonKind(one: ColumnKind | undefined, other: ColumnKind): ColumnKind
export function commonKind(one: ColumnKind | undefined, other: ColumnKind | undefined): ColumnKind | undefined
export function commonKind(one: ColumnKind | undefined, other: ColumnKind | undefined): ColumnKind | undefined {
  if (one === undefined || one === other) return other
  if (other === undefined) return one
  if (one === 'jsonb' || other === 'jsonb') return 'jsonb'
  const numbers: readonly ColumnKind[] = ['bigint', 'numeric']
  return numbers.includes(one) && numbers.includes(other) ? 'numeric' : 'text'
}
