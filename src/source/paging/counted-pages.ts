// Pages that have numbers or offsets: how many there are, and which ones to request ahead.
import { isCondition, type InCondition } from '../../model/condition.ts'
import { PagingError } from '../../model/errors.ts'
import type { ApiResponse, InResponse, NextRequest, PageRequest, Paging } from '../../model/request.ts'
import { isInHeader, nameOf, problemOf, valueIn } from '../response-value.ts'
import { pageSizeOf } from './page-size.ts'
import { parameterOf, withParameter } from './parameter.ts'
import type { ReadingState } from './reading-state.ts'

/** Every paginator except a user's function. */
export type DeclaredPaging = Exclude<Paging<never>, NextRequest<never>>
export type CountedPaging = Extract<DeclaredPaging, { readonly type: 'page' | 'offset' }>
export type OffsetPaging = Extract<CountedPaging, { readonly type: 'offset' }>

export const isCounted = (paging: Paging<never>): paging is CountedPaging =>
  typeof paging === 'object' && (paging.type === 'page' || paging.type === 'offset')

/** The page number or the offset of a request. */
export const countOf = (request: PageRequest, { parameter }: CountedPaging): number =>
  Number(parameterOf(request, parameter))

/** The place of the number of pages or records. */
export const totalAt = (paging: CountedPaging): InResponse<never, unknown> | undefined =>
  paging.type === 'page' ? paging.pages : paging.total

/**
 * Returns a total of pages or records; undefined if the paginator has none. Throws if the response does not hold it:
 * otherwise a renamed field would end the paging too early, or never. Only an empty page may leave it out: the last
 * stated total then holds.
 */
export function totalOf(
  paging: CountedPaging,
  response: ApiResponse<unknown>,
  { total: lastTotal }: ReadingState,
): number | undefined {
  const at = totalAt(paging)
  if (at === undefined) return undefined
  if (isLeftOut(at, response)) return lastTotal
  const value = valueIn(response, at)
  const total = wholeNumber(value, at)
  if (total !== undefined) return total
  throw new PagingError(`${nameOf(at)} should be the number of pages or records, but ${problemOf(value)}`)
}

/** Returns the total that a response states, undefined if it states none. Never throws. */
export const statedTotal = (paging: CountedPaging, response: ApiResponse<unknown>): number | undefined =>
  statedNumber(totalAt(paging), response)

/** Returns the number at a place of a response, undefined if there is none. Never throws. */
export function statedNumber(
  at: InResponse<never, unknown> | undefined,
  response: ApiResponse<unknown>,
): number | undefined {
  if (at === undefined) return undefined
  try {
    return wholeNumber(valueIn(response, at), at)
  } catch {
    return undefined // A user's function fails where the body has no total. `totalOf` throws if it must be there.
  }
}

/** True if a page is empty and has no value at a place, or a function fails there. */
export function isLeftOut(
  at: InResponse<never, unknown> | InCondition<never>,
  response: ApiResponse<unknown>,
): boolean {
  if (response.records.length > 0) return false
  try {
    return (valueIn(response, isCondition(at) ? at.at : at) ?? null) === null && !isExistence(at)
  } catch {
    return true
  }
}

/** A condition on what is there has no value that could be left out. */
const isExistence = (at: InResponse<never, unknown> | InCondition<never>): boolean =>
  isCondition(at) && at.exists !== undefined

/** `content-range: items 0-24/319` has the total behind its slash. */
function wholeNumber(given: unknown, at: InResponse<never, unknown>): number | undefined {
  const isRange = isInHeader(at) && at.header === 'content-range' && typeof given === 'string'
  const value = isRange ? given.slice(given.lastIndexOf('/') + 1) : given
  const isWholeText = typeof value === 'string' && /^\s*\d+\s*$/.test(value)
  const number = isWholeText || typeof value === 'bigint' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined
}

/** Returns the first page number or offset behind the total. */
export function endOf({ type, start }: CountedPaging, total: number): number {
  if (type === 'page') return start + total
  // An API whose offsets begin with 1 has its last record at the offset `total`.
  return start === 1 ? total + 1 : total
}

/** Completes a sentence about an empty page: what says that more records follow. */
export function announcementOf({ more, total: at }: OffsetPaging, total: number | undefined): string {
  if (total !== undefined) return `${nameOf(at)} says that there are ${total} records`
  return more === undefined ? 'a page before announced more records' : `${nameOf(more)} says that more follow`
}

/** Returns the number of pages from this one to the last, for progress displays; undefined if it is not known. */
export function pagesLeft(
  paging: CountedPaging,
  request: PageRequest,
  recordsOnPage: number,
  { total }: ReadingState,
): number | undefined {
  if (total === undefined) return undefined
  const last = Math.min(endOf(paging, total) - 1, paging.max ?? Infinity)
  const step = paging.type === 'page' ? 1 : recordsOnPage
  return Math.max(1, Math.floor((last - countOf(request, paging)) / step) + 1)
}

/**
 * Returns the requests to send ahead: the next one, or up to `atOnce` if the number of pages or records is known. Those
 * behind the next one are a guess where pages have offsets: they are right while pages are as large as the largest one.
 * Each asks for `overlap` records a second time.
 */
export function requestsAhead(
  paging: Paging<never>,
  next: PageRequest,
  { total, largestPage }: ReadingState,
  { atOnce, overlap = 0 }: { readonly atOnce: number; readonly overlap?: 0 | 1 },
): PageRequest[] {
  if (!isCounted(paging)) return [next]
  if (total === undefined)
    return [overlap === 0 ? next : withParameter(next, paging.parameter, countOf(next, paging) - overlap)]
  const size = largestPage || (pageSizeOf(next, paging) ?? Infinity)
  const step = paging.type === 'page' ? 1 : size - overlap
  const first = countOf(next, paging)
  const last = Math.min(endOf(paging, total) - 1, paging.max ?? Infinity)
  const count = Math.min(atOnce, Math.floor((last - first) / step) + 1)
  return Array.from({ length: Math.max(1, count) }, (_, index) =>
    index + overlap === 0 ? next : withParameter(next, paging.parameter, first + index * step - overlap),
  )
}
