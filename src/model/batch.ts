import type { HighWaterMark, Position, ReadCounts, Reject } from './page.ts'

/** What became of rows that were written. */
export interface WriteCounts {
  readonly inserted: number
  readonly updated: number
  /** The stored row stood, being equal or newer. */
  readonly unchanged: number
}

export interface Counts extends ReadCounts, WriteCounts {}

/** What one transaction adds to its slice, beside the rows. */
export interface Advance {
  /** Where to read on; `END` completes the slice and moves the cursor. */
  readonly position: Position
  readonly counts: Counts
  readonly rejects: readonly Reject[]
  readonly highWaterMark?: HighWaterMark
  /** Where records that the last run had read were met again: those of them that were not yet, hash → how many. */
  readonly boundaryRemaining?: Readonly<Record<string, number>>
  /** Fields that identify a reject's record: the key of the table, and its version. @default none */
  readonly key?: readonly string[]
  /** Identities of open rejects of earlier reads whose records the batch stores. */
  readonly settles?: readonly string[]
  /** For `replace`, at the end: what the swap did to the table. */
  readonly swap?: { readonly inserted: number; readonly updated: number; readonly deleted: number }
}
