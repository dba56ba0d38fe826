// Pages that have numbers or offsets: how many there are, and which ones to request ahead.
import { PagingError } from '../../model/errors.ts'
import type { HttpSource } from '../../model/recipe.ts'
import type { From, NextRequest, PageRequest, Paging } from '../../model/request.ts'
import { nameOf, problemOf, valueFrom } from '../body-value.ts'
import { parameterOf, withParameter } from './parameter.ts'

/** Every paginator except a user's function. */
export type DeclaredPaging = Exclude<Paging<never>, NextRequest<never>>
export type CountedPaging = Extract<DeclaredPaging, { readonly type: 'page' | 'offset' }>

/** Pages that are requested ahead at the same time, at most. */
const MAX_AHEAD = 8

export const isCounted = (paging: Paging<never>): paging is CountedPaging =>
  typeof paging === 'object' && (paging.type === 'page' || paging.type === 'offset')

/** The page number or the offset of a request. */
export const countOf = (request: PageRequest, { parameter }: CountedPaging): number =>
  Number(parameterOf(request, parameter))

/**
 * Returns a total of pages or records; undefined if the paginator has none. Throws if the body does not hold it:
 * otherwise a renamed field would end the paging too early, or never.
 */
export function totalIn(body: unknown, at: From<never, unknown> | undefined): number | undefined {
  if (at === undefined) return undefined
  const value = valueFrom(at, body)
  const isWholeText = typeof value === 'string' && /^\s*\d+\s*$/.test(value)
  const total = isWholeText || typeof value === 'bigint' ? Number(value) : value
  if (typeof total === 'number' && Number.isFinite(total) && total >= 0) return total
  throw new PagingError(`${nameOf(at)} should be the number of pages or records, but ${problemOf(value)}`)
}

/** Returns the number of pages from this one to the last, for progress displays; undefined if it is not known. */
export function pagesLeft(
  paging: CountedPaging,
  body: unknown,
  request: PageRequest,
  recordsOnPage: number,
): number | undefined {
  const current = countOf(request, paging)
  const max = paging.max ?? Infinity
  if (paging.type === 'page') {
    const pages = totalIn(body, paging.pages)
    return pages === undefined ? undefined : Math.max(1, Math.min(paging.start + pages - 1, max) - current + 1)
  }
  const records = totalIn(body, paging.total)
  if (records === undefined) return undefined
  return Math.max(1, Math.floor((Math.min(records - 1, max) - current) / recordsOnPage) + 1)
}

/** Returns the requests to send ahead: the next one, or several if the number of pages is known. */
export function requestsAhead({ paging, api }: HttpSource, body: unknown, next: PageRequest): PageRequest[] {
  if (typeof paging === 'function' || paging.type !== 'page') return [next]
  const pages = totalIn(body, paging.pages)
  if (pages === undefined) return [next]
  const page = countOf(next, paging)
  const atOnce = Math.min(api.concurrency ?? MAX_AHEAD, MAX_AHEAD)
  const last = Math.min(paging.start + pages - 1, paging.max ?? Infinity, page + atOnce - 1)
  return Array.from({ length: Math.max(1, last - page + 1) }, (_, index) =>
    withParameter(next, paging.parameter, page + index),
  )
}
