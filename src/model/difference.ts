/**
 * What a row of a reading is to the table:
 *
 * | kind | the row |
 * |---|---|
 * | `missing` | is not in the table |
 * | `stale` | is in the table with other values |
 * | `newer` | is in the table with a later version, which a run would leave as it is |
 * | `changed` | was written or deleted since the comparison began: nothing is wrong with it |
 * | `unread` | differs, and the next run reads it by itself |
 */
export type DifferenceKind = 'missing' | 'stale' | 'newer' | 'changed' | 'unread'

/** A column of a row that differs. Values are texts, and long ones are cut. */
export interface DifferingColumn {
  readonly column: string
  /** What the table has. */
  readonly before: string | null
  /** What a run would store. */
  readonly after: string | null
}

/** A row that differs, for people. */
export interface DifferenceSample {
  /** `extra`: the table has the row, and the reading does not. */
  readonly kind: DifferenceKind | 'extra'
  /** The values of its key, by column. */
  readonly key: Readonly<Record<string, unknown>>
  /** Of a row that is in both. */
  readonly columns?: readonly DifferingColumn[]
}

/** Entries of one nested list, by what they are to its table. Those of records that are no fault are left out. */
export interface ListCounts {
  /** Entries of the records that were compared. */
  readonly read: number
  readonly equal: number
  readonly missing: number
  readonly stale: number
  /** In the table, and not in the list of its record. */
  readonly extra: number
  /** Written since the comparison began, so nothing is known of them. */
  readonly changedMeanwhile: number
  /** They differ, and the next run reads their records by itself. */
  readonly notReadYet: number
}

/** What was found in the table of one nested list. */
export interface ListDifferences {
  readonly table: string
  readonly counts: ListCounts
  /** The first entries of each kind. */
  readonly samples: readonly DifferenceSample[]
}
