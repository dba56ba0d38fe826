// The request for the next page: a pure function of the paginator, the last response and request, and the pages before.
import { isCondition, type InCondition } from '../../model/condition.ts'
import { kindProblem } from '../../model/fits-condition.ts'
import { PagingError } from '../../model/errors.ts'
import { valueAt } from '../../model/path.ts'
import type { ApiResponse, InResponse, PageRequest, Paging } from '../../model/request.ts'
import { knownOf } from '../../model/unreadable-record.ts'
import { Decimal } from '../../value/decimal.ts'
import { nameOf, problemOf, valueIn } from '../response-value.ts'
import { callPaginator } from './call-paginator.ts'
import {
  announcementOf,
  countOf,
  endOf,
  isCounted,
  isLeftOut,
  totalAt,
  totalOf,
  type CountedPaging,
  type DeclaredPaging,
  type OffsetPaging,
} from './counted-pages.ts'
import { linkTo } from './link-header.ts'
import { pageSizeOf } from './page-size.ts'
import { withContinuation } from './continuation.ts'
import { withParameter } from './parameter.ts'
import type { ReadingState } from './reading-state.ts'
import { typeNameOf } from '../../value/type-name.ts'

/**
 * Returns the request for the next page, or undefined after the last one. The first condition that ends the paging
 * wins. An empty page ends counted pages only if nothing says that more follow. `seen` includes this page. Throws a
 * `PagingError` if the response says that there are more pages, but not how to get the next one.
 */
export function nextRequest(
  paging: Paging<never>,
  read: ApiResponse<unknown>,
  request: PageRequest,
  seen: ReadingState,
): PageRequest | undefined {
  // Also where the last record could not be read whole, its id leads to the next page.
  const response = { ...read, records: read.records.map(knownOf) }
  if (typeof paging === 'function')
    return response.body === undefined ? undefined : callPaginator(paging, response, request)
  const moreAt = 'more' in paging ? paging.more : undefined
  const more = moreAt === undefined ? undefined : moreOf(paging, response, moreAt)
  if (more === false) return undefined
  const next = isCounted(paging)
    ? nextCounted(paging, response, request, { seen, more })
    : declaredNext(paging, response, request)
  if (more === true && next === undefined && !isCounted(paging))
    throw new PagingError(`${nameOf(moreAt)} says that there are more pages, but ${missingWayOn(paging)}`)
  return next
}

/** Returns the request for the next page number or offset. */
function nextCounted(
  paging: CountedPaging,
  response: ApiResponse<unknown>,
  request: PageRequest,
  { seen, more }: { readonly seen: ReadingState; readonly more: boolean | undefined },
): PageRequest | undefined {
  const { length } = response.records
  const total = totalOf(paging, response, seen)
  // A position is stored only if more followed. One of an older version has no total: go on until a page states it.
  const mayHaveTotal = seen.isPartial === true && totalAt(paging) !== undefined
  if (length === 0 && total === undefined && more === undefined && !mayHaveTotal) return undefined
  const end = Math.min(total === undefined ? Infinity : endOf(paging, total), (paging.max ?? Infinity) + 1)
  const current = countOf(request, paging)
  if (paging.type === 'page')
    return current + 1 < end ? withParameter(request, paging.parameter, current + 1) : undefined
  if (length === 0 && current >= Math.min(total ?? Infinity, paging.max ?? Infinity)) return undefined
  const next = current + (length > 0 ? length : stepOverEmpty(paging, request, seen))
  return next < end ? withParameter(request, paging.parameter, next) : undefined
}

/**
 * Returns the step over a page without records: the page size that was asked for, or what the API gives at most. A
 * longer step would skip records. Undefined if the page size is unknown.
 */
export function stepOver(
  paging: OffsetPaging,
  request: PageRequest,
  { largestPage }: Pick<ReadingState, 'largestPage'>,
): number | undefined {
  const size = pageSizeOf(request, paging)
  return size !== undefined && largestPage > 0 ? Math.min(size, largestPage) : size
}

function stepOverEmpty(paging: OffsetPaging, request: PageRequest, seen: ReadingState): number {
  const step = stepOver(paging, request, seen)
  if (step !== undefined) return step
  throw new PagingError(
    `the page at offset ${countOf(request, paging)} is empty, but ${announcementOf(paging, seen.total)}. ` +
      'The request states no page size to step over it. Add one, such as limit: 100, or name the parameter: ' +
      "byOffset('offset', { limit: 'rows' })",
  )
}

