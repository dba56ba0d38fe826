import { DecodeError, UsageError } from '../model/errors.ts'
import { END, isEnd, type Page, type Position } from '../model/page.ts'
import type { Incremental, OwnPage, Read } from '../model/recipe.ts'
import type { Scope } from '../model/scope.ts'
import type { SliceRead } from '../model/slice.ts'
import { NO_READ_COUNTS } from '../model/counts.ts'
import { followCursor } from './cursor/follow-cursor.ts'
import { rangeOf } from './cursor/range.ts'

/**
 * The pages of a source of one's own. Its end is a page of its own, since a generator cannot say which of its pages is
 * the last.
 */
export async function* readOwn(
  read: Read<unknown>,
  incremental: Incremental | undefined,
  reading: SliceRead,
  scope: Scope,
): AsyncGenerator<Page, void, undefined> {
  if (isEnd(reading.position)) return
  const range = rangeOf(incremental, reading)
  const follow =
    incremental &&
    followCursor(incremental, range, reading, (message) =>
      scope.emit({ type: 'warning', message, ...(scope.stream !== undefined && { stream: scope.stream }) }),
    )
  for await (const page of read({ ...range, position: reading.position ?? undefined, signal: scope.signal })) {
    const { records, position, hold, memory } = proven(page)
    const followed = follow?.(records)
    const { filtered = 0, boundaryMatches = [], highWaterMark } = followed ?? {}
    yield {
      records: followed?.records ?? records,
      rejects: [],
      counts: { ...NO_READ_COUNTS, fetched: records.length, filtered, duplicate: boundaryMatches.length },
      ...(position !== undefined && position !== null && { position: scope.secrets.hide(position) }),
      ...(highWaterMark && { highWaterMark }),
      ...(boundaryMatches.length > 0 && { boundaryMatches }),
      ...(hold && { hold }),
      ...(memory && { memory }),
    }
    if (followed?.ended) break
  }
  // A generator may return where it is told to stop: that is not the end of what it had to give.
  scope.signal.throwIfAborted()
  yield { records: [], rejects: [], counts: NO_READ_COUNTS, position: END }
}

/** What its fetches hold is put to the page by whoever lends it the client. */
type HeldPage = OwnPage<unknown> & Pick<Page, 'hold' | 'memory'>

function proven(page: HeldPage): HeldPage {
  if (typeof page !== 'object' || page === null || !Array.isArray(page.records))
    throw new DecodeError("source(): a source of one's own yields pages, as in yield { records: [ … ], position }")
  if (page.position === undefined) return page
  if (isEnd(page.position)) throw new UsageError('source(): the position { end: true } is reserved: to end, return')
  try {
    return { ...page, position: JSON.parse(JSON.stringify(page.position)) as Position }
  } catch (cause) {
    throw new UsageError('source(): a position is stored as JSON: give text, numbers, lists and plain objects', {
      cause,
    })
  }
}
