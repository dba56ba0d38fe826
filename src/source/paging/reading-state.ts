// What the pages of one reading have shown so far: the paging and the grade of the reading depend on all of them. It is
// stored in the position, so that a resumed reading is graded like one that was never interrupted.
import { PagingError } from '../../model/errors.ts'
import type { Position } from '../../model/page.ts'
import type { ApiResponse, PageRequest, Paging } from '../../model/request.ts'
import { defined } from '../../value/defined.ts'
import { countOf, isCounted, statedTotal } from './counted-pages.ts'
import type { SinceState } from './since/since-state.ts'
import type { ListState } from '../moving/list-state.ts'
import { statedRecords } from './stated-totals.ts'

/** Empty pages in a row that are accepted. */
export const MAX_EMPTY_PAGES = 100

/** Stored as JSON in the ledger, so the names of its members must stay the same in all versions. */
export interface ReadingState {
  /** Responses that were read. */
  readonly pages: number
  /** Records of these responses. */
  readonly records: number
  /** Records of the largest page. */
  readonly largestPage: number
  readonly emptyInRow: number
  /** The last number of pages or records that the paginator read. An empty page may state none. */
  readonly total?: number
  /** The first number of records that the API stated, for the paginator or in a known header. */
  readonly firstCount?: number
  /** The last number of records that the API stated. */
  readonly lastCount?: number
  /** True if the stated number of records has changed during the reading. */
  readonly hasChanged?: true
  /** True if a record had the field of the cursor. */
  readonly hasCursor?: true
  /** True if records did not come in the declared order of the cursor. */
  readonly isUnordered?: true
  /** What is known of a list that may move. */
  readonly list?: ListState
  /** True if pages came before these: the reading resumed at the position of an older version, which has no state. */
  readonly isPartial?: true
  /** What `bySince()` must know. */
  readonly since?: SinceState
}

export const NOTHING_READ: ReadingState = Object.freeze({ pages: 0, records: 0, largestPage: 0, emptyInRow: 0 })

/** Returns the state of a stored position. One of an older version has none: only an offset counts its records. */
export function readingAt(position: Position, request: PageRequest, paging: Paging<never>): ReadingState {
  const stored = (position as { readonly reading?: unknown } | null)?.reading
  if (isReadingState(stored)) return stored
  const isOffset = isCounted(paging) && paging.type === 'offset'
  const records = isOffset ? Math.max(0, countOf(request, paging) - paging.start) || 0 : 0
  return { ...NOTHING_READ, records, isPartial: true }
}

const isReadingState = (stored: unknown): stored is ReadingState =>
  typeof stored === 'object' && stored !== null && 'records' in stored && typeof stored.records === 'number'

export interface AfterPage {
  readonly hasCursor?: boolean
  readonly isUnordered?: boolean
  /** Records that were not read before. @default all */
  readonly read?: number
  /** Records of the response, with those that were read before. @default as many */
  readonly size?: number | undefined
}

/** Returns what is known after one more page. */
export function afterPage(
  state: ReadingState,
  paging: Paging<never>,
  response: ApiResponse<unknown>,
  { hasCursor = false, isUnordered = false, read, size }: AfterPage = {},
): ReadingState {
  const { length } = response.records
  const count = statedRecords(paging, response)?.count
  const isOther = count !== undefined && state.lastCount !== undefined && count !== state.lastCount
  return {
    ...state,
    pages: state.pages + 1,
    records: state.records + (read ?? length),
    largestPage: Math.max(state.largestPage, size ?? length),
    emptyInRow: length === 0 ? state.emptyInRow + 1 : 0,
    ...defined({
      total: isCounted(paging) ? statedTotal(paging, response) : undefined,
      firstCount: state.firstCount ?? count,
      lastCount: count,
      hasChanged: isOther || undefined,
      hasCursor: hasCursor || undefined,
      isUnordered: isUnordered || undefined,
    }),
  }
}

/** Throws if too many pages in a row were empty. A paginator that is a function decides for itself. */
export function checkEmptyPages({ emptyInRow }: ReadingState, paging: Paging<never>): void {
  if (emptyInRow <= MAX_EMPTY_PAGES || typeof paging === 'function') return
  throw new PagingError(
    `more than ${MAX_EMPTY_PAGES} pages in a row are empty, and each says that more follow. ` +
      'Check the names that the paginator reads: `pages` is a number of pages, `total` a number of records',
  )
}
