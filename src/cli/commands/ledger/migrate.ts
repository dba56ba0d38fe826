import { migrate } from '../../../database/migrate.ts'
import { connectStore } from '../../../run/open-store.ts'
import type { CommonOptions, CommandContext } from '../../execute-command.ts'

/** `sluice migrate` */
export async function migrateCommand(_: [], { database }: CommonOptions, { signal }: CommandContext): Promise<number> {
  await using store = await connectStore({ database, signal })
  const ran = await migrate(store.database, { signal })
  console.log(
    `${store.database.label}: ${ran.length === 0 ? 'schema sluice is up to date' : `schema sluice was brought up to date by ${ran.join(', ')}`}`,
  )
  return 0
}
