// The cursor values of records, and how they compare.
import { DecodeError, UsageError } from '../../model/errors.ts'
import { compareCursors, cursorKind, type CursorKind } from '../../value/cursor-order.ts'
import { Decimal } from '../../value/decimal.ts'
import { compareInstants, parseInstant, type Instant } from '../../value/instant.ts'

export interface CursorValue {
  /** The value as the API wrote it. It becomes text only where text is needed, which is seldom. */
  readonly raw: string | number | bigint
  readonly kind: CursorKind
  /** Numbers that compare exactly. A decimal has none, and is compared as text. */
  readonly number?: number | bigint
  readonly instant?: Instant
}

/** Returns undefined if the field is missing, null if its value cannot be ordered. */
export function cursorValue(value: unknown): CursorValue | null | undefined {
  switch (typeof value) {
    case 'undefined':
      return undefined
    case 'number':
      return Number.isFinite(value) ? { raw: value, kind: 'number', number: value } : null
    case 'bigint':
      return { raw: value, kind: 'number', number: value }
    case 'string':
      return textValue(value)
    case 'object':
      if (value === null) return undefined
      if (value instanceof Decimal) return { raw: value.text, kind: 'number' }
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : textValue(value.toISOString())
      return null
    case 'boolean':
    case 'symbol':
    case 'function':
      return null
  }
}

function textValue(text: string): CursorValue | null | undefined {
  if (text === '') return undefined
  const instant = parseInstant(text)
  if (instant) return { raw: text, kind: 'instant', instant }
  const kind = cursorKind(text)
  // As a cursor it would be stored with other characters, and the next run would begin elsewhere.
  if (kind === 'text' && !text.isWellFormed()) return null
  if (kind === 'text' && UNSORTABLE_DATE.test(text))
    throw new DecodeError(
      `the cursor value '${text}' is a date that does not sort as text. ` +
        'Give .incremental a function that returns it as ISO 8601 or as a Date',
    )
  // The start of a range is text and is compared with every record, so an integer in text is parsed once.
  if (kind !== 'number' || text.includes('.')) return { raw: text, kind }
  return { raw: text, kind, number: text.length < 16 ? Number(text) : BigInt(text) }
}

/** Dates whose text does not sort by time: `Tue, 01 Jan 2024`, `1 Jan 2024`, `01/31/2024`, `31.01.2024`. */
const UNSORTABLE_DATE =
  /^(?:[a-z]{3,9},? +)?(?:\d{1,2} [a-z]{3,9}|[a-z]{3,9} \d{1,2},?) \d{4}\b|^\d{1,2}[./-]\d{1,2}[./-]\d{4}\b/i

/** Returns a negative number if `a` is before `b`, a positive one if it is after `b`, else 0. */
export function compareValues(a: CursorValue, b: CursorValue): number {
  if (a.number !== undefined && b.number !== undefined) return compare(a.number, b.number)
  if (a.instant && b.instant) return compareInstants(a.instant, b.instant)
  return compareCursors(String(a.raw), String(b.raw))
}

function compare<T extends number | bigint | string>(a: T, b: T): number {
  if (a < b) return -1
  return a > b ? 1 : 0
}

/** Returns the value of one end of a range. */
export function rangeValue(text: string): CursorValue {
  const value = cursorValue(text)
  if (!value) throw new UsageError(`'${text}' is not a value of a cursor. Give a date, a number or text`)
  return value
}
