import pg, { type ClientConfig, type PoolClient } from 'pg'
import { abortable } from '../flow/signals/abortable.ts'
import { WatchedClient } from './client.ts'
import { connectWithRetry, type ConnectOptions } from './connect.ts'
import { Session } from './session.ts'

/** Lends connections, at most `max` at once, and closes all of them at the end. */
export class Pool implements AsyncDisposable {
  readonly #pool: pg.Pool
  readonly #options: ConnectOptions
  readonly #lent = new Map<Session, PoolClient>()
  readonly #open = new Set<WatchedClient>()

  constructor(config: ClientConfig, max: number, options: ConnectOptions) {
    this.#options = options
    this.#pool = new pg.Pool({ ...config, max, idleTimeoutMillis: 30_000, Client: WatchedClient })
    // An idle connection that dies is simply not lent again.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client) => {
      const watched = client as unknown as WatchedClient
      this.#open.add(watched)
      void watched.ended.then(() => this.#open.delete(watched))
    })
  }

  /** Connections that are lent now. */
  get inUse(): number {
    return this.#lent.size
  }

  /** Who waits for one. */
  get waiting(): number {
    return this.#pool.waitingCount
  }

  /** Waits for a free connection, and for a server that is not there yet. */
  async acquire(signal?: AbortSignal): Promise<Session> {
    signal?.throwIfAborted()
    const client = await connectWithRetry(() => this.#next(signal), { ...this.#options, signal })
    const session = new Session(client as unknown as WatchedClient, this.#options.label)
    this.#lent.set(session, client)
    return session
  }

  /** Take a connection back; one that is not clean is closed. */
  release(session: Session): void {
    const client = this.#lent.get(session)
    if (!client) return
    this.#lent.delete(session)
    client.release(!session.isClean)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#lent.keys()) {
      session.destroy()
      this.release(session)
    }
    await this.#pool.end()
    await Promise.all([...this.#open].map((client) => client.closed()))
  }

  async #next(signal: AbortSignal | undefined): Promise<PoolClient> {
    const coming = this.#pool.connect()
    try {
      return await abortable(coming, signal)
    } catch (error) {
      // The place in the queue cannot be given up: what comes is given back at once.
      if (signal?.aborted)
        coming.then(
          (client) => client.release(),
          () => {},
        )
      throw error
    }
  }
}
