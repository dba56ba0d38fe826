// In a file of its own, so that an import of these types does not need the types of the database driver.
import type { Completeness } from '../../model/completeness.ts'
import type { DifferenceSample } from '../../model/difference.ts'

/** What the next run of a stream would do to the table of one of its nested lists. */
export interface ListDiff {
  readonly table: string
  /** Entries of the records that it would store. */
  readonly read: number
  readonly insert: number
  readonly update: number
  readonly unchanged: number
  /** Entries that would be deleted: their records no longer have them, or are deleted themselves. */
  readonly delete: number
  /** Written by others since the comparison began. */
  readonly changedMeanwhile: number
  /** The first entries to insert (`missing`), to update (`stale`) and to delete (`extra`) of records that were read. */
  readonly samples: readonly DifferenceSample[]
}

/** What the next run of a stream would do to its table. */
export interface StreamDiff {
  /** With the account, as in `shops@north`. */
  readonly pipeline: string
  readonly stream: string
  readonly table: string
  /** `failed`: the stream could not be read or compared, or its run would fail. `error` says why. */
  readonly status: 'done' | 'failed'
  /** The cursor at which the run would begin. Undefined if it would read everything. */
  readonly since?: string
  /** Rows that it would read, each key once. */
  readonly read: number
  readonly insert: number
  /** Of a history: rows that get a new version. */
  readonly update: number
  /** Rows that would stay as they are: they are equal, later, or appended before. */
  readonly unchanged: number
  /** Rows that would be deleted, or marked as deleted. */
  readonly delete: number
  /** Written or deleted by others since the comparison began. */
  readonly changedMeanwhile: number
  /** Records that could not become a row. */
  readonly rejected: number
  /** In how many of the updated rows each column would change. */
  readonly columns: Readonly<Record<string, number>>
  /** How the table would be altered, such as `added note text`. */
  readonly alterations: readonly string[]
  readonly completeness?: Completeness
  /** The first rows to insert (`missing`), to update (`stale`) and to delete (`extra`). */
  readonly samples: readonly DifferenceSample[]
  /** The tables of nested lists. Absent if there are none. */
  readonly lists?: readonly ListDiff[]
  readonly warnings: readonly string[]
  readonly requests: number
  readonly ms: number
  readonly error?: string
}

/** The result of `diff()`. */
export interface DiffReport {
  /** True if no stream failed. */
  readonly ok: boolean
  readonly streams: readonly StreamDiff[]
}
