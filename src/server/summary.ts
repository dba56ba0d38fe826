import { openSnapshot } from '../database/snapshot.ts'
import type { Pipeline } from '../define/pipeline.ts'
import { scheduleOf, scheduleText } from '../define/schedule.ts'
import { gather } from '../flow/gather.ts'
import { overviewBackfills } from '../ledger/read/backfill-overview.ts'
import { readCursors, type Cursor } from '../ledger/cursors.ts'
import { lastEvent, lastGauges } from '../ledger/read/read-events.ts'
import { countRejects } from '../ledger/read/read-rejects.ts'
import { readRuns, type StoredRun } from '../ledger/read/read-runs.ts'
import { readSlices } from '../ledger/read/read-slices.ts'
import { readStreams } from '../ledger/read/read-streams.ts'
import { Ticks } from '../run/schedule/ticks.ts'
import { ownVersion } from '../observe/package-root.ts'
import {
  serializeBackfill,
  serializeGauge,
  serializeRun,
  serializeSlice,
  serializeStreamRun,
} from './schemas/serializers.ts'
import type { Context } from './context.ts'
import { lagSeconds } from './cursor-lag.ts'

const CONNECTIONS = 3
/** Runs that are shown as running; more than that at once are not watched by anybody. */
const MOST_RUNNING = 50

/**
 * Everything that a page begins with, as it was at one moment: its parts are asked for at once, over several
 * connections that share a snapshot.
 */
export async function readSummary({ database, pipelines, runner }: Context, signal: AbortSignal) {
  await using snapshot = await openSnapshot(database, { connections: CONNECTIONS, signal })
  const [event, streams, cursors, rejects, running, lastRuns, backfills] = await gather(
    lastEvent(snapshot),
    readStreams(snapshot),
    readCursors(snapshot),
    countRejects(snapshot),
    readRunning(snapshot),
    readRuns(snapshot, { limit: 20 }),
    overviewBackfills(snapshot, { recent: true, limit: 20 }),
  )
  const now = new Date()
  const known = new Map<string, Map<string, StreamParts>>()
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
  return {
    at: now.toISOString(),
    version: ownVersion(),
    event,
    pipelines: [...known].map(([name, inside]) => {
      const pipeline = pipelines.get(name)
      return {
        pipeline: name,
        loaded: pipeline !== undefined,
        ...serializeSchedule(pipeline, now),
        streams: [...inside].map(([stream, found]) => serializeStream(stream, found, pipeline, now)),
      }
    }),
    running: running.map(({ run, slices, gauge }) => {
      const { run: id, pipeline, kind, status, startedAt, stopAskedAt } = serializeRun(run)
      return {
        run: id,
        pipeline,
        kind,
        status,
        startedAt,
        seenAt: run.seenAt.toISOString(),
        stopAskedAt,
        here: runner.has(id),
        gauge: serializeGauge(gauge),
        slices: slices.map(serializeSlice),
      }
    }),
    lastRuns: lastRuns.map(serializeRun),
    backfills: backfills.map(serializeBackfill),
  }
}

type Snapshot = Awaited<ReturnType<typeof openSnapshot>>

/** What the ledger knows of one stream. */
interface StreamParts {
  runs?: Awaited<ReturnType<typeof readStreams>>[number]
  cursor?: Cursor
  rejects?: number
}

/** Runs that go on, what they read, and how they stand. */
async function readRunning(snapshot: Snapshot) {
  const runs = await readRuns(snapshot, { status: 'running', limit: MOST_RUNNING })
  const [gauges, slices] = await gather(
    lastGauges(
      snapshot,
      runs.map(({ id }) => id),
    ),
    Promise.all(runs.map((run) => readHeldSlices(snapshot, run))),
  )
  return runs.map((run, place) => ({ run, slices: slices[place]!, gauge: gauges.get(run.id) }))
}

const readHeldSlices = async (snapshot: Snapshot, { id }: StoredRun) =>
  (await readSlices(snapshot, { run: id, status: 'open', limit: 200 })).filter(
    ({ isHeld, run }) => isHeld && run === id,
  )

function serializeSchedule(pipeline: Pipeline | undefined, now: Date) {
  const schedule = pipeline && scheduleOf(pipeline)
  if (!schedule) return { schedule: null, zone: null, nextTick: null }
  return {
    schedule: scheduleText(pipeline) ?? null,
    zone: schedule.zone,
    nextTick: new Ticks(schedule).next(now).toISOString(),
  }
}

function serializeStream(
  stream: string,
  { runs, cursor, rejects = 0 }: StreamParts,
  pipeline: Pipeline | undefined,
  now: Date,
) {
  const flow = pipeline?.streams[stream]
  return {
    stream,
    table: flow?.table.name ?? null,
    write: flow?.table.write ?? null,
    key: flow ? [...flow.table.key] : null,
    cursor: cursor
      ? {
          value: cursor.value,
          updatedAt: cursor.updatedAt.toISOString(),
          lagSeconds: lagSeconds(cursor.value, flow?.recipe.incremental?.unit, now) ?? null,
        }
      : null,
    rejects,
    lastSuccess: runs?.lastSuccess?.toISOString() ?? null,
    runs: (runs?.runs ?? []).map(serializeStreamRun),
  }
}
