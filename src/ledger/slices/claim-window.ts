import type { Database } from '../../database/database.ts'
import { duration } from '../../value/duration.ts'
import type { Duration } from '../../model/request.ts'
import { sessionMark, type Slice } from '../../model/slice.ts'
import type { Window } from '../../model/window.ts'
import { columns, heldSlice, type HeldSlice, type Restart, type SliceRow } from './held-slice.ts'
import { storableText } from '../../value/text.ts'
import type { LeaseKeeper } from '../lease/lease-keeper.ts'

/**
 * Which windows of a backfill are read: by default those that are not done, but for those left out; `failed` those that
 * failed and are not done since; `missing` as by default, where those that other backfills of the stream have done are
 * left out first; `all` also what was left out.
 */
export type Only = 'missing' | 'failed' | 'all'

export interface ClaimWindowOptions {
  readonly run: string
  readonly keeper: LeaseKeeper
  readonly backfill: string
  readonly only?: Only | undefined
  /** Hash of what decides which records are read; a window that was read in part by another one begins anew. */
  readonly definition: string
  /** A window whose reading began longer ago begins anew. @default '24h' */
  readonly resume?: Duration
  readonly signal: AbortSignal
}

export interface ClaimedWindow extends Window {
  readonly slice: HeldSlice
  readonly restart?: Restart
  /** Among the windows of its backfill, from 0. */
  readonly place: number
}

/**
 * Windows that a run is to read, by what became of them: each run tries one that has failed once. `s` is the window,
 * `$2` the run.
 */
function isToRead(only: Only | undefined): string {
  const again =
    only === 'failed'
      ? "s.failures > 0 and s.status = 'failed'"
      : only === 'all'
        ? "s.status in ('failed', 'dropped')"
        : "s.status = 'failed'"
  return `((s.status = 'open' and sluice.is_claimable(s)${only === 'failed' ? ' and s.failures > 0' : ''}) or (${again} and s.finished_at < (select started_at from sluice.runs where id = $2)))`
}

/**
 * The lowest window that is to be read and that nobody reads; undefined where there is none. Its reading goes on where
 * it stopped.
 */
export async function claimWindow(
  database: Database,
  { run, keeper, backfill, only, definition, resume = '24h', signal }: ClaimWindowOptions,
): Promise<ClaimedWindow | undefined> {
  const { pid, started } = keeper.session
  // Who has read nothing of a window has left nothing in it that another definition would have to begin anew.
  const [row] = await database.query<WindowRow>(
    `with w as (
       update sluice.slices as s
          set token = s.token + 1, run = $2, before = case when s.run = $2 then s.before else sluice.counts_of(s) end, status = 'open', finished_at = null,
              begun_by = case when s.seq = 0 then $2 else s.begun_by end, begun_at = case when s.seq = 0 then clock_timestamp() else s.begun_at end,
              definition = case when s.seq = 0 then $3 else s.definition end,
              lease_until = clock_timestamp() + interval '60 s', lease_pid = $4, lease_started = $5
        where s.id = (select s.id from sluice.slices as s where s.backfill = $1 and ${isToRead(only)} order by s.lower limit 1 for update skip locked)
       returning s.*)
     select ${columns}, sluice.instant_text(s.lower) as lower, sluice.instant_text(s.upper) as upper,
            (select count(*) from sluice.slices as o where o.backfill = $1 and o.lower < s.lower) as place
       from w as s left join sluice.cursors as c on false`,
    [backfill, run, definition, pid, started],
    { signal },
  )
  if (!row) return undefined
  // Whoever had it may be no more than stopped, in the middle of a transaction.
  if (Number(row.token) > 1) await database.terminateTagged(sessionMark(row), { signal })
  const slice = heldSlice(row)
  keeper.hold(slice)
  const { lower, upper } = row
  const reason =
    Number(row.seq) === 0
      ? undefined
      : row.definition !== definition
        ? 'definition'
        : Number(row.age) > duration(resume)
          ? 'age'
          : undefined
  return {
    slice,
    lower,
    upper,
    place: Number(row.place),
    ...(reason && { restart: { reason, definition, since: lower, until: upper } }),
  }
}

interface WindowRow extends SliceRow {
  readonly lower: string
  readonly upper: string
  readonly place: string
}

/** A window is whole by itself: what is wrong with it holds up no other. Nothing where it is not ours any more. */
export async function failWindow(
  database: Database,
  { id, token }: Slice,
  { error, signal }: { readonly error: string; readonly signal: AbortSignal },
): Promise<void> {
  await database.query(
    `update sluice.slices set status = 'failed', failures = failures + 1, finished_at = clock_timestamp(), lease_until = null, lease_pid = null, lease_started = null, error = $3
      where id = $1 and token = $2 and status = 'open'`,
    [id, token, storableText(error)],
    { signal },
  )
}

export interface WindowsLeft {
  /** To be read by this run, and not held by anybody: claimed by nobody but for a moment's race. */
  readonly free: number
  /** Held by other runs. */
  readonly others: number
}

/** What is left to read where nothing could be claimed. */
export async function windowsLeft(
  database: Database,
  { run, backfill, only, signal }: Pick<ClaimWindowOptions, 'run' | 'backfill' | 'only' | 'signal'>,
): Promise<WindowsLeft> {
  const [row] = await database.query<{ free: string; others: string }>(
    `select count(*) filter (where ${isToRead(only)}) as free,
            count(*) filter (where s.status = 'open' and not sluice.is_claimable(s) and s.run <> $2${only === 'failed' ? ' and s.failures > 0' : ''}) as others
       from sluice.slices as s where s.backfill = $1 and s.status in ('open', 'failed', 'dropped')`,
    [backfill, run],
    { signal },
  )
  return { free: Number(row!.free), others: Number(row!.others) }
}

/**
 * Leave out the windows of a backfill that nobody has begun and that other backfills of the stream have done. Answers
 * how many.
 */
export async function leaveOut(database: Database, backfill: string, signal: AbortSignal): Promise<number> {
  const rows = await database.query(
    `update sluice.slices as s set status = 'dropped', finished_at = clock_timestamp(), error = 'left out: other backfills of the stream have done it'
      where s.id in (select s.id from sluice.slices as s where s.backfill = $1 and s.status in ('open', 'failed') and s.seq = 0 and s.lease_until is null
                      and sluice.is_backfilled(s.pipeline, s.stream, s.partition, s.lower, s.upper, s.backfill) order by s.lower for update skip locked)
     returning s.id`,
    [backfill],
    { signal },
  )
  return rows.length
}
