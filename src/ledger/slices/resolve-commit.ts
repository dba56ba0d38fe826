import type { Database } from '../../database/database.ts'
import { isTransient, sqlState } from '../../database/errors.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { DatabaseError, SliceLostError } from '../../model/errors.ts'
import type { Duration } from '../../model/request.ts'
import type { Slice } from '../../model/slice.ts'

export interface ResolveCommitOptions {
  /** Longest wait for a backend of this process that may still be committing. @default '30s' */
  readonly lockTimeout?: Duration
  readonly signal: AbortSignal
}

const MAX_ATTEMPTS = 8

/**
 * Finds out whether a batch is committed whose COMMIT got no answer, or was refused; `seq` is the number it was sent
 * with. Returns 'again' if it has to be sent again. Throws if the slice is lost. If the first one is committed after
 * all while it is sent again, one of the two fails on `seq`.
 */
export async function resolveCommit(
  database: Database,
  slice: Slice,
  seq: number,
  { lockTimeout = '30s', signal }: ResolveCommitOptions,
): Promise<'committed' | 'again'> {
  const location = `${slice.pipeline}.${slice.stream}, batch ${seq + 1} of slice ${slice.id}`
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { reason, ...row } = await readLocked(database, slice, lockTimeout, signal)
      if (Number(row.token) === slice.token && Number(row.seq) === seq + 1) return 'committed'
      if (reason === null && Number(row.seq) === seq) return 'again'
      throw new SliceLostError(
        `${location}: the slice ${reason ?? `is at batch ${row.seq}`}. ` +
          'This run stores nothing more of it; what was committed stays',
      )
    } catch (error) {
      if (sqlState(error) === '55P03')
        throw new DatabaseError(
          `${location}: it is not known whether it was committed, since a session has held the slice for ` +
            `${lockTimeout}. Run again: the next run finds out`,
          { cause: error },
        )
      if (attempt >= MAX_ATTEMPTS || !isTransient(error)) throw error
      await sleep(Math.min(50 * 2 ** attempt, 5_000) * (0.5 + Math.random() / 2), { signal })
    }
  }
}

interface LockedRow {
  readonly token?: string
  readonly seq?: string
  /** Why the token does not hold the slice; null if it does. */
  readonly reason: string | null
}

/**
 * Reads a slice after any commit under way, by waiting for the lock of its row. The lock ends in the same query: a
 * process that is stopped while it holds the lock would keep other runs from the slice.
 */
async function readLocked(
  database: Database,
  { id, token }: Slice,
  lockTimeout: Duration,
  signal: AbortSignal,
): Promise<LockedRow> {
  await using transaction = await database.transaction({ lockTimeout, signal })
  const results = await transaction.commit(
    `select token, seq from sluice.slices where id = ${BigInt(id)} for update;
     select sluice.lost_reason(${BigInt(id)}, ${BigInt(token)}) as reason`,
  )
  const [slice, lost] = results.slice(-2).map(({ rows: [row] }) => row as Partial<LockedRow> | undefined)
  return { ...slice, reason: lost?.reason ?? null }
}
