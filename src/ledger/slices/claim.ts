import type { Database } from '../../database/database.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { DatabaseError } from '../../model/errors.ts'
import type { Duration, Range } from '../../model/request.ts'
import { sessionMark } from '../../model/slice.ts'
import { defined } from '../../value/defined.ts'
import { duration } from '../../value/duration.ts'
import type { LeaseKeeper } from '../lease/lease-keeper.ts'
import type { StreamName } from '../stream-name.ts'
import { FULL_COLUMNS, fullReadOf, readFullRead, startOf, type FullRead, type FullReadRow } from './full-read.ts'
import { heldSlice, type HeldSlice, type Restart, type SliceRow } from './held-slice.ts'
import { claimSync, openSlice } from './transitions.ts'

export interface HoldOptions {
  readonly run: string
  readonly keeper: LeaseKeeper
  /** Hash of what decides which records are read. A slice that another definition has read in part is restarted. */
  readonly definition: string
  /** A slice that was started longer ago is restarted. @default '24h' */
  readonly resume?: Duration
  /** A slice whose reading is open is restarted, because its table does not accept it. @default false */
  readonly mustBeComplete?: boolean
  readonly signal: AbortSignal
}

export interface ClaimOptions extends HoldOptions, StreamName {
  /** True if the stream has a cursor. Without one it is read once per run. */
  readonly hasCursor: boolean
  /** Read everything: ignore the cursor, and restart an interrupted slice. @default false */
  readonly full?: boolean
  /**
   * Returns the range of a slice from its start: the stream's cursor, or the end of the step that was read last by this
   * run or by a reading of everything. A range with an end is a step, and the run reads on behind it. @default
   * everything from the start on
   */
  readonly bounds?: (start: string | undefined) => Range
}

/** The run that holds a slice, and until when. */
export interface Holder {
  readonly slice: string
  readonly run: string
  /** The end of its lease, unless it is renewed or the session of its holder ends before. */
  readonly until: Date | undefined
  /** The backend of its session, if that is known. */
  readonly pid: number | undefined
}

/**
 * A slice to read, or the run that reads the stream now. Undefined: this run has read the stream.
 *
 * With `restart`, the caller first removes what the slice has stored and runs `restartSql` in one transaction.
 */
export type Claim =
  | {
      readonly slice: HeldSlice
      readonly restart?: Restart
      /** True for the first slice that goes on with a reading of everything that an earlier run has begun. */
      readonly isContinued?: boolean
      readonly busy?: undefined
    }
  | { readonly busy: Holder; readonly slice?: undefined }
  | undefined

const MAX_ATTEMPTS = 12

/**
 * Claims what is left of a stream in this run: first a slice that an earlier run left open, then one from the cursor.
 */
export async function claim(database: Database, options: ClaimOptions): Promise<Claim> {
  const { pipeline, stream, keeper, signal } = options
  for (let attempt = 1; ; attempt += 1) {
    const row = await claimSync(database, { ...options, session: keeper.session })
    if (row) {
      const slice = await keepClaimed(database, row, keeper, signal)
      return { slice, ...defined({ restart: await restartOf(database, row, options) }) }
    }
    const { holder, isClaimable, cursor, stepEnd, unfinished, hasRead } = await situation(database, options)
    if (hasRead) return undefined
    // The row is locked by a commit or another claim. Retry; after 12 attempts report it as busy.
    if (holder && (!isClaimable || attempt === MAX_ATTEMPTS)) return { busy: holder }
    if (!holder) {
      const { start, beginsFull, isContinued } = startOf(options, { cursor, stepEnd, unfinished })
      const opened = await openSlice(database, {
        ...options,
        ...boundsFrom(options, start),
        kind: 'sync',
        cursor,
        beginsFull,
        readTo: unfinished?.readTo,
        session: keeper.session,
      })
      if (opened) return { slice: keep(opened, keeper), isContinued }
      if (attempt > MAX_ATTEMPTS)
        throw new DatabaseError(
          `${pipeline}.${stream}: other runs open and close its slices all the time. See: sluice runs ${pipeline}`,
        )
    }
    await sleep(20 * Math.min(attempt, 10) * (0.5 + Math.random()), { signal })
  }
}

export interface OpenReplayOptions extends Omit<HoldOptions, 'resume' | 'mustBeComplete'>, StreamName, Range {}

/** Opens the slice of a replay. It leaves the cursor alone. */
export async function openReplay(database: Database, options: OpenReplayOptions): Promise<HeldSlice> {
  const { keeper, since, until, pipeline, stream } = options
  const row = await openSlice(database, {
    ...options,
    kind: 'replay',
    since,
    until,
    hasCursor: false,
    cursor: undefined,
    session: keeper.session,
  })
  if (!row)
    throw new DatabaseError(`${pipeline}.${stream}: the ledger opened no slice for the replay. Please report this`)
  return keep(row, keeper)
}

