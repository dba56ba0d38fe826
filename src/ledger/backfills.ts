import type { Database } from '../database/database.ts'
import type { WindowCounts } from '../model/window.ts'
import type { StreamName } from './slices/close.ts'

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

/** The words that a backfill is: the same ones continue it. */
export interface BackfillWords extends StreamName {
  /** Moments. */
  readonly from: string
  readonly to: string
  readonly window: string
  readonly zone: string
}

export interface PlanOptions extends BackfillWords {
  /** Where windows begin, in their order, and where the last one ends. */
  readonly bounds: readonly string[]
  readonly run: string
  readonly definition: string
  readonly signal: AbortSignal
}

/**
 * Write the plan of a backfill, or find the one that the same words have made, which stays as it is. In one
 * transaction, at the end of which the ledger's constraints prove that the windows tile the range.
 */
export async function planBackfill(
  database: Database,
  { pipeline, stream, partition = '', bounds, window, zone, run, definition, signal }: PlanOptions,
): Promise<{ readonly id: string; readonly made: boolean }> {
  const [row] = await database.query<{ id: string; made: boolean }>(
    'select id, made from sluice.plan_backfill($1, $2, $3, $4, $5::timestamptz[], $6, $7, $8)',
    [run, pipeline, stream, partition, bounds, window, zone, definition],
    { signal },
  )
  return row!
}

/** The backfill that these words have made, if there is one. */
export async function findBackfill(
  database: Database,
  { pipeline, stream, partition = '', from, to, window, zone }: BackfillWords,
  signal?: AbortSignal,
): Promise<Backfill | undefined> {
  return (
    await select(
      database,
      'where (b.pipeline, b.stream, b.partition, b.lower, b.upper, b.size, b.zone) = ($1, $2, $3, $4, $5, $6, $7)',
      [pipeline, stream, partition, from, to, window, zone],
      signal,
    )
  )[0]
}

export async function readBackfill(
  database: Database,
  id: string,
  signal?: AbortSignal,
): Promise<Backfill | undefined> {
  return (await select(database, 'where b.id = $1', [id], signal))[0]
}

export interface ReadBackfillsOptions {
  readonly pipeline?: string | undefined
  readonly stream?: string | undefined
  /** Older than this backfill. */
  readonly before?: string | undefined
  /** @default 20 */
  readonly limit?: number
}

/** The newest backfills first. */
export async function readBackfills(
  database: Database,
  { pipeline, stream, before, limit = 20 }: ReadBackfillsOptions = {},
): Promise<Backfill[]> {
  return select(
    database,
    'where ($1::text is null or b.pipeline = $1) and ($2::text is null or b.stream = $2) and ($3::bigint is null or b.id < $3) order by b.id desc limit $4',
    [pipeline, stream, before, limit],
  )
}

async function select(
  database: Database,
  which: string,
  values: readonly unknown[],
  signal?: AbortSignal,
): Promise<Backfill[]> {
  const rows = await database.query<Omit<Backfill, 'windows'> & { readonly [Name in keyof WindowCounts]: string }>(
    `select b.id, b.pipeline, b.stream, b.partition, b.lower as "from", b.upper as "to", b.size as "window", b.zone, b.created_at as "createdAt", w.*
       from sluice.backfills as b cross join lateral (
         select count(*) as total, count(*) filter (where s.status = 'done') as done, count(*) filter (where s.status = 'failed') as failed,
                count(*) filter (where s.status = 'dropped') as skipped, count(*) filter (where s.status = 'open') as open
           from sluice.slices as s where s.backfill = b.id) as w ${which}`,
    values,
    signal ? { signal } : {},
  )
  return rows.map(({ total, done, failed, skipped, open, ...backfill }) => ({
    ...backfill,
    windows: {
      total: Number(total),
      done: Number(done),
      failed: Number(failed),
      skipped: Number(skipped),
      open: Number(open),
    },
  }))
}

/** Ranges that other backfills of the stream have done all of, of some that are given: their places. */
export async function backfilled(
  database: Database,
  { pipeline, stream, partition = '' }: StreamName,
  windows: readonly { readonly lower: string; readonly upper: string }[],
  { but, signal }: { readonly but?: string | undefined; readonly signal: AbortSignal },
): Promise<ReadonlySet<number>> {
  const rows = await database.query<{ place: string }>(
    `select w.place - 1 as place from unnest($4::timestamptz[], $5::timestamptz[]) with ordinality as w (lower, upper, place)
      where sluice.is_backfilled($1, $2, $3, w.lower, w.upper, $6)`,
    [pipeline, stream, partition, windows.map(({ lower }) => lower), windows.map(({ upper }) => upper), but],
    { signal },
  )
  return new Set(rows.map(({ place }) => Number(place)))
}

/** Other backfills of the same stream that have stored something in a window that this one is still to read. */
export async function overlapping(database: Database, backfill: string, signal: AbortSignal): Promise<string[]> {
  const rows = await database.query<{ backfill: string }>(
    `select distinct o.backfill from sluice.slices as s
       join sluice.slices as o on (o.pipeline, o.stream, o.partition, o.kind) = (s.pipeline, s.stream, s.partition, 'backfill') and o.backfill <> s.backfill and o.lower < s.upper and o.upper > s.lower
      where s.backfill = $1 and s.status in ('open', 'failed') and o.inserted > 0 order by o.backfill`,
    [backfill],
    { signal },
  )
  return rows.map((row) => row.backfill)
}
