import type { Database } from '../../database/database.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import type { Range } from '../../model/request.ts'
import { defined } from '../../value/defined.ts'
import { duration } from '../../value/duration.ts'
import { HOLDER_COLUMNS, holderOf, keepClaimed, type Claim, type HolderRow, type HoldOptions } from './claim.ts'
import { FULL_COLUMNS, fullReadOf, startOf, type FullReadRow } from './full-read.ts'
import { HELD_COLUMNS, type Restart, type SliceRow } from './held-slice.ts'
import type { LeaseSession } from '../lease/lease-keeper.ts'
import type { StreamName } from '../stream-name.ts'

// The ranges of a stream that reads several steps at once. They form a chain: migrations/0028_chains.sql says why
// nothing is lost or doubled. transitions.ts has the other events of their life.

export interface ClaimRangeOptions extends HoldOptions, StreamName {
  /** Read everything: give up a chain that another run has begun, and begin one at the start. @default false */
  readonly full?: boolean
  /**
   * Returns the range that begins at a start: the end of a chain, the end of the step that this run has read last, or
   * the stream's cursor. Undefined if no range is to be opened there.
   */
  readonly next: (start: string | undefined, place: { readonly isChained: boolean }) => Required<Range> | undefined
}

const MAX_ATTEMPTS = 12

/**
 * Claims a range: first one that is left of the stream's chain, then a new one at its end. Without a chain it begins
 * one. Returns undefined if there is none, or if a slice that is no range has to be read first.
 */
export async function claimRange(database: Database, options: ClaimRangeOptions): Promise<Claim> {
  const { run, keeper, next, signal } = options
  for (let attempt = 1; ; attempt += 1) {
    const row = await claimRangeRow(database, { ...options, session: keeper.session })
    if (row) {
      const slice = await keepClaimed(database, row, keeper, signal)
      return { slice, ...defined({ restart: restartOf(row, options) }) }
    }
    const found = await situation(database, options)
    const { chain, link, end, cursor, stepEnd, hasSlice, ...holder } = found
    if (holder.slice !== null && holder.run !== null && holder.run !== run)
      return { busy: holderOf({ ...holder, slice: holder.slice, run: holder.run }) }
    if (hasSlice) return undefined
    const unfinished = fullReadOf(found)
    const places = { cursor: cursor ?? undefined, stepEnd: stepEnd ?? undefined, unfinished }
    const { start, beginsFull, isContinued } = startOf(options, places)
    const range = next(end ?? start, { isChained: chain !== null })
    if (!range) return undefined
    const opened = await openRangeRow(database, {
      ...options,
      ...range,
      chain,
      link,
      cursor,
      beginsFull,
      readTo: unfinished?.readTo,
      session: keeper.session,
    })
    if (opened) return { slice: await keepClaimed(database, opened, keeper, signal), isContinued }
    // Another reader was faster, or another run has come.
    if (attempt === MAX_ATTEMPTS) return undefined
    await sleep(20 * attempt * (0.5 + Math.random()), { signal })
  }
}

/** What is left of a stream's chain, for the message of a run that has to end. */
export interface RangesLeft {
  /** Ranges that are not done. */
  readonly left: number
  readonly all: number
  /** The first one that is not done. */
  readonly since: string | undefined
  readonly until: string | undefined
  readonly error: string | undefined
  /** The stream's cursor. */
  readonly cursor: string | undefined
}

/** Returns what is left of the chain of a stream, and where its cursor is. */
export async function rangesLeft(
  database: Database,
  { pipeline, stream, partition = '' }: StreamName,
  signal: AbortSignal,
): Promise<RangesLeft> {
  const row = await database.one<{
    left: string
    all: string
    since: string | null
    until: string | null
    error: string | null
    cursor: string | null
  }>(
    `select count(*) filter (where s.status <> 'done') as left, count(s.id) as all,
            (array_agg(s.since order by s.link) filter (where s.status <> 'done'))[1] as since,
            (array_agg(s.until order by s.link) filter (where s.status <> 'done'))[1] as until,
            (array_agg(s.error order by s.link) filter (where s.status <> 'done'))[1] as error,
            (select k.value from sluice.cursors as k where (k.pipeline, k.stream, k.partition) = ($1, $2, $3)) as cursor
       from sluice.live_chain($1, $2, $3) as c join sluice.slices as s on s.chain = c.id`,
    [pipeline, stream, partition],
    { signal },
  )
  const { since, until, error, cursor } = row
  return {
    left: Number(row.left),
    all: Number(row.all),
    since: since ?? undefined,
    until: until ?? undefined,
    error: error ?? undefined,
    cursor: cursor ?? undefined,
  }
}

