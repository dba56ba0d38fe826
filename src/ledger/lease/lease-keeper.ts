import type { Connection, Database } from '../../database/database.ts'
import { abortable } from '../../flow/signals/abortable.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { TaskGroup } from '../../flow/task-group.ts'
import { deadline } from '../../flow/signals/timeout.ts'
import type { RunEvent } from '../../model/event.ts'
import type { Slice } from '../../model/slice.ts'
import { RENEW_EVERY_MS } from '../limits.ts'
import { releaseSlices, renewSlices } from '../slices/transitions.ts'
import { EventWriter } from './event-writer.ts'
import { Subscriptions } from './subscriptions.ts'

export interface LeaseKeeperOptions {
  /** Milliseconds between two renewals of leases, which last 60 s. @default 15_000 */
  readonly renewEveryMs?: number
  /** Called once when a held slice is lost, with the reason. Its next batch would fail anyway. */
  readonly onLost?: (slice: string, reason: string) => void
  /**
   * Called once when a followed run is asked to stop. `isTaken`: it does a piece of work, and the ledger has it as
   * interrupted, because its process fell silent. Another process goes on with the piece.
   */
  readonly onStop?: (run: string, isTaken: boolean) => void
  /** Called when the connection is lost, and each time that connecting again fails. */
  readonly onError?: (error: unknown) => void
  /** Milliseconds that storing the last events may take at the end. @default 5_000 */
  readonly finalFlushMs?: number
  /** Ends the wait for the first connection. */
  readonly signal?: AbortSignal | undefined
}

/** The backend whose end shows that this process is gone; both null behind a pooler, or without a connection. */
export interface LeaseSession {
  readonly pid: number | null
  readonly started: string | null
}

const NO_SESSION: LeaseSession = Object.freeze({ pid: null, started: null })

/**
 * Keeps the leases of a process by one connection of its own: renews those of held slices, marks followed runs as
 * alive, and stores events in the order of their commits.
 *
 * | what happens | what the keeper does |
 * |---|---|
 * | every 15 s | renews leases and runs; reports lost slices, and runs that are to stop |
 * | a run is asked to stop | the same at once |
 * | an event is emitted | stores all queued events, at the earliest 250 ms after the last ones |
 * | the connection is lost | opens another and renews at once under its session; the fence stops slices claimed since |
 * | it is disposed of | stores queued events, releases held slices and closes, within 5 s |
 */
export class LeaseKeeper implements AsyncDisposable {
  readonly #database: Database
  readonly #options: LeaseKeeperOptions
  readonly #held = new Map<string, number>()
  readonly #runs = new Set<string>()
  readonly #stopping = new Set<string>()
  readonly #events = new EventWriter()
  readonly #subscriptions = new Subscriptions()
  readonly #stop = new AbortController()
  #renewNow = Promise.withResolvers<void>()
  #session = NO_SESSION
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

  /** Renews the lease of a slice from now on. */
  hold({ id, token }: Slice): void {
    this.#held.set(id, token)
  }

  /** Renews the lease of a slice no longer. */
  release({ id }: Slice): void {
    this.#held.delete(id)
  }

  /** Marks a run as alive from now on. */
  follow(run: string): void {
    this.#runs.add(run)
  }

  unfollow(run: string): void {
    this.#runs.delete(run)
    this.#stopping.delete(run)
  }

  /** Stores an event soon. Never throws and never waits. */
  emit(run: string, event: RunEvent): void {
    this.#events.emit(run, event)
  }

  /**
   * Subscribes to a channel. The callback also runs after a reconnect, because notifications may have been missed.
   * Behind a pooler none may arrive.
   */
  subscribe(channel: string, callback: () => void): Disposable {
    return this.#subscriptions.add(channel, callback)
  }

