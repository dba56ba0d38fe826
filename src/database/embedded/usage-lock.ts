import { abortable } from '../../flow/signals/abortable.ts'
import { WatchedClient } from '../connection/client.ts'
import { isConnectionError } from '../errors.ts'

/**
 * Each process that uses the server holds this advisory lock, shared, in a session of its own. A process that is killed
 * loses it with its connection.
 */
const LOCK = '(1399616835, 1)'

/** Marks this process as a user of the embedded server. The process that releases the last lock stops the server. */
export class UsageLock {
  readonly url: string
  readonly #client: WatchedClient

  private constructor(url: string, client: WatchedClient) {
    this.url = url
    this.#client = client
  }

  /** Returns undefined if the server is not ready, or is stopping. */
  static async acquire(url: string, signal: AbortSignal | undefined): Promise<UsageLock | undefined> {
    const client = new WatchedClient({ connectionString: url, application_name: 'sluice hold' })
    try {
      await abortable(client.connect(), signal)
      // Waits while another process stops the server, and then fails with it.
      await abortable(client.query(`set lock_timeout = '60s'; select pg_advisory_lock_shared${LOCK}`), signal)
      return new UsageLock(url, client)
    } catch (error) {
      client.destroy()
      if (isConnectionError(error)) return undefined
      throw error
    }
  }

  /**
   * Releases the lock, and returns true if it was the last one. Then no other process can acquire one until this
   * connection is closed.
   */
  async releaseIsLast(): Promise<boolean> {
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
