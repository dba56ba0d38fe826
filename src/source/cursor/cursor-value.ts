import { compareCursors, cursorKind, type CursorKind } from '../../value/cursor-order.ts'
import { parseInstant, type Instant } from '../../value/instant.ts'
import { Decimal } from '../../value/decimal.ts'
import { DecodeError } from '../../model/errors.ts'

/** A record's cursor value: as the API wrote it, and what it is compared by. */
export interface CursorValue {
  /** Made text only where it is needed: for most records it is not. */
  readonly raw: string | number | bigint
  readonly kind: CursorKind
  readonly number?: number | bigint
  readonly instant?: Instant
}

/** The value of a record, or undefined where it has none; `null` where it is nothing that has an order. */
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

function textValue(text: string): CursorValue | undefined {
  if (text === '') return undefined
  const instant = parseInstant(text)
  if (instant) return { raw: text, kind: 'instant', instant }
  const kind = cursorKind(text)
  if (kind === 'text' && unordered.test(text))
    throw new DecodeError(
      `the cursor value '${text}' is a date that cannot be compared as text: give .incremental a function that answers it as ISO 8601 or a Date`,
    )
  // An integer in text is compared as what it is: the lower end of a range is text, and is compared with every record.
  return kind === 'number' && !text.includes('.')
    ? { raw: text, kind, number: text.length < 16 ? Number(text) : BigInt(text) }
    : { raw: text, kind }
}

/** Dates that sort wrongly as text: `Tue, 01 Jan 2024`, `1 Jan 2024`, `01/31/2024`, `31.01.2024`. */
const unordered =
  /^(?:[a-z]{3,9},? +)?(?:\d{1,2} [a-z]{3,9}|[a-z]{3,9} \d{1,2},?) \d{4}\b|^\d{1,2}[./-]\d{1,2}[./-]\d{4}\b/i

/** Negative where `a` is before `b`. */
export function compareValues(a: CursorValue, b: CursorValue): number {
  if (a.number !== undefined && b.number !== undefined) return a.number < b.number ? -1 : a.number > b.number ? 1 : 0
  if (a.instant && b.instant)
    return (
      a.instant.seconds - b.instant.seconds ||
      (a.instant.fraction < b.instant.fraction ? -1 : a.instant.fraction > b.instant.fraction ? 1 : 0)
    )
  return compareCursors(String(a.raw), String(b.raw))
}
