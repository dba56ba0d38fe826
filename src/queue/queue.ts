// Wakes workers. pg-boss, in a schema of its own in the database of the ledger, carries one job for each piece of work.
// A job says only that there may be something to do: what there is, and who may write, says the ledger.
import type { PgBoss } from 'pg-boss'
import type { Database } from '../database/database.ts'
import { quoteLiteral } from '../database/quote.ts'
import type { Duration } from '../model/request.ts'

/** The schema of pg-boss. */
export const QUEUE_SCHEMA = 'sluice_jobs'

/** Notified when there is a new job, or one that was given back. */
export const WORK_CHANNEL = 'sluice_work'

/** A worker that has not touched its job for so long is gone: the job is taken by another one. */
const HEARTBEAT_SECONDS = 30
const SUPERVISE_SECONDS = 10
/** A job comes again after a worker has died, or was drained. A job that kills each worker must not come for ever. */
const RETRIES = 25
/** The longest time that pg-boss allows. A longer piece is taken once more, and that attempt waits for the first. */
const EXPIRE_SECONDS = 86_399
/** Jobs that have ended are kept as long as somebody may ask what became of them. */
const KEEP_ENDED_SECONDS = 3_600
const STATEMENT_TIMEOUT: Duration = '1m'

export interface QueueOptions {
  /** Also gives the jobs of dead workers to others, and removes old jobs. Each worker does. @default false */
  readonly supervise?: boolean
  /** Seconds without a touch after which a job is taken from its worker; at least 10. @default 30 */
  readonly heartbeatSeconds?: number | undefined
  /** Called with errors of the background work. It is tried again. */
  readonly onError?: (error: unknown) => void
}

/** A job that this process has taken. */
export interface TakenJob {
  readonly queue: string
  readonly id: string
  readonly data: unknown
}

/** Jobs of pg-boss. `take` gives a job to one worker, which touches it until it completes it or gives it back. */
export class WorkQueue implements AsyncDisposable {
  readonly #database: Database
  readonly #boss: PgBoss
  readonly #heartbeatSeconds: number
  readonly #known = new Set<string>()

  private constructor(database: Database, boss: PgBoss, heartbeatSeconds: number) {
    this.#database = database
    this.#boss = boss
    this.#heartbeatSeconds = heartbeatSeconds
  }

  /** Opens the queue on the ledger's own connections. Creates or updates its schema if that is necessary. */
  static async open(
    database: Database,
    { supervise = false, heartbeatSeconds = HEARTBEAT_SECONDS, onError = () => {} }: QueueOptions = {},
  ): Promise<WorkQueue> {
    const { PgBoss } = await import('pg-boss')
    const boss = new PgBoss({
      db: { executeSql: (text, values = []) => execute(database, text, values) },
      schema: QUEUE_SCHEMA,
      supervise,
      schedule: false,
      superviseIntervalSeconds: Math.min(SUPERVISE_SECONDS, heartbeatSeconds / 3),
      monitorIntervalSeconds: Math.min(SUPERVISE_SECONDS, heartbeatSeconds / 3),
    })
    boss.on('error', onError)
    try {
      await boss.start()
    } catch (error) {
      await boss.stop({ graceful: false }).catch(() => {})
      throw error
    }
    return new WorkQueue(database, boss, heartbeatSeconds)
  }

  /** Milliseconds between two touches of a job. */
  get touchEveryMs(): number {
    return (this.#heartbeatSeconds * 1_000) / 3
  }

  /** Sends jobs. A job whose id is known is not sent again. Of one queue, the oldest comes first. */
  async send(queue: string, jobs: readonly { readonly id: string; readonly data: object }[]): Promise<void> {
    if (!this.#known.has(queue))
      await this.#boss.createQueue(queue, {
        retryLimit: RETRIES,
        retryDelay: 0,
        expireInSeconds: EXPIRE_SECONDS,
        heartbeatSeconds: this.#heartbeatSeconds,
        deleteAfterSeconds: KEEP_ENDED_SECONDS,
      })
    this.#known.add(queue)
    await this.#boss.insert(
      queue,
      jobs.map(({ id, data }) => ({ id, data, heartbeatSeconds: this.#heartbeatSeconds })),
    )
    await this.#wake()
  }

  /** Returns the queues that have a job to take. It jumps from queue to queue, however many jobs they have. */
  async ready(): Promise<string[]> {
    const rows = await this.#database.query<{ name: string }>(
      `with recursive q as (
         (${nextQueue('')}) union all
         select (${nextQueue('and j.name > q.name')}) from q where q.name is not null)
       select name from q where name is not null`,
      [],
      { timeout: STATEMENT_TIMEOUT },
    )
    return rows.map(({ name }) => name)
  }

  /** Takes a job of a queue. Returns undefined if there is none, or if others were faster. */
  async take(queue: string): Promise<TakenJob | undefined> {
    const [job] = await this.#boss.fetch(queue)
    return job && { queue, id: job.id, data: job.data }
  }

  /** Notes that the worker of a job lives. */
  async touch({ queue, id }: TakenJob): Promise<void> {
    await this.#boss.touch(queue, id)
  }

  /** Ends a job whose piece of work has ended. */
  async complete({ queue, id }: TakenJob): Promise<void> {
    await this.#boss.complete(queue, id)
  }

  /** Gives a job back, so that another worker takes it. */
  async giveBack({ queue, id }: TakenJob, reason: string): Promise<void> {
    await this.#boss.fail(queue, id, { reason })
    await this.#wake()
  }

  /** Returns those of some jobs that wait for a worker or are with one. */
  async pending(ids: readonly string[]): Promise<Set<string>> {
    const rows = await this.#database.query<{ id: string }>(
      `select id from ${QUEUE_SCHEMA}.job where id = any ($1::uuid[]) and state < 'completed'`,
      [ids],
      { timeout: STATEMENT_TIMEOUT },
    )
    return new Set(rows.map(({ id }) => id))
  }

  /** Removes jobs, whether a worker has them or not. */
  async remove(queue: string, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#boss.deleteJob(queue, [...ids])
  }

  /** Ends the background work. Jobs that were taken stay with this process until they are completed or fall silent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#boss.stop({ graceful: false, close: false })
  }

  async #wake(): Promise<void> {
    await this.#database.query(`select pg_notify(${quoteLiteral(WORK_CHANNEL)}, '')`, [], {
      timeout: STATEMENT_TIMEOUT,
    })
  }
}

const nextQueue = (after: '' | 'and j.name > q.name'): string =>
  `select j.name from ${QUEUE_SCHEMA}.job as j
    where j.state < 'active' and not j.blocked and j.start_after <= now() ${after} order by j.name limit 1`

/** Runs a statement of pg-boss. Several statements at once, which it sends without values, have the rows of all. */
async function execute(
  database: Database,
  text: string,
  values: readonly unknown[],
): Promise<{ rows: Record<string, unknown>[] }> {
  if (values.length > 0) return { rows: await database.query(text, values) }
  const results = await database.runAlone(text, { timeout: '5m' })
  return { rows: results.flatMap(({ rows }) => rows) }
}
