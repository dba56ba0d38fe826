import { compareCursors } from '../value/cursor-order.ts'
import type { HighWaterMark } from './page.ts'

/** Returns the greater of two high-water marks. Two with equal values are joined, with the hashes of both. */
export function maxHighWaterMark(
  a: HighWaterMark | undefined,
  b: HighWaterMark | undefined,
): HighWaterMark | undefined {
  if (!a || !b) return a ?? b
  const sign = compareCursors(a.value, b.value)
  if (sign !== 0) return sign > 0 ? a : b
  return a.hashes || b.hashes ? { value: a.value, hashes: [...(a.hashes ?? []), ...(b.hashes ?? [])] } : a
}