/** Whose range it is to be. */
interface RowOptions extends StreamName {
  readonly run: string
  readonly definition: string
  readonly session: LeaseSession
  readonly signal: AbortSignal
}

/** Claims the first range of the stream's chain that is left. Returns undefined if there is none that may be taken. */
export async function claimRangeRow(
  database: Database,
  options: RowOptions & { readonly full?: boolean },
): Promise<SliceRow | undefined> {
  const { run, session, pipeline, stream, partition = '', definition, full = false, signal } = options
  const [row] = await database.query<SliceRow>(
    `select ${HELD_COLUMNS} from sluice.claim_range($1, $2, $3, $4, $5, $6, $7, $8) as h`,
    [run, pipeline, stream, partition, definition, full, session.pid, session.started],
    { signal },
  )
  return row
}

interface OpenRangeRowOptions extends RowOptions, Required<Range> {
  /** The live chain and its last link; null to begin one at the cursor. */
  readonly chain: string | null
  readonly link: string | null
  readonly cursor: string | null
  /** Of the first range: it begins to read everything. @default false */
  readonly beginsFull?: boolean
  /** Of the first range: the end of the done steps of the reading of everything that it goes on with. */
  readonly readTo?: string | undefined
}

/** Opens the next range of a chain and holds it. Returns undefined if the chain or the cursor has changed meanwhile. */
export async function openRangeRow(database: Database, options: OpenRangeRowOptions): Promise<SliceRow | undefined> {
  const { run, session, pipeline, stream, partition = '', definition, signal } = options
  const { since, until, cursor, chain, link, beginsFull = false, readTo } = options
  const call = chain === null ? 'open_first_range' : 'open_range'
  const place = chain === null ? [beginsFull, readTo] : [chain, link]
  const [row] = await database.query<SliceRow>(
    `select ${HELD_COLUMNS} from sluice.${call}($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) as h`,
    [run, pipeline, stream, partition, definition, since, until, cursor, ...place, session.pid, session.started],
    { signal },
  )
  return row
}

interface Situation {
  readonly chain: string | null
  /** The last link of the chain, and where it ends. */
  readonly link: string | null
  readonly end: string | null
  readonly cursor: string | null
  /** The end of the step that this run has read last. */
  readonly stepEnd: string | null
  /** True if a slice that is no range is open. */
  readonly hasSlice: boolean
}
type HolderColumns = { readonly [Name in keyof HolderRow]: HolderRow[Name] | null }

async function situation(
  database: Database,
  { run, pipeline, stream, partition = '', signal }: ClaimRangeOptions,
): Promise<Situation & HolderColumns & FullReadRow> {
  return database.one<Situation & HolderColumns & FullReadRow>(
    `select ${HOLDER_COLUMNS}, c.id as chain, last.link, last.until as "end", k.value as cursor,
            sluice.step_end($4, $1, $2, $3) as "stepEnd",
            exists (select from sluice.slices as o
                     where (o.pipeline, o.stream, o.partition) = ($1, $2, $3) and o.kind = 'sync'
                       and o.status = 'open' and o.chain is null) as "hasSlice", ${FULL_COLUMNS}
       from (values (1)) as one (row)
       left join lateral (
         select * from sluice.find_holder($1, $2, $3, 'backfill')
         union all
         (select * from sluice.slices as o
           where (o.pipeline, o.stream, o.partition) = ($1, $2, $3) and o.kind = 'sync' and o.status = 'open'
             and o.run <> $4 and not sluice.is_claimable(o) limit 1)
         limit 1) as s on true
       left join sluice.live_chain($1, $2, $3) as c on true
       left join lateral (
         select r.link, r.until from sluice.slices as r where r.chain = c.id
          order by r.link desc limit 1) as last on true
       left join sluice.cursors as k on (k.pipeline, k.stream, k.partition) = ($1, $2, $3)
       left join sluice.unfinished_full($1, $2, $3) as f on true`,
    [pipeline, stream, partition, run],
    { signal },
  )
}

/** The bounds of a range never change: those of the next one begin there. */
function restartOf(
  row: SliceRow,
  { definition, resume = '24h', mustBeComplete = false }: HoldOptions,
): Restart | undefined {
  const reason = ((): Restart['reason'] | undefined => {
    if (Number(row.seq) === 0) return undefined
    if (mustBeComplete && row.completeness === 'open') return 'incomplete'
    return Number(row.age) > duration(resume) ? 'age' : undefined
  })()
  const { since, until, cursor_at_start: cursor } = row
  return (
    reason && { reason, definition, since: since ?? undefined, until: until ?? undefined, cursor: cursor ?? undefined }
  )
}
