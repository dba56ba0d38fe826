import type { Database } from '../database/database.ts'
import type { Queryable } from '../database/queryable.ts'
import { sleep } from '../flow/signals/sleep.ts'

// Removes what is old from the ledger. migrations/0037_pruning.sql says what stays however old it is, and foreign keys
// refuse the rest. Each batch is one statement and one transaction, so a process may be killed between any two of them.

/** How long the ledger keeps things, in milliseconds. Infinity keeps them for ever. */
export interface Retention {
  /** Runs that have ended, with their slices and ticks. */
  readonly runsMs: number
  readonly eventsMs: number
  /** Rejects, since they were settled. Open ones stay. */
  readonly rejectsMs: number
}

/** Rows that were removed, or would be. */
export interface PruneCounts {
  readonly runs: number
  readonly slices: number
  readonly rejects: number
  readonly events: number
  readonly ticks: number
  /** Rows of tables whose time for an undo has passed. */
  readonly deletedRows: number
}

export interface PruneOptions {
  /** Remove nothing, and count what would be removed. @default false */
  readonly dryRun?: boolean
  /** Continue where the last pass has stopped, and not at the oldest rows. @default false */
  readonly resume?: boolean
  /** Stop after this time. @default no limit */
  readonly budgetMs?: number
  readonly signal: AbortSignal
}

/** Rows that one statement looks at. */
const BATCH = 500
/** Events and deleted rows are removed without a question about each. */
const EVENTS = 5_000
/** Time between two passes, over all processes. */
const EVERY = '1 hour'
/** After a pass that was not finished, or whose process was killed. */
const SOON = '1 minute'
/** A pass begins at the oldest rows again after this time: what was still needed may be needed no longer. */
const SWEEP = '1 day'
const HOUR_MS = 3_600_000

interface Batch {
  readonly removed: string
  readonly last: string
  readonly more: boolean
}

/**
 * Removes what is older than the retention and needed no longer. Returns what it has removed; `isFinished` is false if
 * the time was over before.
 */
export async function prune(
  on: Queryable,
  retention: Retention,
  { dryRun = false, resume = false, budgetMs = Infinity, signal }: PruneOptions,
): Promise<PruneCounts & { readonly isFinished: boolean }> {
  const end = performance.now() + budgetMs
  const counts = { runs: 0, slices: 0, rejects: 0, events: 0, ticks: 0, deletedRows: 0 }
  const isOver = (): boolean => {
    signal.throwIfAborted()
    return performance.now() >= end
  }
  const start = await startOf(on, { resume, dryRun })
  const [runs, events, rejects] = [
    secondsOf(retention.runsMs),
    secondsOf(retention.eventsMs),
    secondsOf(retention.rejectsMs),
  ]

  /** Calls a function that removes one batch until it has come to the rows that are young. */
  const sweep = async (name: 'reject' | 'slice' | 'run', sql: string, values: readonly unknown[]): Promise<boolean> => {
    for (let after = start[name]; ;) {
      if (isOver()) return false
      const { removed, last, more } = await on.one<Batch>(`select * from ${sql}`, [after, ...values, BATCH, dryRun])
      counts[`${name}s`] += Number(removed)
      after = last
      if (!dryRun) await on.query(`update sluice.pruning set ${name} = $1`, [last])
      if (!more) return true
    }
  }
  /** Calls a function until it removes nothing more. */
  const repeat = async (
    name: 'events' | 'slices' | 'ticks' | 'deletedRows',
    sql: string,
    values: readonly unknown[],
  ): Promise<boolean> => {
    for (;;) {
      if (isOver()) return false
      const { removed } = await on.one<Pick<Batch, 'removed'>>(`select * from ${sql}`, values)
      counts[name] += Number(removed)
      if (dryRun || removed === '0') return true
    }
  }
  const steps = [
    // Each has a time of its own: `undo` of its table.
    () =>
      dryRun
        ? countDeletedRows(on, counts)
        : repeat('deletedRows', 'sluice.forget_deleted_rows($1) as f (removed)', [EVENTS]),
    () =>
      events === undefined ||
      (dryRun
        ? countEvents(on, events, counts)
        : repeat('events', `sluice.prune_events(${before(1)}, $2)`, [events, EVENTS])),
    () => rejects === undefined || sweep('reject', `sluice.prune_rejects($1, ${before(2)}, $3, $4)`, [rejects]),
    () =>
      runs === undefined ||
      sweep('slice', `sluice.prune_slices($1, ${before(2)}, ${before(3)}, $4, $5)`, [runs, rejects]),
    () =>
      runs === undefined ||
      repeat('slices', `sluice.prune_chains(${before(1)}, ${before(2)}, $3, $4)`, [runs, rejects, BATCH, dryRun]),
    () => runs === undefined || repeat('ticks', `sluice.prune_ticks(${before(1)}, $2, $3)`, [runs, EVENTS, dryRun]),
    () =>
      runs === undefined || sweep('run', `sluice.prune_runs($1, ${before(2)}, ${before(3)}, $4, $5)`, [runs, rejects]),
  ]
  for (const step of steps) if (!(await step())) return { ...counts, isFinished: false }
  return { ...counts, isFinished: true }
}

