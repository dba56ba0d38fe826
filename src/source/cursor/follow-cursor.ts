// Follows the cursor over the pages of one slice: filters by the range, leaves out records that the last run has
// stored, and finds the high-water mark.
import { UsageError } from '../../model/errors.ts'
import type { HighWaterMark } from '../../model/page.ts'
import type { Incremental, Order } from '../../model/recipe.ts'
import type { Range } from '../../model/request.ts'
import type { Scope } from '../../model/scope.ts'
import type { BoundaryQuota, SliceRead } from '../../model/slice.ts'
import { defined } from '../../value/defined.ts'
import { digest } from '../../value/digest.ts'
import { cursorAt } from './cursor-at.ts'
import { ComparableValues } from './comparable-values.ts'
import { CursorLimit } from './cursor-limit.ts'
import { compareValues, rangeValue, type CursorValue } from './cursor-value.ts'
import { TextCursor } from './text-cursor.ts'

const rangeText = ({ since, until }: Range): string =>
  [since !== undefined && `from ${since} on`, until !== undefined && `up to ${until}`].filter(Boolean).join(' ')

/** The records of one page that are in the range and new. */
export interface FollowedRecords {
  readonly records: readonly unknown[]
  /** Records outside the range, and newer records that are left to the next run. */
  readonly filtered: number
  /** Hashes of the records that the last run has stored. */
  readonly boundaryMatches: readonly string[]
  readonly highWaterMark?: HighWaterMark
  /** True if no later page can have records of the range, by the declared order. */
  readonly hasEnded: boolean
}

type FollowedSlice = Pick<SliceRead, 'boundary' | 'startedAt' | 'lineageHash' | 'boundaryQuota' | 'restart' | 'onPart'>

/**
 * Sees records as they were read, before any stage. A record without a cursor value is kept, and does not move the
 * cursor. A slice with a `boundary` (append without a key) remembers hashes of the records from the high-water mark on:
 * the next run reads them again. If the quota of hashes is used up, newer records are left to the next run.
 */
export class CursorFollower {
  readonly #location: string
  readonly #order: Order
  readonly #lower: CursorValue | undefined
  readonly #upper: CursorValue | undefined
  readonly #limit: CursorLimit | undefined
  readonly #startedAt: Date | undefined
  readonly #values: ComparableValues
  readonly #keepsHashes: boolean
  /** Boundary records that were not met yet: hash → times. */
  readonly #boundaryRemaining: Map<string, number>
  readonly #quota: BoundaryQuota | undefined
  readonly #lineageHash: string
  /** A record without a value belongs to no window, and without a key every window would store it once more. */
  readonly #dropsWithoutValue: boolean
  #hasWarnedOfDropped = false
  /** The value of the last record. */
  #last: CursorValue | undefined
  #isUnordered = false
  readonly #warn: (message: string) => void
  /** Undefined once it has warned. */
  #text: TextCursor | undefined
  readonly #warnOnce: (message: string) => void

