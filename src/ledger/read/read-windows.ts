import type { Database } from '../../database/database.ts'
import type { Counts } from '../../model/batch.ts'
import type { Completeness } from '../../model/completeness.ts'
import { completenessOf, COMPLETENESS, type CompletenessRow } from '../completeness.ts'
import { countsOf, selectCounts, type CountRow } from '../counts.ts'
import type { WindowSelection } from '../slices/windows.ts'
import { IS_HELD } from './backfill-overview.ts'
import { IS_UNPROVEN } from './read-open-readings.ts'

/** A window of a backfill. */
export interface StoredWindow {
  readonly slice: string
  readonly lower: Date
  readonly upper: Date
  /** `skipped`: other backfills of the stream have done it. */
  readonly status: 'open' | 'done' | 'failed' | 'skipped'
  /** Open, and a run holds it. */
  readonly isHeld: boolean
  /** Done, but the reading could not prove that it has read everything, and no later one covers it. */
  readonly isUnproven: boolean
  /** The run that claimed it last; undefined if none has. */
  readonly run: string | undefined
  /** Undefined if it is not known: before the end, for replays, and for slices of older versions. */
  readonly completeness: Completeness | undefined
  readonly counts: Counts
  readonly batches: number
  readonly failures: number
  readonly finishedAt: Date | undefined
  readonly error: string | undefined
  /** A run with the given selection reads it. */
  readonly isSelected: boolean
  /** A run with `only: 'missing'` skips it first. */
  readonly isSkippable: boolean
}

/** Returns all windows of a backfill in their order; `isSelected` follows `only` and `onlyWindows`. */
export async function readWindows(
  database: Database,
  backfill: string,
  { only, onlyWindows, signal }: WindowSelection & { readonly signal?: AbortSignal | undefined } = {},
): Promise<StoredWindow[]> {
  const rows = await database.query<Row>(
    `select s.id as slice, s.lower, s.upper, s.status, ${IS_HELD} as "isHeld",
            coalesce(${IS_UNPROVEN}, false) as "isUnproven",
            sluice.is_selected(s, $2, $3) as "isSelected",
            coalesce($2 = 'missing', false) and sluice.is_skippable(s) as "isSkippable",
            case when s.token > 0 then s.run end as run, s.batches, s.failures, s.finished_at as "finishedAt", s.error,
            ${COMPLETENESS}, ${selectCounts((name) => `s.${name}`)}
       from sluice.slices as s where s.backfill = $1 order by s.lower`,
    [backfill, only ?? null, onlyWindows ?? null],
    { signal },
  )
  return rows.map((row) => {
    const { slice, lower, upper, status, isHeld, isUnproven, isSelected, isSkippable } = row
    return {
      slice,
      lower,
      upper,
      status,
      isHeld,
      isUnproven,
      isSelected: isSelected && !isSkippable,
      isSkippable,
      completeness: completenessOf(row),
      counts: countsOf(row),
      batches: Number(row.batches),
      failures: Number(row.failures),
      run: row.run ?? undefined,
      finishedAt: row.finishedAt ?? undefined,
      error: row.error ?? undefined,
    }
  })
}

type Nullable = 'run' | 'finishedAt' | 'error'
type Row = CountRow &
  CompletenessRow &
  Omit<StoredWindow, Nullable | 'counts' | 'completeness' | 'batches' | 'failures'> & {
    readonly [Name in Nullable]: Exclude<StoredWindow[Name], undefined> | null
  } & { readonly batches: string; readonly failures: string }
