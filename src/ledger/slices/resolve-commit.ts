import type { Database } from '../../database/database.ts'
import { isTransient, sqlState } from '../../database/errors.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { DatabaseError, SliceLostError } from '../../model/errors.ts'
import type { Duration } from '../../model/request.ts'
import type { Slice } from '../../model/slice.ts'
import { columns, heldSlice, type HeldSlice, type SliceRow } from './held-slice.ts'

export interface ResolveCommitOptions {
  /** How long a backend of ours that may still be committing is waited for. @default '30s' */
  readonly lockTimeout?: Duration
  readonly signal: AbortSignal
}

const attempts = 8

/**
 * What became of a batch whose COMMIT was not answered, or was refused: `seq` is what it was sent with. It is in, or it
 * is to be sent again, or the slice is somebody else's. Should the first one land after all while it is sent again, one
 * of the two fails on `seq`.
 */
export async function resolveCommit(
  database: Database,
  slice: Slice,
  seq: number,
  { lockTimeout = '30s', signal }: ResolveCommitOptions,
): Promise<'committed' | 'again'> {
  const place = `${slice.pipeline}.${slice.stream}, batch ${seq + 1} of slice ${slice.id}`
  for (let attempt = 1; ; attempt += 1) {
    try {
      const row = await locked(database, slice, lockTimeout, signal)
      if (row && Number(row.token) === slice.token) {
        if (Number(row.seq) === seq + 1) return 'committed'
        if (Number(row.seq) === seq && row.status === 'open') return 'again'
      }
      throw new SliceLostError(
        `${place}: the slice ${fate(row, slice)}; nothing more is stored by this run, and what was committed stays`,
      )
    } catch (error) {
      if (sqlState(error) === '55P03')
        throw new DatabaseError(
          `${place}: whether it was committed is not known, since a session still holds the slice after ${lockTimeout}; the next run will find out`,
          { cause: error },
        )
      if (attempt >= attempts || !isTransient(error)) throw error
      await sleep(Math.min(50 * 2 ** attempt, 5_000) * (0.5 + Math.random() / 2), { signal })
    }
  }
}

/**
 * A slice that we hold as it is committed now, to read on from there; what a backend of ours may still be committing is
 * waited for.
 */
export async function rereadSlice(
  database: Database,
  slice: Slice,
  { lockTimeout = '30s', signal }: ResolveCommitOptions,
): Promise<HeldSlice> {
  const row = await locked(database, slice, lockTimeout, signal)
  if (row && Number(row.token) === slice.token && row.status === 'open') return heldSlice(row)
  throw new SliceLostError(
    `${slice.pipeline}.${slice.stream}: slice ${slice.id} ${fate(row, slice)}; nothing more is stored by this run, and what was committed stays`,
  )
}

/**
 * The row's lock makes us wait for a backend of ours that is still at it. It ends in the same query: were we stopped
 * while we hold it, nobody could take the slice over.
 */
async function locked(
  database: Database,
  { id }: Slice,
  lockTimeout: Duration,
  signal: AbortSignal,
): Promise<SliceRow | undefined> {
  await using transaction = await database.transaction({ lockTimeout, signal })
  const results = await transaction.commit(
    `select ${columns} from sluice.slices as s left join sluice.cursors as c on (c.pipeline, c.stream, c.partition) = (s.pipeline, s.stream, s.partition) where s.id = ${BigInt(id)} for update of s`,
  )
  return results.at(-1)?.rows[0] as SliceRow | undefined
}

function fate(row: SliceRow | undefined, slice: Slice): string {
  if (!row) return 'is gone'
  if (row.status === 'dropped') return 'was closed by hand'
  return Number(row.token) === slice.token ? `is ${row.status} at batch ${row.seq}` : 'was taken by another run'
}
