// Pieces of work that are handed to workers. Each attempt at a piece is a run, and the newest one counts.
import type { Database } from '../database/database.ts'
import type { Report } from '../model/report.ts'
import { defineErrorName } from '../value/error.ts'
import { displayJson } from '../value/json/stored-json.ts'
import { storableText } from '../value/text.ts'
import type { StreamName } from './stream-name.ts'

/** A piece of work that a run does for another process. */
export interface PieceAttempt {
  /** A UUID. The job of pg-boss that carries the piece has the same id. */
  readonly id: string
  /** The name of the worker. @default the process that has handed out the piece does it itself */
  readonly worker?: string | undefined
}

/** Another process is doing the piece of work. */
export class PieceTakenError extends Error {
  static {
    defineErrorName(this)
  }
}

/** The newest attempt at a piece of work. */
export interface AttemptState {
  readonly piece: string
  readonly run: string
  readonly worker: string | undefined
  /**
   * `running`: its process lives and has renewed it in time. `ended`: with its own result; nothing is left to do.
   * `left`: its process is gone, is stopped, or has given the piece back; another attempt has to follow.
   */
  readonly state: 'running' | 'ended' | 'left'
  readonly status: Report['status'] | 'running'
  readonly report: Report | undefined
  readonly error: string | undefined
}

/**
 * SQL: the state of run `r` as an attempt. A run that was asked to stop has ended; one that was interrupted otherwise
 * goes on elsewhere. The session of a stopped process stays, so time decides too.
 */
const STATE_SQL = `case
  when r.status in ('done', 'failed') then 'ended'
  when r.status = 'interrupted' and r.stop_requested_at is not null then 'ended'
  when sluice.is_alive(r) and r.seen_at > clock_timestamp() - sluice.lease_time() then 'running'
  else 'left' end`

/** Records an attempt at a piece that was not allowed to start, as of a stream that is paused. The piece has ended. */
export async function recordStoppedAttempt(
  database: Database,
  {
    piece,
    pipeline,
    stream,
    error,
    signal,
  }: StreamName & { readonly piece: PieceAttempt; readonly error: string; readonly signal: AbortSignal },
): Promise<void> {
  await database.query(
    `insert into sluice.runs
       (kind, pipeline, options, status, finished_at, stop_requested_at, error, piece, worker)
     values ('sync', $1, $2, 'interrupted', clock_timestamp(), clock_timestamp(), $3, $4, $5)`,
    [pipeline, displayJson({ streams: [stream] }), storableText(error), piece.id, piece.worker],
    { signal },
  )
}

/** Returns the newest attempt at each piece that has one, by the piece. */
export async function readAttempts(
  database: Database,
  pieces: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, AttemptState>> {
  const rows = await database.query<{
    piece: string
    run: string
    worker: string | null
    state: AttemptState['state']
    status: AttemptState['status']
    report: Report | null
    error: string | null
  }>(
    `select distinct on (r.piece) r.piece, r.id as run, r.worker, r.status, r.report, r.error, ${STATE_SQL} as state
       from sluice.runs as r where r.piece = any ($1::uuid[]) order by r.piece, r.id desc`,
    [pieces],
    { signal },
  )
  return new Map(
    rows.map(({ worker, report, error, ...row }) => [
      row.piece,
      { ...row, worker: worker ?? undefined, report: report ?? undefined, error: error ?? undefined },
    ]),
  )
}

/**
 * True if an attempt at the piece has begun a reading of its own. A reading of everything is then continued, not
 * repeated. One that an earlier run began does not count: an attempt may have ended between claiming and restarting it.
 */
export async function hasBegun(database: Database, piece: string, signal: AbortSignal): Promise<boolean> {
  const { begun } = await database.one<{ begun: boolean }>(
    `select exists (select from sluice.runs as r join sluice.slices as s on s.started_by = r.id
       where r.piece = $1) as begun`,
    [piece],
    { signal },
  )
  return begun
}

/** Tells whether an attempt at a piece that was interrupted has read, and the newest report of one that left one. */
export async function readInterrupted(
  database: Database,
  piece: string,
  signal: AbortSignal,
): Promise<{ readonly hasRead: boolean; readonly report: Report | undefined }> {
  const { hasRead, report } = await database.one<{ hasRead: boolean; report: Report | null }>(
    `select exists (select from sluice.runs as r join sluice.slices as s on s.run = r.id or s.started_by = r.id
                     where r.piece = $1) as "hasRead",
            (select report from sluice.runs where piece = $1 and report is not null
              order by id desc limit 1) as report`,
    [piece],
    { signal },
  )
  return { hasRead, report: report ?? undefined }
}

/**
 * Marks the running attempt at a piece as interrupted if its process was silent for the time of a lease. A stopped
 * process keeps its session, so only time shows it. If it goes on, its tokens are stale, and it stores nothing.
 */
export async function endSilentAttempt(database: Database, piece: string, signal: AbortSignal): Promise<void> {
  await database.query(
    `update sluice.runs set status = 'interrupted', finished_at = seen_at, error = 'its process fell silent'
      where piece = $1 and status = 'running' and seen_at <= clock_timestamp() - sluice.lease_time()`,
    [piece],
    { signal },
  )
}
