import type { Database } from '../database/database.ts'
import type { Queryable } from '../database/queryable.ts'
import type { Report } from '../model/report.ts'
import type { RunKind } from '../model/slice.ts'
import { abortable } from '../flow/signals/abortable.ts'
import { displayJson } from '../value/json/stored-json.ts'
import { storableText } from '../value/text.ts'
import type { LeaseKeeper } from './lease/lease-keeper.ts'
import { endSilentAttempt, lockPiece, PieceTakenError, type PieceAttempt } from './pieces.ts'

/** The error of a run that did not note its own end. */
export const ENDED_UNEXPECTEDLY = 'its process ended unexpectedly'

/**
 * SQL: the last sign of life of run `r`. Its lease is renewed every 15 s, but its events are stored every second, so a
 * run that was killed early does not seem to have taken no time.
 */
export const LAST_SEEN_SQL =
  'greatest(r.seen_at, (select e.at from sluice.events as e where e.run = r.id order by e.id desc limit 1))'

export interface StartRunOptions {
  readonly kind: RunKind
  readonly pipeline: string
  /** The options of the run, for `sluice runs`; without secrets. */
  readonly options?: unknown
  readonly keeper: LeaseKeeper
  /** The piece of work that the run does. @default the run was not handed to workers */
  readonly piece?: PieceAttempt | undefined
  /** The worker that reads windows of a backfill in this run. @default that of the piece */
  readonly worker?: string | undefined
  readonly signal: AbortSignal
}

/**
 * Records the start of a run and returns its id. Marks earlier runs whose process is gone as interrupted. Throws
 * `PieceTakenError` if another process is doing the same piece of work, or if the piece has ended.
 */
export async function startRun(
  database: Database,
  { kind, pipeline, options = {}, keeper, piece, worker = piece?.worker, signal }: StartRunOptions,
): Promise<string> {
  await database.query(
    `update sluice.runs as r set status = 'interrupted', finished_at = ${LAST_SEEN_SQL}, error = '${ENDED_UNEXPECTEDLY}'
      where status = 'running' and pipeline = $1 and not sluice.is_alive(r)`,
    [pipeline],
    { signal },
  )
  const { pid, started } = keeper.session
  const insert = (on: Queryable): Promise<{ id: string } | undefined> =>
    on.maybeOne<{ id: string }>(
      `insert into sluice.runs (kind, pipeline, options, lease_pid, lease_started, piece, worker)
       values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (piece) where status = 'running' and piece is not null do nothing returning id`,
      [kind, pipeline, displayJson(options), pid, started, piece?.id, worker],
    )
  if (piece) await endSilentAttempt(database, piece.id, signal)
  const row = await (piece ? unlessTaken(database, piece, signal, insert) : insert(database.with({ signal })))
  if (!row) throw new PieceTakenError(`${pipeline}: another process is doing this piece of work, or it has ended`)
  keeper.follow(row.id)
  return row.id
}

/** Calls `insert` in a transaction, unless an attempt at the piece is running or has ended it. */
async function unlessTaken<Result>(
  database: Database,
  { id }: PieceAttempt,
  signal: AbortSignal,
  insert: (on: Queryable) => Promise<Result>,
): Promise<Result | undefined> {
  await using transaction = await database.transaction({ signal })
  const state = await lockPiece(transaction, id)
  if (state === 'running' || state === 'ended') return undefined
  const result = await insert(transaction)
  await transaction.commit()
  return result
}

export interface FailedStartOptions extends Omit<StartRunOptions, 'keeper' | 'worker'> {
  readonly error: string
}

/**
 * Records a run that has failed before it started. Does nothing if there is no ledger yet, and if its piece of work is
 * being done by another process, or has ended.
 */
export async function recordFailedStart(
  database: Database,
  { kind, pipeline, options = {}, error, piece, signal }: FailedStartOptions,
): Promise<void> {
  const { exists } = await database.one<{ exists: boolean }>(
    `select to_regclass('sluice.runs') is not null as exists`,
    [],
    { signal },
  )
  if (!exists) return
  const insert = (on: Queryable): Promise<unknown> =>
    on.query(
      `insert into sluice.runs (kind, pipeline, options, status, finished_at, error, piece, worker)
       values ($1, $2, $3, 'failed', clock_timestamp(), $4, $5, $6)`,
      [kind, pipeline, displayJson(options), storableText(error), piece?.id, piece?.worker],
    )
  await (piece ? unlessTaken(database, piece, signal, insert) : insert(database.with({ signal })))
}

/** Asks a run to stop, in any process. Returns when that was first requested; undefined if it is not running. */
export async function requestStop(database: Database, run: string): Promise<Date | undefined> {
  const [row] = await database.query<{ at: Date | null }>('select sluice.request_stop($1) as at', [run])
  return row?.at ?? undefined
}

export interface FinishRunOptions {
  readonly status: 'done' | 'failed' | 'interrupted'
  readonly report?: Report
  readonly error?: string | undefined
  readonly keeper: LeaseKeeper
  readonly signal: AbortSignal
}

/**
 * Notes how a run has ended. An attempt at a piece of work that the ledger has as interrupted stays that: its process
 * fell silent, and other attempts say what becomes of the piece.
 */
export async function finishRun(
  database: Database,
  id: string,
  { status, report, error, keeper, signal }: FinishRunOptions,
): Promise<void> {
  keeper.unfollow(id)
  // A run that is seen as finished has its last events stored. If that fails, its end is recorded all the same.
  await abortable(keeper.flush(), signal).catch(() => {})
  await database.query(
    `update sluice.runs
        set status = case when piece is null or status = 'running' then $2 else status end,
            finished_at = clock_timestamp(), seen_at = clock_timestamp(), error = $3, report = $4
      where id = $1`,
    [id, status, error === undefined ? null : storableText(error), report === undefined ? null : displayJson(report)],
    { signal },
  )
}
