import { DecodeError, UsageError } from '../../model/errors.ts'
import type { HighWaterMark } from '../../model/page.ts'
import type { Incremental } from '../../model/recipe.ts'
import type { Range } from '../../model/request.ts'
import type { SliceRead } from '../../model/slice.ts'
import { momentLike } from './cursor-text.ts'
import { compareValues, cursorValue, type CursorValue } from './cursor-value.ts'
import { digest } from '../../value/digest.ts'
import { found } from '../paging/next-request.ts'

/** What following the cursor makes of one page's records. */
export interface Followed {
  readonly records: readonly unknown[]
  /**
   * Outside the range: the API's own filter may be coarser, or missing. Or newer than the reading, and left to the next
   * run.
   */
  readonly filtered: number
  /** Hashes of those that were already read by the last run. */
  readonly boundaryMatches: readonly string[]
  readonly highWaterMark?: HighWaterMark
  /** In the order that was declared, nothing more of the range can follow. */
  readonly ended: boolean
}

/**
 * Take the cursor from records as they were answered, before any stage: the greatest value seen, and what lies outside
 * the range. A record without a value is kept and moves nothing. Keeps count over the pages of one reading.
 *
 * No cursor passes the moment when the reading began, so the next run meets what is newer again. Where rows have no
 * key, such a record is either stored and its hash kept, as long as there is room for it, or neither.
 */
export function followCursor(
  incremental: Incremental,
  range: Range,
  {
    boundary,
    startedAt,
    lineageHash = '',
    boundaryQuota,
    restart,
  }: Pick<SliceRead, 'boundary' | 'startedAt' | 'lineageHash' | 'boundaryQuota' | 'restart'>,
  warn: (message: string) => void,
): (records: readonly unknown[]) => Followed {
  const place = `.incremental(${typeof incremental.at === 'string' ? `'${incremental.at}'` : 'function'})`
  if (boundary && incremental.lookback !== undefined && Number.parseFloat(String(incremental.lookback)) > 0) {
    throw new UsageError(
      `${place}: a lookback reads records again, which append without a key would store once more: give a key, or leave the lookback out`,
    )
  }
  const lower = range.since === undefined ? undefined : valueOf(range.since)
  const upper = range.until === undefined ? undefined : valueOf(range.until)
  const seen = new Map(Object.entries(boundary ?? {}).filter(([, times]) => times > 0))
  const order = incremental.order ?? 'any'
  const limit = startedAt && limitAt(startedAt, incremental, lower)
  let kind = lower?.kind ?? upper?.kind
  let fits = kind === undefined
  let warned = false
  /** It belongs to no window, and each would store it once more. */
  const leavesOut = range.until !== undefined && restart === 'slice'
  let left = false

  /** The value, where it can be compared with the others. */
  function read(record: unknown): CursorValue | undefined {
    const value = cursorValue(found(incremental.at, record))
    if (value === undefined) return undefined
    if (value !== null) {
      kind ??= value.kind
      if (value.kind === kind || (kind !== 'instant' && value.kind !== 'instant' && typeof value.raw === 'string')) {
        fits = true
        return value
      }
      if (!fits)
        throw new DecodeError(
          `${place}: the range is given as ${kind === 'instant' ? 'a time' : `a ${kind}`} ('${range.since ?? range.until}'), but the value is ${value.kind === 'instant' ? 'a time' : `a ${value.kind}`} ('${value.raw}')${value.kind === 'number' ? ": say { unit: 's' } or { unit: 'ms' } where it counts since 1970" : ''}`,
        )
    }
    if (!warned)
      warn(`${place}: a record's value is not comparable with the others; such records are stored and move nothing`)
    warned = true
    return undefined
  }

  return (records) => {
    const kept: unknown[] = []
    const boundaryMatches: string[] = []
    let filtered = 0
    let ended = false
    let top: CursorValue | undefined
    const valued: { readonly value: CursorValue; readonly record: unknown }[] = []
    for (const record of records) {
      const value = read(record)
      if (value) {
        if (upper && compareValues(value, upper) >= 0) {
          ended ||= order === 'ascending'
          filtered++
          continue
        }
        if (lower && compareValues(value, lower) < 0) {
          ended ||= order === 'descending'
          filtered++
          continue
        }
      } else if (leavesOut) {
        if (!left)
          warn(
            `${place}: a record has no value to say which window it is of; without a key such records would be stored by each, so they are left out`,
          )
        left = true
        filtered++
        continue
      }
      const known = seen.size > 0 ? taken(seen, digest(record, lineageHash)) : undefined
      if (known !== undefined) boundaryMatches.push(known)
      else if (boundary && value && limit?.isBefore(value) && isFull()) {
        filtered++
        continue
      } else kept.push(record)
      if (!value) continue
      if (!top || compareValues(value, top) > 0) top = value
      if (boundary) valued.push({ value, record })
    }
    const highWaterMark = top && highOf(top)
    return {
      records: filtered + boundaryMatches.length === 0 ? records : kept,
      filtered,
      boundaryMatches,
      ended,
      ...(highWaterMark && { highWaterMark }),
    }

    /**
     * With hashes where the slice asks for them, of what was left out too: the next run will meet all of these again.
     */
    function highOf(top: CursorValue): HighWaterMark {
      const cut = limit?.isBefore(top) ? limit.textLike(String(top.raw)) : String(top.raw)
      if (!boundary) return { value: cut }
      const least = valueOf(cut)
      return {
        value: cut,
        hashes: valued
          .filter(({ value }) => compareValues(value, least) >= 0)
          .map(({ record }) => digest(record, lineageHash)),
      }
    }
  }

  /**
   * Whether no more records that are newer than the reading can be remembered; takes the place of one where they can.
   */
  function isFull(): boolean {
    if (!boundaryQuota) return false
    if (boundaryQuota.remaining > 0) {
      boundaryQuota.remaining--
      return false
    }
    if (!boundaryQuota.reported)
      warn(
        `${place}: more records are newer than this reading, which began ${startedAt?.toISOString()}, than can be told from those of the next run; the rest is left to that one, and counts as filtered. With a key, or with { write: 'merge' }, all are stored at once`,
      )
    boundaryQuota.reported = true
    return true
  }
}

