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
  /** Undefined if several runs have read it, with a time between them. */
  readonly ms: number | undefined
}

/** Returns windows of a stream that are done, the newest readings first. */
export async function readDoneWindows(
  on: Queryable,
  { pipeline, stream, partition = '' }: StreamName,
  { limit = 500 }: { readonly limit?: number } = {},
): Promise<ReadWindow[]> {
  const rows = await on.query<StoredWindow>(
    `select lower, upper, fetched + parents as records, inserted + updated + unchanged as stored,
            case when started_by = run then extract(epoch from finished_at - started_at)::float8 * 1000 end as ms
       from sluice.slices
      where (pipeline, stream, partition) = ($1, $2, $3) and kind = 'backfill' and status = 'done'
      order by id desc limit $4`,
    [pipeline, stream, partition, limit],
  )
  return rows.map(({ records, stored, ms, ...row }) => ({
    ...row,
    records: Number(records),
    stored: Number(stored),
    ms: ms ?? undefined,
  }))
}

type StoredWindow = Pick<ReadWindow, 'lower' | 'upper'> &
  Readonly<Record<'records' | 'stored', string>> & { readonly ms: number | null }

/** What one backfill of a stream has taken, by its report. */
export interface BackfillCost {
  readonly requests: number
  /** Records and parents. */
  readonly records: number
  readonly windows: number
}

/**
 * Returns the costs of the last runs of backfills that ended windows of a stream, the newest first. One that failed or
 * was interrupted counts if it ended most of its windows: of its requests and records, the share of these windows.
 */
export const readBackfillCosts = (on: Queryable, { pipeline, stream }: StreamName): Promise<BackfillCost[]> =>
  on.query<BackfillCost & Record<string, unknown>>(
    `select s.requests * share.whole as requests, s.records * share.whole as records, done.windows
       from sluice.runs as r
       cross join lateral (
         select (of.report ->> 'requests')::float8 as requests,
                (of.report -> 'counts' ->> 'fetched')::float8 + (of.report -> 'counts' ->> 'parents')::float8 as records
           from (select r.report -> 'streams' -> $2 as report) as of) as s
       cross join lateral (
         select count(*) filter (where w.status = 'done')::int as windows,
                count(*) filter (where w.status <> 'done' and w.token > 0) as others,
                coalesce(sum(w.fetched + w.parents) filter (where w.status = 'done'), 0)::float8 as records
           from sluice.slices as w
          where w.run = r.id and w.stream = $2 and w.kind = 'backfill') as done
       cross join lateral (
         select case when r.status = 'done' or s.records = 0 then 1 else least(1, done.records / s.records) end
           as whole) as share
      where r.pipeline = $1 and r.kind = 'backfill' and done.windows > 0 and s.requests > 0
        and (r.status = 'done' or done.windows >= $3 * done.others)
      order by r.id desc limit 3`,
    [pipeline, stream, MIN_ENDED],
  )

/** Windows that a run has ended for each one that it has not: requests of failed windows say nothing about others. */
const MIN_ENDED = 3
