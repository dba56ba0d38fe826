import type { Database, Transaction } from '../../database/database.ts'
import type { Slice } from '../../model/slice.ts'
import { storableText } from '../../value/text.ts'

/** An entry in a pipeline's streams, and a key of its partitions where it has some. */
export interface StreamName {
  readonly pipeline: string
  readonly stream: string
  /** @default '' */
  readonly partition?: string | undefined
}

/**
 * Close what is still open of a stream, so that nothing resumes there; who holds it fails with its next batch. Answers
 * the slices whose shadow tables are to be dropped in the same transaction.
 */
export async function closeOpenSlices(
  transaction: Transaction,
  { pipeline, stream, partition = '' }: StreamName,
  reason: string,
): Promise<string[]> {
  await transaction.query('select sluice.lock_stream($1, $2, $3)', [pipeline, stream, partition])
  const rows = await transaction.query<{ id: string }>(
    `update sluice.slices set status = 'dropped', token = token + 1, finished_at = clock_timestamp(), lease_until = null, lease_pid = null, lease_started = null, error = $4
      where pipeline = $1 and stream = $2 and partition = $3 and kind = 'sync' and status = 'open' returning id`,
    [pipeline, stream, partition, storableText(reason)],
  )
  return rows.map(({ id }) => id)
}

export interface ReleaseOptions {
  /** Why it was left, for those who look. */
  readonly error?: string | undefined
  /** Nobody is to go on with it by itself: a window of a backfill. @default false */
  readonly failed?: boolean
  readonly signal: AbortSignal
}

/**
 * Let go of a slice that was not read to its end: whoever comes next need not wait for the lease. Nothing where it is
 * not ours any more.
 */
export async function releaseSlice(
  database: Database,
  { id, token }: Slice,
  { error, failed = false, signal }: ReleaseOptions,
): Promise<void> {
  await database.query(
    `update sluice.slices set lease_until = null, lease_pid = null, lease_started = null, error = $3,
            status = case when $4 then 'failed' else status end, finished_at = case when $4 then clock_timestamp() end
      where id = $1 and token = $2 and status = 'open'`,
    [id, token, error === undefined ? null : storableText(error), failed],
    { signal },
  )
}
