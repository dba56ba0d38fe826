import type { Queryable } from '../database/queryable.ts'
import type { Transaction } from '../database/database.ts'
import { closeOpenSlices, type StreamName } from './slices/close.ts'

/** How far a stream has come. */
export interface Cursor {
  readonly pipeline: string
  readonly stream: string
  readonly partition: string
  readonly value: string
  /** The slice that moved it; undefined where it was set by hand. */
  readonly slice?: string
  readonly updatedAt: Date
}

export async function readCursors(
  on: Queryable,
  { pipeline, stream }: { readonly pipeline?: string | undefined; readonly stream?: string | undefined } = {},
): Promise<Cursor[]> {
  const rows = await on.query<Omit<Cursor, 'slice'> & { readonly slice: string | null }>(
    `select pipeline, stream, partition, value, slice, updated_at as "updatedAt" from sluice.cursors
      where ($1::text is null or pipeline = $1) and ($2::text is null or stream = $2) order by pipeline, stream, partition`,
    [pipeline, stream],
  )
  return rows.map(({ slice, ...cursor }) => ({ ...cursor, ...(slice !== null && { slice }) }))
}

/**
 * Read on from another value. Closes what is open, which would otherwise end at its own cursor; answers the slices
 * whose shadows are to be dropped.
 */
export async function setCursor(transaction: Transaction, name: StreamName, value: string): Promise<string[]> {
  const closed = await closeOpenSlices(transaction, name, 'the cursor was set')
  await transaction.query(
    `insert into sluice.cursors (pipeline, stream, partition, value) values ($1, $2, $3, $4)
     on conflict (pipeline, stream, partition) do update set value = excluded.value, boundary = null, slice = null, updated_at = clock_timestamp()`,
    [name.pipeline, name.stream, name.partition ?? '', value],
  )
  return closed
}

/**
 * Forget how far a stream has come. Closes what is open, which would otherwise resume; answers the slices whose shadows
 * are to be dropped.
 */
export async function resetCursor(transaction: Transaction, name: StreamName): Promise<string[]> {
  const closed = await closeOpenSlices(transaction, name, 'the cursor was reset')
  await transaction.query('delete from sluice.cursors where pipeline = $1 and stream = $2 and partition = $3', [
    name.pipeline,
    name.stream,
    name.partition ?? '',
  ])
  return closed
}
