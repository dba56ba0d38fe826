import type { Queryable } from '../../database/queryable.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import { scheduleOf, scheduleText } from '../../define/schedule/schedule.ts'
import { removesAnnounced } from '../../model/deletions.ts'
import { duration } from '../../value/duration.ts'
import { gather } from '../../flow/gather.ts'
import { readCursors, type Cursor } from '../../ledger/cursors.ts'
import { readLedgerSize } from '../../ledger/read/ledger-size.ts'
import { countRejects } from '../../ledger/read/read-rejects.ts'
import {
  countFailedWindows,
  readLedgerParts,
  readNotStarted,
  readSyncs,
  readScheduled,
  type NotStarted,
  type SyncSummary,
  type Scheduled,
} from '../../ledger/read/read-standing.ts'
import { pauseOf, pauseText, readPauses, type Pause } from '../../ledger/pauses.ts'
import { keyTerms, readSharedKeys, type SharedKey } from '../../ledger/shared-keys.ts'
import { readWaits, type StoredWait } from '../../ledger/read/read-waits.ts'
import { UsageError } from '../../model/errors.ts'
import { readOpenReadings, type OpenReadings } from '../../ledger/read/read-open-readings.ts'
import { readStreams, type StreamRuns } from '../../ledger/read/read-streams.ts'
import { readWork, type Work } from '../../ledger/read/read-work.ts'
import { defined } from '../../value/defined.ts'
import type { StatusOptions } from '../options.ts'
import { openStoreToRead } from '../open-store.ts'
import { schemasOf, tablesOf, withSchemaRights } from '../schema-right.ts'
import { Ticks } from '../schedule/ticks.ts'
import { cursorAgeMs } from './cursor-age.ts'
import { findingsOf, neverRan, notStartedFinding, tickFinding, type Known } from './findings.ts'
import type { StatusFinding, StatusReport, StreamStatus } from './stream-status.ts'
import { waitFinding, waitOf } from './waits.ts'
import { workOf } from './work.ts'

/**
 * Returns the status of each stream of some pipelines, and the problems. Writes nothing, and needs no database before
 * the first run.
 */
export async function readPipelineStatus(
  pipelines: readonly Pipeline[],
  options: StatusOptions = {},
): Promise<StatusReport> {
  const { database, environment = process.env } = options
  await using store = await openStoreToRead({
    database,
    environment,
    max: 2,
    signal: options.signal ?? new AbortController().signal,
  })
  if (!store) return statusOf(pipelines, NO_PARTS, options)
  await using snapshot = await store.database.transaction({
    readOnly: true,
    statementTimeout: '1m',
    signal: options.signal,
  })
  return await withSchemaRights(store.database, schemasOf(tablesOf(pipelines)), async () => {
    const report = await readStatusFrom(pipelines, snapshot, options)
    const ledger = await readLedgerSize(snapshot)
    return { ...report, ...(ledger.bytes > 0 && { ledger }) }
  })
}

/** Returns the status from an open transaction or a snapshot, so that all parts of the ledger are of one moment. */
export async function readStatusFrom(
  pipelines: readonly Pipeline[],
  on: Queryable,
  options: Pick<StatusOptions, 'grace' | 'now'> = {},
): Promise<StatusReport> {
  return statusOf(pipelines, await readStatusParts(pipelines, on), options)
}

/** Reads from the ledger what `statusOf` needs. `on` is a transaction or a snapshot. */
export async function readStatusParts(pipelines: readonly Pipeline[], on: Queryable): Promise<StatusParts> {
  const parts = await readLedgerParts(on)
  if (!parts.slices) return NO_PARTS
  const names = pipelines.flatMap(({ name, streams }) => Object.keys(streams).map((stream) => [name, stream] as const))
  const [streams, readings, cursors, rejects, windows, openReadings, notStarted, scheduled, waits, sharedKeys, pauses] =
    await gather(
      readStreams(on),
      readSyncs(on, names),
      readCursors(on),
      countRejects(on),
      countFailedWindows(on),
      readOpenReadings(on),
      readNotStarted(
        on,
        pipelines.map(({ name }) => name),
      ),
      parts.ticks ? readScheduled(on) : [],
      parts.waits ? readWaits(on) : [],
      parts.sharedKeys ? readSharedKeys(on) : [],
      parts.pauses ? readPauses(on) : [],
    )
  const work = await readWork(on)
  return {
    streams,
    readings,
    cursors,
    rejects,
    windows,
    openReadings,
    notStarted,
    scheduled,
    waits,
    sharedKeys,
    pauses,
    work,
  }
}

