// How do the pages of a list follow each other, as far as the description says it?
import type { Operation } from '../operations.ts'
import type { Schemas } from '../schema.ts'
import { byOffset, byPage } from './by-count.ts'
import { byCursor, byLastRecord } from './by-cursor.ts'
import { byLinkHeader, byNextUrl } from './by-link.ts'
import { isCursor, isNextCursor, isNextLink, isOffset, isPage } from './names.ts'
import type { PagingFound, PagingStated } from './paging-found.ts'
import { type ListAnswer, type Search, searchOf } from './search.ts'

/** True if an operation has a parameter that leads to a further page. */
export const isPaged = ({ parameters }: Operation): boolean =>
  parameters.some(({ name, in: place }) => place === 'query' && (isPage(name) || isCursor(name) || isOffset(name)))

/** The surest first: a link needs no guess, and a list that is counted may move. */
const WAYS = [byLinkHeader, byNextUrl, byCursor, byLastRecord, byOffset, byPage]

/** Finds the paginator of a list. Where nothing leads on, it is `onePage()` in a way that a run is `open`. */
export function pagingOf(list: ListAnswer, schemas: Schemas): PagingFound {
  const search = searchOf(list, schemas)
  for (const way of WAYS) {
    const found = way(search)
    if (found) return { ...found, ...(search.size && { size: search.size }) }
  }
  return { ...notStated(search), ...(search.size && { size: search.size }) }
}

/** One page. With so many records or more, each run says that it may not be all. */
function notStated({ size, members }: Search): PagingStated {
  const atMost = size?.value !== undefined && size.isMaximum ? size.value : 1
  const hint = members.find(({ name }) => isNextCursor(name) || isNextLink(name))
  const hints = hint === undefined ? '' : ` The answer has '${hint.at}'.`
  const meaning =
    atMost === 1
      ? 'Each run says that it is open until this is answered'
      : `A run says that it is open if ${atMost} records come`
  return {
    paging: { type: 'one page', atMost },
    questions: [
      `does one answer have all records?${hints} The description states no way to a next page. ${meaning}: ` +
        'write onePage() if one answer has all, or the paginator that the API wants.',
    ],
  }
}
