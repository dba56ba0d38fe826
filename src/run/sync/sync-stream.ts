import { definitionHash } from '../../read/definition-hash.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { claim, type Holder } from '../../ledger/slices/claim.ts'
import { releaseSlice } from '../../ledger/slices/transitions.ts'
import type { HeldSlice } from '../../ledger/slices/held-slice.ts'
import type { LeaseKeeper } from '../../ledger/lease/lease-keeper.ts'
import { SliceLostError } from '../../model/errors.ts'
import type { Committed } from './slice-writer.ts'
import { syncSlice, type SyncSliceOptions } from './sync-slice.ts'
import type { RunOptions } from '../options.ts'
import { addCounts, NO_COUNTS } from '../../model/counts.ts'
import { messageOf } from '../../value/error.ts'

export interface SyncStreamOptions extends Omit<SyncSliceOptions, 'committed' | 'changed' | 'streamName'> {
  readonly run: string
  readonly keeper: LeaseKeeper
  readonly pipeline: string
  readonly stream: string
  readonly full: boolean
  readonly overlap: NonNullable<RunOptions['overlap']>
  readonly started: (slice: HeldSlice) => void
  readonly committed: (batch: Committed, slice: HeldSlice) => void
}

/** A process that was killed may have a session for some moments more; whoever restarts it must not fail over that. */
const GRACE_PERIOD_MS = 5_000
const POLL_MS = 250

/**
 * Read one stream: first what an earlier run has left open, then what is new since the cursor. Answers who is reading
 * it where that is another run.
 */
export async function syncStream(options: SyncStreamOptions): Promise<'done' | Holder> {
  const { database, run, keeper, pipeline, stream, recipe, table, full, overlap, scope, writing, started, committed } =
    options
  const streamName = `${pipeline}.${stream}`
  let waited = 0
  for (;;) {
    const claimed = await claim(database, {
      run,
      keeper,
      pipeline,
      stream,
      definition: definitionHash(recipe, table),
      hasCursor: mayHaveCursor(recipe),
      resume: table.resumeWithin,
      full,
      signal: scope.signal,
    })
    if (!claimed) return 'done'
    if (claimed.busy) {
      if (waited >= GRACE_PERIOD_MS && overlap !== 'wait') {
        if (overlap === 'skip') return claimed.busy
        throw new SliceLostError(heldByAnother(streamName, claimed.busy))
      }
      await sleep(POLL_MS, { signal: scope.signal })
      waited += POLL_MS
      if (waited % 5_000 === 0) scope.emit({ type: 'waiting', stream, for: 'lock', ms: 5_000 })
      continue
    }
    waited = 0
    let { slice } = claimed
    let counts = NO_COUNTS
    started(slice)
    try {
      await syncSlice(slice, claimed.restart, {
        ...options,
        streamName,
        changed: (changed) => {
          slice = changed
        },
        committed: (batch, held) => {
          counts = addCounts(counts, batch.counts)
          committed(batch, held)
        },
      })
      scope.emit({ type: 'slice.finished', stream, slice: slice.id, counts })
      // Without a cursor a stream is read once per run, and finishing an interrupted reading was that once.
      if (recipe.incremental === undefined && slice.highWaterMark === undefined && slice.cursor === undefined)
        return 'done'
    } catch (error) {
      // The next run need not wait for the lease. That this fails too adds nothing to the error that brought us here.
      const message = messageOf(error)
      await releaseSlice(database, slice, { error: scope.secrets.hide(message), signal: writing }).catch(() => {})
      throw error
    } finally {
      keeper.release(slice)
    }
  }
}

/**
 * Whether anything in a recipe may move a cursor: its own source, or children, which are known only once they are read.
 */
const mayHaveCursor = ({ incremental, stages }: SyncSliceOptions['recipe']): boolean =>
  incremental !== undefined || stages.some(({ type }) => type === 'flatMap')

const heldByAnother = (streamName: string, { run, until }: Holder): string =>
  `${streamName}: run ${run} is reading it${until ? ` (its lease ends ${until.toISOString()} unless renewed)` : ''}. Wait for it, or run with --overlap wait or skip`
