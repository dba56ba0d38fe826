import type { Database } from '../../database/database.ts'
import { compareCursors } from '../../value/cursor-order.ts'
import type { StreamName } from '../stream-name.ts'
import { coveredBySteps, type Covered } from './covered-by-steps.ts'

export interface CoverOptions extends StreamName {
  readonly run: string
  /**
   * Returns the range of time that a sync has read, by its cursors, in milliseconds since 1970; undefined if they are
   * no times. @default windows cover no sync
   */
  readonly rangeRead?:
    | ((cursors: { readonly since: string; readonly high: string }) => TimeRange | undefined)
    | undefined
  /** False for tokens, of which nothing says which is later. Then only a full reading covers others. @default true */
  readonly hasOrder?: boolean
  /** The run has read the stream to its end. Only then its steps are put together. @default false */
  readonly isAtEnd?: boolean
  readonly signal: AbortSignal
}

/**
 * Notes the open readings of a stream that a run has covered: it read the same again, with proof. A sync covers earlier
 * readings that began where it began or later, and steps without a gap cover as one sync does. Windows cover a window
 * or a sync whose range they fill.
 */
export async function coverOpenReadings(database: Database, options: CoverOptions): Promise<void> {
  const bySteps = options.isAtEnd && options.hasOrder !== false ? await coveredBySteps(database, options) : []
  const covered = [
    ...(await coveredBySyncs(database, options)),
    ...(await coveredByWindows(database, options)),
    ...bySteps,
  ]
  if (covered.length === 0) return
  await database.query(
    'select sluice.cover($1, $2)',
    [covered.map(({ slice }) => slice), covered.map(({ coveredBy }) => coveredBy)],
    { signal: options.signal },
  )
}

/** Both ends included. */
export interface TimeRange {
  readonly from: number
  readonly to: number
}

/** Returns what the ledger finds, after it compared where the syncs began by the kind of their values. */
async function coveredBySyncs(
  database: Database,
  { pipeline, stream, partition = '', run, hasOrder = true, signal }: CoverOptions,
): Promise<Covered[]> {
  const found = await database.query<FoundCovering>(
    `select slice, covered_by as "coveredBy", since, covered_since as "coveredSince", until,
            covered_until as "coveredUntil"
       from sluice.find_covering($1, $2, $3, $4)`,
    [run, pipeline, stream, partition],
    { signal },
  )
  return found.filter(
    ({ since, coveredSince, until, coveredUntil }) =>
      (coveredSince === null || (hasOrder && since !== null && compareCursors(coveredSince, since) <= 0)) &&
      // A step covers nothing behind its end.
      (coveredUntil === null || (until !== null && compareCursors(until, coveredUntil) <= 0)),
  )
}

interface FoundCovering extends Covered {
  readonly since: string | null
  readonly coveredSince: string | null
  readonly until: string | null
  readonly coveredUntil: string | null
}

/** Open syncs that are compared with windows; older ones are not. */
const MAX_SYNCS = 100

/**
 * Returns the open syncs from whose beginning to whose greatest cursor value later windows with proof reach. What is
 * newer than that was left to the next sync.
 */
async function coveredByWindows(
  database: Database,
  { pipeline, stream, partition = '', rangeRead, signal }: CoverOptions,
): Promise<Covered[]> {
  if (!rangeRead) return []
  const open = await database.query<{ readonly id: string; readonly since: string; readonly high: string }>(
    `select s.id, s.since, s.high_water_mark as high from sluice.slices as s
      where (s.pipeline, s.stream, s.partition) = ($1, $2, $3) and s.completeness = 'open' and s.status = 'done'
        and s.covered_by is null and s.kind = 'sync' and s.since is not null and s.high_water_mark is not null
      order by s.id desc limit ${MAX_SYNCS}`,
    [pipeline, stream, partition],
    { signal },
  )
  const ranges = open.flatMap(({ id, ...cursors }) => {
    const range = rangeRead(cursors)
    // Digits beyond milliseconds are cut off, so the end is one later.
    return range ? [{ id, from: new Date(range.from), to: new Date(Math.max(range.from, range.to) + 1) }] : []
  })
  if (ranges.length === 0) return []
  return database.query<Covered>(
    `select o.id as slice, m.newest as "coveredBy"
       from unnest($4::bigint[], $5::timestamptz[], $6::timestamptz[]) as r (id, lower, upper)
       join sluice.slices as o on o.id = r.id,
            lateral (select max(w.id) as newest, range_agg(tstzrange(w.lower, w.upper)) as ranges
                       from sluice.slices as w
                      where (w.pipeline, w.stream, w.partition) = ($1, $2, $3)
                        and w.kind = 'backfill' and w.status = 'done' and sluice.is_proven(w)
                        and w.started_at >= o.finished_at and w.lower < r.upper and w.upper > r.lower) as m
      where tstzrange(r.lower, r.upper) <@ m.ranges`,
    [
      pipeline,
      stream,
      partition,
      ranges.map(({ id }) => id),
      ranges.map(({ from }) => from),
      ranges.map(({ to }) => to),
    ],
    { signal },
  )
}
