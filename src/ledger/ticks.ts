import { randomUUID } from 'node:crypto'
import type { Database } from '../database/database.ts'
import { storableText } from '../value/text.ts'

/** The ticks of a pipeline in the ledger. */
export interface KnownTicks {
  /** Ticks up to this one are settled, or listed in `interrupted`. */
  readonly after: Date
  /** Started but not finished, the oldest first. */
  readonly interrupted: readonly Date[]
  /** The tick that this scheduler or another one runs now. */
  readonly running?: Date
}

/** The status of a tick that has ended. */
export type TickStatus = 'done' | 'failed' | 'interrupted' | 'skipped'

interface Options {
  readonly signal: AbortSignal
}

/** Registers a pipeline, so that its ticks count from `now` on. */
export async function registerSchedule(
  database: Database,
  pipeline: string,
  now: Date,
  { signal }: Options,
): Promise<void> {
  await database.query(
    'insert into sluice.schedules (pipeline, registered_at) values ($1, $2) on conflict (pipeline) do nothing',
    [pipeline, now],
    { signal },
  )
}

/** Returns where a scheduler continues, after settling the ticks of schedulers that are gone. */
export async function readTicks(database: Database, pipeline: string, { signal }: Options): Promise<KnownTicks> {
  await using transaction = await database.transaction({ signal })
  await transaction.query('select sluice.lock_ticks($1)', [pipeline])
  await transaction.query('select sluice.resolve_dead_ticks($1)', [pipeline])
  const { after, interrupted, running } = await transaction.one<{
    after: Date
    interrupted: Date[]
    running: Date | null
  }>(
    `select greatest(s.registered_at, max(t.tick)) as after, max(t.tick) filter (where t.status = 'running') as running,
            coalesce(array_agg(t.tick order by t.tick) filter (where t.status = 'interrupted'), '{}') as interrupted
       from sluice.schedules as s left join sluice.ticks as t using (pipeline)
      where s.pipeline = $1 group by s.registered_at`,
    [pipeline],
  )
  await transaction.commit()
  return { after, interrupted, ...(running && { running }) }
}

/** Claims a tick and returns the number of the attempt. Returns undefined if it is settled, or if a tick is running. */
export async function claimTick(
  database: Database,
  pipeline: string,
  tick: Date,
  { signal }: Options,
): Promise<number | undefined> {
  const [row] = await database.query<{ attempt: number | null }>(
    'select sluice.claim_tick($1, $2) as attempt',
    [pipeline, tick],
    { signal },
  )
  return row?.attempt ?? undefined
}

/** Settles a tick without running it. Returns false if another scheduler has settled it, or runs it. */
export async function skipTick(
  database: Database,
  pipeline: string,
  tick: Date,
  { status, note, signal }: Options & { readonly status: 'skipped' | 'missed' | 'failed'; readonly note: string },
): Promise<boolean> {
  const { skipped } = await database.one<{ skipped: boolean }>(
    'select sluice.skip_tick($1, $2, $3, $4) as skipped',
    [pipeline, tick, status, note],
    { signal },
  )
  return skipped
}

export interface HeldTick {
  readonly pipeline: string
  readonly tick: Date
  readonly attempt: number
}

/**
 * Notes the run of a tick: from now on the tick is alive as long as its run. A tick that was handed out has several
 * runs, and this is the first: such a tick is alive as long as its scheduler renews it.
 */
export async function noteTickRun(
  database: Database,
  { pipeline, tick, attempt }: HeldTick,
  run: string,
  { isHandedOut, signal }: Options & { readonly isHandedOut: boolean },
): Promise<void> {
  await database.query(
    `update sluice.ticks set run = $4, pieces = case when $5 then pieces end
      where pipeline = $1 and tick = $2 and attempt = $3 and status = 'running'`,
    [pipeline, tick, attempt, run, isHandedOut],
    { signal },
  )
}

/**
 * Notes that the streams of a tick are handed to workers, and renews the tick. Returns the UUID of which the ids of
 * its pieces are made: that of the scheduler before this one, if that one is gone. Throws if another scheduler has the
 * tick.
 */
export async function renewHandedOutTick(
  database: Database,
  { pipeline, tick, attempt }: HeldTick,
  { signal }: Options,
): Promise<string> {
  const row = await database.maybeOne<{ pieces: string }>(
    `update sluice.ticks set pieces = coalesce(pieces, $4), seen_at = clock_timestamp()
      where pipeline = $1 and tick = $2 and attempt = $3 and status = 'running' returning pieces`,
    [pipeline, tick, attempt, randomUUID()],
    { signal },
  )
  if (!row) throw new Error(`another scheduler has taken over the tick ${tick.toISOString()}`)
  return row.pieces
}

/** True if the streams of a tick were handed to workers, by this scheduler or by one before it that is gone. */
export async function isTickHandedOut(
  database: Database,
  { pipeline, tick }: HeldTick,
  { signal }: Options,
): Promise<boolean> {
  const row = await database.maybeOne<{ is: boolean }>(
    'select pieces is not null as is from sluice.ticks where pipeline = $1 and tick = $2',
    [pipeline, tick],
    { signal },
  )
  return row?.is ?? false
}

/** Notes how a tick has ended. */
export async function settleTick(
  database: Database,
  { pipeline, tick, attempt }: HeldTick,
  { status, note, signal }: Options & { readonly status: TickStatus; readonly note?: string | undefined },
): Promise<void> {
  await database.query(
    `update sluice.ticks set status = $4, note = $5, finished_at = clock_timestamp(), pieces = null
      where pipeline = $1 and tick = $2 and attempt = $3`,
    [pipeline, tick, attempt, status, note === undefined ? null : storableText(note)],
    { signal },
  )
}
