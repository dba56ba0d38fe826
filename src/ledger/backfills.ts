import type { Database } from '../database/database.ts'
import type { WindowCounts } from '../model/window.ts'
import { IS_UNPROVEN } from './read/read-open-readings.ts'
import type { StreamName } from './stream-name.ts'

/** A range of a stream that is read window by window. */
export interface Backfill {
  readonly id: string
  readonly pipeline: string
  readonly stream: string
  readonly partition: string
  readonly from: Date
  readonly to: Date
  readonly window: string
  readonly zone: string
  readonly createdAt: Date
  readonly windows: WindowCounts
}

/** The values that identify a backfill: the same ones continue it. */
export interface BackfillIdentity extends StreamName {
  /** Instants. */
  readonly from: string
  readonly to: string
  readonly window: string
  readonly zone: string
}

export interface OpenBackfillOptions extends BackfillIdentity {
  /** The starts of the windows in their order, and the end of the last one. */
  readonly bounds: readonly string[]
  readonly run: string
  readonly definition: string
  readonly signal: AbortSignal
}

/**
 * Writes the plan of a backfill, or finds the one with the same identity, which stays as it is. At the end of the
 * transaction, constraints prove that the windows tile the range.
 */
export async function openBackfill(
  database: Database,
  { pipeline, stream, partition = '', bounds, window, zone, run, definition, signal }: OpenBackfillOptions,
): Promise<{ readonly id: string; readonly created: boolean }> {
  return database.one<{ id: string; created: boolean }>(
    'select id, created from sluice.plan_backfill($1, $2, $3, $4, $5::timestamptz[], $6, $7, $8)',
    [run, pipeline, stream, partition, bounds, window, zone, definition],
    { signal },
  )
}

/** Returns the backfill with an identity; undefined if there is none. */
export async function findBackfill(
  database: Database,
  { pipeline, stream, partition = '', from, to, window, zone }: BackfillIdentity,
  signal?: AbortSignal,
): Promise<Backfill | undefined> {
  const [backfill] = await select(
    database,
    `where (b.pipeline, b.stream, b.partition, b.lower, b.upper, b.window_size, b.zone) = ($1, $2, $3, $4, $5, $6, $7)`,
    [pipeline, stream, partition, from, to, window, zone],
    signal,
  )
  return backfill
}

export async function readBackfill(
  database: Database,
  id: string,
  signal?: AbortSignal,
): Promise<Backfill | undefined> {
  return (await select(database, 'where b.id = $1', [id], signal))[0]
}

async function select(
  database: Database,
  condition: string,
  values: readonly unknown[],
  signal?: AbortSignal,
): Promise<Backfill[]> {
  const rows = await database.query<Omit<Backfill, 'windows'> & { readonly [Name in keyof WindowCounts]: string }>(
    `select b.id, b.pipeline, b.stream, b.partition, b.lower as "from", b.upper as "to", b.window_size as "window",
            b.zone, b.created_at as "createdAt", w.*
       from sluice.backfills as b cross join lateral (
         select count(*) as total, count(*) filter (where s.status = 'done') as done,
                count(*) filter (where ${IS_UNPROVEN}) as unproven,
                count(*) filter (where s.status = 'failed') as failed,
                count(*) filter (where s.status = 'skipped') as skipped,
                count(*) filter (where s.status = 'open') as open
           from sluice.slices as s where s.backfill = b.id) as w ${condition}`,
    values,
    { signal },
  )
  return rows.map(({ total, done, unproven, failed, skipped, open, ...backfill }) => ({
    ...backfill,
    windows: {
      total: Number(total),
      done: Number(done),
      unproven: Number(unproven),
      failed: Number(failed),
      skipped: Number(skipped),
      open: Number(open),
    },
  }))
}

/** Returns the indexes of those windows whose whole range other backfills of the stream have done. */
export async function findDoneElsewhere(
  database: Database,
  { pipeline, stream, partition = '' }: StreamName,
  windows: readonly { readonly lower: string; readonly upper: string }[],
  { except, signal }: { readonly except?: string | undefined; readonly signal: AbortSignal },
): Promise<ReadonlySet<number>> {
  const rows = await database.query<{ index: string }>(
    `select w.ordinal - 1 as index
       from unnest($4::timestamptz[], $5::timestamptz[]) with ordinality as w (lower, upper, ordinal)
      where sluice.is_backfilled($1, $2, $3, w.lower, w.upper, $6)`,
    [pipeline, stream, partition, windows.map(({ lower }) => lower), windows.map(({ upper }) => upper), except],
    { signal },
  )
  return new Set(rows.map(({ index }) => Number(index)))
}

/** Returns other backfills of the same stream that have stored rows in a window that this one has yet to read. */
export async function findOverlapping(database: Database, backfill: string, signal: AbortSignal): Promise<string[]> {
  const rows = await database.query<{ backfill: string }>(
    `select distinct o.backfill from sluice.slices as s
       join sluice.slices as o
         on (o.pipeline, o.stream, o.partition, o.kind) = (s.pipeline, s.stream, s.partition, 'backfill')
        and o.backfill <> s.backfill and o.lower < s.upper and o.upper > s.lower
      where s.backfill = $1 and s.status in ('open', 'failed') and o.inserted > 0 order by o.backfill`,
    [backfill],
    { signal },
  )
  return rows.map((row) => row.backfill)
}
