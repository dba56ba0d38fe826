import { claim, type Claim, type Holder } from '../../ledger/slices/claim.ts'
import { acceptsOpen } from '../../model/completeness.ts'
import { hasOwnCursor } from '../../model/own-cursor.ts'
import { UsageError } from '../../model/errors.ts'
import { isMerged, type Recipe } from '../../model/recipe.ts'
import { stepRange } from '../../source/cursor/range.ts'
import { defined } from '../../value/defined.ts'
import { definitionHash } from '../../read/definition-hash.ts'
import { cursorChange } from '../cursor-change.ts'
import type { StreamContext } from '../stream-context.ts'
import { clearLists } from './clear-lists.ts'
import { noteCovered } from './cover.ts'
import { holdSlice } from './hold-slice.ts'
import { syncRanges } from './sync-ranges.ts'
import { whenFree, type WaitOptions } from './when-free.ts'

export interface SyncStreamOptions extends WaitOptions {
  readonly full: boolean
}

/**
 * Reads one stream: first what an earlier run has left open, then the steps that may be read at once, then the records
 * since the cursor. Returns the other run that is reading the stream, or undefined if the stream was read.
 */
export async function syncStream(stream: StreamContext, options: SyncStreamOptions): Promise<Holder | undefined> {
  if (!options.full) await checkCursor(stream)
  let readAt: Date | undefined
  for (let isFirst = true; ; isFirst = false) {
    const fromStart = options.full && isFirst
    const ranges = await syncRanges(stream, { ...options, isFromStart: fromStart })
    if (ranges.busy) return ranges.busy
    const now = new Date()
    const isFromStart = fromStart && !ranges.hasRead
    const claimed = await nextClaim(stream, options, { readAt: ranges.hasRead ? undefined : readAt, isFromStart })
    if (!claimed) return undefined
    if (claimed.busy) return claimed.busy
    await using held = holdSlice(stream, claimed)
    // Another run may have moved them just before it let go of the stream.
    if (isFromStart) await clearLists(stream)
    await held.sync()
    await noteCovered(stream, { isAtEnd: held.slice.until === undefined })
    // An earlier run has read the beginning of a resumed slice, at an unknown time.
    readAt = held.slice.resumed ? undefined : now
    if (!hasCursor(held.slice, stream.recipe)) return undefined
  }
}

/** Warns if the definition has changed since the cursor was stored. Throws if the cursor is of another field. */
async function checkCursor(stream: StreamContext): Promise<void> {
  const { database, readSignal: signal } = stream
  const change = await cursorChange(database.with({ signal }), stream)
  if (!change) return
  if (change.isOtherField) throw new UsageError(`${stream.streamName}: ${change.text}`)
  stream.warn(change.text)
}

/** Waits for another run as long as `overlap` asks for it. */
async function nextClaim(
  stream: StreamContext,
  { full, overlap }: SyncStreamOptions,
  { readAt, isFromStart }: { readonly readAt: Date | undefined; readonly isFromStart: boolean },
): Promise<Claim> {
  const { database, pipeline, recipe, table, run, readSignal: signal } = stream
  return whenFree(stream, { overlap }, async () => {
    // Before the slice exists: a run that is killed in between must not leave a slice that looks like a full reading.
    if (isFromStart) await clearLists(stream)
    return claim(database, {
      run: run.id,
      keeper: run.keeper,
      pipeline,
      stream: stream.stream,
      definition: definitionHash(recipe, table),
      hasCursor: mayHaveCursor(recipe),
      resume: table.resumeWithin,
      mustBeComplete: !acceptsOpen(table),
      full,
      bounds: (start) =>
        stepRange(recipe.incremental, start, {
          now: new Date(),
          isMerged: isMerged(table),
          ...defined({ readAt }),
        }),
      signal,
    })
  })
}

/** A stream without a cursor is read once per run. To finish an interrupted read counts as that once. */
const hasCursor = (
  { highWaterMark, cursor }: { readonly highWaterMark?: unknown; readonly cursor?: unknown },
  recipe: Recipe,
): boolean => hasOwnCursor(recipe) || highWaterMark !== undefined || cursor !== undefined

/** True if a recipe may move a cursor: by its own source, or by children, which are known only once they are read. */
const mayHaveCursor = (recipe: Recipe): boolean =>
  hasOwnCursor(recipe) || recipe.stages.some(({ type }) => type === 'flatMap')
