// What earlier backfills of a stream have cost: the ground of an estimate.
import type { Queryable } from '../../database/queryable.ts'
import type { StreamName } from '../stream-name.ts'

/** A window that was read to its end. */
export interface ReadWindow {
  readonly lower: Date
  readonly upper: Date
  /** Records and parents. */
  readonly records: number
  readonly stored: number
}

/** Returns windows of a stream that are done, the newest readings first. */
export async function readDoneWindows(
  on: Queryable,
  { pipeline, stream, partition = '' }: StreamName,
  { limit = 500 }: { readonly limit?: number } = {},
): Promise<ReadWindow[]> {
  const rows = await on.query<Pick<ReadWindow, 'lower' | 'upper'> & Readonly<Record<'records' | 'stored', string>>>(
    `select lower, upper, fetched + parents as records, inserted + updated + unchanged as stored from sluice.slices
      where (pipeline, stream, partition) = ($1, $2, $3) and kind = 'backfill' and status = 'done'
      order by id desc limit $4`,
    [pipeline, stream, partition, limit],
  )
  return rows.map(({ records, stored, ...row }) => ({ ...row, records: Number(records), stored: Number(stored) }))
}

/** What one backfill of a stream has taken, by its report. */
export interface BackfillCost {
  readonly requests: number
  /** Records and parents. */
  readonly records: number
  readonly windows: number
  /** The times of all windows, one after the other. */
  readonly ms: number
}

/** Returns the costs of the last runs of backfills that read a stream to the end of their windows, the newest first. */
export const readBackfillCosts = (on: Queryable, { pipeline, stream }: StreamName): Promise<BackfillCost[]> =>
  on.query<BackfillCost & Record<string, unknown>>(
    `select (s.report ->> 'requests')::float8 as requests,
            (s.report -> 'counts' ->> 'fetched')::float8 + (s.report -> 'counts' ->> 'parents')::float8 as records,
            done.windows, done.ms
       from sluice.runs as r
       cross join lateral (select r.report -> 'streams' -> $2 as report) as s
       cross join lateral (
         select count(*)::int as windows,
                coalesce(sum(extract(epoch from w.finished_at - w.started_at)), 0)::float8 * 1000 as ms
           from sluice.slices as w
          where w.run = r.id and w.stream = $2 and w.kind = 'backfill' and w.status = 'done') as done
      where r.pipeline = $1 and r.kind = 'backfill' and r.status = 'done' and done.windows > 0
        and (s.report ->> 'requests')::float8 > 0
      order by r.id desc limit 3`,
    [pipeline, stream],
  )
