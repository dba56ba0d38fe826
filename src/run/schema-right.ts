// What to do if the user of the database may not create or use schema `sluice`.
import { grantCommand } from '../database/creation-right.ts'
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
  const { user, hasSchema, lacking } = await database.one<{ user: string; hasSchema: boolean; lacking: string }>(
    `select current_user as "user", n.oid is not null as "hasSchema",
            concat_ws(' and ', case when not has_schema_privilege(n.oid, 'usage') then 'USAGE' end,
                               case when not has_schema_privilege(n.oid, 'create') then 'CREATE' end) as lacking
       from (values (1)) as one left join pg_namespace as n on n.nspname = 'sluice'`,
  )
  const problem = hasSchema
    ? `the user ${user} lacks a right in the schema sluice`
    : `the schema sluice does not exist, and the user ${user} may not create it`
  const details = [lacking, cause === undefined ? '' : messageOf(cause)].filter((detail) => detail !== '')
  const detail = details.length === 0 ? '' : ` (${details.join(': ')})`
  return new DatabaseError(
    `${database.label}: ${problem}${detail}. Let an administrator run: ${grantCommand(user, schemas)}`,
    { cause, explanation: 'DATABASE_RIGHTS' },
  )
}
