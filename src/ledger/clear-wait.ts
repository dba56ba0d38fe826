import type { Queryable } from '../database/queryable.ts'
import type { StoredWait } from './read/read-waits.ts'

/** Lifts a wait. Processes that wait for it are notified. */
export async function clearWait(on: Queryable, { rate, path }: Pick<StoredWait, 'rate' | 'path'>): Promise<void> {
  await on.query('select sluice.clear_limits($1, $2)', [rate, path ?? ''])
}
