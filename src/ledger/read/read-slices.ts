import type { Queryable } from '../../database/queryable.ts'
import type { Database } from '../../database/database.ts'
import type { Advance, Counts } from '../../model/batch.ts'
import type { Completeness } from '../../model/completeness.ts'
import type { Position } from '../../model/page.ts'
import type { RunKind } from '../../model/slice.ts'
import type { StreamName } from '../stream-name.ts'
import { completenessOf, COMPLETENESS, type CompletenessRow } from '../completeness.ts'
import { countsOf, selectCounts, type CountRow } from '../counts.ts'

/**
 * `open`: to be read or being read; `skipped`: a window that other backfills have done; `closed`: by hand, by resetting
 * or setting the cursor.
 */
export type SliceStatus = 'open' | 'done' | 'failed' | 'skipped' | 'closed'

export interface StoredSlice {
  readonly id: string
  readonly pipeline: string
  readonly stream: string
  readonly partition: string
  readonly kind: RunKind
  readonly status: SliceStatus
  /** Open, and a run holds it. */
  readonly isHeld: boolean
  /** The run that started it, and the one that claimed it last. */
  readonly startedBy: string
  readonly run: string
  readonly since: string | undefined
  readonly until: string | undefined
  readonly position: Position
  readonly high: string | undefined
  /** Undefined if it is not known: before the end, for replays, and for slices of older versions. */
  readonly completeness: Completeness | undefined
  readonly counts: Counts
  readonly batches: number
  readonly swap: Advance['swap']
  /** Windows only: the backfill and the bounds. */
  readonly backfill: string | undefined
  readonly lower: Date | undefined
  readonly upper: Date | undefined
  readonly createdAt: Date
  readonly finishedAt: Date | undefined
  readonly error: string | undefined
}

export interface ReadSlicesOptions {
  readonly pipeline?: string | undefined
  readonly stream?: string | undefined
  readonly status?: StoredSlice['status'] | undefined
  readonly kind?: RunKind | undefined
  /** Claimed last, or started, by this run. */
  readonly run?: string | undefined
  readonly backfill?: string | undefined
  /** Older than this slice. */
  readonly before?: string | undefined
  /** @default 100 */
  readonly limit?: number
}

/** Returns slices, the newest first. */
export async function readSlices(
  on: Queryable,
  { pipeline, stream, status, kind, run, backfill, before, limit = 100 }: ReadSlicesOptions = {},
): Promise<StoredSlice[]> {
  const rows = await on.query<Row>(
    `select ${COLUMNS} from sluice.slices as s
      where ($1::text is null or s.pipeline = $1) and ($2::text is null or s.stream = $2)
        and ($3::text is null or s.status = $3) and ($4::text is null or s.kind = $4)
        and ($5::bigint is null or s.run = $5 or s.started_by = $5) and ($6::bigint is null or s.id < $6)
        and ($8::bigint is null or s.backfill = $8)
      order by s.id desc limit $7`,
    [pipeline, stream, status, kind, run, before, limit, backfill],
  )
  return rows.map(storedSlice)
}

const COLUMNS = `s.id, s.pipeline, s.stream, s.partition, s.kind, s.status,
  s.status = 'open' and not sluice.is_claimable(s) as "isHeld", s.started_by as "startedBy", s.run, s.backfill,
  s.lower, s.upper, s.since, s.until, s.position::text as position, s.high_water_mark as high, s.batches,
  s.swap_inserted, s.swap_updated, s.swap_deleted, s.created_at as "createdAt", s.finished_at as "finishedAt", s.error,
  ${COMPLETENESS},
  ${selectCounts((name) => `s.${name}`)}`

type Text = 'since' | 'until' | 'high' | 'error'
interface Row
  extends
    CountRow,
    CompletenessRow,
    Omit<
      StoredSlice,
      Text | 'position' | 'counts' | 'completeness' | 'batches' | 'swap' | 'finishedAt' | 'backfill' | 'lower' | 'upper'
    >,
    Readonly<Record<Text | 'position' | SwapColumn, string | null>> {
  readonly batches: string
  readonly finishedAt: Date | null
  readonly backfill: string | null
  readonly lower: Date | null
  readonly upper: Date | null
}
export type SwapColumn = 'swap_inserted' | 'swap_updated' | 'swap_deleted'

function storedSlice(row: Row): StoredSlice {
  const { id, pipeline, stream, partition, kind, status, isHeld, startedBy, run, createdAt } = row
  return {
    id,
    pipeline,
    stream,
    partition,
    kind,
    status,
    isHeld,
    startedBy,
    run,
    createdAt,
    since: row.since ?? undefined,
    until: row.until ?? undefined,
    high: row.high ?? undefined,
    error: row.error ?? undefined,
    finishedAt: row.finishedAt ?? undefined,
    backfill: row.backfill ?? undefined,
    lower: row.lower ?? undefined,
    upper: row.upper ?? undefined,
    position: row.position === null ? null : (JSON.parse(row.position) as Position),
    batches: Number(row.batches),
    completeness: completenessOf(row),
    counts: countsOf(row),
    swap: swapOf(row),
  }
}

export function swapOf(row: Readonly<Record<SwapColumn, string | null>>): Advance['swap'] {
  if (row.swap_inserted === null) return undefined
  return { inserted: Number(row.swap_inserted), updated: Number(row.swap_updated), deleted: Number(row.swap_deleted) }
}

/** Returns where the syncs of a stream have started, in the API's own text; undefined: at the very beginning. */
export async function readBeginnings(
  database: Database,
  { pipeline, stream, partition = '' }: StreamName,
  signal: AbortSignal,
): Promise<(string | undefined)[]> {
  const rows = await database.query<{ since: string | null }>(
    `select distinct since from sluice.slices
      where (pipeline, stream, partition) = ($1, $2, $3) and kind = 'sync'
        and (status in ('open', 'done') or inserted > 0)`,
    [pipeline, stream, partition],
    { signal },
  )
  return rows.map(({ since }) => since ?? undefined)
}
