import type { Counts } from '../../model/batch.ts'
import { COUNT_NAMES } from '../../model/counts.ts'
import type { HighWaterMark, Position } from '../../model/page.ts'
import type { Range } from '../../model/request.ts'
import type { RunKind, Slice } from '../../model/slice.ts'

/** A slice that we hold, with what the ledger needs beyond what readers do. */
export interface HeldSlice extends Slice {
  readonly run: string
  readonly definition: string
  /** Since its reading began, by all runs. */
  readonly counts: Counts
  readonly batches: number
  /** What `boundary` was when the reading began, and is again when it begins anew. */
  readonly wholeBoundary?: Readonly<Record<string, number>>
}

/** Why an open slice has to begin at its start again, and with what. */
export interface Restart extends Range {
  /** Another definition made it; it is older than `resume`; the cursor was moved since; everything is to be read. */
  readonly reason: 'definition' | 'age' | 'cursor' | 'full'
  readonly definition: string
  readonly cursor?: string | undefined
}

export const countNames = COUNT_NAMES

/** How a row of `sluice.slices` is selected for `heldSlice`; `s` is the slice and `c` its stream's cursor. */
export const columns = `s.id, s.run, s.begun_by, s.pipeline, s.stream, s.partition, s.kind, s.status, s.since, s.until, s.cursor_was, s.definition,
  s.position::text as position, s.high, s.boundary as high_boundary, s.seq, s.token, s.batches, s.begun_at, s.unmet, ${countNames.map((name) => `s.${name}`).join(', ')},
  extract(epoch from clock_timestamp() - s.begun_at) * 1000 as age, c.value as cursor, c.boundary`

export interface SliceRow extends CountRow {
  readonly id: string
  readonly run: string
  readonly begun_by: string
  readonly pipeline: string
  readonly stream: string
  readonly partition: string
  readonly kind: RunKind
  readonly status: string
  readonly since: string | null
  readonly until: string | null
  readonly cursor_was: string | null
  readonly definition: string
  readonly position: string | null
  readonly high: string | null
  readonly high_boundary: Readonly<Record<string, number>> | null
  readonly seq: string
  readonly token: string
  readonly batches: string
  readonly begun_at: Date
  readonly unmet: Readonly<Record<string, number>> | null
  /** Milliseconds since its reading began. */
  readonly age: string
  /** The stream's cursor as it is now. */
  readonly cursor: string | null
  readonly boundary: Readonly<Record<string, number>> | null
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
    startedAt: row.begun_at,
    resumed: Number(row.batches) > 0,
    ...(row.since !== null && { since: row.since }),
    ...(row.until !== null && { until: row.until }),
    ...(row.high !== null && { highWaterMark: highOf(row.high, row.high_boundary) }),
    ...(row.cursor_was !== null && { cursor: row.cursor_was }),
    ...(row.boundary !== null && { boundary: row.unmet ?? row.boundary, wholeBoundary: row.boundary }),
  }
}

/** Counts as the driver gives them: bigints are text. */
export type CountRow = { readonly [Name in keyof Counts]: string }

export function countsOf(row: CountRow): Counts {
  return Object.fromEntries(countNames.map((name) => [name, Number(row[name])])) as unknown as Counts
}

function highOf(value: string, boundary: Readonly<Record<string, number>> | null): HighWaterMark {
  if (boundary === null) return { value }
  return { value, hashes: Object.entries(boundary).flatMap(([hash, number]) => Array<string>(number).fill(hash)) }
}
