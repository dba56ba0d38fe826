import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Database } from '../../database/database.ts'
import { embeddedDatabase } from '../../database/embedded/embedded-database.ts'
import { quoteIdentifier } from '../../database/quote.ts'
import { UsageError } from '../../model/errors.ts'
import { messageOf } from '../../value/error.ts'
import { storedRows, type StoredRow } from './stored-rows.ts'

/** Options of a temporary database. */
export interface TemporaryDatabaseOptions {
  /**
   * Address of the server, `postgres://…`, whose role may create databases. @default DATABASE_URL, else an embedded
   * PostgreSQL in `.sluice/testing`
   */
  readonly database?: string
  readonly signal?: AbortSignal
}

/** A database that is dropped when it is disposed. */
export interface TemporaryDatabase extends AsyncDisposable {
  readonly url: string
  /** Returns the rows of a table such as `shop.orders`, in the order of its key. */
  readonly rows: (table: string) => Promise<StoredRow[]>
}

/**
 * Creates an empty database for a test, and drops it at the end. Several runs may write to it, one after the other.
 *
 * @throws UsageError if the role may not create databases
 *
 * @example
 * await using database = await temporaryDatabase()
 * await loaded(shop, { from: replay('test/monday.json'), into: database })
 * const { tables } = await loaded(shop, { from: replay('test/tuesday.json'), into: database })
 */
export async function temporaryDatabase({
  database = process.env['DATABASE_URL'] || undefined,
  signal = new AbortController().signal,
}: TemporaryDatabaseOptions = {}): Promise<TemporaryDatabase> {
  if (database !== undefined && !/^postgres(?:ql)?:\/\//.test(database))
    throw new UsageError(
      'temporaryDatabase(): database is not the address of a PostgreSQL server. ' +
        'Such an address is postgres://user:password@host:5432/name',
    )
  await using opened = new AsyncDisposableStack()
  const server =
    database ?? opened.use(await embeddedDatabase({ dir: join('.sluice', 'testing'), durable: false, signal })).url
  const name = `sluice_test_${randomBytes(6).toString('hex')}`
  await administer(server, `create database ${quoteIdentifier(name)}`).catch((cause: unknown) => {
    throw new UsageError(
      `temporaryDatabase(): a database for the test could not be created (${messageOf(cause)}). Give a role that may ` +
        'create databases, by the option database or DATABASE_URL; without both, an embedded PostgreSQL is used',
      { cause },
    )
  })
  opened.defer(() => administer(server, `drop database ${quoteIdentifier(name)} with (force)`))
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href
  const kept = opened.move()
  return { url, rows: (table) => storedRows(url, table), [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

async function administer(url: string, statement: string): Promise<void> {
  await using server = new Database({ url, max: 1 })
  await server.query(statement)
}
