import { openSnapshot } from '../database/snapshot.ts'
import type { Pipeline } from '../define/pipeline.ts'
import { scheduleOf, scheduleText } from '../define/schedule/schedule.ts'
import { gather } from '../flow/gather.ts'
import type { Cursor } from '../ledger/cursors.ts'
import { overviewBackfills } from '../ledger/read/backfill-overview.ts'
import { lastEvent, lastGauges } from '../ledger/read/read-events.ts'
import { readRuns, type StoredRun } from '../ledger/read/read-runs.ts'
import { readSlices, type StoredSlice } from '../ledger/read/read-slices.ts'
import type { StreamRuns } from '../ledger/read/read-streams.ts'
import type { RunGauge } from '../model/event.ts'
import { ownVersion } from '../observe/package-root.ts'
import { Ticks } from '../run/schedule/ticks.ts'
import { cursorAgeMs } from '../run/status/cursor-age.ts'
import { readStatusParts, statusOf, type StatusParts } from '../run/status/status.ts'
import type { StatusFinding, StatusReport, StreamStatus } from '../run/status/stream-status.ts'
import type { Context } from './context.ts'
import type { ActiveRun, Pipeline as PipelineAnswer, Stream, Summary } from './schemas/resources.ts'
import {
  serializeBackfill,
  serializeFinding,
  serializeGauge,
  serializeRun,
  serializeSlice,
  serializeStreamRun,
  serializeWait,
  serializeWork,
} from './schemas/serializers.ts'

const CONNECTIONS = 3
/** Active runs in a summary; the others are in `/api/runs`. */
const MAX_ACTIVE_RUNS = 50

/** Reads everything that the page starts with as of one moment, over several connections that share a snapshot. */
export async function readSummary({ database, served, runner }: Context, signal: AbortSignal): Promise<Summary> {
  // Accounts may come and go meanwhile.
  const pipelines = new Map(served.byName)
  const ofAccounts = served.findings()
  await using snapshot = await openSnapshot(database, { connections: CONNECTIONS, signal })
  const loaded = [...pipelines.values()]
  const [event, parts, active, lastRuns, backfills] = await gather(
    lastEvent(snapshot),
    readStatusParts(loaded, snapshot),
    readActiveRuns(snapshot),
    readRuns(snapshot, { limit: 20 }),
    overviewBackfills(snapshot, { recent: true, limit: 20 }),
  )
  const now = new Date()
  const status = statusOf(loaded, parts, { now })
  return {
    at: now.toISOString(),
    version: ownVersion(),
    event,
    pipelines: [...knownStreams(pipelines, ofAccounts, parts)].map(([name, streams]) =>
      serializePipeline(name, streams, { pipeline: pipelines.get(name), status, ofAccounts, now }),
    ),
    running: active.map((one) => serializeActiveRun(one, runner.has(one.run.id))),
    lastRuns: lastRuns.map(serializeRun),
    backfills: backfills.map(serializeBackfill),
    waits: status.waits.map(serializeWait),
    work: serializeWork(status.work),
  }
}

/** The ledger's part of one stream. */
interface StreamParts {
  runs?: StreamRuns
  cursor?: Cursor
  rejects?: number
  openReadings?: number
}

/**
 * Returns all streams by pipeline: the loaded ones first, then accounts that cannot run, then those that only the
 * ledger knows.
 */
function knownStreams(
  pipelines: ReadonlyMap<string, Pipeline>,
  ofAccounts: readonly StatusFinding[],
  { streams, cursors, rejects, openReadings }: StatusParts,
): Map<string, Map<string, StreamParts>> {
  const known = new Map<string, Map<string, StreamParts>>(
    [...pipelines.keys(), ...ofAccounts.map(({ pipeline }) => pipeline)].map((name) => [name, new Map()]),
  )
  const entry = (pipeline: string, stream: string): StreamParts => {
    const inside = known.get(pipeline) ?? new Map<string, StreamParts>()
    known.set(pipeline, inside)
    const found = inside.get(stream) ?? {}
    inside.set(stream, found)
    return found
  }
  for (const [name, pipeline] of pipelines) for (const stream of Object.keys(pipeline.streams)) entry(name, stream)
  for (const one of streams) entry(one.pipeline, one.stream).runs = one
  for (const one of cursors) entry(one.pipeline, one.stream).cursor = one
  for (const one of rejects) entry(one.pipeline, one.stream).rejects = one.rejects
  for (const { pipeline, stream, readings } of openReadings) {
    const parts = entry(pipeline, stream)
    parts.openReadings = (parts.openReadings ?? 0) + readings
  }
  return known
}

type Snapshot = Awaited<ReturnType<typeof openSnapshot>>

interface ActiveRunParts {
  readonly run: StoredRun
  readonly slices: readonly StoredSlice[]
  readonly gauge: (RunGauge & { readonly at: Date }) | undefined
}

