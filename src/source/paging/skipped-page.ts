// The request behind a page that a rule left out.
import { PagingError } from '../../model/errors.ts'
import type { PageRequest, Paging } from '../../model/request.ts'
import { countOf, endOf, isCounted } from './counted-pages.ts'
import { stepOver } from './next-request.ts'
import { withParameter } from './parameter.ts'
import { MAX_EMPTY_PAGES, type ReadingState } from './reading-state.ts'

/**
 * Returns the request for the page behind one that was left out, undefined after the last page. Throws a `PagingError`
 * if only the response could lead to the next page.
 */
export function requestAfterSkipped(
  paging: Paging<never>,
  request: PageRequest,
  state: ReadingState,
): PageRequest | undefined {
  if (typeof paging === 'object' && paging.type === 'one page') return undefined
  if (!isCounted(paging))
    throw new PagingError(
      'a rule leaves out this page, but only its response could lead to the next page. ' +
        "Use byPage or byOffset, or another action: 'empty' ends the paging here",
    )
  if (state.emptyInRow > MAX_EMPTY_PAGES)
    throw new PagingError(
      `more than ${MAX_EMPTY_PAGES} pages in a row are empty or were left out by a rule. Give the paginator an end, ` +
        'such as `pages`, or add a rule that tells the end from a page to leave out',
    )
  const { total } = state
  const end = Math.min(total === undefined ? Infinity : endOf(paging, total), (paging.max ?? Infinity) + 1)
  const current = countOf(request, paging)
  const step = paging.type === 'page' ? 1 : stepOver(paging, request, state)
  if (step === undefined)
    throw new PagingError(
      `a rule leaves out the page at offset ${current}, and the request states no page size to go on behind it. ` +
        "Add one, such as limit: 100, or name the parameter: byOffset('offset', { limit: 'rows' })",
    )
  return current + step < end ? withParameter(request, paging.parameter, current + step) : undefined
}
