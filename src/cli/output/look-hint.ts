import { splitTable } from '../../database/quote.ts'
import type { Report } from '../../model/report.ts'

/**
 * Returns a command line that shows the first rows of a table that these runs have filled. Returns undefined if they
 * brought no rows, or if the name of no table can be written without quotes.
 */
export function lookHint(
  reports: readonly Report[],
  { database }: { /** The option `--database`, if it was given. */ readonly database?: string | undefined } = {},
): string | undefined {
  const filled = reports
    .flatMap(({ streams }) => Object.values(streams))
    .find(({ counts, table }) => counts.inserted + counts.updated + counts.unchanged > 0 && PLAIN_NAME.test(table))
  if (!filled) return undefined
  const { schema, table } = splitTable(filled.table)
  // The address may hold a password.
  const where = database === undefined ? '' : ' --database …'
  return `Look at the rows:  npx sluice sql "select * from ${schema}.${table} limit 5"${where}`
}

/** Names that PostgreSQL and a shell read as they are. */
const PLAIN_NAME = /^[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?$/