/** The parts of a status that come from the ledger. */
export interface StatusParts {
  readonly streams: readonly StreamRuns[]
  readonly readings: ReadonlyMap<string, readonly SyncSummary[]>
  readonly cursors: readonly Cursor[]
  readonly rejects: Awaited<ReturnType<typeof countRejects>>
  readonly windows: Awaited<ReturnType<typeof countFailedWindows>>
  readonly openReadings: readonly OpenReadings[]
  readonly notStarted: readonly NotStarted[]
  readonly scheduled: readonly Scheduled[]
  readonly waits: readonly StoredWait[]
  readonly sharedKeys: readonly SharedKey[]
  readonly pauses: readonly Pause[]
  readonly work: Work | undefined
}
const NO_PARTS: StatusParts = {
  streams: [],
  readings: new Map(),
  cursors: [],
  rejects: [],
  windows: [],
  openReadings: [],
  notStarted: [],
  scheduled: [],
  waits: [],
  sharedKeys: [],
  pauses: [],
  work: undefined,
}

/** Derives the status of pipelines from the ledger's parts; it reads nothing. */
export function statusOf(
  pipelines: readonly Pipeline[],
  ledger: StatusParts,
  { now = new Date(), grace = '5m' }: Pick<StatusOptions, 'grace' | 'now'>,
): StatusReport {
  const findings: StatusFinding[] = []
  const waits = ledger.waits.map(waitOf)
  const streams = pipelines.flatMap((pipeline) => {
    const schedule = scheduleOf(pipeline)
    const ticks = schedule && new Ticks(schedule)
    const scheduled = ledger.scheduled.find((one) => one.pipeline === pipeline.name)
    const tick = scheduled && schedule && tickFinding(scheduled)
    const notStarted = ledger.notStarted.find((one) => one.pipeline === pipeline.name)
    // A tick that failed says the same.
    if (tick) findings.push(tick)
    else if (notStarted) findings.push(notStartedFinding(notStarted))
    // A tick within the grace period and the jitter is not overdue.
    const due = schedule && ticks?.last(new Date(now.getTime() - duration(grace) - schedule.jitterMs))
    // Ticks from before the schedule was registered do not count.
    const terms = { now, ticks, due: due && (!scheduled || due > scheduled.registeredAt) ? due : undefined }
    const all = Object.keys(pipeline.streams).map((stream) => streamStatus(pipeline, stream, ledger, terms))
    const never = neverRan(pipeline.name, all, scheduled !== undefined)
    findings.push(...waits.flatMap((wait) => waitFinding(wait) ?? []).filter((one) => one.pipeline === pipeline.name))
    if (never) findings.push(never)
    else
      for (const one of all)
        findings.push(
          ...findingsOf(one, { ...knownOf(pipeline, one, ledger), now }).filter(({ kind }) => concerns(one, kind)),
        )
    findings.push(...pausedFindings(pipeline.name, all, ledger.pauses))
    return all
  })
  return {
    at: now.toISOString(),
    ok: !findings.some(({ isFault }) => isFault),
    streams,
    findings: findings.toSorted((a, b) => Number(b.isFault) - Number(a.isFault)),
    waits,
    ...defined({ work: workOf(ledger.work) }),
  }
}

/** A person did not want the readings of a paused stream to reach their end. */
const concerns = ({ paused }: StreamStatus, kind: StatusFinding['kind']): boolean =>
  paused === undefined || kind !== 'never succeeded'

/** Returns a notice for each pause that holds for streams of a pipeline. */
function pausedFindings(pipeline: string, streams: readonly StreamStatus[], pauses: readonly Pause[]): StatusFinding[] {
  const held = streams.map(({ stream }) => pauseOf(pauses, { pipeline, stream }))
  return [...new Set(held)].flatMap((one): StatusFinding[] =>
    one
      ? [{ kind: 'paused', isFault: false, pipeline, ...defined({ stream: one.stream }), message: pauseText(one) }]
      : [],
  )
}

