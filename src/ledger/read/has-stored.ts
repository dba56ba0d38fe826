import type { Database } from '../../database/database.ts'
import type { StreamName } from '../stream-name.ts'

/** Returns true if any slice of a stream has stored a row, or found it in the table. */
export async function hasStored(
  database: Database,
  { pipeline, stream }: StreamName,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  const { stored } = await database.one<{ stored: boolean }>(
    `select exists (
       select from sluice.slices
        where pipeline = $1 and stream = $2 and inserted + updated + unchanged > 0) as stored`,
    [pipeline, stream],
    { signal },
  )
  return stored
}
