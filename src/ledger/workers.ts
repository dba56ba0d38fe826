// Workers, as the ledger knows them.
import type { Database } from '../database/database.ts'
import type { Queryable } from '../database/queryable.ts'
import type { LeaseSession } from './lease/lease-keeper.ts'
import type { PipelineVersion } from './work-queues.ts'

export interface WorkerRecord {
  readonly name: string
  readonly host: string
  readonly pid: number
  /** Pieces of work that it does at once. */
  readonly concurrency: number
  /** The version of each pipeline that it has, by name. */
  readonly pipelines: Readonly<Record<string, string>>
}

export interface StoredWorker extends WorkerRecord {
  readonly id: string
  readonly startedAt: Date
  readonly seenAt: Date
  /** It takes no more work. */
  readonly isDraining: boolean
}

/** Milliseconds between two signs of life. `sluice.is_alive(worker)` waits for six of them. */
export const WORKER_SEEN_EVERY_MS = 5_000

/** Records a worker and returns its id. Removes those that were not seen for a day. */
export async function addWorker(
  database: Database,
  { name, host, pid, concurrency, pipelines }: WorkerRecord,
  session: LeaseSession,
  signal: AbortSignal,
): Promise<string> {
  await database.query(`delete from sluice.workers where seen_at < clock_timestamp() - interval '1 day'`, [], {
    signal,
  })
  const { id } = await database.one<{ id: string }>(
    `insert into sluice.workers (name, host, pid, concurrency, pipelines, lease_pid, lease_started)
     values ($1, $2, $3, $4, $5, $6, $7) returning id`,
    [name, host, pid, concurrency, JSON.stringify(pipelines), session.pid, session.started],
    { signal },
  )
  return id
}

export interface SeenOptions extends Pick<WorkerRecord, 'pipelines'> {
  readonly session: LeaseSession
  readonly isDraining: boolean
  readonly signal: AbortSignal
}

/** Notes that a worker lives, and what it has. Returns false if it was removed, as after a silent day. */
export async function noteWorker(
  database: Database,
  id: string,
  { pipelines, session, isDraining, signal }: SeenOptions,
): Promise<boolean> {
  const row = await database.maybeOne(
    `update sluice.workers
        set seen_at = clock_timestamp(), pipelines = $2, lease_pid = $3, lease_started = $4, draining = $5
      where id = $1 returning id`,
    [id, JSON.stringify(pipelines), session.pid, session.started, isDraining],
    { signal },
  )
  return row !== undefined
}

/** Removes a worker that ends. */
export async function removeWorker(database: Database, id: string, signal: AbortSignal): Promise<void> {
  await database.query('delete from sluice.workers where id = $1', [id], { signal })
}

/** True if a worker takes work of a pipeline in one version. */
export const takesWork = (
  { pipelines, isDraining }: Pick<StoredWorker, 'pipelines' | 'isDraining'>,
  { pipeline, version }: PipelineVersion,
): boolean => !isDraining && pipelines[pipeline] === version

/** Returns the workers that are alive, the oldest first. */
export async function readWorkers(on: Queryable): Promise<StoredWorker[]> {
  const rows = await on.query<Omit<StoredWorker, 'pid' | 'concurrency'> & { pid: string; concurrency: string }>(
    `select w.id, w.name, w.host, w.pid, w.concurrency, w.pipelines, w.draining as "isDraining",
            w.started_at as "startedAt", w.seen_at as "seenAt"
       from sluice.workers as w where sluice.is_alive(w) order by w.id`,
  )
  return rows.map((row) => ({ ...row, pid: Number(row.pid), concurrency: Number(row.concurrency) }))
}
