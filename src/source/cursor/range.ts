// The range that a slice reads: what is requested, and what records are filtered by.
import type { Incremental } from '../../model/recipe.ts'
import type { Range } from '../../model/request.ts'
import { compareCursors } from '../../value/cursor-order.ts'
import { subtractLookback, toUnit } from './cursor-text.ts'

/**
 * Returns the stored range in the cursor's unit, less the lookback, but not before the definition's first value. A
 * range with an end, such as a backfill window, gets no lookback.
 */
export function rangeOf(incremental: Incremental | undefined, { since, until }: Range): Range {
  if (!incremental) return { since, until }
  const { unit, lookback, startFrom } = incremental
  const first = startFrom === undefined ? undefined : toUnit(String(startFrom), unit)
  const end = until === undefined ? undefined : toUnit(until, unit)
  if (since === undefined) return { since: first, until: end }
  const start = toUnit(since, unit)
  if (until !== undefined || lookback === undefined) return { since: start, until: end }
  const early = subtractLookback(start, lookback, unit)
  // A cursor that was set to a time before the first value keeps its place.
  const isBelowFirst = first !== undefined && compareCursors(early, first) < 0 && compareCursors(first, start) <= 0
  return { since: isBelowFirst ? first : early, until: end }
}
