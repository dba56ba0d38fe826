// May the user create a table? The same answer for `check` and for the run that creates it.
import type { Queryable } from './queryable.ts'
import { quoteIdentifier, quoteLiteral, splitTable } from './quote.ts'

/** Returns the command with which an administrator lets a role run pipelines whose tables are in these schemas. */
export function grantCommand(user: string, schemas: readonly string[]): string {
  const named = schemas.length > 0 ? schemas.map(shellWord).join(' ') : 'SCHEMA (that of the tables)'
  return `sluice migrate --grant ${shellWord(user)} --apply --schema ${named}`
}

const shellWord = (text: string): string =>
  /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`

export interface CreationRight {
  readonly isSchemaMissing: boolean
  /** Names the right that is missing, the schema, the role and the grant; undefined if none is missing. */
  readonly problem: string | undefined
}

/** Returns whether the user may create a table that does not exist, such as `'billing.customers'`. */
export async function readCreationRight(on: Queryable, table: string): Promise<CreationRight> {
  const { schema } = splitTable(table)
  const found = await on.one<{
    isMissing: boolean
    mayUse: boolean | null
    mayCreate: boolean | null
    mayCreateSchema: boolean
    user: string
    database: string
  }>(
    `select n.oid is null as "isMissing", has_schema_privilege(n.oid, 'usage') as "mayUse",
            has_schema_privilege(n.oid, 'create') as "mayCreate",
            has_database_privilege(current_database(), 'create') as "mayCreateSchema",
            current_user as "user", current_database() as database
       from (values (1)) as one left join pg_namespace as n on n.nspname = ${quoteLiteral(schema)}`,
  )
  const { isMissing, mayUse, mayCreate, mayCreateSchema, user, database } = found
  const [role, quoted] = [quoteIdentifier(user), quoteIdentifier(schema)]
  const grant = `grant usage, create on schema ${quoted} to ${role}`
  const remedy = (sql: string): string =>
    `Let an administrator run: ${sql}. For all that pipelines need: ${grantCommand(user, [schema])}`
  if (isMissing)
    return {
      isSchemaMissing: true,
      problem: mayCreateSchema
        ? undefined
        : `the schema ${schema} does not exist, and the user ${user} lacks the right CREATE on the database ` +
          `${database}. ${remedy(`create schema ${quoted}; ${grant}`)}`,
    }
  const lacking = [mayUse ? [] : 'USAGE', mayCreate ? [] : 'CREATE'].flat()
  return {
    isSchemaMissing: false,
    problem:
      lacking.length === 0
        ? undefined
        : `the table does not exist, and the user ${user} lacks the ${lacking.length === 1 ? 'right' : 'rights'} ` +
          `${lacking.join(' and ')} on the schema ${schema}. ${remedy(grant)}`,
  }
}
