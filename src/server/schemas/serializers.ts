import type { BackfillOverview } from '../../ledger/read/backfill-overview.ts'
import type { StoredReject } from '../../ledger/read/read-rejects.ts'
import type { StreamRecord } from '../../ledger/read/read-report.ts'
import type { StoredRun } from '../../ledger/read/read-runs.ts'
import type { StoredSlice } from '../../ledger/read/read-slices.ts'
import type { StreamRun } from '../../ledger/read/read-streams.ts'
import type { StoredWindow } from '../../ledger/read/read-windows.ts'
import type { RunGauge } from '../../model/event.ts'

// What the ledger knows, as it is answered: ids as text, times in UTC, null for what is not there.

const iso = (date: Date): string => date.toISOString()
const isoOrNull = (date: Date | undefined): string | null => date?.toISOString() ?? null
const elapsedMs = (from: Date, to: Date | undefined): number | null =>
  to ? Math.max(0, to.getTime() - from.getTime()) : null

export const serializeRun = ({
  id,
  pipeline,
  kind,
  status,
  startedAt,
  finishedAt,
  error,
  stopAskedAt,
  counts,
  options,
}: StoredRun) => ({
  run: id,
  pipeline,
  kind,
  status,
  startedAt: iso(startedAt),
  finishedAt: isoOrNull(finishedAt),
  ms: elapsedMs(startedAt, finishedAt),
  error: error ?? null,
  stopAskedAt: isoOrNull(stopAskedAt),
  counts,
  streams: streamsOf(options),
})

function streamsOf(options: unknown): string[] {
  const { streams } = (options ?? {}) as { readonly streams?: unknown }
  return Array.isArray(streams) ? streams.filter((stream) => typeof stream === 'string') : []
}

export const serializeStreamRun = ({ run, kind, status, startedAt, finishedAt, counts, error }: StreamRun) => ({
  run,
  kind,
  status,
  startedAt: iso(startedAt),
  finishedAt: isoOrNull(finishedAt),
  ms: elapsedMs(startedAt, finishedAt),
  counts,
  error: error ?? null,
})

export const serializeRunDetail = ({
  stream,
  isDone,
  slices,
  batches,
  counts,
  since,
  cursor,
  resumed,
  error,
}: StreamRecord) => ({
  stream,
  isDone,
  slices,
  batches,
  counts,
  since: since ?? null,
  cursor: cursor ?? null,
  resumed,
  error: error ?? null,
})

export const serializeGauge = (gauge: (RunGauge & { readonly at: Date }) | undefined) =>
  gauge ? { ...gauge, at: iso(gauge.at) } : null

export const serializeSlice = ({
  id,
  pipeline,
  stream,
  kind,
  status,
  isHeld,
  run,
  begunBy,
  since,
  until,
  backfill,
  lower,
  upper,
  counts,
  batches,
  createdAt,
  finishedAt,
  error,
}: StoredSlice) => ({
  slice: id,
  pipeline,
  stream,
  kind,
  status,
  held: isHeld,
  run,
  begunBy,
  since: since ?? null,
  until: until ?? null,
  backfill: backfill ?? null,
  lower: isoOrNull(lower),
  upper: isoOrNull(upper),
  counts,
  batches,
  createdAt: iso(createdAt),
  finishedAt: isoOrNull(finishedAt),
  error: error ?? null,
})

export const serializeReject = ({
  id,
  run,
  slice,
  pipeline,
  stream,
  stage,
  reason,
  record,
  parents,
  createdAt,
  replayedAt,
}: StoredReject) => ({
  reject: id,
  run,
  slice,
  pipeline,
  stream,
  stage,
  reason,
  record,
  parents: parents ?? null,
  createdAt: iso(createdAt),
  replayedAt: isoOrNull(replayedAt),
})

export const serializeBackfill = ({ id, from, to, createdAt, ...rest }: BackfillOverview) => ({
  backfill: id,
  from: iso(from),
  to: iso(to),
  createdAt: iso(createdAt),
  ...rest,
})

export const serializeWindow = ({ slice, lower, upper, status, isHeld, counts, run, error }: StoredWindow) => ({
  slice,
  lower: iso(lower),
  upper: iso(upper),
  state: status === 'open' ? (isHeld ? 'running' : 'todo') : status,
  rows: counts.inserted + counts.updated + counts.unchanged,
  run: run ?? null,
  error: error ?? null,
})

/** A page of a list, of which one more than asked for was read; where the next one begins. */
export function pageOf<Item>(
  items: readonly Item[],
  limit: number,
  idOf: (item: Item) => string,
): { readonly items: Item[]; readonly next: string | null } {
  const shown = items.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown, next: items.length > limit && last !== undefined ? idOf(last) : null }
}
