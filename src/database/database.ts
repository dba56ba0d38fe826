import { duration } from '../value/duration.ts'
import { DatabaseError } from '../model/errors.ts'
import type { Duration } from '../model/request.ts'
import { Connection } from './connection/connection.ts'
import { databaseLabel } from './connection/label.ts'
import { Pool } from './connection/pool.ts'
import type { Result } from './connection/session.ts'
import { onlyRow, onlyRowIfAny, type Queryable } from './queryable.ts'
import { quoteLiteral } from './quote.ts'
import { connectionConfig } from './connection/tls.ts'
import { Transaction } from './transaction.ts'

export type { Connection } from './connection/connection.ts'
export type { Result } from './connection/session.ts'
export type { Savepoint, Transaction } from './transaction.ts'

export interface DatabaseOptions {
  readonly url: string
  /** Connections of the pool at once; those of `connection()` come in addition. @default 10 */
  readonly max?: number
  /** URL that bypasses a pooler, for `connection({ direct: true })`. @default url */
  readonly directUrl?: string | undefined
  /** Name in `pg_stat_activity`. @default 'sluice' */
  readonly applicationName?: string
  /** Time during which connecting to an unreachable server is retried. @default '30s' */
  readonly connectTimeout?: Duration
  /** Time without a connection after which `onDatabaseWait` is told. @default '3s' */
  readonly waitNotice?: Duration
}

export interface TransactionOptions {
  /** Limit of each statement. @default '5m' */
  readonly statementTimeout?: Duration
  /** @default '30s' */
  readonly lockTimeout?: Duration
  /** All statements see one snapshot, and none may write. @default false */
  readonly readOnly?: boolean
  /** Name by which `terminateTagged` finds the session. */
  readonly sessionTag?: string
  readonly signal?: AbortSignal | undefined
}

export interface QueryOptions {
  /** @default '5m' */
  readonly timeout?: Duration
  readonly signal?: AbortSignal | undefined
}

/** A server may report this long after its own limit that it has stopped a statement. */
const CANCEL_GRACE_MS = 30_000

/**
 * Connections and transactions of one PostgreSQL database. No statement relies on the session, so a pooler may stand
 * between.
 */
export class Database implements Queryable, AsyncDisposable {
  /** Names the database in messages, without its password. */
  readonly label: string
  readonly #options: DatabaseOptions
  readonly #pool: Pool

  constructor(options: DatabaseOptions) {
    this.#options = options
    this.label = databaseLabel(options.url)
    this.#pool = new Pool(configOf(options.url, options), options.max ?? 10, this.#connectOptions())
  }

  /** Connections of the pool that are in use. */
  get inUse(): number {
    return this.#pool.inUse
  }

  /** Callers that wait for a connection of the pool. */
  get waiting(): number {
    return this.#pool.waiting
  }

