import type { RunEvent } from '../../model/event.ts'
import type { Report } from '../../model/report.ts'
import { described, flag, list, nullable, number, object, oneOf, record, stored, text, textLike } from './schema.ts'
import type { Infer } from './schema.ts'
import { work } from './work.ts'

// What the server sends: each resource is described once. The types of the routes, the serializers and the page are
// inferred from here.

export const time = described(text, 'A moment, in UTC')
export const id = textLike({ pattern: /^\d{1,18}$/ })
export const name = textLike({ pattern: /^\w[\w-]{0,199}(?:@[\w-]{1,63})?$/ })
export const kind = oneOf('sync', 'backfill', 'replay')
export const runStatus = oneOf('running', 'done', 'failed', 'interrupted')
export const sliceStatus = oneOf('open', 'done', 'failed', 'skipped', 'closed')

const completeness = described(
  nullable(
    object({
      grade: oneOf('counted', 'ended', 'open'),
      reasons: described(list(text), 'Why a reading is open; empty for the other grades'),
    }),
  ),
  'How sure it is that everything was read, the worst of several readings; null if it is not known',
)
export type Completeness = Infer<typeof completeness>
const unproven = described(
  number,
  'Windows that are done and may have missed records, and that no later reading covers',
)

const COUNTS = {
  fetched: number,
  expanded: number,
  inserted: number,
  updated: number,
  unchanged: number,
  filtered: number,
  duplicate: number,
  deleted: number,
  rejected: number,
  parents: number,
}
const counts = object(COUNTS)
export type Counts = Infer<typeof counts>

const streamState = object({
  requests: number,
  underWay: number,
  bytes: number,
  retries: number,
  waitMs: number,
  pages: number,
  ahead: number,
  read: number,
  stored: number,
  rejected: number,
  batches: number,
  apiMs: number,
  databaseMs: number,
  waitsFor: nullable(oneOf('api', 'rate limit', 'retry-after', 'token', 'memory', 'database', 'lock', 'job', 'turn')),
})
/** Progress of one stream of a run: sums since the run began, except for what is under way and ahead. */
export type StreamState = Infer<typeof streamState>

const gauge = object({
  type: oneOf('gauge'),
  at: time,
  ms: number,
  memory: object({ used: number, limit: number, waiting: number }),
  loopMs: number,
  streams: record(streamState),
})
/** Progress of a run, as its newest gauge event says. */
export type Gauge = Infer<typeof gauge>
const newestGauge = described(nullable(gauge), 'The newest progress of the run: a gauge event, with its time')

const RUN = {
  run: id,
  pipeline: text,
  kind,
  status: runStatus,
  startedAt: time,
  finishedAt: nullable(time),
  ms: nullable(number),
  error: nullable(text),
  stopRequestedAt: nullable(time),
  completeness,
  counts,
  streams: list(text),
}
export const run = object(RUN)
export type Run = Infer<typeof run>

const runDetail = object({
  stream: text,
  isDone: flag,
  slices: number,
  batches: number,
  completeness,
  counts,
  since: nullable(text),
  cursor: nullable(text),
  resumed: flag,
  error: nullable(text),
})
/** What one stream contributed to a run. */
export type RunDetail = Infer<typeof runDetail>

export const runWithReport = object({
  ...RUN,
  options: stored<Record<string, unknown>>(),
  report: nullable(stored<Report>()),
  gauge: newestGauge,
  details: list(runDetail),
})
export type RunWithReport = Infer<typeof runWithReport>

const sliceRange = { since: nullable(text), until: nullable(text), lower: nullable(time), upper: nullable(time) }
export const slice = object({
  slice: id,
  pipeline: text,
  stream: text,
  kind,
  status: sliceStatus,
  held: flag,
  run: id,
  startedBy: id,
  ...sliceRange,
  backfill: nullable(text),
  completeness,
  counts,
  batches: number,
  createdAt: time,
  finishedAt: nullable(time),
  error: nullable(text),
})
export type Slice = Infer<typeof slice>

export const reject = object({
  reject: id,
  run: id,
  slice: id,
  pipeline: text,
  stream: text,
  stage: text,
  reason: text,
  record: described(text, 'JSON as text, with every digit'),
  parents: nullable(text),
  createdAt: time,
  settledAt: nullable(time),
  settlement: nullable(oneOf('replayed', 'stored', 'superseded', 'dropped')),
})
export type Reject = Infer<typeof reject>

