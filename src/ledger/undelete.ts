// Puts deleted rows back, by `sluice.undelete()` in migrations/0055_undelete_in_sets.sql.
import type { Queryable } from '../database/queryable.ts'

export interface UndeleteOptions {
  readonly pipeline: string
  /** @default all streams of the pipeline */
  readonly stream?: string | undefined
  /** Only rows that were deleted since then. @default all that are kept */
  readonly since?: Date | undefined
  /** Only rows that this run has deleted. @default all that are kept */
  readonly run?: string | undefined
}

/** What has become of the deleted rows of one table. */
export interface Undeleted {
  readonly table: string
  /** Rows that were put back. */
  readonly restored: number
  /** Rows that exist again, and stay as they are. */
  readonly existing: number
  /** Rows that the database refuses. */
  readonly refused: number
  /** Keys of some rows that exist again, as JSON lists. */
  readonly existingKeys: readonly string[]
  /** The key of a row that was refused, and why. */
  readonly refusedKey?: string
  readonly reason?: string
}

/** Keys that are returned of rows that exist again. */
const EXAMPLES = 3

/** Puts back the rows that streams have deleted, with their lists. Run it in a transaction of its own. */
export async function undelete(
  on: Queryable,
  { pipeline, stream, since, run }: UndeleteOptions,
): Promise<readonly Undeleted[]> {
  const isRefused = `outcome not in ('restored', 'existing')`
  const rows = await on.query<Row>(
    `select table_name as "table",
            count(*) filter (where outcome = 'restored') as restored,
            count(*) filter (where outcome = 'existing') as existing,
            count(*) filter (where ${isRefused}) as refused,
            coalesce((array_agg(key order by n) filter (where outcome = 'existing'))[1:${EXAMPLES}], '{}')
              as existing_keys,
            (array_agg(key order by n) filter (where ${isRefused}))[1] as refused_key,
            (array_agg(outcome order by n) filter (where ${isRefused}))[1] as reason
       from sluice.undelete($1, $2, $3, $4) with ordinality as u (table_name, key, outcome, n)
      group by table_name order by min(n)`,
    [pipeline, stream, since, run],
  )
  return rows.map(({ table, restored, existing, refused, existing_keys: existingKeys, refused_key: key, reason }) => ({
    table,
    restored: Number(restored),
    existing: Number(existing),
    refused: Number(refused),
    existingKeys,
    ...(key !== null && reason !== null && { refusedKey: key, reason }),
  }))
}

interface Row {
  readonly table: string
  readonly restored: string
  readonly existing: string
  readonly refused: string
  readonly existing_keys: readonly string[]
  readonly refused_key: string | null
  readonly reason: string | null
}