/** Returns the next request of each other kind of paginator, without regard to its `more`. */
function declaredNext(
  paging: Exclude<DeclaredPaging, CountedPaging>,
  response: ApiResponse<unknown>,
  request: PageRequest,
): PageRequest | undefined {
  const { headers, records, url } = response
  switch (paging.type) {
    case 'one page':
    case 'since': // `SincePages` makes its requests.
      return undefined
    case 'cursor': {
      const cursor = pointerOf(valueIn(response, paging.at), paging.at)
      return cursor === undefined ? undefined : withParameter(request, paging.parameter, cursor)
    }
    case 'last record': {
      if (records.length === 0) return undefined
      const cursor = pointerOf(valueIn(response, paging.at), paging.at)
      if (cursor === undefined)
        throw new PagingError(`the last record has no ${nameOf(paging.at)}, which leads to the next page`)
      return withParameter(request, paging.parameter, cursor)
    }
    case 'next url': {
      const next = pointerOf(valueIn(response, paging.at), paging.at)
      return next === undefined ? undefined : atUrl(request, String(next), url)
    }
    case 'continue': {
      const members = valueIn(response, paging.at)
      if (members === undefined || members === null || members === false) return undefined
      return withContinuation(request, members, nameOf(paging.at))
    }
    case 'link header': {
      const next = pointerOf(linkTo(paging.rel, headers['link']), { header: `link; rel=${paging.rel}` })
      return next === undefined ? undefined : atUrl(request, String(next), url)
    }
    case 'header': {
      const value = pointerOf(headers[paging.header], paging)
      return value === undefined ? undefined : withParameter(request, paging.parameter, value)
    }
    case 'relay': {
      const connection = valueIn(response, paging.at)
      if ((connection === null || connection === undefined) && records.length === 0) return undefined
      const cursor = endCursorOf(connection, nameOf(paging.at))
      return cursor === undefined ? undefined : withParameter(request, paging.variable, cursor)
    }
  }
}

/** Returns the end cursor of a GraphQL connection that has a next page. */
function endCursorOf(connection: unknown, name: string): string | undefined {
  const hasNextPage = valueAt(connection, 'pageInfo.hasNextPage')
  if (hasNextPage === false) return undefined
  if (hasNextPage !== true)
    throw new PagingError(
      `${name} has no pageInfo.hasNextPage: add pageInfo { hasNextPage endCursor } to the GraphQL query`,
    )
  const cursor = valueAt(connection, 'pageInfo.endCursor')
  if (typeof cursor === 'string' && cursor !== '') return cursor
  throw new PagingError(
    `${name}.pageInfo says that there is a next page, but has no endCursor: add endCursor to the GraphQL query`,
  )
}

/** Takes the whole URL from the response, without the old query: otherwise a parameter could be sent twice. */
function atUrl(request: PageRequest, url: string, base: string): PageRequest {
  if (!URL.canParse(url, base)) throw new PagingError('the URL of the next page is not a valid URL')
  return { ...request, url: new URL(url, base).href, query: {} }
}

/** Returns what leads to the next page. Null, false, empty text and a missing value mean that there is none. */
function pointerOf(value: unknown, at: InResponse<never, unknown>): string | number | undefined {
  if (value === undefined || value === null || value === '' || value === false) return undefined
  if (typeof value === 'string' && value.isWellFormed()) return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (typeof value === 'bigint' || value instanceof Decimal) return String(value)
  const found = typeof value === 'number' ? String(value) : typeNameOf(value)
  throw new PagingError(
    `${nameOf(at)} should lead to the next page by text or a number, ` +
      `but is ${typeof value === 'string' ? 'text with a broken character' : found}`,
  )
}

/** Returns `more`; undefined if an empty counted page, or a response without a body, leaves it out. */
export function moreOf(
  paging: DeclaredPaging,
  response: ApiResponse<unknown>,
  at: InResponse<never, unknown> | InCondition<never>,
): boolean | undefined {
  if ((isCounted(paging) || response.body === undefined) && isLeftOut(at, response)) return undefined
  if (isCondition(at)) checkKind(at, valueIn(response, at.at))
  const value = valueIn(response, at)
  const isDone = 'moreIs' in paging
  const text = typeof value === 'string' ? value.trim().toLowerCase() : value
  const said = typeof text === 'boolean' || (text !== 'true' && text !== 'false') ? text : text === 'true'
  if (typeof said === 'boolean') return said !== isDone
  throw new PagingError(
    `${nameOf(at)} should say whether ${isDone ? 'this is the last page' : 'there are more pages'}, ` +
      `but ${problemOf(value)}. Correct \`${isDone ? 'done' : 'more'}\` of the paginator`,
  )
}

/** Throws for a value that can never be one of those of a condition: `more` would end the reading on the first page. */
function checkKind(condition: InCondition<never>, value: unknown): void {
  const problem = kindProblem(nameOf(condition), value, condition)
  if (problem !== undefined) throw new PagingError(`${problem}. Write the value of \`is\` as the response has it`)
}

function missingWayOn(paging: DeclaredPaging): string {
  if (paging.type === 'last record') return 'the page is empty, so that no last record leads to the next one'
  return 'at' in paging ? `${nameOf(paging.at)} is empty` : 'nothing leads to the next one'
}
