// Pieces of work that are handed to workers. Each attempt at a piece is a run, and the newest one counts.
import type { Database, Transaction } from '../database/database.ts'
import type { Counts } from '../model/batch.ts'
import type { Completeness } from '../model/completeness.ts'
import type { Report } from '../model/report.ts'
import { defineErrorName } from '../value/error.ts'
import { displayJson } from '../value/json/stored-json.ts'
import { storableText } from '../value/text.ts'
import { completenessOf, WORST_COMPLETENESS, type CompletenessRow } from './completeness.ts'
import { countsOf, ownCount, selectCounts, type CountRow } from './counts.ts'
import type { StreamName } from './stream-name.ts'

/** A piece of work that a run does for another process. */
export interface PieceAttempt {
  /** A UUID. The job of pg-boss that carries the piece has the same id. */
  readonly id: string
  /** The name of the worker. @default the process that has handed out the piece does it itself */
  readonly worker?: string | undefined
}

/** Another process is doing the piece of work, or it has ended. */
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
  /** `interrupted` if its process is gone, even if the ledger does not have it yet. */
  readonly status: Report['status'] | 'running'
  /** It was not allowed to start, because the stream is paused. */
  readonly isPaused: boolean
  readonly report: Report | undefined
  readonly error: string | undefined
}

/** SQL: the process of run `r` lives and works. The session of a stopped process stays, so time decides too. */
const WORKS_SQL = `(sluice.is_alive(r) and r.seen_at > clock_timestamp() - sluice.lease_time())`

/**
 * SQL: the state of run `r` as an attempt. A run that was asked to stop has ended, also if its process was killed
 * before it stopped; one that was interrupted otherwise goes on elsewhere.
 */
export const ATTEMPT_STATE = `(case
  when r.status in ('done', 'failed') then 'ended'
  when ${WORKS_SQL} then 'running'
  when r.stop_requested_at is not null then 'ended'
  else 'left' end)`

/**
 * Returns the state of the newest attempt at a piece, which stays as it is until the transaction ends; undefined if
 * there is none. Without the lock, a worker could begin a piece while the process that waits for it stops it.
 */
export async function lockPiece(transaction: Transaction, piece: string): Promise<AttemptState['state'] | undefined> {
  await transaction.query(`select pg_advisory_xact_lock(hashtextextended('sluice piece ' || $1, 0))`, [piece])
  const row = await transaction.maybeOne<{ state: AttemptState['state'] }>(
    `select ${ATTEMPT_STATE} as state from sluice.runs as r where r.piece = $1 order by r.id desc limit 1`,
    [piece],
  )
  return row?.state
}

export interface StoppedAttempt extends StreamName {
  readonly piece: PieceAttempt
  /** Why it was not allowed to start. */
  readonly error: string
  /** The stream is paused. @default false */
  readonly isPaused?: boolean
  /** The piece was to read everything. @default false */
  readonly full?: boolean | undefined
  /** What the run would have returned. Its `run` becomes that of the attempt. */
  readonly report?: Report
  readonly signal: AbortSignal
}

/**
 * Ends a piece by an attempt that was not allowed to start: the stream is paused, or its process takes it back. No
 * attempt begins after it. Does nothing and returns false if an attempt is running, or if the piece has ended.
 */
