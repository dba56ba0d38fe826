import type { Database } from '../database/database.ts'
import { storableText } from '../value/text.ts'

/** What the ledger knows of a pipeline's ticks. */
export interface KnownTicks {
  /** Ticks up to this one are settled, or stand in `interrupted`. */
  readonly after: Date
  /** Begun and not ended, the oldest first. */
  readonly interrupted: readonly Date[]
  /** Being run now, by this scheduler or another one. */
  readonly running?: Date
}

/** How a tick that was run has ended. */
export type TickStatus = 'done' | 'failed' | 'interrupted' | 'skipped'

interface Options {
  readonly signal: AbortSignal
}

/** Count the ticks of a pipeline from now on, unless they are counted already. Of old ticks only the newest is kept. */
export async function registerSchedule(
  database: Database,
  pipeline: string,
  now: Date,
  { signal }: Options,
): Promise<void> {
  await database.query(
    'insert into sluice.schedules (pipeline, since) values ($1, $2) on conflict (pipeline) do nothing',
    [pipeline, now],
    { signal },
  )
  await database.query(
    `delete from sluice.ticks as t where pipeline = $1 and status <> 'running' and finished_at < clock_timestamp() - interval '90 days'
        and tick < (select max(tick) from sluice.ticks where pipeline = $1)`,
    [pipeline],
    { signal },
  )
}

/** Where a scheduler is to go on. Ticks of schedulers that are gone are settled before. */
export async function readTicks(database: Database, pipeline: string, { signal }: Options): Promise<KnownTicks> {
  await using transaction = await database.transaction({ signal })
  await transaction.query('select sluice.lock_ticks($1)', [pipeline])
  await transaction.query('select sluice.settle_dead_ticks($1)', [pipeline])
  const [row] = await transaction.query<{ after: Date; interrupted: Date[]; running: Date | null }>(
    `select greatest(s.since, max(t.tick)) as after, max(t.tick) filter (where t.status = 'running') as running,
            coalesce(array_agg(t.tick order by t.tick) filter (where t.status = 'interrupted'), '{}') as interrupted
       from sluice.schedules as s left join sluice.ticks as t using (pipeline) where s.pipeline = $1 group by s.since`,
    [pipeline],
  )
  await transaction.commit()
  const { after, interrupted, running } = row!
  return { after, interrupted, ...(running && { running }) }
}

/**
 * Take a tick: the number of the attempt, or undefined where it is another one's, or one of the pipeline's ticks is
 * running.
 */
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

/** Settle a tick without running it; false where somebody else did so, or runs it. */
export async function skipTick(
  database: Database,
  pipeline: string,
  tick: Date,
  { status, note, signal }: Options & { readonly status: 'skipped' | 'missed' | 'failed'; readonly note: string },
): Promise<boolean> {
  const [row] = await database.query<{ passed: boolean }>(
    'select sluice.pass_tick($1, $2, $3, $4) as passed',
    [pipeline, tick, status, note],
    { signal },
  )
  return row!.passed
}

export interface HeldTick {
  readonly pipeline: string
  readonly tick: Date
  readonly attempt: number
}

/** From now on the tick lives as long as its run does. */
export async function noteTickRun(
  database: Database,
  { pipeline, tick, attempt }: HeldTick,
  run: string,
  { signal }: Options,
): Promise<void> {
  await database.query(
    `update sluice.ticks set run = $4 where pipeline = $1 and tick = $2 and attempt = $3 and status = 'running'`,
    [pipeline, tick, attempt, run],
    { signal },
  )
}

/** Note how a tick has ended. */
export async function settleTick(
  database: Database,
  { pipeline, tick, attempt }: HeldTick,
  { status, note, signal }: Options & { readonly status: TickStatus; readonly note?: string | undefined },
): Promise<void> {
  await database.query(
    'update sluice.ticks set status = $4, note = $5, finished_at = clock_timestamp() where pipeline = $1 and tick = $2 and attempt = $3',
    [pipeline, tick, attempt, status, note === undefined ? null : storableText(note)],
    { signal },
  )
}
