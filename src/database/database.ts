import { duration } from '../value/duration.ts'
import { DatabaseError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { Duration } from '../model/request.ts'
import { Connection } from './connection.ts'
import { databaseLabel } from './label.ts'
import { Pool } from './pool.ts'
import { onlyRow, onlyRowIfAny, type Queryable } from './queryable.ts'
import { quoteLiteral } from './quote.ts'
import { connectionConfig } from './tls.ts'
import { Transaction } from './transaction.ts'

export type { Connection } from './connection.ts'
export type { Result } from './session.ts'
export type { Savepoint, Transaction } from './transaction.ts'

export interface DatabaseOptions {
  readonly url: string
  /** Connections at once, beside those of `connection()`. @default 10 */
  readonly max?: number
  /** Reaches the server past a pooler, for `connection({ direct: true })`. @default url */
  readonly directUrl?: string | undefined
  /** What `pg_stat_activity` calls us. @default 'sluice' */
  readonly applicationName?: string
  /** How long a server that is not there is waited for. @default '30s' */
  readonly connectTimeout?: Duration
  readonly emit?: (event: RunEvent) => void
}

export interface TransactionOptions {
  /** For each statement. @default '5m' */
  readonly statementTimeout?: Duration
  /** @default '30s' */
  readonly lockTimeout?: Duration
  /** One snapshot for all statements, and none that writes. @default false */
  readonly readOnly?: boolean
  /** A name that its session can be found by: see `endMarked`. */
  readonly sessionTag?: string
  readonly signal?: AbortSignal | undefined
}

export interface QueryOptions {
  /** @default '5m' */
  readonly timeout?: Duration
  readonly signal?: AbortSignal | undefined
}

/** What a server needs beyond its own limit to tell us that it has stopped. */
const CANCEL_GRACE_MS = 30_000

/**
 * Lends connections and transactions of one PostgreSQL database. Nothing that it sends relies on the session, so a
 * pooler may stand between.
 */
export class Database implements Queryable, AsyncDisposable {
  readonly label: string
  readonly #options: DatabaseOptions
  readonly #pool: Pool

  constructor(options: DatabaseOptions) {
    this.#options = options
    this.label = databaseLabel(options.url)
    this.#pool = new Pool(configOf(options.url, options), options.max ?? 10, this.#connectOptions())
  }

  /** Connections that are lent at this moment. */
  get inUse(): number {
    return this.#pool.inUse
  }

  /** Those who wait for one. */
  get waiting(): number {
    return this.#pool.waiting
  }

  /** One statement by itself; answers its rows. */
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

  /** Returns this database with options that hold for each statement. */
  with(options: QueryOptions): Queryable {
    return {
      query: (text, values) => this.query(text, values, options),
      one: (text, values) => this.one(text, values, options),
      maybeOne: (text, values) => this.maybeOne(text, values, options),
    }
  }

  /** A transaction, to be held by `await using`: rolled back at the end of the block unless it was committed. */
  async transaction({
    statementTimeout = '5m',
    lockTimeout = '30s',
    readOnly = false,
    sessionTag: mark,
    signal,
  }: TransactionOptions = {}): Promise<Transaction> {
    const session = await this.#pool.acquire(signal)
    if (!readOnly && !session.client.isWritable) {
      this.#pool.release(session)
      throw new DatabaseError(
        `${this.label}: it is read-only, as a standby is; set DATABASE_URL to the primary server, and to a user who may write`,
      )
    }
    const statementMs = duration(statementTimeout)
    const opening = [
      readOnly ? 'begin isolation level repeatable read, read only' : 'begin',
      `set local statement_timeout = ${Math.ceil(statementMs)}`,
      `set local lock_timeout = ${Math.ceil(duration(lockTimeout))}`,
      `set local timezone = 'UTC'`,
      ...(mark === undefined ? [] : [`select pg_advisory_xact_lock_shared(${markKey(quoteLiteral(mark))})`]),
    ].join('; ')
    return new Transaction(session, opening, { signal, limitMs: 2 * statementMs + CANCEL_GRACE_MS }, (one) =>
      this.#pool.release(one),
    )
  }

  /**
   * End the sessions that are inside a transaction with this mark. A process that was stopped, or that the network has
   * cut off, keeps what its transactions have locked for as long as it likes; whoever takes its work over would wait
   * for that in vain.
   */
  async terminateTagged(mark: string, options: QueryOptions = {}): Promise<void> {
    await this.query(
      `select pg_terminate_backend(l.pid) from pg_locks as l join pg_stat_activity as a using (pid)
        where l.locktype = 'advisory' and l.objsubid = 1 and l.database = a.datid and a.datname = current_database() and a.usename = current_user
          and l.pid <> pg_backend_pid() and (l.classid::bigint << 32) | l.objid::bigint = ${markKey('$1')}`,
      [mark],
      options,
    )
  }

  /** A connection of its own outside the pool, for what has to outlive transactions: leases, notifications. */
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

  /** Closes every connection; statements still under way fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]()
  }

  #connectOptions() {
    const { connectTimeout = '30s', emit } = this.#options
    return { label: this.label, timeoutMs: duration(connectTimeout), emit }
  }
}

/** A database that answers: connects once, waiting for a server that is still starting. */
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
 * An advisory lock, shared: it keeps nobody waiting, and the catalog tells who has it. Names that a statement splits at
 * are none of ours.
 */
const markKey = (mark: string): string => `hashtextextended('sluice mark ' || ${mark}, 0)`

function configOf(url: string, { applicationName = 'sluice' }: DatabaseOptions) {
  return { ...connectionConfig(url), application_name: applicationName }
}
