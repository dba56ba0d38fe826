import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openDatabase, type Database } from '../database/database.ts'
import { databaseLabel } from '../database/connection/label.ts'
import { embeddedDatabase } from '../database/embedded/embedded-database.ts'
import { migrate } from '../database/migrate.ts'
import { defined } from '../value/defined.ts'
import { UsageError } from '../model/errors.ts'
import type { Duration } from '../model/request.ts'
import { withSchemaRights } from './schema-right.ts'

export interface OpenStoreOptions {
  /** `postgres://…`. @default DATABASE_URL of the environment, else an embedded PostgreSQL in `.sluice/` */
  readonly database?: string | undefined
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Connections at once. @default 10 */
  readonly max?: number
  /** Schemas of the pipelines' tables. An error about a missing right names them. @default unknown */
  readonly schemas?: readonly string[]
  readonly signal: AbortSignal
}

export interface Store extends AsyncDisposable {
  readonly database: Database
  readonly url: string
}

/** Connects to the database of tables and ledger, and brings its schema `sluice` up to date. Dispose it at the end. */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  await using opened = new AsyncDisposableStack()
  const store = opened.use(await connectStore(options))
  const { database } = store
  await withSchemaRights(database, options.schemas ?? [], () => migrate(database, { signal: options.signal }))
  const kept = opened.move()
  return { ...store, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** Connects to the database without any change. Returns undefined if the embedded database does not exist yet. */
export async function openStoreToRead(options: OpenStoreOptions): Promise<Store | undefined> {
  const { database, environment = process.env } = options
  if (
    database === undefined &&
    !environment['DATABASE_URL'] &&
    !(await stat(join(EMBEDDED_DIR, 'postgres')).catch(() => undefined))
  )
    return undefined
  return connectStore(options)
}

const EMBEDDED_DIR = '.sluice'

/** Connects to the database as it is: its schema `sluice` may be missing or old. */
export async function connectStore({
  database: given,
  environment = process.env,
  max,
  signal,
}: OpenStoreOptions): Promise<Store> {
  await using opened = new AsyncDisposableStack()
  const directUrl = environment['DATABASE_DIRECT_URL']
  for (const [name, text] of Object.entries({
    database: given,
    DATABASE_URL: given === undefined ? environment['DATABASE_URL'] : undefined,
    DATABASE_DIRECT_URL: directUrl,
  })) {
    if (text && !/^postgres(?:ql)?:\/\//.test(text))
      throw new UsageError(
        `${name} is not the address of a PostgreSQL database. ` +
          'Such an address is postgres://user:password@host:5432/name',
      )
    if (text) databaseLabel(text, name)
  }
  const url =
    given ??
    (environment['DATABASE_URL'] || undefined) ??
    opened.use(await embeddedDatabase({ dir: EMBEDDED_DIR, signal })).url
  const connectTimeout = connectTimeoutOf(url)
  const database = opened.use(
    await openDatabase({
      url,
      signal,
      ...defined({ max, connectTimeout, directUrl: given === undefined ? directUrl || undefined : undefined }),
    }),
  )
  const kept = opened.move()
  return { database, url, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** Returns the parameter `connect_timeout` of an address, which is in seconds as for PostgreSQL's own clients. */
function connectTimeoutOf(url: string): Duration | undefined {
  const [, seconds] = /[?&]connect_timeout=(\d{1,6})(?:&|$)/.exec(url) ?? []
  return seconds === undefined || Number(seconds) === 0 ? undefined : `${Number(seconds)}s`
}

/** Keeps the embedded database running until it is disposed. Does nothing for a database with an address. */
export async function keepDatabase({
  database,
  environment = process.env,
  signal,
}: Pick<OpenStoreOptions, 'database' | 'environment' | 'signal'>): Promise<AsyncDisposable | undefined> {
  return database === undefined && !environment['DATABASE_URL']
    ? embeddedDatabase({ dir: EMBEDDED_DIR, signal })
    : undefined
}
