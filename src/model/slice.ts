import type { HighWaterMark, Position } from './page.ts'
import type { Range } from './request.ts'

export type RunKind = 'sync' | 'backfill' | 'replay'

/**
 * What a reader needs to know of a slice: its bounds, where to read on, and what to do where that is no longer
 * possible.
 */
export interface SliceRead extends Range {
  /** null: from the start. */
  readonly position: Position
  /**
   * When the records before a stored position have changed: begin the page again (rows are merged), or fail with
   * `PositionLostError`, after which the whole slice begins anew (rows would be doubled).
   */
  readonly restart: 'page' | 'slice'
  /**
   * Rows of the last run from `since` on, hash → how many: left out as duplicates, once each. Only for append without a
   * key.
   */
  readonly boundary?: Readonly<Record<string, number>>
  /**
   * For a child, what it hangs from: mixed into the hashes of its records, since another parent may have equal ones.
   */
  readonly lineageHash?: string
  /** How many more records that are newer than the reading may be stored. @default any number */
  readonly boundaryQuota?: BoundaryQuota
  /**
   * When the reading began: no cursor passes it, else one record dated 2099 would silence the stream for good. @default
   * no limit
   */
  readonly startedAt?: Date
}

/**
 * Records that are newer than the reading are met again by the next run, so that the hash of each has to be kept.
 * Shared by all readers of a reading.
 */
export interface BoundaryQuota {
  remaining: number
  /** That there is no more was told. */
  reported: boolean
}

/** A piece of a stream that is read in order by one reader and can be resumed. A row of `sluice.slices`, claimed. */
export interface Slice extends Range {
  readonly id: string
  readonly pipeline: string
  readonly stream: string
  readonly partition: string
  readonly kind: RunKind
  /** Raised by one at every claim: says who may write. */
  readonly token: number
  /** Batches committed when it was claimed. */
  readonly seq: number
  readonly position: Position
  /** The greatest cursor value that was seen, and committed. */
  readonly highWaterMark?: HighWaterMark
  /** The stream's cursor when it was made; it moves when the slice is done. */
  readonly cursor?: string
  /** Of the rows that the last run had read at the cursor, those that this reading has not met again. */
  readonly boundary?: Readonly<Record<string, number>>
  /** Rejected so far. */
  readonly rejected: number
  /** When its reading began, from the start. */
  readonly startedAt: Date
  /** Somebody read part of it before. */
  readonly resumed: boolean
}

/**
 * By what a transaction that works on a slice marks its session: whoever takes the slice over ends the sessions of
 * those who had it.
 */
export const sessionMark = ({ id }: Pick<Slice, 'id'>): string => `slice ${id}`
