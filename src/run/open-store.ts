import { openDatabase, type Database } from '../database/database.ts'
import { embeddedDatabase } from '../database/embedded/embedded-database.ts'
import { migrate } from '../database/migrate.ts'
import type { RunEvent } from '../model/event.ts'

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

/** The database that tables and ledger live in, with schema `sluice` brought up to date: `await using store = await openStore({ signal })` */
export async function openStore({ database: given, environment = process.env, max, emit, signal }: OpenStoreOptions): Promise<Store> {
  await using opened = new AsyncDisposableStack()
  const directUrl = environment['DATABASE_DIRECT_URL']
  const url = given ?? (environment['DATABASE_URL'] || undefined) ?? opened.use(await embeddedDatabase({ dir: '.sluice', signal })).url
  const database = opened.use(await openDatabase({ url, ...(max !== undefined && { max }), ...(directUrl && given === undefined && { directUrl }), ...(emit && { emit }) }))
  await migrate(database, { signal })
  const kept = opened.move()
  return { database, url, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
