import type { Database } from '../../database/database.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { duration } from '../../value/duration.ts'
import { DatabaseError } from '../../model/errors.ts'
import type { Duration, Range } from '../../model/request.ts'
import { sessionMark, type RunKind } from '../../model/slice.ts'
import { findExclusiveBackfill } from './exclusive.ts'
import { releaseSlice, type StreamName } from './close.ts'
import { columns, heldSlice, type HeldSlice, type Restart, type SliceRow } from './held-slice.ts'
import type { LeaseKeeper } from '../lease/lease-keeper.ts'

export interface ClaimOptions extends StreamName {
  readonly run: string
  readonly keeper: LeaseKeeper
  /** Hash of what decides which records are read; a slice that another one has made begins anew. */
  readonly definition: string
  /** Whether the stream has a cursor: without one it is read once per run. */
  readonly hasCursor: boolean
  /** A slice whose reading began longer ago begins anew. @default '24h' */
  readonly resume?: Duration
  /** Read everything: the cursor is left out of account, and an interrupted reading begins anew. @default false */
  readonly full?: boolean
  /** The range of a new slice, from the stream's cursor. @default since the cursor */
  readonly bounds?: (cursor: string | undefined) => Range
  readonly signal: AbortSignal
}

/** Who holds a slice that cannot be claimed now. */
export interface Holder {
  readonly slice: string
  readonly run: string
  /** When it may be claimed, unless it is renewed or its holder's session ends before. */
  readonly until: Date | undefined
  /** The backend of its keeper, where that is known. */
  readonly pid: number | undefined
}

/**
 * A slice to read, `restart` first where that is given: the caller removes what the slice has written and runs
 * `restart(slice, seq, it)` in one transaction. Or who else is reading the stream. Undefined: this run has read the
 * stream.
 */
export type Claim =
  | { readonly slice: HeldSlice; readonly restart?: Restart; readonly busy?: undefined }
  | { readonly busy: Holder; readonly slice?: undefined }
  | undefined

/**
 * What is left to do of a stream in this run: first what an earlier run has left open, then what is new since the
 * cursor.
 */
export async function claim(database: Database, options: ClaimOptions): Promise<Claim> {
  const before = await findExclusiveBackfill(database, options, options.signal)
  if (before) return { busy: before }
  const claimed = await claimAny(database, options)
  // Whoever must be alone may have begun meanwhile, and then may have looked for us too early.
  const lonely = claimed?.slice && (await findExclusiveBackfill(database, options, options.signal))
  if (!lonely) return claimed
  options.keeper.release(claimed.slice)
  await releaseSlice(database, claimed.slice, { signal: options.signal })
  return { busy: lonely }
}

async function claimAny(database: Database, options: ClaimOptions): Promise<Claim> {
  for (let attempt = 1; ; attempt += 1) {
    const row = await claimOpen(database, options)
    if (row) {
      // Whoever had it may be no more than stopped, in the middle of a transaction.
      await database.terminateTagged(sessionMark(row), { signal: options.signal })
      return held(row, options)
    }
    const { holder, isClaimable, cursor, hasRead } = await situation(database, options)
    if (hasRead) return undefined
    // Claimable and yet not claimed: somebody is committing a batch of it, or claims it too. It is not done, so it is
    // named in the end.
    if (holder && (!isClaimable || attempt === attempts)) return { busy: holder }
    if (!holder) {
      const id = await open(database, { ...options, kind: 'sync' }, cursor)
      if (id !== undefined) return { slice: keep(await read(database, id, options.signal), options.keeper) }
      if (attempt > attempts)
        throw new DatabaseError(
          `${options.pipeline}.${options.stream}: others open and close its slices all the time; look at \`sluice runs\``,
        )
    }
    await sleep(20 * Math.min(attempt, 10) * (0.5 + Math.random()), { signal: options.signal })
  }
}

export interface MakeSliceOptions
  extends Pick<ClaimOptions, 'run' | 'keeper' | 'pipeline' | 'stream' | 'partition' | 'definition' | 'signal'>, Range {
  readonly kind: 'replay'
}

/** A slice of one's own, for a replay; it leaves the cursor alone. */
export async function makeSlice(database: Database, options: MakeSliceOptions): Promise<HeldSlice> {
  const { since, until } = options
  const id = await open(database, { ...options, hasCursor: false, bounds: () => ({ since, until }) }, undefined)
  return keep(await read(database, id!, options.signal), options.keeper)
}

const attempts = 12

/**
 * Whether a run has read a stream to its end: with a cursor once from it, without one once at all. A slice that is
 * still open says no.
 */
const readByRun = (hasCursor: string, run: string): string =>
  `exists (select from sluice.slices as r where (r.pipeline, r.stream, r.partition, r.kind) = ($1, $2, $3, 'sync') and r.status <> 'open' and (r.begun_by = ${run} or (not ${hasCursor} and r.run = ${run})))`

