import { compareCursors } from '../../value/cursor-order.ts'
import type { Incremental } from '../../model/recipe.ts'
import type { Range } from '../../model/request.ts'
import { inUnit, lessLookback } from './cursor-text.ts'

/**
 * The range as it is asked for and filtered by: the stored cursor less the lookback, never before `from`, in the
 * cursor's own unit. A range with an end was given from outside, as a backfill's window, and is read as it stands.
 */
export function rangeOf(incremental: Incremental | undefined, { since, until }: Range): Range {
  if (!incremental) return { since, until }
  const { unit, lookback, startFrom } = incremental
  const first = startFrom === undefined ? undefined : inUnit(String(startFrom), unit)
  const end = until === undefined ? undefined : inUnit(until, unit)
  if (since === undefined) return { since: first, until: end }
  const begin = inUnit(since, unit)
  if (until !== undefined || lookback === undefined) return { since: begin, until: end }
  const lower = lessLookback(begin, lookback, unit)
  return {
    since: first !== undefined && compareCursors(lower, first) < 0 && compareCursors(first, begin) <= 0 ? first : lower,
    until: end,
  }
}
