// In a file of its own, so that an import of these types does not need the types of the database driver.
import type { Completeness } from '../../model/completeness.ts'
import type { DifferenceSample, ListDifferences } from '../../model/difference.ts'

/** Rows of a stream, by what a comparison with its table has found. */
export interface VerifiedCounts {
  /** Rows that a full run would write, each key once. */
  readonly read: number
  /** Rows that the table has as they are. */
  readonly equal: number
  /** In the source, not in the table. */
  readonly missing: number
  /** In the table with other values than in the source. */
  readonly stale: number
  /** In the table with a later version than in the source. A run leaves them as they are. */
  readonly newer: number
  /** In the table, not in the source. */
  readonly extra: number
  /** Written or deleted since the verification began, so nothing is known of them. */
  readonly changedMeanwhile: number
  /** Missing or stale, and the next run reads them by itself: they are not before its cursor. */
  readonly notReadYet: number
  /** Records that could not become a row. */
  readonly rejected: number
}

/** Entries of a nested list, by what a comparison with its table has found. */
export type VerifiedList = ListDifferences

/** What was found in one window, or in the whole stream. */
export interface VerifiedPart {
  readonly counts: VerifiedCounts
  /** How sure it is that the source was read completely. */
  readonly completeness?: Completeness
  /** Why rows of the table that were not read are not counted as extra. Absent if they are. */
  readonly extraUnknown?: string
  /** The first rows of each kind. */
  readonly samples: readonly DifferenceSample[]
  /** The tables of nested lists. Absent if there are none. */
  readonly lists?: readonly VerifiedList[]
}

/** What was found in one window. */
export interface VerifiedWindow extends VerifiedPart {
  readonly from: string
  readonly to: string
}

/** What `repair` did. */
export interface Repair {
  /** `windows`: only ranges that differ were read again; `full`: the whole stream. */
  readonly how: 'windows' | 'full'
  /** The run that did it. */
  readonly run: string
  readonly status: 'done' | 'failed' | 'interrupted'
  /** Ranges that were read again. */
  readonly ranges?: readonly { readonly from: string; readonly to: string }[]
  readonly inserted: number
  readonly updated: number
  readonly requests: number
  /** Missing rows that the table has now. */
  readonly missing: number
  /** Stale rows that the table has right now. */
  readonly stale: number
  /** Extra rows that the table no longer has: it is a mirror, and the whole stream was read again. */
  readonly extra: number
  /** Missing and stale rows that it could not put right. */
  readonly left: number
  /** Entries of nested lists that are right now, and those that are not. Absent if none differed. */
  readonly lists?: { readonly repaired: number; readonly left: number }
  readonly error?: string
}

/** The comparison of one stream with its table. */
export interface StreamVerification extends VerifiedPart {
  /** With the account, as in `shops@north`. */
  readonly pipeline: string
  readonly stream: string
  readonly table: string
  /**
   * `different` if rows, or entries of nested lists, are missing, stale, newer or extra, and were not repaired;
   * `unproven` if none are, and the reading is `open`: records that it did not bring may differ. `skipped` if the
   * stream cannot be compared, and `failed` if it could not be: `error` says why.
   */
  readonly status: 'equal' | 'different' | 'unproven' | 'failed' | 'skipped'
  /** With `from`: each window by itself. */
  readonly windows?: readonly VerifiedWindow[]
  readonly repair?: Repair
  /** The table is a mirror: full runs, and backfills of windows, delete extra rows. */
  readonly mirror?: true
  readonly warnings: readonly string[]
  /** Requests to the API, without those of the repair. */
  readonly requests: number
  readonly ms: number
  readonly error?: string
}

/** The result of `verify()`. */
export interface VerifyReport {
  /** True if at least one stream was compared, and each that can be is equal to its table. */
  readonly ok: boolean
  readonly streams: readonly StreamVerification[]
}

export const NOTHING_VERIFIED: VerifiedCounts = Object.freeze({
  read: 0,
  equal: 0,
  missing: 0,
  stale: 0,
  newer: 0,
  extra: 0,
  changedMeanwhile: 0,
  notReadYet: 0,
  rejected: 0,
})

/** Returns how many rows differ without an excuse. */
export const faultsIn = ({ missing, stale, newer, extra }: VerifiedCounts): number => missing + stale + newer + extra

/** Returns how many entries of nested lists differ without an excuse. */
export const listFaultsIn = ({ lists = [] }: Pick<VerifiedPart, 'lists'>): number =>
  lists.reduce((sum, { counts: { missing, stale, extra } }) => sum + missing + stale + extra, 0)

/** Returns true if at least one stream was compared, and each that can be is equal to its table. */
export const isVerified = (streams: readonly StreamVerification[]): boolean =>
  streams.some(({ status }) => status === 'equal') &&
  streams.every(({ status }) => status === 'equal' || status === 'skipped')