async function readActiveRuns(snapshot: Snapshot): Promise<ActiveRunParts[]> {
  const runs = await readRuns(snapshot, { status: 'running', limit: MAX_ACTIVE_RUNS })
  const [gauges, slices] = await gather(
    lastGauges(
      snapshot,
      runs.map(({ id }) => id),
    ),
    Promise.all(runs.map((run) => readHeldSlices(snapshot, run))),
  )
  return runs.map((run, index) => ({ run, slices: slices[index] ?? [], gauge: gauges.get(run.id) }))
}

const readHeldSlices = async (snapshot: Snapshot, { id }: StoredRun): Promise<StoredSlice[]> =>
  (await readSlices(snapshot, { run: id, status: 'open', limit: 200 })).filter(
    ({ isHeld, run }) => isHeld && run === id,
  )

function serializeActiveRun({ run, slices, gauge }: ActiveRunParts, here: boolean): ActiveRun {
  const { run: id, pipeline, kind, status, startedAt, stopRequestedAt } = serializeRun(run)
  return {
    run: id,
    pipeline,
    kind,
    status,
    startedAt,
    seenAt: run.seenAt.toISOString(),
    stopRequestedAt,
    here,
    gauge: serializeGauge(gauge),
    slices: slices.map(serializeActiveSlice),
  }
}

function serializeActiveSlice(stored: StoredSlice): ActiveRun['slices'][number] {
  const { slice, stream, since, until, lower, upper, batches, counts } = serializeSlice(stored)
  return { slice, stream, since, until, lower, upper, batches, counts }
}

interface Terms {
  /** Undefined if the server has not loaded it. */
  readonly pipeline: Pipeline | undefined
  readonly status: StatusReport
  /** Findings about accounts, which the ledger does not know. */
  readonly ofAccounts: readonly StatusFinding[]
  readonly now: Date
}

function serializePipeline(name: string, known: ReadonlyMap<string, StreamParts>, terms: Terms): PipelineAnswer {
  const { pipeline, status, ofAccounts, now } = terms
  const found = status.findings.filter((finding) => finding.pipeline === name && finding.stream === undefined)
  // A tick that failed says the same.
  const hasSaid = found.some(({ kind }) => kind === 'tick failed')
  const streams = [...known].map(([stream, parts]) => serializeStream(name, stream, parts, terms))
  return {
    pipeline: name,
    loaded: pipeline !== undefined,
    ...serializeSchedule(pipeline, now),
    overdueSince: overdueSince(streams),
    findings: [...ofAccounts.filter((finding) => finding.pipeline === name && !hasSaid), ...found].map(
      serializeFinding,
    ),
    streams,
  }
}

/** Returns the tick after which no stream was read; null if one of them was. */
function overdueSince(streams: readonly Stream[]): string | null {
  const ticks = streams.map((stream) => stream.overdueSince)
  return ticks.every((tick) => tick !== null) ? (ticks.toSorted()[0] ?? null) : null
}

function serializeSchedule(
  pipeline: Pipeline | undefined,
  now: Date,
): Pick<PipelineAnswer, 'schedule' | 'zone' | 'nextTick'> {
  const schedule = pipeline && scheduleOf(pipeline)
  if (!schedule) return { schedule: null, zone: null, nextTick: null }
  return {
    schedule: scheduleText(pipeline) ?? null,
    zone: schedule.zone,
    nextTick: new Ticks(schedule).next(now).toISOString(),
  }
}

function serializeStream(name: string, stream: string, parts: StreamParts, { pipeline, status, now }: Terms): Stream {
  const { runs, cursor, rejects = 0, openReadings = 0 } = parts
  const flow = pipeline?.streams[stream]
  const isThis = (one: Pick<StreamStatus, 'pipeline'> & { readonly stream?: string }): boolean =>
    one.pipeline === name && one.stream === stream
  return {
    stream,
    table: flow?.table.name ?? null,
    write: flow?.table.write ?? null,
    key: flow ? [...flow.table.key] : null,
    cursor: cursor
      ? {
          value: cursor.value,
          updatedAt: cursor.updatedAt.toISOString(),
          lagSeconds: lagSeconds(cursorAgeMs(cursor.value, flow?.recipe.incremental?.unit, now)),
        }
      : null,
    rejects,
    lastSuccess: runs?.lastSuccess?.toISOString() ?? null,
    completeness: runs?.completeness ?? null,
    openReadings,
    overdueSince: status.streams.find(isThis)?.overdueSince ?? null,
    findings: status.findings.filter(isThis).map(serializeFinding),
    runs: (runs?.runs ?? []).map(serializeStreamRun),
  }
}

const lagSeconds = (ms: number | undefined): number | null => (ms === undefined ? null : Math.round(ms / 100) / 10)