const BACKFILL = {
  backfill: id,
  pipeline: text,
  stream: text,
  from: time,
  to: time,
  window: text,
  zone: text,
  createdAt: time,
  windows: number,
  pending: number,
  running: number,
  done: number,
  unproven,
  failed: number,
  skipped: number,
  completeness,
  counts,
}
export const backfill = object(BACKFILL)
export type Backfill = Infer<typeof backfill>

const windowState = oneOf('pending', 'running', 'done', 'failed', 'skipped')
export type WindowState = Infer<typeof windowState>

const windowCell = object({
  slice: id,
  lower: time,
  upper: time,
  state: windowState,
  unproven: described(flag, 'Done, but it may have missed records, and no later reading covers it'),
  completeness,
  rows: number,
  run: nullable(text),
  error: nullable(text),
})
/** One window of a backfill, as a cell of its map. */
export type WindowCell = Infer<typeof windowCell>

export const backfillWithWindows = object({ ...BACKFILL, map: list(windowCell) })
export type BackfillWithWindows = Infer<typeof backfillWithWindows>

const streamRun = object({
  run: id,
  kind,
  status: runStatus,
  startedAt: time,
  finishedAt: nullable(time),
  ms: nullable(number),
  completeness,
  counts,
  error: nullable(text),
})
/** A run as one of its streams saw it. */
export type StreamRun = Infer<typeof streamRun>

const finding = object({
  kind: text,
  isProblem: described(flag, 'false: a notice, which does not make `sluice status` fail'),
  message: text,
})
/** A finding of `sluice status`. */
export type Finding = Infer<typeof finding>

const stream = object({
  stream: text,
  table: nullable(text),
  write: nullable(text),
  key: nullable(list(text)),
  cursor: nullable(object({ value: text, updatedAt: time, lagSeconds: nullable(number) })),
  rejects: number,
  lastSuccess: nullable(time),
  completeness,
  openReadings: described(number, 'Readings and windows that may have missed records, and that no later one covers'),
  overdueSince: described(nullable(time), 'The tick after which the stream should have been read, and was not'),
  findings: list(finding),
  runs: list(streamRun),
})
export type Stream = Infer<typeof stream>

const pipeline = object({
  pipeline: text,
  loaded: flag,
  schedule: nullable(text),
  zone: nullable(text),
  nextTick: nullable(time),
  overdueSince: described(nullable(time), 'The tick after which none of its streams was read'),
  findings: described(list(finding), 'Findings about the pipeline as a whole'),
  streams: list(stream),
})
export type Pipeline = Infer<typeof pipeline>

const activeRun = object({
  run: id,
  pipeline: text,
  kind,
  status: runStatus,
  startedAt: time,
  seenAt: time,
  stopRequestedAt: nullable(time),
  here: flag,
  gauge: newestGauge,
  slices: list(object({ slice: id, stream: text, ...sliceRange, batches: number, counts })),
})
/** A run that is under way, with the slices that it reads. */
export type ActiveRun = Infer<typeof activeRun>

const wait = object({
  api: described(text, 'The origin of the API'),
  path: described(nullable(text), 'null: the whole API; {} stands for any value; GET /users: an endpoint'),
  until: time,
  source: described(
    nullable(object({ run: id, pipeline: text, stream: text, request: text, status: number, header: text })),
    'The response that asked for it, and the run that received it',
  ),
})
/** A time in which no request is sent to an API or to one of its paths. */
export type Wait = Infer<typeof wait>

export const summary = object({
  at: time,
  version: text,
  event: id,
  pipelines: list(pipeline),
  running: list(activeRun),
  lastRuns: list(run),
  backfills: list(backfill),
  waits: described(list(wait), 'What APIs have asked to wait for, as sluice limits shows it'),
  work,
})
/** Everything that the page starts with, as it was at one moment. */
export type Summary = Infer<typeof summary>

export const problem = object({ error: object({ location: text, problem: text, remedy: text }) })
/** The answer to a request that failed. */
export type ProblemAnswer = Infer<typeof problem>

/** An event of `/api/events`. */
export type EventMessage = RunEvent & {
  readonly id: string
  readonly run: string | null
  readonly pipeline: string | null
  readonly at: string
}
