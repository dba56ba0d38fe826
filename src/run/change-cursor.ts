import type { Database } from '../database/database.ts'
import { quoteTable } from '../database/quote.ts'
import type { StreamName } from '../ledger/stream-name.ts'
import { resetCursor, setCursor } from '../ledger/cursors.ts'
import { shadowName } from '../load/shadow.ts'

/**
 * Let the next run of a stream read on from a value; without one, from the very beginning. What is open of the stream
 * is closed in the same transaction, with its shadow, since it would resume otherwise. Answers how many slices that
 * were.
 */
export async function changeCursor(
  database: Database,
  name: StreamName,
  { value, signal }: { readonly value?: string; readonly signal?: AbortSignal },
): Promise<number> {
  await using transaction = await database.transaction({ signal })
  const closed = value === undefined ? await resetCursor(transaction, name) : await setCursor(transaction, name, value)
  await transaction.commit(closed.map((slice) => `drop table if exists ${quoteTable(shadowName(slice))}`).join(';\n'))
  return closed.length
}
