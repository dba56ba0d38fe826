import type { BackfillOverview } from '../../ledger/read/backfill-overview.ts'
import type { StoredReject } from '../../ledger/read/read-rejects.ts'
import type { StreamRecord } from '../../ledger/read/read-report.ts'
import type { StoredRun } from '../../ledger/read/read-runs.ts'
import type { StoredSlice } from '../../ledger/read/read-slices.ts'
import type { StreamRun as StoredStreamRun } from '../../ledger/read/read-streams.ts'
import type { StoredWindow } from '../../ledger/read/read-windows.ts'
import type { RunGauge } from '../../model/event.ts'
import type { StatusFinding, StatusWait, StatusWork } from '../../run/status/stream-status.ts'
import type {
  Backfill,
  Finding,
  Gauge,
  Reject,
  Run,
  RunDetail,
  RunWithReport,
  Slice,
  StreamRun,
  StreamState,
  Wait,
  WindowCell,
  WindowState,
} from './resources.ts'
import type { Work } from './work.ts'

// From the ledger's rows to what is sent: ids as text, times in UTC, null for a missing value.

const iso = (date: Date): string => date.toISOString()
const isoOrNull = (date: Date | undefined): string | null => date?.toISOString() ?? null
const elapsedMs = (from: Date, to: Date | undefined): number | null =>
  to ? Math.max(0, to.getTime() - from.getTime()) : null

export const serializeRun = (run: StoredRun): Run => ({
  run: run.id,
  pipeline: run.pipeline,
  kind: run.kind,
  status: run.status,
  startedAt: iso(run.startedAt),
  finishedAt: isoOrNull(run.finishedAt),
  ms: elapsedMs(run.startedAt, run.finishedAt),
  error: run.error ?? null,
  stopRequestedAt: isoOrNull(run.stopRequestedAt),
  completeness: run.completeness ?? null,
  counts: run.counts,
  streams: streamsIn(run.options),
})

function streamsIn(options: unknown): string[] {
  const { streams } = (options ?? {}) as { readonly streams?: unknown }
  return Array.isArray(streams) ? streams.filter((stream) => typeof stream === 'string') : []
}

export const serializeStreamRun = (run: StoredStreamRun): StreamRun => ({
  run: run.run,
  kind: run.kind,
  status: run.status,
  startedAt: iso(run.startedAt),
  finishedAt: isoOrNull(run.finishedAt),
  ms: elapsedMs(run.startedAt, run.finishedAt),
  completeness: run.completeness ?? null,
  counts: run.counts,
  error: run.error ?? null,
})

const serializeRunDetail = (detail: StreamRecord): RunDetail => ({
  stream: detail.stream,
  isDone: detail.isDone,
  slices: detail.slices,
  batches: detail.batches,
  completeness: detail.completeness ?? null,
  counts: detail.counts,
  since: detail.since ?? null,
  cursor: detail.cursor ?? null,
  resumed: detail.resumed,
  error: detail.error ?? null,
})

export const serializeFinding = ({ kind, isFault, message }: StatusFinding): Finding => ({
  kind,
  isProblem: isFault,
  message,
})

const NO_PROGRESS: StreamState = {
  requests: 0,
  underWay: 0,
  bytes: 0,
  retries: 0,
  waitMs: 0,
  pages: 0,
  ahead: 0,
  read: 0,
  stored: 0,
  rejected: 0,
  batches: 0,
  apiMs: 0,
  databaseMs: 0,
  waitsFor: null,
}

/** Another version of Sluice may have stored the gauge: a member that it did not know is 0. */
export const serializeGauge = (gauge: (RunGauge & { readonly at: Date }) | undefined): Gauge | null =>
  gauge
    ? {
        type: 'gauge',
        at: iso(gauge.at),
        ms: gauge.ms,
        memory: gauge.memory,
        loopMs: gauge.loopMs,
        streams: Object.fromEntries(
          Object.entries(gauge.streams).map(([stream, state]) => [stream, { ...NO_PROGRESS, ...state }]),
        ),
      }
    : null

export const serializeRunWithReport = (
  run: StoredRun,
  details: readonly StreamRecord[],
  gauge: (RunGauge & { readonly at: Date }) | undefined,
): RunWithReport => ({
  ...serializeRun(run),
  options: (run.options ?? {}) as Record<string, unknown>, // a run stores an object of options
  report: run.report ?? null,
  details: details.map(serializeRunDetail),
  gauge: serializeGauge(gauge),
})

export const serializeSlice = (slice: StoredSlice): Slice => ({
  slice: slice.id,
  pipeline: slice.pipeline,
  stream: slice.stream,
  kind: slice.kind,
  status: slice.status,
  held: slice.isHeld,
  run: slice.run,
  startedBy: slice.startedBy,
  since: slice.since ?? null,
  until: slice.until ?? null,
  backfill: slice.backfill ?? null,
  lower: isoOrNull(slice.lower),
  upper: isoOrNull(slice.upper),
  completeness: slice.completeness ?? null,
  counts: slice.counts,
  batches: slice.batches,
  createdAt: iso(slice.createdAt),
  finishedAt: isoOrNull(slice.finishedAt),
  error: slice.error ?? null,
})

export const serializeReject = (reject: StoredReject): Reject => ({
  reject: reject.id,
  run: reject.run,
  slice: reject.slice,
  pipeline: reject.pipeline,
  stream: reject.stream,
  stage: reject.stage,
  reason: reject.reason,
  record: reject.record,
  parents: reject.parents ?? null,
  createdAt: iso(reject.createdAt),
  settledAt: isoOrNull(reject.settledAt),
  settlement: reject.settlement ?? null,
})

export const serializeBackfill = ({ id, from, to, createdAt, completeness, ...rest }: BackfillOverview): Backfill => ({
  backfill: id,
  from: iso(from),
  to: iso(to),
  createdAt: iso(createdAt),
  completeness: completeness ?? null,
  ...rest,
})

export const serializeWindow = (window: StoredWindow): WindowCell => ({
  slice: window.slice,
  lower: iso(window.lower),
  upper: iso(window.upper),
  state: windowState(window),
  unproven: window.isUnproven,
  completeness: window.completeness ?? null,
  rows: window.counts.inserted + window.counts.updated + window.counts.unchanged,
  run: window.run ?? null,
  error: window.error ?? null,
})

function windowState({ status, isHeld }: Pick<StoredWindow, 'status' | 'isHeld'>): WindowState {
  if (status !== 'open') return status
  return isHeld ? 'running' : 'pending'
}

/** One page of a list, from one item more than it holds; `next` continues after its last item. */
export function pageOf<Item>(
  items: readonly Item[],
  limit: number,
  idOf: (item: Item) => string,
): { readonly items: Item[]; readonly next: string | null } {
  const shown = items.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown, next: items.length > limit && last !== undefined ? idOf(last) : null }
}

export const serializeWait = ({ api, path, until, source }: StatusWait): Wait => ({
  api,
  path,
  until,
  source: source && {
    run: source.run,
    pipeline: source.pipeline,
    stream: source.stream,
    request: source.request,
    status: source.status,
    header: source.header,
  },
})

/** From a status to what is sent. Without workers, nothing waits for one. */
export const serializeWork = ({ workers, waiting }: StatusWork = { workers: [], waiting: [] }): Work => ({
  workers: workers.map(({ isDraining, pieces, ...its }) => ({
    ...its,
    draining: isDraining,
    pieces: pieces.map(({ window = null, ...one }) => ({ ...one, window })),
  })),
  waiting: waiting ?? null,
})