/** The moment so many seconds ago, which are a parameter of the statement. Null is before everything. */
const before = (parameter: number): string =>
  `coalesce(clock_timestamp() - make_interval(secs => $${parameter}::float8), '-infinity')`

const secondsOf = (ms: number): number | undefined => (ms === Infinity ? undefined : ms / 1_000)

interface Start {
  readonly reject: string
  readonly slice: string
  readonly run: string
}

async function startOf(
  on: Queryable,
  { resume, dryRun }: { readonly resume: boolean; readonly dryRun: boolean },
): Promise<Start> {
  if (dryRun) return { reject: '0', slice: '0', run: '0' }
  await on.query(
    `update sluice.pruning set started_at = clock_timestamp(), reject = 0, slice = 0, run = 0
      where not $1 or started_at < clock_timestamp() - interval '${SWEEP}'`,
    [resume],
  )
  return on.one<Start>('select reject, slice, run from sluice.pruning')
}

async function countEvents(on: Queryable, seconds: number, counts: { events: number }): Promise<boolean> {
  const { events } = await on.one<{ events: string }>(
    `select count(*) as events from sluice.events where at < ${before(1)}`,
    [seconds],
  )
  counts.events += Number(events)
  return true
}

async function countDeletedRows(on: Queryable, counts: { deletedRows: number }): Promise<boolean> {
  const { rows } = await on.one<{ rows: string }>(
    'select count(*) as rows from sluice.deleted_rows where expires_at < clock_timestamp()',
  )
  counts.deletedRows += Number(rows)
  return true
}

export interface PruneWhenDueOptions {
  /** @default 2 seconds */
  readonly budgetMs?: number
  readonly signal: AbortSignal
}

/**
 * Prunes if no process has done so in the last hour. What is left when the time is over is done a minute later, by
 * whoever runs then. Returns false if it was not due.
 */
export async function pruneWhenDue(
  database: Database,
  retention: Retention,
  { budgetMs = 2_000, signal }: PruneWhenDueOptions,
): Promise<boolean> {
  const on = database.with({ signal })
  const due = await on.query(
    `update sluice.pruning set due_at = clock_timestamp() + interval '${SOON}'
      where due_at <= clock_timestamp() returning 1 as due`,
  )
  if (due.length === 0) return false
  const { isFinished } = await prune(on, retention, { resume: true, budgetMs, signal })
  if (isFinished) await on.query(`update sluice.pruning set due_at = clock_timestamp() + interval '${EVERY}'`)
  return true
}

/** Prunes every hour until the signal aborts, for a process that lives long. */
export async function pruneHourly(
  database: Database,
  retention: Retention,
  { onError, signal }: { readonly onError: (error: unknown) => void; readonly signal: AbortSignal },
): Promise<never> {
  for (;;) {
    await sleep(HOUR_MS, { signal })
    try {
      await pruneWhenDue(database, retention, { budgetMs: HOUR_MS, signal })
    } catch (error) {
      signal.throwIfAborted()
      onError(error)
    }
  }
}
