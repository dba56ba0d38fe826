import type { Database } from '../../database/database.ts'
import type { Counts } from '../../model/batch.ts'
import type { HighWaterMark, Position } from '../../model/page.ts'
import type { Range } from '../../model/request.ts'
import type { RunKind, Slice } from '../../model/slice.ts'
import { defined } from '../../value/defined.ts'
import { COUNT_NAMES, NO_COUNTS } from '../../model/counts.ts'
import { completenessOf, type CompletenessRow } from '../completeness.ts'
import { countsOf, type CountRow } from '../counts.ts'

/** A slice that this run holds, with what the ledger needs beyond what readers need. */
export interface HeldSlice extends Slice {
  readonly run: string
  readonly definition: string
  /** Since the slice started, by all runs. */
  readonly counts: Counts
  readonly batches: number
  /** The boundary of the stream's cursor. `boundary` is what remains of it; a restart sets it back to this. */
  readonly wholeBoundary?: Readonly<Record<string, number>>
}

/** Why an open slice has to be read from its start again, and with which range. */
export interface Restart extends Range {
  /**
   * Another definition opened it; it is older than `resume`; the cursor has moved since; everything is to be read; its
   * reading is open, which its table does not accept.
   */
  readonly reason: 'definition' | 'age' | 'cursor' | 'full' | 'incomplete'
  readonly definition: string
  readonly cursor?: string | undefined
  /** The slice begins to read everything. @default false */
  readonly beginsFull?: boolean
}

/** Selects a row of `sluice.read_held`, whose alias is `h`. */
export const HELD_COLUMNS = `
  id, run, started_by, pipeline, stream, partition, kind, status, since, until, cursor_at_start, definition,
  high_water_mark, seq, token, batches, started_at, boundary_remaining, lower, upper, completeness, open_reasons, chain,
  ${COUNT_NAMES.join(', ')}`
  .replaceAll(/(\w+)/g, '(h.slice).$1')
  .concat(
    `, (h.slice).position::text as position, (h.slice).boundary as high_boundary, h.cursor, h.boundary, h.ordinal,
      extract(epoch from clock_timestamp() - (h.slice).started_at) * 1000 as age`,
  )

export interface SliceRow extends CountRow, CompletenessRow {
  readonly id: string
  readonly run: string
  readonly started_by: string
  readonly pipeline: string
  readonly stream: string
  readonly partition: string
  readonly kind: RunKind
  readonly status: string
  readonly since: string | null
  readonly until: string | null
  readonly cursor_at_start: string | null
  readonly definition: string
  readonly chain: string | null
  readonly position: string | null
  readonly high_water_mark: string | null
  readonly high_boundary: Readonly<Record<string, number>> | null
  readonly seq: string
  readonly token: string
  readonly batches: string
  readonly started_at: Date
  readonly boundary_remaining: Readonly<Record<string, number>> | null
  /** Milliseconds since the slice started. */
  readonly age: string
  /** The stream's cursor as it is now, and its boundary. */
  readonly cursor: string | null
  readonly boundary: Readonly<Record<string, number>> | null
  /** The index of a window in its backfill, from 0. */
  readonly ordinal: string
}

export function heldSlice(row: SliceRow): HeldSlice {
  const { id, run, pipeline, stream, partition, kind, definition } = row
  const counts = countsOf(row)
  return {
    id,
    run,
    pipeline,
    stream,
    partition,
    kind,
    definition,
    counts,
    token: Number(row.token),
    seq: Number(row.seq),
    batches: Number(row.batches),
    position: row.position === null ? null : (JSON.parse(row.position) as Position),
    rejected: counts.rejected,
    startedAt: row.started_at,
    resumed: Number(row.batches) > 0,
    ...defined({
      since: row.since ?? undefined,
      until: row.until ?? undefined,
      chain: row.chain ?? undefined,
      cursor: row.cursor_at_start ?? undefined,
      highWaterMark: row.high_water_mark === null ? undefined : markOf(row.high_water_mark, row.high_boundary),
      completeness: completenessOf(row),
      boundary: (row.boundary && row.boundary_remaining) ?? row.boundary ?? undefined,
      wholeBoundary: row.boundary ?? undefined,
    }),
  }
}

function markOf(value: string, boundary: Readonly<Record<string, number>> | null): HighWaterMark {
  if (boundary === null) return { value }
  return { value, hashes: Object.entries(boundary).flatMap(([hash, number]) => Array<string>(number).fill(hash)) }
}

/** Returns a slice as it is after `restartSql`, with the old start time; `readStartedAt` returns the new one. */
export function restartedSlice(
  held: HeldSlice,
  { definition, since, until, cursor }: Omit<Restart, 'reason'>,
): HeldSlice {
  const { id, run, pipeline, stream, partition, kind, chain, token, seq, startedAt, wholeBoundary } = held
  return {
    id,
    run,
    pipeline,
    stream,
    partition,
    kind,
    token,
    startedAt,
    definition,
    seq: seq + 1,
    position: null,
    batches: 0,
    rejected: 0,
    resumed: false,
    counts: NO_COUNTS,
    ...defined({ chain, since, until, cursor, wholeBoundary, boundary: wholeBoundary }),
  }
}

/**
 * Returns when a slice was started, by the database's clock. It stays the same for every run until a restart, which the
 * hashes of newer records rely on.
 */
export async function readStartedAt(
  database: Database,
  { id }: Pick<HeldSlice, 'id'>,
  signal: AbortSignal,
): Promise<Date> {
  const row = await database.one<{ startedAt: Date }>(
    'select started_at as "startedAt" from sluice.slices where id = $1',
    [id],
    { signal },
  )
  return row.startedAt
}
