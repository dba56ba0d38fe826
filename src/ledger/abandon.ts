import type { Database } from '../database/database.ts'
import { noteChange, type Author } from './changes.ts'
import { ENDED_UNEXPECTEDLY, LAST_SEEN_SQL } from './runs.ts'

/** No hash of a definition has this text, so the next claim restarts the slice. */
const ABANDONED = 'abandoned'

/**
 * Lets the next run begin again at the start of what a run has left open, and not after its last commit. What the
 * slices have stored by append is removed as they restart. A run whose process is gone becomes interrupted. Returns the
 * streams whose slices restart. Slices that a run holds are left alone.
 */
export async function abandonRun(
  database: Database,
  { id, pipeline }: { readonly id: string; readonly pipeline: string },
  by: Author,
): Promise<string[]> {
  await using transaction = await database.transaction()
  const slices = await transaction.query<{ stream: string; chain: string | null }>(
    `update sluice.slices as s set definition = '${ABANDONED}'
      where s.run = $1 and s.kind = 'sync' and s.status = 'open' and sluice.is_claimable(s)
      returning s.stream, s.chain`,
    [id],
  )
  const chains = slices.flatMap(({ chain }) => (chain === null ? [] : [chain]))
  await transaction.query(`update sluice.chains set definition = '${ABANDONED}' where id = any($1)`, [chains])
  await transaction.query(
    `update sluice.runs as r
        set status = 'interrupted', finished_at = ${LAST_SEEN_SQL}, error = '${ENDED_UNEXPECTEDLY}'
      where r.id = $1 and r.status = 'running' and not sluice.is_alive(r)`,
    [id],
  )
  const streams = [...new Set(slices.map(({ stream }) => stream))].toSorted()
  if (streams.length > 0)
    await noteChange(transaction, { ...by, pipeline, run: id, change: `abandoned: ${streams.join(', ')}` })
  await transaction.commit()
  return streams
}
