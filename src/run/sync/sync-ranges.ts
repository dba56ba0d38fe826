import { TaskGroup } from '../../flow/task-group.ts'
import type { Claim, Holder } from '../../ledger/slices/claim.ts'
import { claimRange, rangesLeft } from '../../ledger/slices/ranges.ts'
import { acceptsOpen } from '../../model/completeness.ts'
import { LoadError } from '../../model/errors.ts'
import { isMerged } from '../../model/recipe.ts'
import { definitionHash } from '../../read/definition-hash.ts'
import { settledRange } from '../../source/cursor/range.ts'
import { hasVersion } from '../has-version.ts'
import type { StreamContext } from '../stream-context.ts'
import { clearLists } from './clear-lists.ts'
import { noteCovered } from './cover.ts'
import { FailuresInARow } from './failures-in-a-row.ts'
import { holdSlice } from './hold-slice.ts'
import { heldByAnother, whenFree, type WaitOptions } from './when-free.ts'

export interface SyncRangesOptions extends WaitOptions {
  readonly full: boolean
  /** True if this run reads everything and has not begun yet. */
  readonly isFromStart: boolean
}

export interface SyncedRanges {
  /** The other run that is reading the stream. */
  readonly busy?: Holder
  /** True if this run has read a range. */
  readonly hasRead: boolean
}

/**
 * Reads the steps of a stream that may be read at once: first those that an earlier run has left, then new ones up to
 * where late rows may still come. Throws if one is not done at the end: the cursor is before it, and nothing behind it
 * is read by a slice that would move the cursor.
 */
export async function syncRanges(stream: StreamContext, options: SyncRangesOptions): Promise<SyncedRanges> {
  const { recipe, database, readSignal, tally } = stream
  const { step, concurrency = 1 } = recipe.incremental ?? {}
  if (step === undefined) return { hasRead: false }
  const hasOrder = concurrency === 1 || (await hasVersion(database, stream.table))
  const readers = hasOrder ? concurrency : 1
  const claimNext = (signal: AbortSignal): Promise<Claim> =>
    whenFree(stream, { ...options, signal }, () => claimNextRange(stream, { ...options, readers, signal }))
  // As for any slice: before it exists, and again because another run may have moved them just before it let go.
  if (options.isFromStart) await clearLists(stream)
  const first = await claimNext(readSignal)
  if (!first) return { hasRead: false }
  if (first.busy) return { busy: first.busy, hasRead: false }
  if (options.isFromStart) await clearLists(stream)
  const failures = new FailuresInARow(stream, 'range')
  {
    await using group = new TaskGroup({ signal: readSignal })
    for (let reader = 0; reader < readers; reader += 1)
      group.spawn(async (signal) => {
        let claimed: Claim = reader === 0 ? first : await claimNext(signal)
        for (; claimed; claimed = await claimNext(signal)) {
          if (claimed.busy) throw heldByAnother(stream.streamName, claimed.busy)
          failures.note(await syncRange(stream, claimed, signal), claimed.slice.since ?? '')
        }
      })
    await group.join()
  }
  const { left, all, since = '', until = '', error, cursor } = await rangesLeft(database, stream, readSignal)
  tally.cursorMoved(cursor)
  if (left > 0)
    throw new LoadError(
      `${left} of ${all} steps ${left === 1 ? 'is' : 'are'} not done, the first one ${since} to ${until}` +
        `${error === undefined ? '' : `, with: ${error}`}. The cursor stays before it, and the steps behind it that ` +
        'are done are not read again. Correct the cause, then run again',
    )
  return { hasRead: true }
}

/** Reads one range into its table. Returns the error of a range that failed by itself: the others can still be read. */
async function syncRange(
  stream: StreamContext,
  claimed: Extract<Claim, { readonly busy?: undefined }>,
  signal: AbortSignal,
): Promise<unknown> {
  await using held = holdSlice(stream, claimed, { signal })
  try {
    await held.sync()
  } catch (error) {
    if (held.status !== 'failed') throw error
    stream.emit({ type: 'slice.failed', stream: stream.stream, slice: claimed.slice.id, error: held.problem(error) })
    return error
  }
  await noteCovered(stream)
  return undefined
}

interface ClaimNextOptions {
  readonly full: boolean
  /** With one, no chain is begun or continued. */
  readonly readers: number
  readonly signal: AbortSignal
}

async function claimNextRange(stream: StreamContext, { full, readers, signal }: ClaimNextOptions): Promise<Claim> {
  const { database, pipeline, recipe, table, run } = stream
  const { incremental } = recipe
  return claimRange(database, {
    run: run.id,
    keeper: run.keeper,
    pipeline,
    stream: stream.stream,
    definition: definitionHash(recipe, table),
    resume: table.resumeWithin,
    mustBeComplete: !acceptsOpen(table),
    full,
    next: (start, { isChained }) => {
      const range = settledRange(incremental, start, { now: new Date(), isMerged: isMerged(table), isChained })
      if (readers > 1 || !range) return range
      if ((incremental?.concurrency ?? 1) > 1)
        stream.warn(
          'steps are read one after the other, because nothing decides which of two rows is newer. ' +
            "Give the table a version, such as { versionBy: 'updated_at' }",
        )
      return undefined
    },
    signal,
  })
}
