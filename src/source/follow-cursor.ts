import { DecodeError, UsageError } from '../model/errors.ts'
import type { High } from '../model/page.ts'
import type { Incremental } from '../model/recipe.ts'
import type { Range } from '../model/request.ts'
import type { Reading } from '../model/slice.ts'
import { momentLike } from './cursor-text.ts'
import { compareValues, cursorValue, type CursorValue } from './cursor-value.ts'
import { digest } from './digest.ts'
import { found } from './next-request.ts'

/** What following the cursor makes of one page's records. */
export interface Followed {
  readonly records: readonly unknown[]
  /** Outside the range: the API's own filter may be coarser, or missing. */
  readonly filtered: number
  /** Already read by the last run, with exactly the value at which this one begins. */
  readonly duplicate: number
  readonly high?: High
  /** In the order that was declared, nothing more of the range can follow. */
  readonly ended: boolean
}

/**
 * Take the cursor from records as they were answered, before any stage: the greatest value seen, and what lies outside the range.
 * A record without a value is kept and moves nothing. Keeps count over the pages of one reading.
 */
export function followCursor(incremental: Incremental, range: Range, { boundary, madeAt }: Pick<Reading, 'boundary' | 'madeAt'>, warn: (message: string) => void): (records: readonly unknown[]) => Followed {
  const place = `.incremental(${typeof incremental.at === 'string' ? `'${incremental.at}'` : 'function'})`
  if (boundary && incremental.lookback !== undefined && Number.parseFloat(String(incremental.lookback)) > 0) {
    throw new UsageError(`${place}: a lookback reads records again, which append without a key would store once more: give a key, or leave the lookback out`)
  }
  const lower = range.since === undefined ? undefined : valueOf(range.since)
  const upper = range.until === undefined ? undefined : valueOf(range.until)
  const seen = new Map(Object.entries(boundary ?? {}).filter(([, times]) => times > 0))
  const order = incremental.order ?? 'any'
  let kind = lower?.kind ?? upper?.kind
  let fits = kind === undefined
  let warned = false

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
      if (!fits) throw new DecodeError(`${place}: the range is given as ${kind === 'instant' ? 'a time' : `a ${kind}`} ('${range.since ?? range.until}'), but the value is ${value.kind === 'instant' ? 'a time' : `a ${value.kind}`} ('${value.raw}')${value.kind === 'number' ? ": say { unit: 's' } or { unit: 'ms' } where it counts since 1970" : ''}`)
    }
    if (!warned) warn(`${place}: a record's value is not comparable with the others; such records are stored and move nothing`)
    warned = true
    return undefined
  }

  return (records) => {
    const kept: unknown[] = []
    let filtered = 0
    let duplicate = 0
    let ended = false
    let top: CursorValue | undefined
    const values: CursorValue[] = []
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
        if (!top || compareValues(value, top) > 0) top = value
        if (boundary) values.push(value)
      }
      if (seen.size > 0 && taken(seen, digest(record))) duplicate++
      else kept.push(record)
    }
    const high = top && highOf(top)
    return { records: filtered + duplicate === 0 ? records : kept, filtered, duplicate, ended, ...(high && { high }) }

    /** With hashes where the slice asks for them, of what was left out too: the next run will meet all of these again. */
    function highOf(top: CursorValue): High {
      const text = String(top.raw)
      const limit = madeAt && momentLike(text, madeAt, incremental.unit)
      const cut = limit !== undefined && compareValues(top, valueOf(limit)) > 0 ? limit : text
      if (!boundary) return { value: cut }
      const least = valueOf(cut)
      return { value: cut, hashes: records.flatMap((record) => { const value = read(record); return value && !(upper && compareValues(value, upper) >= 0) && compareValues(value, least) >= 0 ? [digest(record)] : [] }) }
    }
  }
}

function valueOf(text: string): CursorValue {
  const value = cursorValue(text)
  if (!value) throw new UsageError(`'${text}' is no beginning or end of a range: give a date, a number or text`)
  return value
}

/** One of the records that were read before, each counted once. */
function taken(seen: Map<string, number>, hash: string): boolean {
  const times = seen.get(hash)
  if (times === undefined) return false
  if (times === 1) seen.delete(hash)
  else seen.set(hash, times - 1)
  return true
}
