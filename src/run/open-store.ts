import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openDatabase, type Database } from '../database/database.ts'
import { embeddedDatabase } from '../database/embedded/embedded-database.ts'
import { migrate } from '../database/migrate.ts'
import { UsageError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { Duration } from '../model/request.ts'

export interface OpenStoreOptions {
  /** `postgres://…`. @default DATABASE_URL of the environment, else an embedded PostgreSQL kept in `.sluice/` */
  readonly database?: string | undefined
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Connections at once. @default 10 */
  readonly max?: number
  readonly emit?: (event: RunEvent) => void
  readonly signal: AbortSignal
}

export interface Store extends AsyncDisposable {
  readonly database: Database
  readonly url: string
}

/**
 * The database that tables and ledger live in, with schema `sluice` brought up to date: `await using store = await
 * openStore({ signal })`
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  await using opened = new AsyncDisposableStack()
  const store = opened.use(await connectStore(options))
  await migrate(store.database, { signal: options.signal })
  const kept = opened.move()
  return { ...store, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** The same, only to look: nothing is made or changed. Undefined where the embedded database has not been made yet. */
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

/** The same, as it is: schema `sluice` may be missing or old. */
export async function connectStore({
  database: given,
  environment = process.env,
  max,
  emit,
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
        `${name} is no address of a PostgreSQL database: it begins with postgres://, as in postgres://user:password@host:5432/name`,
      )
  }
  const url =
    given ??
    (environment['DATABASE_URL'] || undefined) ??
    opened.use(await embeddedDatabase({ dir: EMBEDDED_DIR, signal })).url
  const patience = patienceOf(url)
  const database = opened.use(
    await openDatabase({
      url,
      signal,
      ...(max !== undefined && { max }),
      ...(directUrl && given === undefined && { directUrl }),
      ...(emit && { emit }),
      ...(patience && { connectTimeout: patience }),
    }),
  )
  const kept = opened.move()
  return { database, url, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** `?connect_timeout=5`, in seconds, as PostgreSQL's own clients have it. */
function patienceOf(url: string): Duration | undefined {
  const [, seconds] = /[?&]connect_timeout=(\d{1,6})(?:&|$)/.exec(url) ?? []
  return seconds === undefined || Number(seconds) === 0 ? undefined : `${Number(seconds)}s`
}

/**
 * Keep the embedded database running as long as this is held, where it is the one that is used; else nothing is done.
 */
export async function keepDatabase({
  database,
  environment = process.env,
  signal,
}: Pick<OpenStoreOptions, 'database' | 'environment' | 'signal'>): Promise<AsyncDisposable | undefined> {
  return database === undefined && !environment['DATABASE_URL']
    ? embeddedDatabase({ dir: EMBEDDED_DIR, signal })
    : undefined
}