interface Situation {
  /** The run that holds the open slice, or a window of a backfill that admits no other reader of the stream. */
  readonly holder?: Holder
  readonly isClaimable: boolean
  readonly cursor: string | undefined
  /** The end of the step that this run has read last. */
  readonly stepEnd: string | undefined
  readonly unfinished: FullRead | undefined
  readonly hasRead: boolean
}

async function situation(
  database: Database,
  { run, pipeline, stream, partition = '', hasCursor, signal }: ClaimOptions,
): Promise<Situation> {
  const row = await database.one<Nullable<HolderRow> & SituationRow & FullReadRow>(
    `select ${HOLDER_COLUMNS}, coalesce(sluice.is_claimable(s), false) as claimable, c.value as cursor,
            sluice.step_end($4, $1, $2, $3) as "stepEnd", sluice.has_read($4, $1, $2, $3, $5) as read, ${FULL_COLUMNS}
       from (values (1)) as one (row)
       left join lateral (
         select * from sluice.find_holder($1, $2, $3, 'backfill')
         union all
         (select * from sluice.slices as o
           where (o.pipeline, o.stream, o.partition) = ($1, $2, $3) and o.kind = 'sync' and o.status = 'open'
           order by sluice.is_claimable(o) limit 1)
         limit 1) as s on true
       left join sluice.cursors as c on (c.pipeline, c.stream, c.partition) = ($1, $2, $3)
       left join sluice.unfinished_full($1, $2, $3) as f on true`,
    [pipeline, stream, partition, run, hasCursor],
    { signal },
  )
  const { slice, run: holder, until, pid, claimable, cursor, stepEnd, read } = row
  return {
    isClaimable: claimable,
    cursor: cursor ?? undefined,
    stepEnd: stepEnd ?? undefined,
    unfinished: fullReadOf(row),
    hasRead: read,
    ...(slice !== null && holder !== null && { holder: holderOf({ slice, run: holder, until, pid }) }),
  }
}

export interface HolderRow {
  readonly slice: string
  readonly run: string
  readonly until: Date | null
  readonly pid: number | null
}
interface SituationRow {
  readonly claimable: boolean
  readonly cursor: string | null
  readonly stepEnd: string | null
  readonly read: boolean
}
type Nullable<T> = { readonly [Name in keyof T]: T[Name] | null }

export const HOLDER_COLUMNS = 's.id as slice, s.run, s.lease_until as until, s.lease_pid as pid'

export const holderOf = ({ slice, run, until, pid }: HolderRow): Holder => ({
  slice,
  run,
  until: until ?? undefined,
  pid: pid ?? undefined,
})

/** Returns the sync that reads a stream now. An exclusive backfill of the stream has to wait for it. */
export async function findActiveSync(
  database: Database,
  { pipeline, stream, partition = '' }: StreamName,
  signal: AbortSignal,
): Promise<Holder | undefined> {
  const [row] = await database.query<HolderRow>(
    `select ${HOLDER_COLUMNS} from sluice.find_holder($1, $2, $3, 'sync') as s`,
    [pipeline, stream, partition],
    { signal },
  )
  return row && holderOf(row)
}

/** Registers a claimed slice with the keeper, and ends what its last holder may still have under way. */
export async function keepClaimed(
  database: Database,
  row: SliceRow,
  keeper: LeaseKeeper,
  signal: AbortSignal,
): Promise<HeldSlice> {
  // The process of the last holder may be stopped in the middle of a transaction, whose locks would never end.
  if (Number(row.token) > 1) await database.terminateTagged(sessionMark(row), { signal })
  return keep(row, keeper)
}

function keep(row: SliceRow, keeper: LeaseKeeper): HeldSlice {
  const slice = heldSlice(row)
  keeper.hold(slice)
  return slice
}

async function restartOf(database: Database, row: SliceRow, options: ClaimOptions): Promise<Restart | undefined> {
  const { run, definition, hasCursor, resume = '24h', mustBeComplete = false, full = false, signal } = options
  const cursor = hasCursor ? (row.cursor ?? undefined) : undefined
  const reason = ((): Restart['reason'] | undefined => {
    if (full && row.started_by !== run) return 'full'
    if (row.definition !== definition) return 'definition'
    if ((row.cursor_at_start ?? undefined) !== cursor) return 'cursor'
    if (mustBeComplete && row.completeness === 'open') return 'incomplete'
    return Number(row.age) > duration(resume) ? 'age' : undefined
  })()
  if (!reason) return undefined
  // A reading of everything stays one: begun again at the cursor, it would leave out what it was asked to read.
  const wasFull = row.since === null && row.until === null && row.cursor_at_start !== null && reason !== 'cursor'
  const unfinished = await readFullRead(database.with({ signal }), options)
  const isFull = full || wasFull
  const { start, beginsFull } = startOf({ ...options, full: isFull }, { cursor, stepEnd: undefined, unfinished })
  return { reason, definition, cursor, ...boundsFrom(options, start), beginsFull }
}

function boundsFrom({ bounds }: ClaimOptions, start: string | undefined): Required<Range> {
  const { since, until }: Range = bounds ? bounds(start) : { since: start }
  return { since, until }
}
