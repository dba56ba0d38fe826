import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseError } from '../model/errors.ts'
import { packageRoot } from '../observe/package-root.ts'
import type { Database } from './database.ts'
import { sqlState } from './errors.ts'
import type { Transaction } from './transaction.ts'

export interface MigrateOptions {
  /** @default the package's own */
  readonly directory?: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Brings schema `sluice` to the state that this version of Sluice needs. Returns the names of the migrations that it
 * ran.
 */
export async function migrate(
  database: Database,
  { directory = join(packageRoot(), 'migrations'), signal }: MigrateOptions = {},
): Promise<string[]> {
  const files = await readFiles(directory)
  const done = await migrationsOf(database, signal)
  const unknown = done.filter((name) => !files.includes(name))
  if (unknown.length > 0) {
    throw new DatabaseError(
      `${database.label}: schema sluice was made by a newer version (${unknown.join(', ')}); ` +
        'install that version here too',
    )
  }
  if (done.length === files.length) return []
  await using transaction = await database.transaction({ lockTimeout: '2m', signal })
  await transaction.lock('migrations')
  const ran = await runAll(transaction, directory)
  await transaction.commit()
  return ran
}

/** `missing`: there is no schema `sluice` yet; `old`: migrations of this version have not run. */
export type SchemaState = 'missing' | 'old' | 'current'

/** Compares schema `sluice` with the migrations of this version. */
export async function readSchemaState(
  database: Database,
  { directory = join(packageRoot(), 'migrations'), signal }: MigrateOptions = {},
): Promise<SchemaState> {
  const files = await readFiles(directory)
  const done = await migrationsOf(database, signal)
  if (done.length === 0) return 'missing'
  return done.length < files.length ? 'old' : 'current'
}

/** Returns the names of the migrations in a directory, without `.sql`, in their order. */
async function readFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((cause: unknown) => {
    throw new DatabaseError(`${directory}: the migrations of sluice cannot be read. Install the package again.`, {
      cause,
    })
  })
  return names
    .filter((name) => name.endsWith('.sql'))
    .map((name) => name.slice(0, -4))
    .toSorted()
}

/** Returns the migrations that have run. Most starts need only this one query. */
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
 * Runs all migrations in the open transaction. The runner's own transaction and its session lock are skipped.
 */
async function runAll(transaction: Transaction, directory: string): Promise<string[]> {
  const { runner } = await import('node-pg-migrate')
  const silent = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  // The runner puts the stack of some errors into the message of another one, without their SQLSTATE.
  let failure: unknown
  const query = async (statement: string | { readonly text: string }) => {
    const text = typeof statement === 'string' ? statement : statement.text
    if (/^(begin|commit|rollback);?$/i.test(text.trim())) return { rows: [] }
    try {
      return { rows: await transaction.query(text) }
    } catch (error) {
      failure ??= error
      throw error
    }
  }
  // `create schema if not exists` would need the right to create schemas even if the schema exists.
  await transaction.query(`do $$ begin if to_regnamespace('sluice') is null then create schema sluice; end if; end $$`)
  const ran = await runner({
    dbClient: { query } as never,
    dir: directory,
    ignorePattern: '.*(?<!\\.sql)',
    direction: 'up',
    migrationsSchema: 'sluice',
    migrationsTable: 'migrations',
    singleTransaction: true,
    noLock: true,
    // A migration may come to a version after one with a higher number. It then changes nothing of that one.
    checkOrder: false,
    logger: silent,
  }).catch((error: unknown) => {
    throw failure ?? error
  })
  return ran.map(({ name }) => name)
}

function quiet(): void {}
