import type { ClientConfig, Notification } from 'pg'
import { abortable } from '../../flow/signals/abortable.ts'
import { WatchedClient } from './client.ts'
import { connectWithRetry, type ConnectOptions } from './connect.ts'
import { onlyRow, onlyRowIfAny, type Queryable } from '../queryable.ts'
import type { Chunks } from '../copy.ts'
import { quoteIdentifier } from '../quote.ts'
import { Session } from './session.ts'

export interface StatementLimits {
  /** @default 30_000 */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

/** A connection outside the pool, for what outlives transactions: leases and notifications. */
export class Connection implements Queryable, AsyncDisposable {
  readonly #session: Session
  #closing = false

  private constructor(session: Session) {
    this.#session = session
  }

  static async open(config: ClientConfig, options: ConnectOptions): Promise<Connection> {
    let last: WatchedClient | undefined
    const connect = async (): Promise<WatchedClient> => {
      const client = (last = new WatchedClient(config))
      try {
        await abortable(client.connect(), options.signal)
        return client
      } catch (error) {
        client.destroy()
        throw error
      }
    }
    const client = await connectWithRetry(connect, options).catch((error: unknown) => {
      // The signal may abort right after the connection was made. It would keep the process alive.
      last?.destroy()
      throw error
    })
    return new Connection(new Session(client, options.label))
  }

  /** Process id of the backend, from the protocol. Behind a pooler it differs from `pg_backend_pid()`. */
  get pid(): number {
    return this.#session.client.cancellable.processID ?? 0
  }

  /** Resolves when the connection is closed or lost. */
  get ended(): Promise<void> {
    return this.#session.client.ended
  }

  query<Row extends object = Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
    { signal, timeoutMs = 30_000 }: StatementLimits = {},
  ): Promise<Row[]> {
    return this.#session.query<Row>(text, values, { signal, limitMs: timeoutMs })
  }

  /** Returns the row of a statement that has exactly one. Throws `DatabaseError` for any other number. */
  async one<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
    options?: StatementLimits,
  ): Promise<Row> {
    return onlyRow(await this.query<Row>(text, values, options), { label: this.#session.label, text })
  }

  /** Returns the row of a statement, or undefined if it has none. Throws `DatabaseError` for several rows. */
  async maybeOne<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
    options?: StatementLimits,
  ): Promise<Row | undefined> {
    return onlyRowIfAny(await this.query<Row>(text, values, options), { label: this.#session.label, text })
  }

  /** Runs statements of which the last is `copy … from stdin`, with its data. Returns the number of rows copied. */
  copy(text: string, chunks: Chunks, { signal, timeoutMs = 30_000 }: StatementLimits = {}): Promise<number> {
    return this.#session.copy(text, chunks, { signal, limitMs: timeoutMs })
  }

  /** Calls a listener with the payload of each notification on a channel, while the connection lives. */
  async listen(channel: string, listener: (payload: string) => void): Promise<void> {
    this.#session.client.on('notification', (notification: Notification) => {
      if (notification.channel === channel) listener(notification.payload ?? '')
    })
    await this.query(`listen ${quoteIdentifier(channel)}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    if (this.#session.isClean) void this.#session.client.end()
    else this.#session.destroy()
    await this.#session.client.closed()
  }
}
