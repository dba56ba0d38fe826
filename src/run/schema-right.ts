// What to do if the user of the database may not create or use schema `sluice`.
import type { Database } from '../database/database.ts'
import { sqlState } from '../database/errors.ts'
import type { Pipeline } from '../define/pipeline.ts'
import { splitTable } from '../database/quote.ts'
import { DatabaseError } from '../model/errors.ts'
import { messageOf } from '../value/error.ts'

/** Returns the tables of all streams of some pipelines. */
export const tablesOf = (pipelines: readonly Pipeline[]): { readonly name: string }[] =>
  pipelines.flatMap(({ streams }) => Object.values(streams).map(({ table }) => table))

/** Returns the schemas of tables, each once. */
export const schemasOf = (tables: readonly { readonly name: string }[]): string[] => [
  ...new Set(tables.map(({ name }) => splitTable(name).schema)),
]

/** Returns the command with which an administrator lets a role run pipelines whose tables are in these schemas. */
export function grantCommand(user: string, schemas: readonly string[]): string {
  const named = schemas.length > 0 ? schemas.map(shellWord).join(' ') : 'SCHEMA (that of the tables)'
  return `sluice migrate --grant ${shellWord(user)} --apply --schema ${named}`
}

const shellWord = (text: string): string =>
  /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`

/** Returns what `open` returns. If a right in schema `sluice` is missing, throws an error that says how to grant it. */
export async function withSchemaRights<T>(
  database: Database,
  schemas: readonly string[],
  open: () => Promise<T>,
): Promise<T> {
  try {
    return await open()
  } catch (error) {
    if (sqlState(error) !== '42501') throw error
    throw await schemaRightError(database, schemas, error)
  }
}

/** Returns the error of a user who may not create schema `sluice`, or may not use what is in it. */
export async function schemaRightError(
  database: Database,
  schemas: readonly string[],
  cause?: unknown,
): Promise<DatabaseError> {
  const { user, hasSchema } = await database.one<{ user: string; hasSchema: boolean }>(
    `select current_user as "user", to_regnamespace('sluice') is not null as "hasSchema"`,
  )
  const problem = hasSchema
    ? `the user ${user} lacks a right in the schema sluice`
    : `the schema sluice does not exist, and the user ${user} may not create it`
  const detail = cause === undefined ? '' : ` (${messageOf(cause)})`
  return new DatabaseError(
    `${database.label}: ${problem}${detail}. Let an administrator run: ${grantCommand(user, schemas)}`,
    { cause, explanation: 'DATABASE_RIGHTS' },
  )
}
