import { randomBytes } from 'node:crypto'
import { Database, openDatabase } from '../../src/database/database.ts'
import { quoteIdentifier } from '../../src/database/quote.ts'

/** The variable with the address of the test server. The global setup sets it. */
export const SERVER = 'SLUICE_TEST_SERVER'

/** The variable with the version of the test server as a number, `180004`. The global setup sets it. */
export const VERSION = 'SLUICE_TEST_VERSION'

/** The major version of the test server. */
export const serverVersion = (): number => Math.floor(Number(process.env[VERSION]) / 10_000)

/** A migrated database that test databases are copied from. */
export const TEMPLATE = 'sluice_template'

export interface TestDatabase extends AsyncDisposable {
  readonly url: string
  readonly database: Database
  [Symbol.asyncDispose]: () => Promise<void>
}

/** Returns the address of a database of the test server. */
export function urlOf(name: string): string {
  const server = process.env[SERVER]
  if (!server) throw new Error(`${SERVER} is not set: run the tests by \`npm run jest\``)
  return Object.assign(new URL(server), { pathname: `/${name}` }).href
}

/**
 * Creates a database with the schema `sluice` and nothing else. Disposing drops it.
 *
 * @example
 * await using test = await testDatabase()
 */
export async function testDatabase(
  options: Partial<ConstructorParameters<typeof Database>[0]> = {},
): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  // Before version 15 it is the only strategy.
  const strategy = serverVersion() < 15 ? '' : ' strategy file_copy'
  await administer(`create database ${quoteIdentifier(name)} template ${TEMPLATE}${strategy}`)
  const url = urlOf(name)
  const database = await openDatabase({ url, ...options })
  return {
    url,
    database,
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]()
      await administer(`drop database ${quoteIdentifier(name)} with (force)`)
    },
  }
}

/** Runs a statement that concerns the whole server. */
export async function administer(statement: string): Promise<void> {
  await using server = new Database({ url: urlOf('postgres'), max: 1 })
  await server.query(statement)
}