  constructor(incremental: Incremental, range: Range, slice: FollowedSlice, scope: Pick<Scope, 'emit' | 'stream'>) {
    const { at, lookback, order = 'any', unit } = incremental
    const { boundary, startedAt, lineageHash = '', boundaryQuota, restart, onPart } = slice
    this.#location = `.incremental(${typeof at === 'string' ? `'${at}'` : 'function'})`
    if (range.since !== undefined || range.until !== undefined)
      onPart?.(`${this.#location} has read a part of a list, ${rangeText(range)}`, 'range')
    if (boundary && lookback !== undefined && Number.parseFloat(String(lookback)) > 0)
      throw new UsageError(
        `${this.#location}: a lookback reads records again, and append without a key would store them twice. ` +
          'Give the table a key, or remove the lookback',
      )
    this.#warn = (message) => scope.emit({ type: 'warning', message, ...defined({ stream: scope.stream }) })
    this.#warnOnce = (message) => {
      if (isFirst(scope, this.#location)) this.#warn(message)
    }
    if (incremental.grows !== true) this.#text = new TextCursor(this.#location)
    this.#order = order
    this.#lower = range.since === undefined ? undefined : rangeValue(range.since)
    this.#upper = range.until === undefined ? undefined : rangeValue(range.until)
    this.#startedAt = startedAt
    this.#limit = startedAt && new CursorLimit(startedAt, unit, this.#lower)
    this.#values = new ComparableValues(cursorAt(incremental), range, this.#lower?.kind ?? this.#upper?.kind, {
      location: this.#location,
      warn: this.#warn,
    })
    this.#keepsHashes = boundary !== undefined
    this.#boundaryRemaining = new Map(Object.entries(boundary ?? {}).filter(([, times]) => times > 0))
    this.#quota = boundaryQuota
    this.#lineageHash = lineageHash
    this.#dropsWithoutValue = range.until !== undefined && restart === 'slice'
  }

  /** Call it for each page once, in order. */
  follow(records: readonly unknown[]): FollowedRecords {
    const kept: unknown[] = []
    const boundaryMatches: string[] = []
    const inRange: ValuedRecord[] = []
    let greatest: CursorValue | undefined
    let filtered = 0
    let hasEnded = false
    this.#text?.startPage()
    for (const record of records) {
      const value = this.#values.valueOf(record)
      if (value?.kind === 'text') this.#checkText(value, record)
      if (value && this.#order !== 'any') this.#checkOrder(value)
      const side = value && this.#sideOf(value)
      if (side) {
        hasEnded ||= side === 'after' ? this.#order === 'ascending' : this.#order === 'descending'
        filtered++
        continue
      }
      if (!value && this.#dropsWithoutValue) {
        this.#warnOfDropped()
        filtered++
        continue
      }
      const match = this.#takeFromBoundary(record)
      if (match !== undefined) boundaryMatches.push(match)
      else if (value && this.#isLeftToNextRun(value)) {
        filtered++
        continue
      } else kept.push(record)
      if (!value) continue
      if (!greatest || compareValues(value, greatest) > 0) greatest = value
      if (this.#keepsHashes) inRange.push({ value, record })
    }
    return {
      records: filtered + boundaryMatches.length === 0 ? records : kept,
      filtered,
      boundaryMatches,
      hasEnded,
      ...(greatest && { highWaterMark: this.#highWaterMark(greatest, inRange) }),
    }
  }

  /** True if a record had the field of the cursor. */
  get hasMetField(): boolean {
    return this.#values.hasMetField
  }

  /** Returns why the cursor cannot move if none of the records had its field. */
  fieldMissing(records: number): string | undefined {
    return this.#values.fieldMissing(records)
  }

  /** True if the records did not come in the declared order: then its end is none. */
  get isUnordered(): boolean {
    return this.#isUnordered
  }

  /** Returns why a reading that the declared order ended may have missed records. */
  get orderProblem(): string {
    return (
      `${this.#location}: the records do not come in the order '${this.#order}', which ended the reading. ` +
      'Let the API sort them, or remove `order`'
    )
  }

  /** Call it before records of an earlier part of the list come again. */
  readAgain(): void {
    this.#last = undefined
  }

  #checkText(value: CursorValue, record: unknown): void {
    const problem = this.#text?.problemOf(value, record)
    if (problem === undefined) return
    this.#text = undefined
    this.#warnOnce(problem)
  }

  #checkOrder(value: CursorValue): void {
    const step = this.#last ? compareValues(value, this.#last) : 0
    if (this.#order === 'ascending' ? step < 0 : step > 0) this.#isUnordered = true
    this.#last = value
  }

  /** Returns the side on which a value is outside the range, if it is. */
  #sideOf(value: CursorValue): 'before' | 'after' | undefined {
    if (this.#upper && compareValues(value, this.#upper) >= 0) return 'after'
    return this.#lower && compareValues(value, this.#lower) < 0 ? 'before' : undefined
  }

  /** Returns the hash if the last run has stored this record. Each stored record is met once. */
  #takeFromBoundary(record: unknown): string | undefined {
    if (this.#boundaryRemaining.size === 0) return undefined
    const hash = digest(record, this.#lineageHash)
    const times = this.#boundaryRemaining.get(hash)
    if (times === undefined) return undefined
    if (times === 1) this.#boundaryRemaining.delete(hash)
    else this.#boundaryRemaining.set(hash, times - 1)
    return hash
  }

  /** True for a record beyond the limit whose hash cannot be kept any more. Otherwise takes one from the quota. */
  #isLeftToNextRun(value: CursorValue): boolean {
    if (!this.#keepsHashes || !this.#quota || !this.#limit?.isBefore(value)) return false
    if (this.#quota.remaining > 0) {
      this.#quota.remaining--
      return false
    }
    if (!this.#quota.reported)
      this.#warn(
        `${this.#location}: too many records are newer than the start of this run ` +
          `(${this.#startedAt?.toISOString()}). The others are left to the next run and count as filtered. ` +
          "To store them now, give the table a key or use { write: 'merge' }",
      )
    this.#quota.reported = true
    return true
  }

  #warnOfDropped(): void {
    if (!this.#hasWarnedOfDropped)
      this.#warn(
        `${this.#location}: a record without a cursor value belongs to no window, so it is left out. ` +
          'Give the table a key to store such records',
      )
    this.#hasWarnedOfDropped = true
  }

  /** The hashes include records that this run left out as stored before: the next run reads them again, too. */
  #highWaterMark(greatest: CursorValue, inRange: readonly ValuedRecord[]): HighWaterMark {
    const text = String(greatest.raw)
    const value = this.#limit?.isBefore(greatest) ? this.#limit.textLike(text) : text
    if (!this.#keepsHashes) return { value }
    const least = rangeValue(value)
    const hashes = inRange
      .filter(({ value }) => compareValues(value, least) >= 0)
      .map(({ record }) => digest(record, this.#lineageHash))
    return { value, hashes }
  }
}

/** The cursors that were warned of. The lists of many children, each with a follower of its own, warn once in a run. */
const warned = new WeakMap<Scope['emit'], Set<string>>()

function isFirst({ emit, stream = '' }: Pick<Scope, 'emit' | 'stream'>, location: string): boolean {
  const known = warned.get(emit) ?? new Set()
  warned.set(emit, known)
  const name = `${stream} ${location}`
  return !known.has(name) && known.add(name) !== undefined
}

interface ValuedRecord {
  readonly value: CursorValue
  readonly record: unknown
}
