import { COUNTED, ENDED, openBecause, type Completeness } from '../../../model/completeness.ts'
import { formatCount } from '../../../value/format.ts'
import type { Times } from './border-records.ts'
import type { StoredPass } from './pass.ts'

/**
 * What `bySince()` must know after an interruption. Stored as JSON in the ledger, so the names of its members must stay
 * the same in all versions.
 */
export interface SinceState {
  /** The value that the current requests begin with. Absent before the first border. */
  readonly since?: string
  /** The greatest value that was read. */
  readonly last?: string
  /** Records that come again: hash → times. */
  readonly known: Times
  /** Those of them that came again in this pass. */
  readonly met?: Times
  readonly largestPage: number
  /** Borders between two pages. */
  readonly borders: number
  /** Borders whose records came again. */
  readonly repeated: number
  readonly pass?: StoredPass
  /** Why it is not proven that everything was read. */
  readonly reasons?: readonly string[]
}

/**
 * Returns the grade of a reading by `bySince()`. `isSafe`: no two records have one value, or the API is known to
 * include the value of `since`.
 */
export function sinceCompleteness(
  { borders, repeated, reasons = [] }: Pick<SinceState, 'borders' | 'repeated' | 'reasons'>,
  { isSafe }: { readonly isSafe: boolean },
): Completeness {
  if (reasons.length > 0) return { grade: 'open', reasons }
  if (borders === 0) return ENDED
  if (repeated === borders) return COUNTED
  // A border whose record was changed or deleted in the meantime does not come again.
  if (repeated > 0 || isSafe) return ENDED
  return openBecause(
    `no record came again at ${formatCount(borders, 'border')} of two pages, so the API seems to leave out records ` +
      'with exactly the value of `since`. Others with this value may be missing. Write bySince({ exclusive: true })',
  )
}
