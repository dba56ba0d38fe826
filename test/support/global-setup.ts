import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../../src/database/database.ts'
import { embeddedDatabase } from '../../src/database/embedded/embedded-database.ts'
import { migrate } from '../../src/database/migrate.ts'
import { administer, SERVER, TEMPLATE, urlOf } from './database.ts'

/** One server for all test files, in a directory of its own, with a migrated template of a database. */
export default async function setup(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-test-'))
  const server = await embeddedDatabase({ dir, durable: false, settings: { max_connections: '200' } })
  process.env[SERVER] = server.url
  shared.stop = async () => {
    await server[Symbol.asyncDispose]()
    await rm(dir, { recursive: true, force: true })
  }
  await administer(`create database ${TEMPLATE}`)
  await using template = await openDatabase({ url: urlOf(TEMPLATE) })
  await migrate(template)
}

/** Setup and teardown are loaded apart, but into one process. */
export const shared = globalThis as typeof globalThis & { stop?: () => Promise<void> }
