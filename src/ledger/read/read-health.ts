// What no stream's status shows: leases of processes that are gone, ticks that nobody ran, pruning that stands still.
import type { Queryable } from '../../database/queryable.ts'

/** What a process that is gone has left: a run that still counts as running, or the lease of a slice. */
export interface DeadLease {
  readonly pipeline: string
  /** Undefined for a run. */
  readonly stream: string | undefined
  readonly run: string
  readonly seenAt: Date
}

/** Returns runs whose process is gone and that no later run has closed, and open slices whose lease is over. */
export async function readDeadLeases(on: Queryable): Promise<DeadLease[]> {
  const rows = await on.query<Omit<DeadLease, 'stream'> & { readonly stream: string | null }>(
    `select r.pipeline, null as stream, r.id::text as run, r.seen_at as "seenAt"
       from sluice.runs as r where r.status = 'running' and not sluice.is_alive(r)
     union all
     select s.pipeline, s.stream, s.run::text, least(s.lease_until, clock_timestamp())
       from sluice.slices as s join sluice.runs as r on r.id = s.run
      where s.status = 'open' and s.lease_until is not null and sluice.is_claimable(s) and r.status <> 'running'
      order by 1, 2 nulls first limit 100`,
  )
  return rows.map(({ stream, ...row }) => ({ ...row, stream: stream ?? undefined }))
}

/** Ticks of one pipeline that no scheduler has run in time. */
export interface MissedTicks {
  readonly pipeline: string
  readonly ticks: number
  readonly last: Date
}

/** Returns the ticks that were missed since an instant, by pipeline. */
export const readMissedTicks = (on: Queryable, since: Date): Promise<MissedTicks[]> =>
  on.query<MissedTicks & Record<string, unknown>>(
    `select pipeline, count(*)::int as ticks, max(tick) as last from sluice.ticks
      where status = 'missed' and tick >= $1 group by pipeline order by pipeline`,
    [since],
  )

/** Returns for how many hours the next removal of what is old has been due; negative if it is not due. */
export async function readPruningDelay(on: Queryable): Promise<number> {
  const { hours } = await on.one<{ hours: number }>(
    `select extract(epoch from clock_timestamp() - due_at)::float8 / 3600 as hours from sluice.pruning`,
  )
  return hours
}
