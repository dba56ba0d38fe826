import { compareCursors } from '../value/cursor-order.ts'
import type { HighWaterMark } from './page.ts'

/**
 * Returns the greater of two high-water marks, the later one of tokens. Two with equal values are joined, with the
 * hashes of both.
 */
export function maxHighWaterMark(
  a: HighWaterMark | undefined,
  b: HighWaterMark | undefined,
): HighWaterMark | undefined {
  if (!a || !b) return a ?? b
  if (b.isToken) return b
  const sign = compareCursors(a.value, b.value)
  if (sign !== 0) return sign > 0 ? a : b
  return a.hashes || b.hashes ? { value: a.value, hashes: [...(a.hashes ?? []), ...(b.hashes ?? [])] } : a
}

/**
 * Returns the greater of two cursors, or the new token; undefined if the cursor stays. Of two equal ones the stored
 * text stays.
 */
export function nextCursor(cursor: string | undefined, highWaterMark: HighWaterMark | undefined): string | undefined {
  if (!highWaterMark) return undefined
  if (highWaterMark.isToken) return highWaterMark.value
  const sign = cursor === undefined ? 1 : compareCursors(highWaterMark.value, cursor)
  if (sign === 0) return cursor
  return sign > 0 ? highWaterMark.value : undefined
}
