// Cursor values are kept as the API wrote them and compared by kind, so that no digit of a timestamp or of a large
// number is lost.
import { compareDecimals, isPlainDecimal } from './decimal-text.ts'
import { compareInstants, parseInstant } from './instant.ts'

/** Decides how the text of a cursor value is compared. */
export type CursorKind = 'instant' | 'number' | 'text'

export function cursorKind(text: string): CursorKind {
  if (isPlainDecimal(text)) return 'number'
  return parseInstant(text) ? 'instant' : 'text'
}

/**
 * Compares two cursor values; negative if `a` is before `b`. Two values of different kinds are compared as text: one
 * cursor should never have them.
 */
export function compareCursors(a: string, b: string): number {
  if (a === b) return 0
  const one = parseInstant(a)
  const other = one && parseInstant(b)
  if (other) return compareInstants(one, other)
  if (!one && isPlainDecimal(a) && isPlainDecimal(b)) return compareDecimals(a, b)
  return a < b ? -1 : 1
}
