import type { JsonValue } from './json.ts'
import type { Completeness } from './completeness.ts'
import type { MemoryAccount } from '../flow/memory-account.ts'

/**
 * The position in a slice at which reading continues: `null` is the start, `END` the end. Other values belong to the
 * reader that made them. A position is stored as it is, so it must not contain a secret.
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
 * Counts of the records of one page, after reading and after each stage:
 * fetched + expanded = remaining records + filtered + duplicate + deleted + rejected.
 */
export interface ReadCounts {
  /** Records selected from a decoded page. */
  readonly fetched: number
  /** n − 1 for each record from which a stage made n ≥ 1. */
  readonly expanded: number
  readonly filtered: number
  readonly duplicate: number
  /** Records that the API announced as deleted, by `.deleted()`. */
  readonly deleted: number
  readonly rejected: number
  /** Records that were read only to find their children. The equation does not contain them. */
  readonly parents: number
}

/**
 * Steps that reject records: `read`, which finds them in a body, the stages of a stream, then `encode`, which turns
 * records into rows, and the `database`.
 */
export type RejectStage =
  | 'read'
  | 'map'
  | 'filter'
  | 'deleted'
  | 'flatMap'
  | 'validate'
  | 'rename'
  | 'flag'
  | 'pick'
  | 'omit'
  | 'dedupe'
  | 'offload'
  | 'tap'
  | 'encode'
  | 'database'

/**
 * Returns how a replay sends a reject again: a `record` goes through all stages, and so does a `parent`, none of whose
 * rows are stored yet. A `row` has all stages behind it. What could not be read as a record is `unreadable`: only
 * reading it again helps.
 */
export function replayAs(stage: string): 'record' | 'parent' | 'row' | 'unreadable' {
  if (stage === 'database') return 'row'
  if (stage === 'read') return 'unreadable'
  return stage === 'flatMap' ? 'parent' : 'record'
}

/** A record that could not be stored, and the reason. */
export interface Reject {
  readonly stage: RejectStage
  readonly reason: string
  /** The record as it was read; for `database`, the row as it was sent. */
  readonly record: unknown
  /**
   * Child streams only: the ancestors of the record, outermost first. A replay makes the child's recipe from them
   * again.
   */
  readonly parents?: readonly unknown[]
}

/** A record that the API announced as deleted. The row of its key goes. */
export interface Tombstone {
  /** The record with the names of fields that rows have. Stages that make other records see it only for its key. */
  readonly record: unknown
  /** The record as it was read, for rejects. */
  readonly origin: unknown
  /** How many of the page's `records` were read before it. */
  readonly before: number
}

/** The greatest cursor value of some records, as the API wrote it. */
export interface HighWaterMark {
  readonly value: string
  /**
   * Hashes of the records from this value on, one for each record, because the next run reads them again. Absent if
   * the slice has no boundary.
   */
  readonly hashes?: readonly string[]
  /** A token of the API, which has no order: the last one is the cursor. */
  readonly isToken?: true
  /** The API said that nothing has changed since this token, so nothing was read. */
  readonly isUnchanged?: true
}

/** The cursor of one child list. It belongs to the last page of the list. */
export interface ParentCursor {
  /** A hash of the request that leads to the list. */
  readonly list: string
  /** That request for people. */
  readonly request: string
  readonly value: string
  /** It is not proven that the list was read completely: its cursor stays, unless the table accepts that. */
  readonly isOpen: boolean
}

/**
 * The records of one response, on their way to the table. A stage may empty a page but never drops it, because its
 * position and counts are still needed.
 */
export interface Page<T = unknown> {
  readonly records: readonly T[]
  /** The records as they were read, one for each of `records`, for rejects. Absent while they are the same. */
  readonly origins?: readonly unknown[]
  /**
   * Child streams only: the ancestors of all `records`, as they were read, outermost first. For rejects.
   */
  readonly parents?: readonly unknown[]
  /** The URL that the records came from, without credentials. Absent for those of a custom source. */
  readonly url?: string
  /** Records that the API announced as deleted, in the order in which they were read. @default none */
  readonly tombstones?: readonly Tombstone[]
  /**
   * For a table with `mirror`: records that exist and were rejected, with the fields of the table's key. Their rows
   * stay. @default none
   */
  readonly present?: readonly unknown[]
  /** The position *after* this page. Undefined if the reader does not know it: the page is then committed later. */
  readonly position?: Position
  /**
   * Called when the page is stored. Such a page is stored at once, without waiting for others: something was begun that
   * only its position knows.
   */
  readonly onStored?: () => void
  readonly counts: ReadCounts
  readonly rejects: readonly Reject[]
  readonly highWaterMark?: HighWaterMark
  /**
   * The proof that the reading has read everything. The last page of every reading has one: of a stream, and of each
   * child. Another page has one only if something made the reading `open`.
   */
  readonly completeness?: Completeness
  /**
   * Child streams only: the parents whose lists end with this page and were read whole, from their start, by this
   * reading. @default none
   */
  readonly wholeLists?: readonly unknown[]
  /** Cursors of child lists that end with this page. */
  readonly parentCursors?: readonly ParentCursor[]
  /** Hashes of the records that were left out because the last run had read them. */
  readonly boundaryMatches?: readonly string[]
  /** Identities of open rejects that its records settle. */
  readonly settles?: readonly string[]
  /** Stage of the records that the encoder rejects: `database` for the rows of a replay. @default 'encode' */
  readonly rejectStage?: RejectStage
  /** The memory of the page in the budget. It is released after the records have been encoded. */
  readonly hold?: Disposable
  /** The account of `hold`. Reads for the records of this page reserve memory in a child account. */
  readonly memory?: MemoryAccount
}