export async function recordStoppedAttempt(database: Database, options: StoppedAttempt): Promise<boolean> {
  const { piece, pipeline, stream, error, isPaused = false, full = false, report, signal } = options
  await using transaction = await database.transaction({ signal })
  const state = await lockPiece(transaction, piece.id)
  if (state === 'running' || state === 'ended') return false
  const recorded = { streams: [stream], ...(full && { full }), ...(isPaused && { isPaused }) }
  const { id } = await transaction.one<{ id: string }>(
    `insert into sluice.runs
       (kind, pipeline, options, status, finished_at, stop_requested_at, error, piece, worker)
     values ('sync', $1, $2, 'interrupted', clock_timestamp(), clock_timestamp(), $3, $4, $5) returning id`,
    [pipeline, displayJson(recorded), storableText(error), piece.id, piece.worker],
  )
  if (report)
    await transaction.query('update sluice.runs set report = $2 where id = $1', [
      id,
      displayJson({ ...report, run: id }),
    ])
  await transaction.commit()
  return true
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
    isPaused: boolean
    report: Report | null
    error: string | null
  }>(
    `select distinct on (r.piece) r.piece, r.id as run, r.worker, r.report, r.error, ${ATTEMPT_STATE} as state,
            case when r.status = 'running' and not ${WORKS_SQL} then 'interrupted' else r.status end as status,
            coalesce((r.options ->> 'isPaused')::boolean, false) as "isPaused"
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

/** What all attempts at a piece have read of their stream. */
export interface PieceRecord {
  /** The number of attempts. */
  readonly attempts: number
  /** Milliseconds from the start of the first attempt to the last sign of life of the newest one. */
  readonly ms: number
  /** Reports of the attempts but for the newest, the oldest first. One that was killed has left none. */
  readonly earlier: readonly Report[]
  /** Undefined if no attempt has claimed a slice. */
  readonly read: PieceRead | undefined
}

export interface PieceRead {
  /** Committed by all attempts. */
  readonly counts: Counts
  readonly batches: number
  /** The worst of the slices. Undefined if it is not known. */
  readonly completeness: Completeness | undefined
  /** The start of the first slice. */
  readonly since: string | undefined
}

/** SQL: the slices `s` of the attempts `$1` began in one of them. */
const IS_BEGUN_SQL = 's.started_by = any ($1::bigint[])'

/**
 * SQL: what the attempts `$1` have added to a count of slice `s`. Of a slice that an earlier run began, the ledger
 * knows only how much the attempt that claimed it last has added. The events of the others have the rest.
 */
const countOfPiece = (name: keyof Counts | 'batches'): string => `case
  when ${IS_BEGUN_SQL} and s.run = any ($1::bigint[]) then s.${name}
  when ${IS_BEGUN_SQL} then coalesce((s.counts_at_claim ->> '${name}')::bigint, 0)
  else ${ownCount(name)} + coalesce((
    select sum(${name === 'batches' ? '1' : `(e.data -> 'counts' ->> '${name}')::bigint`}) from sluice.events as e
     where e.run = any ($1::bigint[]) and e.run <> s.run and e.type = 'batch.committed'
       and e.data ->> 'slice' = s.id::text), 0) end`

/** Returns what all attempts at a piece have read, by the ledger: an attempt that was killed has no report. */
export async function readPiece(database: Database, piece: string, signal: AbortSignal): Promise<PieceRecord> {
  const runs = await database.query<{ id: string; report: Report | null; ms: number }>(
    `select r.id, r.report, extract(epoch from coalesce(r.finished_at, r.seen_at) - min(r.started_at) over ())::float8
            * 1000 as ms
       from sluice.runs as r where r.piece = $1 order by r.id`,
    [piece],
    { signal },
  )
  const row = await database.one<
    CountRow & CompletenessRow & { slices: string; batches: string; since: string | null }
  >(
    `select count(*) as slices, sum(${countOfPiece('batches')}) as batches,
            ${selectCounts((name) => `sum(${countOfPiece(name)})`)},
            ${WORST_COMPLETENESS}, (array_agg(s.since order by s.id))[1] as since
       from sluice.slices as s where s.run = any ($1::bigint[]) or ${IS_BEGUN_SQL}`,
    [runs.map(({ id }) => id)],
    { signal },
  )
  const read = {
    counts: countsOf(row),
    batches: Number(row.batches),
    completeness: completenessOf(row),
    since: row.since ?? undefined,
  }
  return {
    attempts: runs.length,
    ms: Math.round(runs.at(-1)?.ms ?? 0),
    earlier: runs.slice(0, -1).flatMap(({ report }) => report ?? []),
    read: row.slices === '0' ? undefined : read,
  }
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

/** The member of the options of a run with the backfills whose windows it had handed to workers and has taken back. */
const TAKEN_BACK = 'windowsTakenBack'

/** The windows of a backfill that a run hands to workers. A run may have a backfill for each of its streams. */
export interface HandedOutWindows {
  readonly run: string
  readonly backfill: string
}

/** Notes that a run takes back windows that it has handed to workers: none of them is begun for it after that. */
export async function takeWindowsBack(
  database: Database,
  { run, backfill }: HandedOutWindows,
  signal: AbortSignal,
): Promise<void> {
  await database.query(
    `update sluice.runs set options = jsonb_set(options, '{${TAKEN_BACK}}',
       coalesce(options -> '${TAKEN_BACK}', '[]') || to_jsonb($2::text)) where id = $1`,
    [run, backfill],
    { signal },
  )
}

/** True if the run has taken back the windows that it had handed to workers. */
export async function hasTakenWindowsBack(
  database: Database,
  { run, backfill }: HandedOutWindows,
  signal: AbortSignal,
): Promise<boolean> {
  const row = await database.maybeOne<{ has: boolean }>(
    `select coalesce(options -> '${TAKEN_BACK}' ? $2, false) as has from sluice.runs where id = $1`,
    [run, backfill],
    { signal },
  )
  return row?.has ?? false
}
