import type { Completeness } from './completeness.ts'
import type { FieldValues, KnownFields } from './field-values.ts'
import type { HighWaterMark, ParentCursor, Position, ReadCounts, Reject } from './page.ts'

/** Counts of written rows, by what the write changed in the table. */
export interface WriteCounts {
  readonly inserted: number
  readonly updated: number
  /** The stored row was kept, because it was equal or newer. */
  readonly unchanged: number
}

/** What a write has done to a table of nested lists. Its rows are no records: the equation does not contain them. */
export interface ChildCounts extends WriteCounts {
  /** Entries that their records no longer have. */
  readonly deleted: number
}

/** The counts of tables of nested lists, by table. */
export type CountsOfChildren = Readonly<Record<string, ChildCounts>>

/** What has become of the records of a run, a slice or a batch. */
export interface Counts extends ReadCounts, WriteCounts {}

/** Changes to the slice that a transaction commits together with its rows. */
export interface Advance {
  /** The position after the batch. `END` completes the slice and moves the cursor. */
  readonly position: Position
  readonly counts: Counts
  readonly rejects: readonly Reject[]
  readonly highWaterMark?: HighWaterMark
  /** The worst of the batch's pages. The ledger keeps the worst of all batches. */
  readonly completeness?: Completeness
  /** Records of the last run that this read has not met again, as hash → count. Absent if no boundary is checked. */
  readonly boundaryRemaining?: Readonly<Record<string, number>>
  /** Fields that identify a reject's record: the key of the table, and its version. @default none */
  readonly key?: readonly string[]
  /** The stages change the key: a record as it was read is known by its content only. @default false */
  readonly isKeyChanged?: boolean
  /** Identities of open rejects of earlier reads whose records the batch stores. */
  readonly settles?: readonly string[]
  /** Cursors of child lists that the batch completes. @default none */
  readonly parentCursors?: readonly ParentCursor[]
  /** What the slice shows of its fields; at its end, what all readings show. Absent if nothing has changed. */
  readonly fieldValues?: FieldValues | KnownFields
  /** A sentence about records that are lost because they share a key with others and differ from them. */
  readonly sharedKey?: string
  /** Tables of nested lists, if there are some. */
  readonly children?: CountsOfChildren
  /** At the end: what the swap of a `replace` did to the table, or how many rows a mirror has deleted. */
  readonly swap?: { readonly inserted: number; readonly updated: number; readonly deleted: number }
}
