import type { Completeness } from './completeness.ts'
import type { HighWaterMark, Position } from './page.ts'
import type { Recipe } from './recipe.ts'
import type { Range } from './request.ts'

export type RunKind = 'sync' | 'backfill' | 'replay'

/**
 * The part of a slice that a reader needs: its bounds, its position, and the unit to restart if the position is lost.
 */
export interface SliceRead extends Range {
  /** The slice in the ledger. Absent if no ledger keeps the position. */
  readonly id?: string
  /** Null is the start. */
  readonly position: Position
  /**
   * The unit to read again if the records before a stored position have changed. `page` reads the page again, which is
   * safe if rows are merged. `slice` throws a `PositionLostError`, and the whole slice restarts: its rows would double.
   */
  readonly restart: 'page' | 'slice'
  /**
   * Rows of the last run from `since` on, as hash → count. Each is left out once as a duplicate. Only for append
   * without a key.
   */
  readonly boundary?: Readonly<Record<string, number>>
  /** Cursors of child lists, for children with `perParent`. @default all children have the range of the slice */
  readonly parentCursors?: ParentCursors
  /** For the children of one parent with `perParent`. */
  readonly ownList?: OwnList
  /** True if rows are merged by a key, so that reading unchanged rows again changes nothing. @default false */
  readonly isMerged?: boolean
  /**
   * True if the reading of a slice without `since` deletes what it does not bring. An expired delta token throws a
   * `TokenExpiredError` then: only the slice can read everything instead. @default false
   */
  readonly isMirror?: boolean
  /**
   * Children only: a hash of the ancestors. It goes into the hashes of the records, because another parent may have
   * equal records.
   */
  readonly lineageHash?: string
  /** The quota of records that are newer than `startedAt`. @default no limit */
  readonly boundaryQuota?: BoundaryQuota
  /**
   * The start of the read. The cursor never passes it, because a record dated 2099 would end the stream for good.
   * @default no limit
   */
  readonly startedAt?: Date
  /**
   * Fields of the table's key, as the source's records have them; none if a stage may change them. Absent if rows are
   * appended without a key.
   */
  readonly key?: readonly string[]
  /**
   * Restarts of the slice because its list had moved, plus one. From the third one on the reading goes on instead.
   * @default 1
   */
  readonly pass?: number
  /** Digests of the readings before such restarts. An equal one shows that a list rests, and has equal records. */
  readonly passDigests?: ReadonlySet<string>
  /**
   * What readings have shown of each endpoint, by its name. All readers of a slice share it. @default each reader knows
   * its own
   */
  readonly endpoints?: Map<string, EndpointSeen>
  /** Children only: false while a child is read ahead, and none of its pages was wanted. @default true */
  readonly hasTurn?: () => boolean
  /**
   * Called with a reading below this slice that will not be continued, because jobs may run for it. Never rejects.
   * @default nothing follows
   */
  readonly onGivenUp?: (reading: GivenUpReading) => Promise<void>
  /**
   * Called if only a part of a list is read, with the reason: a reader of everything would take the rest for deleted.
   * `range`: what lies outside of the range of a cursor was left out.
   * All readers of a slice share it. @default nobody has to know
   */
  readonly onPart?: (reason: string, what?: 'range') => void
}

/** A reading that will not be continued. */
export interface GivenUpReading {
  readonly position: Position
  /** The recipe that has begun it. If its parents have changed: those of the parents now, the likeliest one first. */
  readonly recipes: readonly Recipe[]
  readonly haveParentsChanged: boolean
  /** The ledger holds the position, until the slice has another one. */
  readonly isStored: boolean
}

/** Returns the stored cursors of some lists, by list. */
export type ParentCursors = (lists: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, string>>

/** The child list of one parent that has its own cursor. */
export interface OwnList {
  readonly list: string
  readonly request: string
  /** Its cursor, undefined if it was never read to its end. */
  readonly cursor?: string | undefined
  /** A part that an earlier run has read of it may be open. */
  readonly mayBeOpen: boolean
}

/** What readings have shown of one endpoint. */
export interface EndpointSeen {
  /** A response led to a next page, so a response without such a way is the last one. */
  hasWayOn: boolean
  /** Records of the largest page. */
  largestPage: number
}

/**
 * Limits the records that are newer than the start of the read. The next run reads them again, so the hash of each has
 * to be kept. All readers of a slice share it.
 */
export interface BoundaryQuota {
  remaining: number
  /** True after the warning about the used quota. */
  reported: boolean
}

/** A piece of a stream that is read in order by one reader and can be resumed. A row of `sluice.slices`, claimed. */
export interface Slice extends Range {
  readonly id: string
  readonly pipeline: string
  readonly stream: string
  readonly partition: string
  readonly kind: RunKind
  /** The chain of which the slice is a range. Ranges end in any order; the cursor moves over those that are done. */
  readonly chain?: string
  /** Grows by one at every claim. Only the run with the latest token may write. */
  readonly token: number
  /** Committed batches at the time of the claim. */
  readonly seq: number
  readonly position: Position
  /** The greatest cursor value of committed records. */
  readonly highWaterMark?: HighWaterMark
  /** The cursor of the stream when the slice was created. It moves when the slice is done. */
  readonly cursor?: string
  /** Rows of the last run at the cursor that this slice has not met again, as hash → count. */
  readonly boundary?: Readonly<Record<string, number>>
  /** The worst of what was read so far. */
  readonly completeness?: Completeness
  /** Records rejected so far. */
  readonly rejected: number
  /** The time at which reading started from the start of the slice. */
  readonly startedAt: Date
  /** True if an earlier run read part of it. */
  readonly resumed: boolean
}

/**
 * Returns the mark of sessions whose transaction works on a slice. A run that takes the slice over terminates the
 * sessions with this mark.
 */
export const sessionMark = ({ id }: Pick<Slice, 'id'>): string => `slice ${id}`
