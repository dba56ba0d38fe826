import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openDatabase } from '../../src/database/database.ts'
import { embeddedDatabase } from '../../src/database/embedded/embedded-database.ts'
import { migrate } from '../../src/database/migrate.ts'
import { dataDirectory } from './data-directory.ts'
import type { TestDatabase } from './database.ts'

/**
 * Starts a server that no other test uses, with a migrated database: for what is measured for a whole server, such as
 * the bytes of its write-ahead log. Disposing stops and removes it.
 */
export async function ownServer(): Promise<TestDatabase> {
  await using made = new AsyncDisposableStack()
  const dir = await mkdtemp(join(dataDirectory(), 'sluice-own-'))
  made.defer(() => rm(dir, { recursive: true, force: true }))
  const server = made.use(await embeddedDatabase({ dir, durable: false, settings: { autovacuum: 'off' } }))
  const database = made.use(await openDatabase({ url: server.url }))
  await migrate(database)
  const kept = made.move()
  return { url: server.url, database, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
