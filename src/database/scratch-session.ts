import { DatabaseError } from '../model/errors.ts'
import { duration } from '../value/duration.ts'
import type { Connection } from './connection/connection.ts'
import type { Chunks } from './copy.ts'
import type { Database } from './database.ts'
import type { Queryable } from './queryable.ts'

/** A comparison reads a whole table, as the last batch of a replace does. */
const STATEMENT_TIMEOUT = '2h'

/**
 * A connection of its own for temporary tables that are filled for longer than a transaction may last. They end with
 * the connection, also if the process is killed.
 *
 * @example
 * await using scratch = await ScratchSession.open(database, { signal })
 */
export class ScratchSession implements Queryable, AsyncDisposable {
  readonly #connection: Connection
  readonly #limits: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined }

  private constructor(connection: Connection, signal: AbortSignal | undefined) {
    this.#connection = connection
    this.#limits = { timeoutMs: duration(STATEMENT_TIMEOUT), signal }
  }

  /**
   * Throws behind a pooler, which shares connections: there, tables would have to be those of one transaction, whose
   * locks would keep runs from altering the table for hours.
   */
  static async open(
    database: Database,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<ScratchSession> {
    const connection = await database.connection({ direct: true, signal })
    const session = new ScratchSession(connection, signal)
    try {
      const { pid } = await connection.one<{ pid: number }>('select pg_backend_pid() as pid')
      // Behind a pooler the protocol names another backend.
      if (pid !== connection.pid)
        throw new DatabaseError(
          `${database.label}: a pooler shares its connections, and temporary tables need one of their own. Set ` +
            'DATABASE_DIRECT_URL to the server itself; in place of --database, set DATABASE_URL to the pooler',
        )
      await session.query(
        // Reading the table waits for a session that alters it. Values are shown in one form everywhere.
        `set statement_timeout = 0; set idle_session_timeout = 0; set lock_timeout = '10min';
         set timezone = 'UTC'; set datestyle = 'ISO, YMD'`,
      )
      return session
    } catch (error) {
      await connection[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Runs one statement, or without values several, and returns the rows of the last one. */
  query<Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    return this.#connection.query<Row>(text, values, this.#limits)
  }

  one<Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row> {
    return this.#connection.one<Row>(text, values, this.#limits)
  }

  maybeOne<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<Row | undefined> {
    return this.#connection.maybeOne<Row>(text, values, this.#limits)
  }

  /** Runs statements of which the last is `copy … from stdin`, with its data. Returns the number of rows copied. */
  copy(text: string, chunks: Chunks): Promise<number> {
    return this.#connection.copy(text, chunks, this.#limits)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
  }
}
