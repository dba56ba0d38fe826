// `perParent`: the child list of each parent has its own cursor.
import { worstOf, type Completeness } from '../../model/completeness.ts'
import { UsageError } from '../../model/errors.ts'
import { maxHighWaterMark } from '../../model/high-water-mark.ts'
import { isEnd, type HighWaterMark, type Page } from '../../model/page.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { Request } from '../../model/request.ts'
import type { Secrets } from '../../model/scope.ts'
import type { OwnList, SliceRead } from '../../model/slice.ts'
import { compareCursors } from '../../value/cursor-order.ts'
import { defined } from '../../value/defined.ts'
import { messageOf } from '../../value/error.ts'
import { digest } from '../../value/digest.ts'
import { pathOf } from '../first-request.ts'
import { lineageHash } from './lineage-hash.ts'

/** Returns the list that a child's recipe reads, by its request. Two equal requests return the same list. */
export function listOf(
  { source, incremental }: Recipe,
  secrets: Pick<Secrets, 'hide'>,
): Pick<OwnList, 'list' | 'request'> {
  if ('read' in source)
    throw new UsageError(
      '.incremental(): perParent cannot stand in a custom source, because nothing says whether two of them read the ' +
        'same list. Remove it: then one cursor holds for all children',
    )
  const { api, request } = source
  const { method, path } = request
  checkFunctions(request)
  // Two accounts may have different lists at one address, and another field has other values.
  const account = JSON.stringify([api.auth, request.auth, api.headers])
  return {
    list: digest([lineageHash(source, ''), account, String(incremental?.at), incremental?.unit], ''),
    request: secrets.hide(`${method} ${typeof path === 'string' ? path : pathOf(path)}`),
  }
}

/** Throws if a function fails without a range: two lists would look the same, and one would take the other's cursor. */
function checkFunctions({ query, json, form }: Request): void {
  for (const given of [query, json, form]) {
    if (typeof given !== 'function') continue
    try {
      given({})
    } catch (cause) {
      throw new UsageError(
        '.incremental(): perParent tells lists apart by their requests without a range, and a function of the ' +
          `request fails without one (${messageOf(cause)}). Let it accept a range without since, or use the ` +
          'placeholder since',
        { cause },
      )
    }
  }
}

/** Throws if cursors of lists would lose rows that a restart of the slice removes. */
export function checkOwnList({ isMerged }: SliceRead, isOfBatch: boolean): void {
  if (isMerged !== true)
    throw new UsageError(
      '.incremental(): perParent needs rows that are merged, because a slice that restarts reads only what is new. ' +
        "Choose { write: 'merge' } with a key, or remove perParent",
    )
  if (isOfBatch)
    throw new UsageError(
      '.incremental(): perParent cannot stand in a stream of inBatches(), whose members may be others in each run. ' +
        'Remove one of the two',
    )
}

/**
 * Returns what to read of a list: from its own cursor to its end. Without stored cursors (a backfill, `.rows()`) its
 * range is that of the slice, unless that belongs to the parents.
 */
export function ownRange(slice: SliceRead, ownList: OwnList | undefined, hasCursor: boolean): SliceRead {
  const { since: _since, until: _until, ownList: _other, ...rest } = slice
  if (ownList) return { ...rest, ownList, ...defined({ since: ownList.cursor }) }
  return hasCursor ? rest : { ...rest, ...defined({ since: slice.since, until: slice.until }) }
}

/**
 * Moves the cursor of a list with its last page, whose children have been read too. The cursor of the stream does not
 * move by it.
 */
export async function* withOwnCursor(
  pages: AsyncGenerator<Page, void, undefined>,
  ownList: OwnList | undefined,
): AsyncGenerator<Page, void, undefined> {
  let seen: HighWaterMark | undefined
  let completeness: Completeness | undefined
  for await (const page of pages) {
    const { highWaterMark, ...rest } = page
    seen = maxHighWaterMark(seen, highWaterMark)
    completeness = worstOf(completeness, page.completeness)
    const value = isEnd(page.position) ? seen?.value : undefined
    if (!ownList || value === undefined || !isLater(value, ownList.cursor)) {
      yield rest
      continue
    }
    const { list, request, mayBeOpen } = ownList
    const cursor = { list, request, value, isOpen: mayBeOpen || completeness?.grade === 'open' }
    yield { ...rest, parentCursors: [...(rest.parentCursors ?? []), cursor] }
  }
}

const isLater = (value: string, cursor: string | undefined): boolean =>
  cursor === undefined || compareCursors(value, cursor) > 0
