import type { JsonValue } from './json.ts'
import type { MemoryAccount } from '../flow/memory-account.ts'

/**
 * Where in a slice to read on: `null` is the start, `END` the end, anything else belongs to the reader that made it.
 * It is stored as it is, so it holds no secret.
 */
export type Position = JsonValue
export const END = Object.freeze({ end: true as const })

/** True only for exactly `END`: a source's own position such as `{ end: true, page: 2 }` is an ordinary one. */
export const isEnd = (position: Position | undefined): boolean =>
  typeof position === 'object' &&
  position !== null &&
  'end' in position &&
  position['end'] === true &&
  Object.keys(position).length === 1

/**
 * What reading and the stages did to the records of one page:
 * fetched + expanded = records that are left + filtered + duplicate + rejected, after every stage.
 */
export interface ReadCounts {
  /** Records selected from a decoded page. */
  readonly fetched: number
  /** n − 1 for each record from which a stage made n ≥ 1. */
  readonly expanded: number
  readonly filtered: number
  readonly duplicate: number
  readonly rejected: number
  /** Records read only to find their children; outside the equation. */
  readonly parents: number
}

/**
 * Steps that reject records: the stages of a stream, then `encode`, which turns records into rows, and the `database`.
 */
export type RejectStage =
  | 'map'
  | 'filter'
  | 'flatMap'
  | 'validate'
  | 'rename'
  | 'pick'
  | 'omit'
  | 'dedupe'
  | 'offload'
  | 'tap'
  | 'encode'
  | 'database'

/**
 * Returns how a replay sends a reject again: a `record` goes through all stages, and so does a `parent`, none of whose
 * rows are stored yet. A `row` has all stages behind it.
 */
export function replayAs(stage: string): 'record' | 'parent' | 'row' {
  if (stage === 'database') return 'row'
  return stage === 'flatMap' ? 'parent' : 'record'
}

/** A record that could not be stored, and the reason. */
export interface Reject {
  readonly stage: RejectStage
  readonly reason: string
  /** The record as it was read; for `database`, the row as it was sent. */
  readonly record: unknown
  /**
   * For a child stream, the records that it hangs from, outermost first, so that a replay can ask for its recipe again.
   */
  readonly parents?: readonly unknown[]
}

/** The greatest cursor value of some records, as the API wrote it. */
export interface HighWaterMark {
  readonly value: string
  /**
   * Hashes of the records from this value on, one for each record, since the next run meets them again; only where the
   * slice asks for them.
   */
  readonly hashes?: readonly string[]
}

/**
 * What one request answered, on its way to the table. Stages may empty a page, never drop it: its position and counts
 * go on.
 */
export interface Page<T = unknown> {
  readonly records: readonly T[]
  /** The records as they were read, one for each of `records`; left out while they are the same. For rejects. */
  readonly origins?: readonly unknown[]
  /**
   * For a child stream, the records (as they were read) that all of `records` hang from, outermost first. For rejects.
   */
  readonly parents?: readonly unknown[]
  /** Where to read on *after* this page; undefined where the reader cannot say: then nothing is committed yet. */
  readonly position?: Position
  readonly counts: ReadCounts
  readonly rejects: readonly Reject[]
  readonly highWaterMark?: HighWaterMark
  /** Hashes of the records that were left out since the last run had read them. */
  readonly boundaryMatches?: readonly string[]
  /** Identities of open rejects that its records settle. */
  readonly settles?: readonly string[]
  /** Stage of the records that the encoder rejects: `database` for the rows of a replay. @default 'encode' */
  readonly rejectStage?: RejectStage
  /** Its share of the memory budget, given back once its records have been encoded. */
  readonly hold?: Disposable
  /** The account that holds it. What is read for its records, before it is given back, goes below. */
  readonly memory?: MemoryAccount
}
