import { quoteLiteral } from '../../database/quote.ts'
import type { Advance } from '../../model/batch.ts'
import { compareCursors } from '../../value/cursor-order.ts'
import { LoadError } from '../../model/errors.ts'
import { END, type HighWaterMark, type Position } from '../../model/page.ts'
import type { Slice } from '../../model/slice.ts'
import { rejectsSql } from './store-rejects.ts'

/**
 * What commits a batch with its rows: position, counts, rejects, the greatest cursor value of the slice so far, and at
 * the end the stream's cursor. Hand it to `transaction.commit`. It raises unless the slice is still ours and `seq`
 * batches are in.
 */
export function advanceSql(
  slice: Slice,
  seq: number,
  { position, counts, rejects, highWaterMark, boundaryRemaining, swap }: Advance,
): string {
  const place = `${slice.pipeline}.${slice.stream}, batch ${seq + 1} of slice ${slice.id}`
  if (position === null || position === undefined)
    throw new LoadError(
      `${place}: it ends where no position is known, so nothing may be committed; give the pages a position`,
    )
  if (rejects.length !== counts.rejected)
    throw new LoadError(
      `${place}: ${counts.rejected} records count as rejected and ${rejects.length} were handed over; nothing of this batch was stored, please report it`,
    )
  const cursor = isEnd(position) && slice.kind === 'sync' ? cursorAfter(slice.cursor, highWaterMark) : undefined
  const values = [
    ...[slice.id, slice.token, seq].map((number) => `${BigInt(number)}`),
    `${quoteLiteral(JSON.stringify(isEnd(position) ? END : position))}::json`,
    `${quoteLiteral(JSON.stringify(counts))}::jsonb`,
    quoteLiteral(highWaterMark?.value),
    highWaterMark?.hashes ? `${quoteLiteral(JSON.stringify(countedHashes(highWaterMark.hashes)))}::jsonb` : 'null',
    quoteLiteral(cursor),
    swap ? `${quoteLiteral(JSON.stringify(swap))}::jsonb` : 'null',
  ]
  // The rejects first: they take the position from the slice as it is before this batch.
  const advance = `${rejectsSql(slice, rejects)}select sluice.advance(${values.join(', ')})`
  // Behind it: the slice is ours then, and locked, which must come after the stream's lock.
  return boundaryRemaining && !isEnd(position)
    ? `${advance};\nupdate sluice.slices set unmet = ${quoteLiteral(JSON.stringify(boundaryRemaining))}::jsonb where id = ${BigInt(slice.id)}`
    : advance
}

/**
 * The greater of the cursor and what was seen. Undefined where it stays; of two that are equal the text that is there
 * already.
 */
function cursorAfter(cursor: string | undefined, highWaterMark: HighWaterMark | undefined): string | undefined {
  if (!highWaterMark) return undefined
  const sign = cursor === undefined ? 1 : compareCursors(highWaterMark.value, cursor)
  return sign > 0 ? highWaterMark.value : sign === 0 ? cursor : undefined
}

function countedHashes(hashes: readonly string[]): Record<string, number> {
  const counted = new Map<string, number>()
  for (const hash of hashes) counted.set(hash, (counted.get(hash) ?? 0) + 1)
  return Object.fromEntries(counted)
}

const isEnd = (position: Position): boolean =>
  typeof position === 'object' &&
  position !== null &&
  !Array.isArray(position) &&
  (position as { readonly end?: unknown }).end === true
