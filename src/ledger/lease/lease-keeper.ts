import type { Connection, Database } from '../../database/database.ts'
import { abortable } from '../../flow/signals/abortable.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { TaskGroup } from '../../flow/task-group.ts'
import { deadline } from '../../flow/signals/timeout.ts'
import type { RunEvent } from '../../model/event.ts'
import type { Slice } from '../../model/slice.ts'
import { EventQueue } from './event-queue.ts'

export interface LeaseKeeperOptions {
  /** Milliseconds between two renewals of leases, which last 60 s. @default 15_000 */
  readonly renewEveryMs?: number
  /** Told once when a slice that we hold turns out to be somebody else's. Its next batch would fail anyway. */
  readonly onLost?: (slice: string) => void
  /** Told once when somebody asks a run that we follow to end. */
  readonly onStop?: (run: string) => void
  /** Told when the keeper's connection is lost, and each time it cannot be had again. */
  readonly onError?: (error: unknown) => void
  /** Milliseconds that storing the last events may take when it is closed. @default 5_000 */
  readonly finalFlushMs?: number
  /** Ends the wait for the first connection. */
  readonly signal?: AbortSignal | undefined
}

/** The backend by which others see that we are alive; both null behind a pooler, or while there is no connection. */
export interface LeaseSession {
  readonly pid: number | null
  readonly started: string | null
}

const nobody: LeaseSession = Object.freeze({ pid: null, started: null })
/** At most four transactions a second. */
const GATHER_MS = 250
const PRUNE_MS = 3_600_000

/**
 * The part of a process that tells others that it lives: one connection of its own, which renews the leases of all
 * slices that are held, says which runs are going on, and stores events in the order of their commits.
 *
 * | what happens | what the keeper does |
 * |---|---|
 * | every 15 s | renews leases and runs; notices slices that were taken by others, and runs that were asked to end |
 * | it is notified that a run was asked to end | the same at once |
 * | an event is told | stores what has gathered, 250 ms after the last time at the earliest |
 * | its connection is lost | opens another, renews at once under its new name; others may have claimed meanwhile: the fence stops us then |
 * | every hour | removes events that are older than 7 days |
 * | it is disposed of | stores the events that wait, lets go of what is still held, closes; all that within seconds |
 */
export class LeaseKeeper implements AsyncDisposable {
  readonly #database: Database
  readonly #options: LeaseKeeperOptions
  readonly #held = new Map<string, number>()
  readonly #runs = new Set<string>()
  readonly #stopping = new Set<string>()
  readonly #events = new EventQueue()
  readonly #stop = new AbortController()
  readonly #hearing = new Map<string, Set<() => void>>()
  #told = Promise.withResolvers<void>()
  #asked = Promise.withResolvers<void>()
  #session = nobody
  #storing: Promise<void> = Promise.resolve()
  #connection: Connection | undefined
  #kept: Promise<void> = Promise.resolve()

  private constructor(database: Database, options: LeaseKeeperOptions) {
    this.#database = database
    this.#options = options
  }

  static async open(database: Database, options: LeaseKeeperOptions = {}): Promise<LeaseKeeper> {
    const keeper = new LeaseKeeper(database, options)
    const connection = await keeper.#connect(options.signal)
    keeper.#kept = keeper.#keep(connection)
    return keeper
  }

  get session(): LeaseSession {
    return this.#session
  }

  /** Renew this slice's lease from now on. */
  hold({ id, token }: Slice): void {
    this.#held.set(id, token)
  }

  release({ id }: Slice): void {
    this.#held.delete(id)
  }

  /** Say that this run is going on. */
  follow(run: string): void {
    this.#runs.add(run)
  }

  unfollow(run: string): void {
    this.#runs.delete(run)
    this.#stopping.delete(run)
  }

  /** Store an event, soon. Never throws and never waits. */
  emit(run: string, event: RunEvent): void {
    this.#events.add(run, event)
    this.#told.resolve()
  }

