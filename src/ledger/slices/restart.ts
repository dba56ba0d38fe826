import type { Database } from '../../database/database.ts'
import { NO_COUNTS } from '../../model/counts.ts'
import { quoteLiteral } from '../../database/quote.ts'
import type { HeldSlice, Restart } from './held-slice.ts'

/**
 * Begin a slice at its start again, since the API has forgotten its position or the claim has asked for it. Run `sql`
 * in the transaction that also removes what the slice has written (rows, shadow); afterwards the slice is as in
 * `slice`, but for the time at which it began, which `readBegunAt` reads.
 */
export function restart(
  held: HeldSlice,
  seq: number,
  to?: Restart,
): { readonly sql: string; readonly slice: HeldSlice } {
  const { highWaterMark: _high, boundary: _left, since, until, cursor, ...rest } = held
  const bounds = to ?? { since, until, cursor, definition: held.definition }
  const sql = `select sluice.reenter(${[held.id, held.token, seq].map((number) => `${BigInt(number)}`).join(', ')}, ${[bounds.definition, bounds.since, bounds.until, bounds.cursor].map(quoteLiteral).join(', ')});
update sluice.slices set unmet = null where id = ${BigInt(held.id)}`
  return {
    sql,
    slice: {
      ...rest,
      seq: seq + 1,
      position: null,
      batches: 0,
      rejected: 0,
      resumed: false,
      definition: bounds.definition,
      counts: NO_COUNTS,
      ...(held.wholeBoundary && { boundary: held.wholeBoundary }),
      ...(bounds.since !== undefined && { since: bounds.since }),
      ...(bounds.until !== undefined && { until: bounds.until }),
      ...(bounds.cursor !== undefined && { cursor: bounds.cursor }),
    },
  }
}

/**
 * When a slice began to be read, by the database's clock: until it begins anew this stays the same for every run, which
 * the hashes of newer records rely on.
 */
export async function readBegunAt(
  database: Database,
  { id }: Pick<HeldSlice, 'id'>,
  signal: AbortSignal,
): Promise<Date> {
  const [row] = await database.query<{ begun_at: Date }>('select begun_at from sluice.slices where id = $1', [id], {
    signal,
  })
  return row!.begun_at
}
