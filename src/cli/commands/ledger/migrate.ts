import type { Database } from '../../../database/database.ts'
import { migrate } from '../../../database/migrate.ts'
import { grantStatements } from '../../../ledger/grants.ts'
import { UsageError } from '../../../model/errors.ts'
import { connectStore } from '../../../run/open-store.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'

interface MigrateOptions extends CommonOptions {
  readonly grant?: string
  readonly schema?: readonly string[]
  readonly apply?: boolean
}

/** `sluice migrate`: updates schema sluice, and grants what a role needs that may not create schemas. */
export async function migrateCommand(
  _: [],
  { database, grant: user, schema: schemas = [], apply = false }: MigrateOptions,
  { signal }: CommandContext,
): Promise<number> {
  if (user === undefined && (apply || schemas.length > 0))
    throw new UsageError('--schema and --apply belong to --grant: name the role, as in --grant etl')
  await using store = await connectStore({ database, signal })
  if (user !== undefined && !apply) {
    const { name } = await store.database.one<{ name: string }>('select current_database() as name')
    for (const statement of grantStatements({ user, database: name, schemas })) console.log(`${statement};`)
    return 0
  }
  const ran = await migrate(store.database, { signal })
  await createQueue(store.database)
  const result = ran.length === 0 ? 'is up to date' : `was updated by ${ran.join(', ')}`
  console.log(`${store.database.label}: schema sluice ${result}`)
  if (user === undefined) return 0
  const { name } = await store.database.one<{ name: string }>('select current_database() as name')
  await using transaction = await store.database.transaction({ signal })
  const statements = grantStatements({ user, database: name, schemas })
  await transaction.commit(statements.join(';\n'))
  console.log(`${store.database.label}: ${user} may run pipelines (${statements.length} statements)`)
  return 0
}

/** Creates or updates the schema of the jobs that wake workers, so that a role without that right can use it. */
async function createQueue(database: Database): Promise<void> {
  const { openWorkQueue } = await import('../../../run/distribute/open-work-queue.ts')
  await using _ = await openWorkQueue(database, { schemas: [] })
}