/** What no cursor passes. */
interface Limit {
  readonly isBefore: (value: CursorValue) => boolean
  /** In the format of an API's own. */
  readonly textLike: (text: string) => string
}

/**
 * The second in which the reading began, for values that are times. The same in every format that an API mixes, and for
 * every page of a slice:
 * the hashes of what is newer belong to exactly this value. A cursor that is there already, and greater, never goes
 * back.
 */
function limitAt(startedAt: Date, { unit }: Incremental, lower: CursorValue | undefined): Limit {
  const second = new Date(Math.floor(startedAt.getTime() / 1_000) * 1_000)
  const instant = valueOf(second.toISOString())
  const number = unit && valueOf(momentLike('0', second, unit)!)
  const present = ({ kind }: CursorValue): CursorValue | undefined =>
    kind === 'instant' ? instant : kind === 'number' ? number : undefined
  const isPast = lower !== undefined && present(lower) !== undefined && compareValues(lower, present(lower)!) > 0
  return {
    isBefore: (value) => {
      const limit = isPast ? lower : present(value)
      return limit !== undefined && compareValues(value, limit) > 0
    },
    textLike: (text) => (isPast ? String(lower.raw) : (momentLike(text, second, unit) ?? String(number?.raw ?? text))),
  }
}

function valueOf(text: string): CursorValue {
  const value = cursorValue(text)
  if (!value) throw new UsageError(`'${text}' is no beginning or end of a range: give a date, a number or text`)
  return value
}

/** Its hash, where it is one of the records that were read before, each counted once. */
function taken(seen: Map<string, number>, hash: string): string | undefined {
  const times = seen.get(hash)
  if (times === undefined) return undefined
  if (times === 1) seen.delete(hash)
  else seen.set(hash, times - 1)
  return hash
}
