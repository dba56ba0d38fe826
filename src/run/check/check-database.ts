import type { Database } from '../../database/database.ts'
import { readSchemaState } from '../../database/migrate.ts'
import { DatabaseError } from '../../model/errors.ts'
import { schemaRightError, withSchemaRights } from '../schema-right.ts'

/**
 * Checks that the server can be written to, and that the user may use or create schema `sluice`. Returns the label of
 * the database, the version of the server and the state of the schema. Throws the problem with its remedy.
 */
export async function checkDatabase(database: Database, schemas: readonly string[]): Promise<string> {
  // A transaction that may write: a standby refuses it with an error that has a remedy.
  await using transaction = await database.transaction()
  const { version, readonly, mayCreate } = await transaction.one<{
    version: string
    readonly: string
    mayCreate: boolean
  }>(
    `select current_setting('server_version') as version, current_setting('transaction_read_only') as readonly,
            coalesce(has_schema_privilege(to_regnamespace('sluice'), 'create'),
                     has_database_privilege(current_database(), 'create')) as "mayCreate"`,
  )
  if (readonly === 'on')
    throw new DatabaseError('it is read-only. Set DATABASE_URL to a server, a database and a user that may write')
  const state = await withSchemaRights(database, schemas, () => readSchemaState(database))
  if (state === 'missing' && !mayCreate) throw await schemaRightError(database, schemas)
  const texts = { missing: 'the first run creates it', old: 'the next run updates it', current: 'up to date' }
  const schema = texts[state]
  return `${database.label}, PostgreSQL ${version}; schema sluice: ${schema}`
}
