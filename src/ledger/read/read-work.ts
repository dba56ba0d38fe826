import type { Queryable } from '../../database/queryable.ts'
import { ATTEMPT_STATE } from '../pieces.ts'
import { ofQueue } from '../work-queues.ts'
import { readWorkers, takesWork, type StoredWorker } from '../workers.ts'

/** A piece of work that a worker does now. */
export interface PieceUnderWay {
  readonly run: string
  readonly pipeline: string
  readonly stream: string
  /** Its bounds, if it is a window of a backfill. */
  readonly window: { readonly lower: Date; readonly upper: Date } | undefined
  /** When its reading began. A window that another worker has begun counts from then on. */
  readonly since: Date
}

export interface WorkerAtWork extends StoredWorker {
  /** The oldest first. */
  readonly pieces: readonly PieceUnderWay[]
}

/** The pieces of work that wait for one version of a pipeline. */
export interface WaitingWork {
  readonly pipeline: string
  readonly version: string
  readonly pieces: number
  /** Since when the oldest one has waited. */
  readonly since: Date
  /** The names of the workers that are alive and take it. None: it waits for a version that no worker has. */
  readonly workers: readonly string[]
}

/** The workers that are alive, what each does, and what waits for one. */
export interface Work {
  readonly workers: readonly WorkerAtWork[]
  /** By pipeline. Undefined if the user of the database may not read the schema of the jobs. */
  readonly waiting: readonly WaitingWork[] | undefined
}

/**
 * Returns the workers that are alive, what each does, and what waits for one. Undefined if the database has never had a
 * worker, which costs a look into the catalog.
 */
export async function readWork(on: Queryable): Promise<Work | undefined> {
  const { hasWorkers, jobs } = await on.one<{ hasWorkers: boolean; jobs: 'readable' | 'hidden' | null }>(
    `select to_regclass('sluice.workers') is not null as "hasWorkers",
            (select case when has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
                         then 'readable' else 'hidden' end
               from pg_namespace as n join pg_class as c on c.relnamespace = n.oid
              where n.nspname = 'sluice_jobs' and c.relname = 'job') as jobs`,
  )
  // Whatever makes a worker makes the schema of the jobs.
  if (!hasWorkers || jobs === null) return undefined
  const alive = await readWorkers(on)
  const pieces = alive.length === 0 ? [] : await readPieces(on, alive)
  const workers = alive.map((worker) => ({
    ...worker,
    pieces: pieces.flatMap(({ worker: name, ...piece }) => (name === worker.name ? [piece] : [])),
  }))
  return { workers, waiting: jobs === 'hidden' ? undefined : await readWaiting(on, alive) }
}

/** The streams that workers read for runs, and the windows that they read for backfills. */
async function readPieces(
  on: Queryable,
  workers: readonly StoredWorker[],
): Promise<(PieceUnderWay & { readonly worker: string })[]> {
  const rows = await on.query<
    Omit<PieceUnderWay, 'window'> & { worker: string; lower: Date | null; upper: Date | null }
  >(
    `select r.worker, r.id as run, r.pipeline, coalesce(s.stream, r.options #>> '{streams,0}') as stream,
            s.lower, s.upper, coalesce(s.started_at, r.started_at) as since
       from sluice.runs as r
       left join sluice.slices as s
         on r.kind = 'backfill' and s.run = r.id and s.status = 'open' and not sluice.is_claimable(s)
        -- As the index of claimed slices has it: the run of a worker may have done 10,000 windows.
        and s.pipeline = r.pipeline and s.kind = 'backfill' and s.token > 0
      where r.status = 'running' and r.worker = any ($1) and ${ATTEMPT_STATE} = 'running'
        -- Between two windows the run of a worker does nothing.
        and (r.kind <> 'backfill' or s.id is not null)
      order by since, r.id, s.lower`,
    [workers.map(({ name }) => name)],
  )
  return rows.map(({ lower, upper, ...row }) => ({ ...row, window: lower && upper ? { lower, upper } : undefined }))
}

/**
 * Returns what waits for a worker, by pipeline and version. A job whose worker has fallen silent waits as well: other
 * workers take it, and if there is none, nobody does. Needs the right to read the schema of the jobs.
 */
export async function readWaiting(on: Queryable, workers: readonly StoredWorker[]): Promise<WaitingWork[]> {
  const rows = await on.query<{ queue: string; pieces: number; since: Date }>(
    `select split_part(name, '.', 1) || '.' || split_part(name, '.', 2) as queue, count(*)::int as pieces,
            min(case when state = 'active' then heartbeat_on else start_after end) as since
       from sluice_jobs.job
      where state < 'active'
         or (state = 'active' and heartbeat_on + heartbeat_seconds * interval '1 s' < clock_timestamp())
      group by 1 order by 1`,
  )
  return rows.map(({ queue, pieces, since }) => {
    const { pipeline, version } = ofQueue(queue)
    const of = { pipeline, version }
    return { ...of, pieces, since, workers: workers.filter((one) => takesWork(one, of)).map(({ name }) => name) }
  })
}
