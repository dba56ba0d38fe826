// The range that a slice reads: what is requested, and what records are filtered by.
import { DEFAULT_LOOKBACK, type Incremental } from '../../model/recipe.ts'
import type { Range } from '../../model/request.ts'
import type { SliceRead } from '../../model/slice.ts'
import { compareCursors } from '../../value/cursor-order.ts'
import { isPlainDecimal } from '../../value/decimal-text.ts'
import { instantLayout } from '../../value/instant.ts'
import type { Unit } from './bound-value.ts'
import { subtractLookback, toUnit } from './cursor-text.ts'

/**
 * Returns the stored range in the cursor's unit, less the lookback, but not before the definition's first value. A
 * range with an end, such as a backfill window, gets no lookback.
 */
export function rangeOf(
  incremental: Incremental | undefined,
  { since, until, isMerged = false }: Range & Pick<SliceRead, 'isMerged'>,
): Range {
  if (!incremental) return { since, until }
  const { unit, startFrom } = incremental
  const first = startFrom === undefined ? undefined : toUnit(String(startFrom), unit)
  const end = until === undefined ? undefined : toUnit(until, unit)
  if (since === undefined) return { since: first, until: end }
  const start = toUnit(since, unit)
  const lookback = incremental.lookback ?? (isMerged && isTime(start, unit) ? DEFAULT_LOOKBACK : 0)
  if (until !== undefined || Number.parseFloat(String(lookback)) === 0) return { since: start, until: end }
  const early = subtractLookback(start, lookback, unit)
  // A cursor that was set to a time before the first value keeps its place.
  const isBelowFirst = first !== undefined && compareCursors(early, first) < 0 && compareCursors(first, start) <= 0
  return { since: isBelowFirst ? first : early, until: end }
}

/** True for a time of a day. A day alone is none: a minute before it is the whole day before. */
function isTime(text: string, unit: Unit | undefined): boolean {
  if (isPlainDecimal(text)) return unit !== undefined
  const separator = instantLayout(text)?.separator
  return separator !== undefined && separator !== ''
}