async function claimOpen(
  database: Database,
  { run, keeper, pipeline, stream, partition = '', hasCursor, signal }: ClaimOptions,
): Promise<SliceRow | undefined> {
  const { pid, started } = keeper.session
  const [row] = await database.query<SliceRow>(
    `with s as (
       update sluice.slices as s
          set token = s.token + 1, run = $4, before = case when s.run = $4 then s.before else sluice.counts_of(s) end,
              lease_until = clock_timestamp() + interval '60 s', lease_pid = $5, lease_started = $6
        where s.id = (select o.id from sluice.slices as o
                       where o.pipeline = $1 and o.stream = $2 and o.partition = $3 and o.kind = 'sync' and o.status = 'open' and sluice.is_claimable(o)
                         and not ${readByRun('$7', '$4')}
                         for update skip locked)
       returning s.*)
     select ${columns} from s left join sluice.cursors as c on (c.pipeline, c.stream, c.partition) = (s.pipeline, s.stream, s.partition)`,
    [pipeline, stream, partition, run, pid, started, hasCursor],
    { signal },
  )
  return row
}

interface Situation {
  /** Of the open slice, if there is one. */
  readonly holder?: Holder
  readonly isClaimable: boolean
  readonly cursor: string | undefined
  readonly hasRead: boolean
}

async function situation(
  database: Database,
  { run, pipeline, stream, partition = '', hasCursor, signal }: ClaimOptions,
): Promise<Situation> {
  const [row] = await database.query<{
    id: string | null
    run: string
    until: Date | null
    pid: number | null
    claimable: boolean
    cursor: string | null
    has_read: boolean
  }>(
    `select s.id, s.run, s.lease_until as until, s.lease_pid as pid, sluice.is_claimable(s) as claimable, c.value as cursor, ${readByRun('$5', '$4')} as has_read
       from (values (1)) as one (row)
       left join sluice.slices as s on (s.pipeline, s.stream, s.partition) = ($1, $2, $3) and s.kind = 'sync' and s.status = 'open'
       left join sluice.cursors as c on (c.pipeline, c.stream, c.partition) = ($1, $2, $3)`,
    [pipeline, stream, partition, run, hasCursor],
    { signal },
  )
  const { id, until, pid, claimable, cursor, has_read: hasRead, run: holder } = row!
  return {
    ...(id !== null && { holder: { slice: id, run: holder, until: until ?? undefined, pid: pid ?? undefined } }),
    isClaimable: claimable,
    cursor: cursor ?? undefined,
    hasRead,
  }
}

async function open(
  database: Database,
  options: Omit<ClaimOptions, 'resume' | 'full'> & { readonly kind: RunKind; readonly full?: boolean },
  cursor: string | undefined,
): Promise<string | undefined> {
  const { run, keeper, kind, pipeline, stream, partition = '', definition, hasCursor, signal } = options
  const { since, until } = rangeFrom(options, cursor)
  const { pid, started } = keeper.session
  const [row] = await database.query<{ id: string | null }>(
    'select sluice.open_slice($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) as id',
    [
      run,
      kind,
      pipeline,
      stream,
      partition,
      definition,
      since,
      until,
      hasCursor,
      hasCursor ? cursor : null,
      pid,
      started,
    ],
    { signal },
  )
  return row?.id ?? undefined
}

async function read(database: Database, id: string, signal: AbortSignal): Promise<SliceRow> {
  const [row] = await database.query<SliceRow>(
    `select ${columns} from sluice.slices as s left join sluice.cursors as c on (c.pipeline, c.stream, c.partition) = (s.pipeline, s.stream, s.partition) where s.id = $1`,
    [id],
    { signal },
  )
  return row!
}

function held(row: SliceRow, options: ClaimOptions): Claim {
  const slice = keep(row, options.keeper)
  const reason = restartReason(row, options)
  if (!reason) return { slice }
  const cursor = options.hasCursor ? (row.cursor ?? undefined) : undefined
  return { slice, restart: { reason, definition: options.definition, cursor, ...rangeFrom(options, cursor) } }
}

function keep(row: SliceRow, keeper: LeaseKeeper): HeldSlice {
  const slice = heldSlice(row)
  keeper.hold(slice)
  return slice
}

function restartReason(
  row: SliceRow,
  { run, definition, hasCursor, resume = '24h', full = false }: ClaimOptions,
): Restart['reason'] | undefined {
  if (full && row.begun_by !== run) return 'full'
  if (row.definition !== definition) return 'definition'
  if (row.cursor_was !== (hasCursor ? row.cursor : null)) return 'cursor'
  return Number(row.age) > duration(resume) ? 'age' : undefined
}

function rangeFrom(
  {
    hasCursor,
    full = false,
    bounds = (cursor) => ({ since: cursor }),
  }: Pick<ClaimOptions, 'hasCursor' | 'full' | 'bounds'>,
  cursor: string | undefined,
): Range {
  return bounds(hasCursor && !full ? cursor : undefined)
}
