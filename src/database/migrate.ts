import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseError } from '../model/errors.ts'
import type { Database } from './database.ts'
import { sqlState } from './errors.ts'
import type { Transaction } from './transaction.ts'

export interface MigrateOptions {
  /** @default the package's own */
  readonly directory?: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Bring schema `sluice` to the state that this version of the program needs; answers the names of the migrations that
 * ran now.
 */
export async function migrate(database: Database, { directory, signal }: MigrateOptions = {}): Promise<string[]> {
  const from = directory ?? (await migrationsDirectory())
  const files = (await readdir(from))
    .filter((name) => name.endsWith('.sql'))
    .map((name) => name.slice(0, -4))
    .toSorted()
  const done = await migrationsOf(database, signal)
  const unknown = done.filter((name) => !files.includes(name))
  if (unknown.length > 0) {
    throw new DatabaseError(
      `${database.label}: schema sluice was made by a newer version (${unknown.join(', ')}); install that version here too`,
    )
  }
  if (done.length === files.length) return []
  await using transaction = await database.transaction({ lockTimeout: '2m', signal })
  await transaction.lock('migrations')
  const ran = await runAll(transaction, from)
  await transaction.commit()
  return ran
}

/** Whether schema `sluice` is as this version of the program needs it. */
export async function readSchemaState(
  database: Database,
  { directory, signal }: MigrateOptions = {},
): Promise<'missing' | 'old' | 'current'> {
  const files = (await readdir(directory ?? (await migrationsDirectory()))).filter((name) => name.endsWith('.sql'))
  const done = await migrationsOf(database, signal)
  return done.length === 0 ? 'missing' : done.length < files.length ? 'old' : 'current'
}

/** One cheap query, which is all there is to do at nearly every start. */
async function migrationsOf(database: Database, signal: AbortSignal | undefined): Promise<string[]> {
  try {
    return (await database.query<{ name: string }>('select name from sluice.migrations', [], { signal })).map(
      ({ name }) => name,
    )
  } catch (error) {
    const state = sqlState(error)
    if (state === '42P01' || state === '3F000') return []
    throw error
  }
}

/**
 * All in the transaction that is open already; the runner's own transaction and its lock of the session are left out.
 */
async function runAll(transaction: Transaction, directory: string): Promise<string[]> {
  const { runner } = await import('node-pg-migrate')
  const silent = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  const query = async (statement: string | { readonly text: string }) => {
    const text = typeof statement === 'string' ? statement : statement.text
    if (/^(begin|commit|rollback);?$/i.test(text.trim())) return { rows: [] }
    return { rows: await transaction.query(text) }
  }
  const ran = await runner({
    dbClient: { query } as never,
    dir: directory,
    ignorePattern: '.*(?<!\\.sql)',
    direction: 'up',
    migrationsSchema: 'sluice',
    migrationsTable: 'migrations',
    createMigrationsSchema: true,
    singleTransaction: true,
    noLock: true,
    logger: silent,
  })
  return ran.map(({ name }) => name)
}

function quiet(): void {}

/**
 * `migrations/` of the package: above `src/` as well as above the compiled `dist/`, however deep that keeps this file.
 */
async function migrationsDirectory(): Promise<string> {
  for (let directory = import.meta.dirname; directory !== dirname(directory); directory = dirname(directory)) {
    const candidate = join(directory, 'migrations')
    const names = await readdir(candidate).catch(() => [])
    if (names.some((name) => name.endsWith('.sql'))) return candidate
  }
  throw new DatabaseError(
    `${import.meta.dirname}: the directory "migrations" of the package is missing; install the package again`,
  )
}
