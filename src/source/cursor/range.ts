// The range that a slice reads: what is requested, and what records are filtered by.
import { UsageError } from '../../model/errors.ts'
import { DEFAULT_LOOKBACK, type Incremental } from '../../model/recipe.ts'
import type { Range } from '../../model/request.ts'
import type { SliceRead } from '../../model/slice.ts'
import { compareCursors } from '../../value/cursor-order.ts'
import { isPlainDecimal } from '../../value/decimal-text.ts'
import { duration } from '../../value/duration.ts'
import { instantLayout } from '../../value/instant.ts'
import type { Unit } from './bound-value.ts'
import { addTime, subtractLookback, timeLike, toUnit } from './cursor-text.ts'

/**
 * Returns the stored range in the cursor's unit, less the lookback, but not before the definition's first value. A
 * range with an end, such as a backfill window, gets no lookback. The last step of a stream ends at the start of the
 * slice, because its API wants an end.
 */
export function rangeOf(
  incremental: Incremental | undefined,
  { since, until, isMerged = false, startedAt }: Range & Pick<SliceRead, 'isMerged' | 'startedAt'>,
): Range {
  if (!incremental) return { since, until }
  const { unit, step } = incremental
  const first = firstOf(incremental)
  const start = since === undefined ? first : toUnit(since, unit)
  if (until !== undefined) return { since: start, until: toUnit(until, unit) }
  const end = step !== undefined && start !== undefined && startedAt ? timeLike(start, startedAt, unit) : undefined
  return { since: since === undefined ? start : withLookback(incremental, start, isMerged), until: end }
}

/**
 * Returns the range of a slice that starts at a cursor. A stream without steps is read to its end. With steps the range
 * has an end, unless it reaches `now`.
 *
 * `readAt` is when this run began to read the step before, if it did. Where that step ended long before, no late row of
 * it is left to come, so the next one begins at its end. With the lookback, `lookback: '28d'` and `step: '30d'` would
 * move on by two days a request.
 */
export function stepRange(
  incremental: Incremental | undefined,
  cursor: string | undefined,
  { now, isMerged = false, readAt }: { readonly now: Date; readonly isMerged?: boolean; readonly readAt?: Date },
): Range {
  if (incremental?.step === undefined) return { since: cursor }
  const { unit, step } = incremental
  const first = firstOf(incremental)
  const start = cursor === undefined ? first : toUnit(cursor, unit)
  const since = cursor === undefined ? start : withLookback(incremental, start, isMerged)
  const end = timeLike(since ?? '', now, unit)
  if (since === undefined || end === undefined)
    throw new UsageError(
      `step '${step}': the cursor '${since ?? ''}' is no time, so it cannot be divided into steps. ` +
        "Add its unit, as in { unit: 's' }, or remove the step",
    )
  const until = addTime(since, duration(step), unit)
  if (start !== undefined && compareCursors(until, start) <= 0)
    throw new UsageError(
      `step '${step}': it leads from '${start}' to '${until}' and so never on. Make it longer than the lookback, and ` +
        'at least as long as one unit of the cursor',
    )
  const isWithin = (time: string): boolean => compareCursors(time, end) < 0
  if (start !== undefined && readAt && isSettled(incremental, start, { readAt, isMerged })) {
    const later = addTime(start, duration(step), unit)
    if (isWithin(later)) return { since: start, until: later }
  }
  return isWithin(until) ? { since, until } : { since: cursor }
}

/**
 * Returns the step that begins at a cursor, or at the end of the range before it (`isChained`), if it may be read
 * beside other steps: no late row of it is left to come, so the step behind it begins at its end. Undefined where late
 * rows may still come. A chain is begun only where two such steps follow each other.
 */
export function settledRange(
  incremental: Incremental | undefined,
  start: string | undefined,
  options: { readonly now: Date; readonly isMerged: boolean; readonly isChained: boolean },
): Required<Range> | undefined {
  const { now, isMerged, isChained } = options
  if (incremental?.step === undefined) return undefined
  const { unit, step } = incremental
  const range =
    isChained && start !== undefined
      ? { since: start, until: addTime(start, duration(step), unit) }
      : stepRange(incremental, start, { now, isMerged })
  const { since, until } = range
  if (since === undefined || until === undefined || compareCursors(until, since) <= 0) return undefined
  if (!isSettled(incremental, until, { readAt: now, isMerged })) return undefined
  if (!isChained && !settledRange(incremental, until, { ...options, isChained: true })) return undefined
  return { since, until }
}

/** The API's clock may be another one, and the zone of a time without one is not known. */
const CLOCKS_DIFFER_MS = 86_400_000

/** True if no row before a start could still be late when the step before was read. */
function isSettled(
  incremental: Incremental,
  start: string,
  { readAt, isMerged }: { readonly readAt: Date; readonly isMerged: boolean },
): boolean {
  const time = timeLike(start, new Date(readAt.getTime() - CLOCKS_DIFFER_MS), incremental.unit)
  return time !== undefined && compareCursors(start, withLookback(incremental, time, isMerged)) <= 0
}

const firstOf = ({ startFrom, unit }: Incremental): string | undefined =>
  startFrom === undefined ? undefined : toUnit(String(startFrom), unit)

/** Returns a start less the lookback, but not before the definition's first value. */
function withLookback(incremental: Incremental, start: string, isMerged: boolean): string
function withLookback(incremental: Incremental, start: string | undefined, isMerged: boolean): string | undefined
function withLookback(incremental: Incremental, start: string | undefined, isMerged: boolean): string | undefined {
  if (start === undefined) return undefined
  const { unit } = incremental
  const lookback = incremental.lookback ?? (isMerged && isTime(start, unit) ? DEFAULT_LOOKBACK : 0)
  if (Number.parseFloat(String(lookback)) === 0) return start
  const early = subtractLookback(start, lookback, unit)
  const first = firstOf(incremental)
  // A cursor that was set to a time before the first value keeps its place.
  const isBelowFirst = first !== undefined && compareCursors(early, first) < 0 && compareCursors(first, start) <= 0
  return isBelowFirst ? first : early
}

/** True for a time of a day. A day alone is none: a minute before it is the whole day before. */
function isTime(text: string, unit: Unit | undefined): boolean {
  if (isPlainDecimal(text)) return unit !== undefined
  const separator = instantLayout(text)?.separator
  return separator !== undefined && separator !== ''
}
