// What a page says about its end: whether it is full, and what keeps bySince() from going on behind it.
import { PagingError } from '../../../model/errors.ts'
import type { ApiResponse, PageRequest, SincePaging } from '../../../model/request.ts'
import { defined } from '../../../value/defined.ts'
import { formatCount } from '../../../value/format.ts'
import type { CursorValue } from '../../cursor/cursor-value.ts'
import { hintsIn } from '../hints.ts'
import { pageSizeOf } from '../page-size.ts'

/** Where the page size is unknown, a page with fewer records is not full: no API is known to have smaller pages. */
const SMALLEST_PAGE = 10

export interface PageEnd {
  /** `unknown`: neither the request nor another page says how many records a page has. */
  readonly is: 'full' | 'not full' | 'unknown'
  /** Quoted names that say that more follows. */
  readonly hints: readonly string[]
}

/** `largestPage`: records of the largest page so far, with this one. */
export function pageEnd(
  response: ApiResponse<unknown>,
  request: PageRequest,
  { within, limit }: SincePaging<never>,
  largestPage: number,
): PageEnd {
  const { length } = response.records
  const size = pageSizeOf(request, { ...(typeof within === 'object' && within), ...defined({ limit }) })
  const isShort = length < largestPage
  // A page that is shorter than another one needs no total, which may be that of the whole list.
  const most = isShort ? Infinity : length
  const { names: hints, saysNoMore } = hintsIn(response, { records: most, pages: isShort ? Infinity : 1 })
  if (saysNoMore) return { is: 'not full', hints }
  if (size !== undefined && length >= size) return { is: 'full', hints }
  if (hints.length > 0) return { is: 'unknown', hints }
  if (isShort || size !== undefined) return { is: 'not full', hints }
  // The paginator within can find out.
  return { is: within === undefined && length < SMALLEST_PAGE ? 'not full' : 'unknown', hints }
}

const STATE_SIZE = 'State the page size in the request, as in limit: 100'
const NAME_PAGINATOR = "name the API's paginator, as in bySince(byPage('page'))"

/**
 * Throws if more records may follow those of one value. Returns the reason for which this is not known. `what`: such as
 * `3 records with the value '2024-01-01'`.
 */
export function oneValueProblem({ is, hints }: PageEnd, what: string): string {
  const found = `the page has ${what} and no other one`
  if (is === 'full')
    throw new PagingError(
      `${found}, so no \`since\` leads to the next page. Request larger pages, or ${NAME_PAGINATOR}`,
    )
  if (hints.length > 0) return `${found}, but the response has ${hints.join(', ')}: ${NAME_PAGINATOR}`
  return `${found}, and may be full. ${STATE_SIZE}, or ${NAME_PAGINATOR}`
}

/**
 * Throws if records without a value may go on behind the page, where no `since` leads. Returns the reason for which
 * this is not known.
 */
export function noValueProblem({ is }: PageEnd, name: string): string {
  const problem = `the last record of a page has no value at ${name}, so no \`since\` leads to the next page`
  if (is === 'full')
    throw new PagingError(`${problem}. Let the API return only records with a value, or use another paginator`)
  return `${problem}. ${STATE_SIZE}`
}

/** `3 records with the value '2024-01-01'`. */
export const recordsWith = (count: number, value: CursorValue | undefined, name: string): string =>
  `${formatCount(count, 'record')} with ${value === undefined ? `no value at ${name}` : `the value '${value.raw}'`}`
