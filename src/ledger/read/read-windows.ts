import type { Database } from '../../database/database.ts'
import type { Counts } from '../../model/batch.ts'
import { countNames, countsOf, type CountRow } from '../slices/held-slice.ts'

/** One window of a backfill, for those who look. */
export interface StoredWindow {
  readonly slice: string
  readonly lower: Date
  readonly upper: Date
  /** `skipped`: left out, since earlier backfills of the stream have done it. */
  readonly status: 'open' | 'done' | 'failed' | 'skipped'
  /** Open, and somebody is reading it now. */
  readonly isHeld: boolean
  /** Who has held it last; undefined where nobody has. */
  readonly run: string | undefined
  readonly counts: Counts
  readonly batches: number
  readonly failures: number
  readonly finishedAt: Date | undefined
  readonly error: string | undefined
}

/** All windows of a backfill, in their order. */
export async function readWindows(database: Database, backfill: string, signal?: AbortSignal): Promise<StoredWindow[]> {
  const rows = await database.query<Row>(
    `select s.id as slice, s.lower, s.upper, case s.status when 'dropped' then 'skipped' else s.status end as status, s.status = 'open' and s.lease_until is not null and not sluice.is_claimable(s) as "isHeld",
            case when s.token > 0 then s.run end as run, s.batches, s.failures, s.finished_at as "finishedAt", s.error, ${countNames.map((name) => `s.${name}`).join(', ')}
       from sluice.slices as s where s.backfill = $1 order by s.lower`,
    [backfill],
    signal ? { signal } : {},
  )
  return rows.map((row) => {
    const { slice, lower, upper, status, isHeld } = row
    return {
      slice,
      lower,
      upper,
      status,
      isHeld,
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
  Omit<StoredWindow, Nullable | 'counts' | 'batches' | 'failures'> & {
    readonly [Name in Nullable]: Exclude<StoredWindow[Name], undefined> | null
  } & { readonly batches: string; readonly failures: string }