function knownOf(
  { streams }: Pipeline,
  { pipeline, stream }: StreamStatus,
  { readings, windows, openReadings, sharedKeys }: StatusParts,
): Omit<Known, 'now'> {
  const is = (one: { readonly pipeline: string; readonly stream: string }): boolean =>
    one.pipeline === pipeline && one.stream === stream
  const table = streams[stream]?.table
  return {
    readings: readings.get(`${pipeline}.${stream}`) ?? [],
    failedWindows: windows.find(is),
    openReadings: openReadings.filter(is),
    sharedKey: table && sharedKeys.find((one) => is(one) && one.terms === keyTerms(table)),
    openTerms: {
      isAccepted: table?.complete === 'any',
      isKeyless: table?.write === 'append' && table.key.length === 0,
    },
    keepsDeleted: table !== undefined && table.write !== 'replace' && !removesAnnounced(table),
  }
}

interface Terms {
  readonly now: Date
  readonly ticks: Ticks | undefined
  /** The tick after which the stream must have been read to its end. */
  readonly due: Date | undefined
}

function streamStatus(
  pipeline: Pipeline,
  stream: string,
  ledger: StatusParts,
  { now, ticks, due }: Terms,
): StreamStatus {
  const is = (one: { readonly pipeline: string; readonly stream: string }): boolean =>
    one.pipeline === pipeline.name && one.stream === stream
  const flow = pipeline.streams[stream]
  if (!flow) throw new UsageError(`${pipeline.name} has no stream '${stream}'`)
  const { recipe, table } = flow
  const readings = ledger.readings.get(`${pipeline.name}.${stream}`) ?? []
  const runs = ledger.streams.find(is)?.runs.filter(({ kind }) => kind === 'sync') ?? []
  const success = readings.find(({ isOpen }) => !isOpen)
  const open = readings.find(({ isOpen }) => isOpen)
  const failed = runs.find(({ error }) => error !== undefined)
  const cursor = ledger.cursors.find(is)
  const state = runs[0]?.status ?? 'never ran'
  const paused = pauseOf(ledger.pauses, { pipeline: pipeline.name, stream })
  // What is paused is not read, as a person wants it.
  const isOverdue =
    !paused && due !== undefined && state !== 'running' && !(success?.finishedAt && success.finishedAt >= due)
  return {
    pipeline: pipeline.name,
    stream,
    table: table.name,
    state,
    ...(success?.finishedAt && {
      lastSuccess: {
        run: success.run,
        at: success.finishedAt.toISOString(),
        ageMs: now.getTime() - success.finishedAt.getTime(),
      },
    }),
    ...(cursor && {
      cursor: {
        value: cursor.value,
        movedAt: cursor.updatedAt.toISOString(),
        ...defined({ ageMs: cursorAgeMs(cursor.value, recipe.incremental?.unit, now) }),
      },
    }),
    ...defined({ completeness: success?.completeness }),
    openReadings: ledger.openReadings.filter(is).reduce((sum, { readings }) => sum + readings, 0),
    runs: runs.map(({ run, status, startedAt, counts, completeness }) => ({
      run,
      status,
      startedAt: startedAt.toISOString(),
      read: counts.fetched,
      stored: counts.inserted + counts.updated,
      deleted: counts.deleted,
      rejected: counts.rejected,
      ...defined({ completeness }),
    })),
    rejects: ledger.rejects.find(is)?.rejects ?? 0,
    ...(open && {
      open: {
        slice: open.slice,
        run: open.run,
        isHeld: open.isHeld,
        since: open.createdAt.toISOString(),
        ...defined({ error: open.error }),
      },
    }),
    ...(failed?.error !== undefined && {
      lastError: { run: failed.run, at: (failed.finishedAt ?? failed.startedAt).toISOString(), error: failed.error },
    }),
    ...(ticks && { ...defined({ schedule: scheduleText(pipeline) }), next: ticks.next(now).toISOString() }),
    ...(paused && { paused: { by: paused.who, at: paused.at.toISOString(), ...defined({ why: paused.why }) } }),
    ...(isOverdue && { overdueSince: due.toISOString() }),
  }
}
