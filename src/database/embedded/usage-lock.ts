import { abortable } from '../../flow/signals/abortable.ts'
import { WatchedClient } from '../client.ts'
import { isConnectionError } from '../errors.ts'

/**
 * Who uses the server holds this lock in a session of its own; a process that is killed loses it with its connection.
 */
const LOCK = '(1399616835, 1)'

/** A share in a running server. The last one who leaves stops it. */
export class UsageLock {
  readonly url: string
  readonly #client: WatchedClient

  private constructor(url: string, client: WatchedClient) {
    this.url = url
    this.#client = client
  }

  /** undefined: the server is not there yet, or is about to go. */
  static async acquire(url: string, signal: AbortSignal | undefined): Promise<UsageLock | undefined> {
    const client = new WatchedClient({ connectionString: url, application_name: 'sluice hold' })
    try {
      await abortable(client.connect(), signal)
      // Waits while the last one is leaving, and is then ended together with the server.
      await abortable(client.query(`set lock_timeout = '60s'; select pg_advisory_lock_shared${LOCK}`), signal)
      return new UsageLock(url, client)
    } catch (error) {
      client.destroy()
      if (isConnectionError(error)) return undefined
      throw error
    }
  }

  /** Give up the share; answers whether it was the last. As long as the client lives, nobody else can take one then. */
  async isLast(): Promise<boolean> {
    const client = this.#client.getTransactionStatus() === 'I' ? this.#client : undefined
    try {
      const rows = (
        await client?.query<{ last: boolean }>(
          `select pg_advisory_unlock_shared${LOCK}, pg_try_advisory_lock${LOCK} as last`,
        )
      )?.rows
      return rows?.[0]?.last ?? false
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    this.#client.destroy()
    await this.#client.closed()
  }
}
