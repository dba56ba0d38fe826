import type { Queryable } from '../database/queryable.ts'
import type { Transaction } from '../database/database.ts'
import { defined } from '../value/defined.ts'
import { clearParentCursors } from './parent-cursors.ts'
import { closeSlices } from './slices/transitions.ts'
import type { StreamName } from './stream-name.ts'

/** The position up to which a stream has been read. */
export interface Cursor {
  readonly pipeline: string
  readonly stream: string
  readonly partition: string
  readonly value: string
  /** The slice that moved it; undefined if it was set by hand. */
  readonly slice?: string
  readonly updatedAt: Date
}

export async function readCursors(
  on: Queryable,
  { pipeline, stream }: { readonly pipeline?: string | undefined; readonly stream?: string | undefined } = {},
): Promise<Cursor[]> {
  const rows = await on.query<Omit<Cursor, 'slice'> & { readonly slice: string | null }>(
    `select pipeline, stream, partition, value, slice, updated_at as "updatedAt" from sluice.cursors
      where ($1::text is null or pipeline = $1) and ($2::text is null or stream = $2)
      order by pipeline, stream, partition`,
    [pipeline, stream],
  )
  return rows.map(({ slice, ...cursor }) => ({ ...cursor, ...defined({ slice: slice ?? undefined }) }))
}

/**
 * Sets the cursor of a stream and closes its open slice, which would otherwise end at a cursor of its own. Returns the
 * closed slices, whose shadow tables are to be dropped.
 */
export async function setCursor(transaction: Transaction, name: StreamName, value: string): Promise<string[]> {
  const closed = await closeSlices(transaction, name, 'the cursor was set by hand')
  await transaction.query(
    `insert into sluice.cursors (pipeline, stream, partition, value) values ($1, $2, $3, $4)
     on conflict (pipeline, stream, partition) do update
        set value = excluded.value, boundary = null, slice = null, updated_at = clock_timestamp()`,
    [name.pipeline, name.stream, name.partition ?? '', value],
  )
  return closed
}

/**
 * Deletes the cursor of a stream and those of its child lists, and closes its open slice, which would otherwise be
 * resumed. Returns the closed slices, whose shadow tables are to be dropped.
 */
export async function resetCursor(transaction: Transaction, name: StreamName): Promise<string[]> {
  const closed = await closeSlices(transaction, name, 'the cursor was reset by hand')
  await transaction.query('delete from sluice.cursors where pipeline = $1 and stream = $2 and partition = $3', [
    name.pipeline,
    name.stream,
    name.partition ?? '',
  ])
  await clearParentCursors(transaction, name)
  return closed
}