  /** Waits until all emitted events are stored. Rejects if the connection is lost. */
  async flush(): Promise<void> {
    if (this.#connection) await this.#events.store(this.#connection)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new DOMException('The lease keeper was closed', 'AbortError'))
    // A server that no longer responds must not hold up the end.
    const timer = setTimeout(() => void this.#connection?.[Symbol.asyncDispose](), this.#finalFlushMs)
    await this.#kept
    clearTimeout(timer)
  }

  get #finalFlushMs(): number {
    return this.#options.finalFlushMs ?? 5_000
  }

  async #connect(signal: AbortSignal | undefined): Promise<Connection> {
    const connection = await this.#database.connection({ direct: true, signal })
    try {
      const [row] = await connection.query<{ pid: number; started: string | null }>(
        `select pg_backend_pid() as pid,
                (select backend_start::text from pg_stat_activity where pid = pg_backend_pid()) as started`,
        [],
        { signal },
      )
      // Behind a pooler the protocol names another backend: that one is shared, and outlives this process.
      const isOwn = row && row.pid === connection.pid && row.started !== null
      this.#session = isOwn ? { pid: row.pid, started: row.started } : NO_SESSION
      await this.#subscriptions.attach(connection)
      this.#connection = connection
      return connection
    } catch (error) {
      await connection[Symbol.asyncDispose]()
      throw error
    }
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
        // Other runs could claim a lease under the dead session's name at once.
        this.#session = NO_SESSION
        this.#connection = undefined
        this.#subscriptions.detach()
        this.#options.onError?.(error)
      }
      await connection?.[Symbol.asyncDispose]()
      connection = undefined
      await sleep(500 + Math.random() * 500, { signal }).catch(() => {})
    }
    if (connection) await this.#finish(connection)
  }

  /** Runs until the connection is lost or the keeper is closed, and rejects then. */
  async #serve(connection: Connection): Promise<void> {
    await using group = new TaskGroup({ signal: this.#stop.signal })
    group.spawn(async (signal) => {
      await abortable(connection.ended, signal)
      throw new Error('The connection of the lease keeper was lost')
    })
    group.spawn((signal) => this.#renewUntil(connection, signal))
    group.spawn((signal) => this.#events.write(connection, signal))
    await group.join()
  }

  async #renewUntil(connection: Connection, signal: AbortSignal): Promise<never> {
    await connection.listen('sluice_stop', () => this.#renewNow.resolve())
    for (;;) {
      this.#renewNow = Promise.withResolvers()
      await this.#renewRuns(connection)
      await this.#renewSlices(connection)
      using wait = deadline(signal, this.#options.renewEveryMs ?? RENEW_EVERY_MS)
      await abortable(this.#renewNow.promise, wait.signal).catch(() => signal.throwIfAborted())
    }
  }

  async #renewRuns(connection: Connection): Promise<void> {
    if (this.#runs.size === 0) return
    const stopped = await connection.query<{ id: string; isTaken: boolean }>(
      `with seen as (
         update sluice.runs set seen_at = clock_timestamp(), lease_pid = $2, lease_started = $3
          where id = any ($1::bigint[]) and status = 'running' returning id, stop_requested_at)
       select id, false as "isTaken" from seen where stop_requested_at is not null
       union all
       select id, true from sluice.runs where id = any ($1::bigint[]) and status <> 'running' and piece is not null`,
      [[...this.#runs], this.#session.pid, this.#session.started],
    )
    for (const { id, isTaken } of stopped) {
      // A run that has ended meanwhile is no longer followed.
      if (this.#stopping.has(id) || !this.#runs.has(id)) continue
      this.#stopping.add(id)
      this.#options.onStop?.(id, isTaken)
    }
  }

  async #renewSlices(connection: Connection): Promise<void> {
    if (this.#held.size === 0) return
    for (const { slice, token, reason } of await renewSlices(connection, this.#held, this.#session)) {
      if (this.#held.get(slice) !== Number(token)) continue
      this.#held.delete(slice)
      this.#options.onLost?.(slice, reason)
    }
  }

  /** Stores the last events and releases what is still held. */
  async #finish(connection: Connection): Promise<void> {
    await using _ = connection
    try {
      await this.#events.store(connection, this.#finalFlushMs)
      // Behind a pooler, the end of the session would not show that the slices may be claimed.
      await releaseSlices(connection, this.#held, { timeoutMs: this.#finalFlushMs })
    } catch {
      // The connection is gone; the leases end by themselves.
    }
  }
}
