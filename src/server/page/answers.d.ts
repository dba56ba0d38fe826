import type { Counts } from '../../model/batch.ts'
import type { RunEvent, RunGauge, StreamState } from '../../model/event.ts'
import type { Report } from '../../model/report.ts'

export type { Counts, Report, StreamState }

export type Kind = 'sync' | 'backfill' | 'replay'
export type RunStatus = 'running' | 'done' | 'failed' | 'interrupted'

/** How a run stands: sums since its beginning, but for what is under way, ahead and in memory. */
export type Gauge = Omit<RunGauge, 'type'>
export interface StreamRun {
  run: string
  kind: Kind
  status: string
  startedAt: string
  finishedAt: string | null
  ms: number | null
  counts: Counts
  error: string | null
}
export interface Stream {
  stream: string
  table: string | null
  write: string | null
  key: string[] | null
  cursor: { value: string; updatedAt: string; lagSeconds: number | null } | null
  rejects: number
  lastSuccess: string | null
  problem?: string | null
  runs: StreamRun[]
}
export interface Pipeline {
  pipeline: string
  loaded: boolean
  schedule: string | null
  zone: string | null
  nextTick: string | null
  overdueSince?: string | null
  streams: Stream[]
}
export interface RunningSlice {
  slice: string
  stream: string
  since: string | null
  until: string | null
  lower: string | null
  upper: string | null
  batches: number
  counts: Counts
}
export interface Running {
  run: string
  pipeline: string
  kind: Kind
  status: string
  startedAt: string
  seenAt: string
  stopAskedAt: string | null
  here: boolean
  slices: RunningSlice[]
  gauge: (Gauge & { at: string }) | null
}
export interface Run {
  run: string
  pipeline: string
  kind: Kind
  status: RunStatus
  startedAt: string
  finishedAt: string | null
  ms: number | null
  error: string | null
  stopAskedAt: string | null
  counts: Counts
  streams: string[]
}
export interface RunDetail {
  stream: string
  isDone: boolean
  slices: number
  batches: number
  counts: Counts
  since: string | null
  cursor: string | null
  resumed: boolean
  error: string | null
}
export interface RunAnswer extends Run {
  options: Record<string, unknown>
  report: Report | null
  details: RunDetail[]
  gauge: (Gauge & { at: string }) | null
}
export interface Slice {
  slice: string
  pipeline: string
  stream: string
  kind: Kind
  status: string
  held: boolean
  run: string
  begunBy: string
  since: string | null
  until: string | null
  backfill: string | null
  lower: string | null
  upper: string | null
  counts: Counts
  batches: number
  createdAt: string
  finishedAt: string | null
  error: string | null
}
export interface Reject {
  reject: string
  run: string
  slice: string
  pipeline: string
  stream: string
  stage: string
  reason: string
  /** JSON as text, with every digit. */
  record: string
  parents: string | null
  createdAt: string
  replayedAt: string | null
}
export interface Backfill {
  backfill: string
  pipeline: string
  stream: string
  from: string
  to: string
  window: string
  zone: string
  createdAt: string
  windows: number
  todo: number
  running: number
  done: number
  failed: number
  counts: Counts
}
export type WindowState = 'todo' | 'running' | 'done' | 'failed' | 'skipped'
export interface WindowCell {
  slice: string
  lower: string
  upper: string
  state: WindowState
  rows: number
  run: string | null
  error: string | null
}
export interface BackfillAnswer extends Backfill {
  map: WindowCell[]
}
export interface Summary {
  at: string
  version: string
  event: string
  writable: boolean
  pipelines: Pipeline[]
  running: Running[]
  lastRuns: Run[]
  backfills: Backfill[]
}
/** An event as the stream of events tells it. */
export type Told = RunEvent & { id: string; run: string | null; pipeline: string | null; at: string }
