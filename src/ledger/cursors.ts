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
 * closed slices, whose shadow tables are to be dropped. `boundary`: of append without a key, the rows with exactly this
 * value that the table has; without it they are stored once more.
 */
export async function setCursor(
  transaction: Transaction,
  name: StreamName,
  value: string,
  boundary?: Readonly<Record<string, number>>,
): Promise<string[]> {
  const closed = await closeSlices(transaction, name, 'the cursor was set by hand')
  await transaction.query(
    `insert into sluice.cursors (pipeline, stream, partition, value, boundary) values ($1, $2, $3, $4, $5)
     on conflict (pipeline, stream, partition) do update
        set value = excluded.value, boundary = excluded.boundary, slice = null, updated_at = clock_timestamp()`,
    [name.pipeline, name.stream, name.partition ?? '', value, boundary === undefined ? null : JSON.stringify(boundary)],
  )
  return closed
}

/** A cursor as it is moved to another ledger. */
export interface MovedCursor {
  readonly pipeline: string
  readonly stream: string
  readonly partition: string
  readonly value: string
  /** Of append without a key: hashes of the rows with exactly this value. */
  readonly boundary?: Readonly<Record<string, number>>
}

/** Returns the cursors of a pipeline or a stream with all that belongs to them; all cursors without a name. */
export async function readMovedCursors(
  on: Queryable,
  { pipeline, stream }: { readonly pipeline?: string | undefined; readonly stream?: string | undefined },
): Promise<MovedCursor[]> {
  const rows = await on.query<Omit<MovedCursor, 'boundary'> & { readonly boundary: MovedCursor['boundary'] | null }>(
    `select pipeline, stream, partition, value, boundary from sluice.cursors
      where ($1::text is null or pipeline = $1) and ($2::text is null or stream = $2)
      order by pipeline, stream, partition`,
    [pipeline, stream],
  )
  return rows.map(({ boundary, ...cursor }) => ({ ...cursor, ...defined({ boundary: boundary ?? undefined }) }))
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
