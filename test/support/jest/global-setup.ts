import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../../../src/database/database.ts'
import { embeddedDatabase } from '../../../src/database/embedded/embedded-database.ts'
import { findPostmaster } from '../../../src/database/embedded/postmaster.ts'
import { migrate } from '../../../src/database/migrate.ts'
import { cheapPassword } from '../cheap-password.ts'
import { dataDirectory } from '../data-directory.ts'
import { administer, SERVER, TEMPLATE, urlOf, VERSION } from '../database.ts'

const PREFIX = 'sluice-test-'

/**
 * Starts one server for all test files, with a migrated template database. If `SLUICE_TEST_SERVER` is set already, that
 * server is used: it must allow this user everything.
 */
export default async function setup(): Promise<void> {
  if (process.env[SERVER]) {
    await administer(`drop database if exists ${TEMPLATE} with (force)`)
    await makeTemplate()
    return
  }
  await removeForgotten()
  const dir = await mkdtemp(join(dataDirectory(), PREFIX))
  const server = await embeddedDatabase({ dir, durable: false, settings: { max_connections: '200' } })
  process.env[SERVER] = server.url
  shared.stop = async () => {
    await server[Symbol.asyncDispose]()
    await rm(dir, { recursive: true, force: true })
  }
  try {
    await cheapPassword(server.url)
    await makeTemplate()
  } catch (error) {
    // There is no teardown after a failed setup.
    await shared.stop()
    throw error
  }
}

async function makeTemplate(): Promise<void> {
  await administer(`create database ${TEMPLATE}`)
  await using template = await openDatabase({ url: urlOf(TEMPLATE) })
  const { version } = await template.one<{ version: string }>(`select current_setting('server_version_num') as version`)
  process.env[VERSION] = version
  await migrate(template)
}

/** Setup and teardown are separate modules in one process. */
export const shared = globalThis as typeof globalThis & { stop?: () => Promise<void> }

/** Removes the servers of earlier test runs that were killed. A server that is in use stays. */
async function removeForgotten(): Promise<void> {
  for (const parent of new Set([dataDirectory(), tmpdir()])) {
    for (const name of await readdir(parent)) {
      // A leftover that does not answer must not stop these tests.
      if (name.startsWith(PREFIX)) await removeIfForgotten(join(parent, name)).catch(() => undefined)
    }
  }
}

async function removeIfForgotten(dir: string): Promise<void> {
  const data = join(dir, 'postgres', 'data')
  const made = await stat(dir).catch(() => undefined)
  if (!made || made.uid !== process.getuid?.() || Date.now() - made.mtimeMs < 600_000) return
  // A server that hangs in its shutdown must not fail the tests of today, so it stays.
  if (await findPostmaster(data)) await stopIfUnused(dir).catch(() => {})
  if (!(await findPostmaster(data))) await rm(dir, { recursive: true, force: true })
}

/** Uses the server once, because its last user stops it. */
async function stopIfUnused(dir: string): Promise<void> {
  const server = await embeddedDatabase({ dir, durable: false, signal: AbortSignal.timeout(10_000) })
  await server[Symbol.asyncDispose]()
}