  /**
   * Be called when a channel is notified, by the keeper's own connection, and when it is back after it was lost:
   * something may have been missed. Behind a pooler nothing may ever be heard, so nobody may rely on it alone.
   */
  subscribe(channel: string, hear: () => void): Disposable {
    const known = this.#hearing.get(channel)
    const hearing = known ?? new Set()
    hearing.add(hear)
    if (!known) {
      this.#hearing.set(channel, hearing)
      // A connection that fails here is lost, and listens again when it is back.
      this.#connection
        ?.listen(channel, () => this.#hear(channel))
        .then(
          () => this.#hear(channel),
          () => {},
        )
    }
    return { [Symbol.dispose]: () => void hearing.delete(hear) }
  }

  /** Wait until everything that was told has been stored; gives up with the connection. */
  async flush(): Promise<void> {
    await this.#storing.catch(() => {})
    if (this.#connection && !this.#events.isEmpty) await this.#store(this.#connection)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new DOMException('The keeper was closed', 'AbortError'))
    // A server that does not answer any more holds nobody up.
    const patience = setTimeout(() => void this.#connection?.[Symbol.asyncDispose](), this.#lastWords)
    await this.#kept
    clearTimeout(patience)
  }

  get #lastWords(): number {
    return this.#options.finalFlushMs ?? 5_000
  }

  async #connect(signal: AbortSignal | undefined): Promise<Connection> {
    const connection = await this.#database.connection({ direct: true, signal })
    try {
      const [row] = await connection.query<{ pid: number; started: string | null }>(
        'select pg_backend_pid() as pid, (select backend_start::text from pg_stat_activity where pid = pg_backend_pid()) as started',
        [],
        { signal },
      )
      // Behind a pooler the protocol names another process: the backend is not ours alone, and lives on when we are
      // gone.
      this.#session =
        row && row.pid === connection.pid && row.started !== null ? { pid: row.pid, started: row.started } : nobody
      for (const channel of this.#hearing.keys()) await connection.listen(channel, () => this.#hear(channel))
      this.#connection = connection
      for (const channel of this.#hearing.keys()) this.#hear(channel)
      return connection
    } catch (error) {
      await connection[Symbol.asyncDispose]()
      throw error
    }
  }

  #hear(channel: string): void {
    for (const hear of this.#hearing.get(channel) ?? []) hear()
  }

  async #keep(first: Connection): Promise<void> {
    const { signal } = this.#stop
    let connection: Connection | undefined = first
    while (!signal.aborted) {
      try {
        connection ??= await this.#connect(signal)
        await this.#serve(connection)
      } catch (error) {
        if (signal.aborted) break
        // A lease under the dead session's name could be claimed at once.
        this.#session = nobody
        this.#connection = undefined
        this.#options.onError?.(error)
      }
      await connection?.[Symbol.asyncDispose]()
      connection = undefined
      await sleep(500 + Math.random() * 500, { signal }).catch(() => {})
    }
    if (!connection) return
    await using _ = connection
    await this.#storing.catch(() => {})
    try {
      await this.#store(connection, this.#lastWords)
      await this.#letAllGo(connection)
    } catch {
      // Nobody hears us any more; the leases end by themselves.
    }
  }

  /** Until the connection is lost or the keeper is closed, which rejects. */
  async #serve(connection: Connection): Promise<void> {
    await using group = new TaskGroup({ signal: this.#stop.signal })
    group.spawn(async (signal) => {
      await abortable(connection.ended, signal)
      throw new Error("The keeper's connection was lost")
    })
    group.spawn(async (signal) => {
      await connection.listen('sluice_stop', () => this.#asked.resolve())
      for (;;) {
        this.#asked = Promise.withResolvers()
        await this.#renew(connection)
        using wait = deadline(signal, this.#options.renewEveryMs ?? 15_000)
        await abortable(this.#asked.promise, wait.signal).catch(() => signal.throwIfAborted())
      }
    })
    group.spawn(async (signal) => {
      for (;;) {
        await abortable(this.#told.promise, signal)
        this.#told = Promise.withResolvers()
        await this.#store(connection)
        await sleep(GATHER_MS, { signal })
      }
    })
    group.spawn(async (signal) => {
      for (;;) {
        await connection.query(
          `delete from sluice.events where id in (select id from sluice.events where at < clock_timestamp() - interval '7 days' order by at limit 10000)`,
          [],
          { signal },
        )
        await sleep(PRUNE_MS, { signal })
      }
    })
    await group.join()
  }

  /** One statement for all leases. A row that is locked is being committed, which renews it too. */
  async #renew(connection: Connection): Promise<void> {
    if (this.#runs.size > 0) {
      const asked = await connection.query<{ id: string }>(
        `with seen as (update sluice.runs set seen_at = clock_timestamp(), keeper_pid = $2, keeper_started = $3 where id = any ($1::bigint[]) and status = 'running' returning id, stop_asked_at)
         select id from seen where stop_asked_at is not null`,
        [[...this.#runs], this.#session.pid, this.#session.started],
      )
      for (const { id } of asked) {
        if (this.#stopping.has(id)) continue
        this.#stopping.add(id)
        this.#options.onStop?.(id)
      }
    }
    if (this.#held.size === 0) return
    const held = [...this.#held]
    const lost = await connection.query<{ id: string; token: string }>(
      `with held as (select * from unnest($1::bigint[], $2::bigint[]) as h (id, token)),
            ours as (select s.id from sluice.slices as s join held using (id, token) where s.status = 'open' for update of s skip locked),
            renewed as (update sluice.slices as s set lease_until = clock_timestamp() + interval '60 s', lease_pid = $3, lease_started = $4 from ours where s.id = ours.id)
       select s.id, held.token from sluice.slices as s join held using (id) where s.token <> held.token`,
      [held.map(([id]) => id), held.map(([, token]) => token), this.#session.pid, this.#session.started],
    )
    for (const { id, token } of lost) {
      if (this.#held.get(id) !== Number(token)) continue
      this.#held.delete(id)
      this.#options.onLost?.(id)
    }
  }

  /** Behind a pooler the end of the session would tell nobody that what is still held may be claimed. */
  async #letAllGo(connection: Connection): Promise<void> {
    const held = [...this.#held]
    await connection.query(
      `update sluice.slices as s set lease_until = null, lease_pid = null, lease_started = null
        where s.id in (select s.id from sluice.slices as s join unnest($1::bigint[], $2::bigint[]) as h (id, token) using (id, token) where s.status = 'open' for update of s skip locked)`,
      [held.map(([id]) => id), held.map(([, token]) => token)],
      { timeoutMs: this.#lastWords },
    )
  }

  /** One after the other, so that the order stays. */
  #store(connection: Connection, timeoutMs?: number): Promise<void> {
    this.#storing = this.#storeAfter(this.#storing, connection, timeoutMs)
    return this.#storing
  }

  async #storeAfter(earlier: Promise<void>, connection: Connection, timeoutMs: number | undefined): Promise<void> {
    await earlier.catch(() => {})
    if (this.#events.isEmpty) return
    const { json, putBack } = this.#events.take()
    try {
      await connection.query('select sluice.tell($1::json)', [json], timeoutMs === undefined ? {} : { timeoutMs })
    } catch (error) {
      putBack()
      this.#told.resolve()
      throw error
    }
  }
}
