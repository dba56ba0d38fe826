import { sleep } from '../../flow/signals/sleep.ts'
import { clearParentCursors } from '../../ledger/parent-cursors.ts'
import { claim, type Claim, type Holder } from '../../ledger/slices/claim.ts'
import { coverOpenReadings, type CoverOptions } from '../../ledger/slices/cover-open.ts'
import { acceptsOpen } from '../../model/completeness.ts'
import { SliceLostError } from '../../model/errors.ts'
import { hasOwnCursor, hasToken } from '../../model/own-cursor.ts'
import type { Recipe } from '../../model/recipe.ts'
import { stepRange } from '../../source/cursor/range.ts'
import { defined } from '../../value/defined.ts'
import { definitionHash } from '../../read/definition-hash.ts'
import type { RunOptions } from '../options.ts'
import type { StreamContext } from '../stream-context.ts'
import { holdSlice } from './hold-slice.ts'

export interface SyncStreamOptions {
  readonly full: boolean
  readonly overlap: NonNullable<RunOptions['overlap']>
}

/** Time for the session of a killed process to end: a run that is started right after it must not fail over that. */
const GRACE_PERIOD_MS = 5_000
const POLL_MS = 250
const WAITING_EVENT_MS = 5_000

/**
 * Reads one stream: first the slice that an earlier run has left open, then the records since the cursor. Returns the
 * other run that is reading the stream, or undefined if the stream was read.
 */
export async function syncStream(stream: StreamContext, options: SyncStreamOptions): Promise<Holder | undefined> {
  let readAt: Date | undefined
  for (let isFirst = true; ; isFirst = false) {
    const now = new Date()
    const fromStart = options.full && isFirst
    const claimed = await nextClaim(stream, options, { readAt, fromStart })
    if (!claimed) return undefined
    if (claimed.busy) return claimed.busy
    await using held = holdSlice(stream, claimed)
    // Another run may have moved them just before it let go of the stream.
    if (fromStart) await clearLists(stream)
    await held.sync()
    await noteCovered(stream)
    // An earlier run has read the beginning of a resumed slice, at an unknown time.
    readAt = held.slice.resumed ? undefined : now
    if (!hasCursor(held.slice, stream.recipe)) return undefined
  }
}

/** Notes which open readings of the stream this run has covered: it read the same again, with proof. */
export async function noteCovered(
  { database, pipeline, stream, recipe, run, writeSignal }: StreamContext,
  { rangeRead }: Pick<CoverOptions, 'rangeRead'> = {},
): Promise<void> {
  await coverOpenReadings(database, {
    pipeline,
    stream,
    run: run.id,
    rangeRead,
    hasOrder: !hasToken(recipe),
    signal: writeSignal,
  })
}

const clearLists = (stream: StreamContext): Promise<void> =>
  clearParentCursors(stream.database.with({ signal: stream.readSignal }), stream)

/** Waits for another run as long as `overlap` asks for it. */
async function nextClaim(
  stream: StreamContext,
  { full, overlap }: SyncStreamOptions,
  { readAt, fromStart }: { readonly readAt: Date | undefined; readonly fromStart: boolean },
): Promise<Claim> {
  const { database, pipeline, recipe, table, run, readSignal: signal } = stream
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    // Before the slice exists: a run that is killed in between must not leave a slice that looks like a full reading.
    if (fromStart) await clearLists(stream)
    const claimed = await claim(database, {
      run: run.id,
      keeper: run.keeper,
      pipeline,
      stream: stream.stream,
      definition: definitionHash(recipe, table),
      hasCursor: mayHaveCursor(recipe),
      resume: table.resumeWithin,
      mustBeComplete: !acceptsOpen(table),
      full,
      bounds: (start) => {
        const isMerged = table.write === 'merge'
        return stepRange(recipe.incremental, start, { now: new Date(), isMerged, ...defined({ readAt }) })
      },
      signal,
    })
    if (!claimed?.busy) return claimed
    if (waitedMs >= GRACE_PERIOD_MS && overlap === 'skip') return claimed
    if (waitedMs >= GRACE_PERIOD_MS && overlap === 'fail') throw heldByAnother(stream.streamName, claimed.busy)
    if (waitedMs > 0 && waitedMs % WAITING_EVENT_MS === 0)
      stream.emit({ type: 'waiting', stream: stream.stream, for: 'lock', ms: WAITING_EVENT_MS })
    await sleep(POLL_MS, { signal })
  }
}

/** A stream without a cursor is read once per run. To finish an interrupted read counts as that once. */
const hasCursor = (
  { highWaterMark, cursor }: { readonly highWaterMark?: unknown; readonly cursor?: unknown },
  recipe: Recipe,
): boolean => hasOwnCursor(recipe) || highWaterMark !== undefined || cursor !== undefined

/** True if a recipe may move a cursor: by its own source, or by children, which are known only once they are read. */
const mayHaveCursor = (recipe: Recipe): boolean =>
  hasOwnCursor(recipe) || recipe.stages.some(({ type }) => type === 'flatMap')

const heldByAnother = (streamName: string, { run, until }: Holder): SliceLostError =>
  new SliceLostError(
    `${streamName}: run ${run} is reading it` +
      `${until ? ` (its lease ends ${until.toISOString()} unless renewed)` : ''}. ` +
      'Wait for it, or run with --overlap wait or skip',
  )
