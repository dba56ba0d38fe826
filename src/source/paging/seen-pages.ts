// What the pages of one reading have shown so far: the paging is decided by them too, not only by the last page.
import { PagingError } from '../../model/errors.ts'
import type { ApiResponse, Paging } from '../../model/request.ts'
import { isCounted, statedTotal } from './counted-pages.ts'

/** Empty pages in a row that are accepted. */
const MAX_EMPTY_PAGES = 100

export interface SeenPages {
  /** The last number of pages or records that the API stated. An empty page may state none. */
  readonly total: number | undefined
  /** Records of the largest page. */
  readonly largestPage: number
  readonly emptyInRow: number
  /** The reading resumed: pages before it may have stated a total. */
  readonly isResumed: boolean
}

export const noPages = (isResumed: boolean): SeenPages => ({
  total: undefined,
  largestPage: 0,
  emptyInRow: 0,
  isResumed,
})

/** Returns what is known after one more page. */
export function afterPage(seen: SeenPages, paging: Paging<never>, response: ApiResponse<unknown>): SeenPages {
  const { length } = response.records
  return {
    total: (isCounted(paging) ? statedTotal(paging, response) : undefined) ?? seen.total,
    largestPage: Math.max(seen.largestPage, length),
    isResumed: seen.isResumed,
    emptyInRow: length === 0 ? seen.emptyInRow + 1 : 0,
  }
}

/** Throws if too many pages in a row were empty. A paginator that is a function decides for itself. */
export function checkEmptyPages({ emptyInRow }: SeenPages, paging: Paging<never>): void {
  if (emptyInRow <= MAX_EMPTY_PAGES || typeof paging === 'function') return
  throw new PagingError(
    `more than ${MAX_EMPTY_PAGES} pages in a row are empty, and each says that more follow. ` +
      'Check the names that the paginator reads: `pages` is a number of pages, `total` a number of records',
  )
}