  /** Runs one statement by itself, and returns its rows. */
  async query<Row extends object = Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
    { timeout = '5m', signal }: QueryOptions = {},
  ): Promise<Row[]> {
    const session = await this.#pool.acquire(signal)
    try {
      return await session.query<Row>(text, values, { signal, limitMs: duration(timeout) })
    } finally {
      this.#pool.release(session)
    }
  }

  /** Returns the row of a statement that has exactly one. Throws `DatabaseError` for any other number. */
  async one<Row extends object = Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
    options: QueryOptions = {},
  ): Promise<Row> {
    return onlyRow(await this.query<Row>(text, values, options), { label: this.label, text })
  }

  /** Returns the row of a statement, or undefined if it has none. Throws `DatabaseError` for several rows. */
  async maybeOne<Row extends object = Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
    options: QueryOptions = {},
  ): Promise<Row | undefined> {
    return onlyRowIfAny(await this.query<Row>(text, values, options), { label: this.label, text })
  }

  /** Runs one statement that no transaction allows, such as `create database`. */
  async runAlone(text: string, { timeout = '2h', signal }: QueryOptions = {}): Promise<Result[]> {
    const session = await this.#pool.acquire(signal)
    try {
      return await session.runNumbered(text, { signal, limitMs: duration(timeout) })
    } finally {
      this.#pool.release(session)
    }
  }

  /** Returns this database with options that hold for each statement. */
  with(options: QueryOptions): Queryable {
    return {
      query: (text, values) => this.query(text, values, options),
      one: (text, values) => this.one(text, values, options),
      maybeOne: (text, values) => this.maybeOne(text, values, options),
    }
  }

  /** Opens a transaction. Disposing it rolls it back, unless it was committed. */
  async transaction({
    statementTimeout = '5m',
    lockTimeout = '30s',
    readOnly = false,
    sessionTag,
    signal,
  }: TransactionOptions = {}): Promise<Transaction> {
    const session = await this.#pool.acquire(signal)
    if (!readOnly && !session.client.isWritable) {
      this.#pool.release(session)
      throw new DatabaseError(
        `${this.label}: it is read-only, as a standby is; set DATABASE_URL to the primary server, and to a user with ` +
          'write permission',
      )
    }
    const statementMs = duration(statementTimeout)
    const opening = [
      readOnly ? 'begin isolation level repeatable read, read only' : 'begin',
      `set local statement_timeout = ${Math.ceil(statementMs)}`,
      `set local lock_timeout = ${Math.ceil(duration(lockTimeout))}`,
      `set local timezone = 'UTC'`,
      ...(sessionTag === undefined ? [] : [`select pg_advisory_xact_lock_shared(${tagKey(quoteLiteral(sessionTag))})`]),
    ].join('; ')
    return new Transaction(session, opening, { signal, limitMs: 2 * statementMs + CANCEL_GRACE_MS }, (released) =>
      this.#pool.release(released),
    )
  }

  /**
   * Terminates the sessions that have a transaction open with this tag. A process that is stopped, or cut off by the
   * network, keeps the locks of its transactions. The run that takes its work over would wait for them without end.
   */
  async terminateTagged(sessionTag: string, options: QueryOptions = {}): Promise<void> {
    await this.query(
      `select pg_terminate_backend(l.pid) from pg_locks as l join pg_stat_activity as a using (pid)
        where l.locktype = 'advisory' and l.objsubid = 1 and l.database = a.datid
          and a.datname = current_database() and a.usename = current_user
          and l.pid <> pg_backend_pid() and (l.classid::bigint << 32) | l.objid::bigint = ${tagKey('$1')}`,
      [sessionTag],
      options,
    )
  }

  /** Opens a connection outside the pool, for what outlives transactions: leases and notifications. */
  connection({
    direct = false,
    signal,
  }: { readonly direct?: boolean; readonly signal?: AbortSignal | undefined } = {}): Promise<Connection> {
    const url = direct ? (this.#options.directUrl ?? this.#options.url) : this.#options.url
    return Connection.open(configOf(url, this.#options), {
      ...this.#connectOptions(),
      label: databaseLabel(url),
      signal,
    })
  }

  /** Closes every connection. Statements under way fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]()
  }

  #connectOptions() {
    const { connectTimeout = '30s', waitNotice = '3s' } = this.#options
    return { label: this.label, timeoutMs: duration(connectTimeout), noticeMs: duration(waitNotice) }
  }
}

/** Opens a database and connects once. Waits for a server that is still starting. */
export async function openDatabase({
  signal,
  ...options
}: DatabaseOptions & { readonly signal?: AbortSignal | undefined }): Promise<Database> {
  const database = new Database(options)
  try {
    await database.query('select 1', [], { signal })
    return database
  } catch (error) {
    await database[Symbol.asyncDispose]()
    throw error
  }
}

/**
 * Returns the key of a shared advisory lock. It blocks no other session, and `pg_locks` shows which session holds it.
 * The prefix is a stored name: processes of an earlier version look for the same key.
 */
const tagKey = (sessionTag: string): string => `hashtextextended('sluice mark ' || ${sessionTag}, 0)`

function configOf(url: string, { applicationName = 'sluice' }: DatabaseOptions) {
  return { ...connectionConfig(url), application_name: applicationName }
}
