import { migrate } from '../../../database/migrate.ts'
import { connectStore } from '../../../run/open-store.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'

/** `sluice migrate`: updates schema sluice. */
export async function migrateCommand(_: [], { database }: CommonOptions, { signal }: CommandContext): Promise<number> {
  await using store = await connectStore({ database, signal })
  const ran = await migrate(store.database, { signal })
  const result = ran.length === 0 ? 'is up to date' : `was updated by ${ran.join(', ')}`
  console.log(`${store.database.label}: schema sluice ${result}`)
  return 0
}
