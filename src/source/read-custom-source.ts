// The pages of a source that the user wrote as a generator.
import { COUNTED, ENDED, openBecause, worstOf, type Completeness } from '../model/completeness.ts'
import { NO_READ_COUNTS } from '../model/counts.ts'
import { DecodeError, UsageError } from '../model/errors.ts'
import { END, isEnd, type Page, type Position } from '../model/page.ts'
import type { Incremental, OwnCompleteness, OwnPage, Read } from '../model/recipe.ts'
import type { Scope } from '../model/scope.ts'
import type { SliceRead } from '../model/slice.ts'
import { rejectUnknownOptions, type OptionNames } from '../model/unknown-option.ts'
import { defined } from '../value/defined.ts'
import { CursorFollower } from './cursor/follow-cursor.ts'
import { rangeOf } from './cursor/range.ts'
import { followedPage } from './followed-page.ts'
import { typeNameOf } from '../value/type-name.ts'

/** Yields one page for each page of the generator, then an empty one: a generator does not mark its last page. */
export async function* readCustomSource(
  read: Read<unknown>,
  incremental: Incremental | undefined,
  slice: SliceRead,
  scope: Scope,
): AsyncGenerator<Page, void, undefined> {
  if (isEnd(slice.position)) return
  const range = rangeOf(incremental, slice)
  const follower = incremental && new CursorFollower(incremental, range, slice, scope)
  let completeness = ENDED
  let fetched = 0
  for await (const ownPage of read({ ...range, position: slice.position ?? undefined, signal: scope.signal })) {
    const { records, position, complete, hold, memory } = checkPage(ownPage)
    const { page, hasEnded } = followedPage(records, follower)
    const said = complete === undefined ? undefined : scope.secrets.hide(completenessOf(complete))
    if (said && (said.grade === 'open' || completeness.grade !== 'open')) completeness = said
    fetched += records.length
    yield {
      ...page,
      // Told at once, since an interrupted generator may not say it again.
      ...(said?.grade === 'open' && { completeness: said }),
      ...(position !== undefined && position !== null && { position: scope.secrets.hide(position) }),
      ...defined({ hold, memory }),
    }
    if (hasEnded) {
      if (follower?.isUnordered)
        completeness = worstOf(completeness, openBecause(follower.orderProblem)) ?? completeness
      break
    }
  }
  // A generator may return because its signal aborted. Then it has not come to its end.
  scope.signal.throwIfAborted()
  const fieldMissing = follower?.fieldMissing(fetched)
  if (fieldMissing !== undefined) completeness = worstOf(completeness, openBecause(fieldMissing)) ?? completeness
  yield { records: [], rejects: [], counts: NO_READ_COUNTS, position: END, completeness }
}

/** The hold and the account of what the generator fetched are added by `provideFetchToSource`. */
type HeldPage = OwnPage<unknown> & Pick<Page, 'hold' | 'memory'>

const PAGE_MEMBERS: OptionNames<OwnPage<unknown>> = { records: true, position: true, complete: true }

function checkPage(page: HeldPage): HeldPage {
  if (typeof page !== 'object' || page === null || !Array.isArray(page.records))
    throw new DecodeError('source(): the generator must yield pages, as in yield { records: [ … ], position }')
  const { hold: _hold, memory: _memory, ...own } = page
  rejectUnknownOptions('source(): a page', own, PAGE_MEMBERS)
  return page.position === undefined ? page : { ...page, position: checkPosition(page.position) }
}

function completenessOf(complete: OwnCompleteness): Completeness {
  if (complete === 'counted') return COUNTED
  if (complete === 'ended') return ENDED
  if (complete === 'open') return openBecause('the source says that records may be missing')
  const reason: unknown = typeof complete === 'object' && complete !== null ? complete.open : undefined
  if (typeof reason === 'string' && reason.trim() !== '') return openBecause(reason.trim().replace(/\.$/, ''))
  const given = typeof complete === 'string' ? `'${String(complete)}'` : typeNameOf(complete)
  throw new UsageError(
    `source(): \`complete\` must be 'counted', 'ended', 'open' or { open: 'the reason' }, not ${given}`,
  )
}

/** Returns the position as it will be stored: as JSON, without members that are undefined. */
function checkPosition(position: Position): Position {
  const stored = jsonCopy(position)
  if (isEnd(stored))
    throw new UsageError(
      'source(): the position { end: true } is reserved for the end of the source. ' +
        'Return from the generator to end it, or give the position another member',
    )
  return stored
}

function jsonCopy(position: Position): Position {
  try {
    return JSON.parse(JSON.stringify(position)) as Position
  } catch (cause) {
    throw new UsageError(
      'source(): a position is stored as JSON. Use text, numbers, booleans, lists and plain objects',
      { cause },
    )
  }
}
