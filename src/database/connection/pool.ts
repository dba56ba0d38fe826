import pg, { type ClientConfig, type PoolClient } from 'pg'
import { abortable } from '../../flow/signals/abortable.ts'
import { WatchedClient } from './client.ts'
import { connectWithRetry, type ConnectOptions } from './connect.ts'
import { Session } from './session.ts'

/** Keeps at most `max` connections, and closes all of them at the end. */
export class Pool implements AsyncDisposable {
  readonly #pool: pg.Pool
  readonly #options: ConnectOptions
  readonly #inUse = new Map<Session, PoolClient>()
  readonly #clients = new Set<WatchedClient>()

  constructor(config: ClientConfig, max: number, options: ConnectOptions) {
    this.#options = options
    this.#pool = new pg.Pool({ ...config, max, idleTimeoutMillis: 30_000, Client: WatchedClient })
    // An idle connection that dies is not used again.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client) => {
      const watched = client as unknown as WatchedClient
      this.#clients.add(watched)
      void watched.ended.then(() => this.#clients.delete(watched))
    })
  }

  /** Connections in use. */
  get inUse(): number {
    return this.#inUse.size
  }

  /** Callers that wait for a connection. */
  get waiting(): number {
    return this.#pool.waitingCount
  }

  /** Waits for a free connection, and for a server that is unreachable. */
  async acquire(signal?: AbortSignal): Promise<Session> {
    signal?.throwIfAborted()
    const client = await connectWithRetry(() => this.#next(signal), {
      ...this.#options,
      isServerAsked: () => this.#clients.size === 0,
      signal,
    })
    const session = new Session(client as unknown as WatchedClient, this.#options.label)
    this.#inUse.set(session, client)
    return session
  }

  /** Takes a connection back, and closes it if it is not clean. */
  release(session: Session): void {
    const client = this.#inUse.get(session)
    if (!client) return
    this.#inUse.delete(session)
    client.release(!session.isClean)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#inUse.keys()) {
      session.destroy()
      this.release(session)
    }
    await this.#pool.end()
    await Promise.all([...this.#clients].map((client) => client.closed()))
  }

  async #next(signal: AbortSignal | undefined): Promise<PoolClient> {
    const connecting = this.#pool.connect()
    try {
      return await abortable(connecting, signal)
    } catch (error) {
      // The driver cannot cancel a wait for a connection, so the connection is given back when it comes.
      if (signal?.aborted)
        connecting.then(
          (client) => client.release(),
          () => {},
        )
      throw error
    }
  }
}
