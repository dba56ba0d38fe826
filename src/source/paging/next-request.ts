// The request for the next page: a pure function of the paginator, the last response and the last request.
import { PagingError } from '../../model/errors.ts'
import { valueAt } from '../../model/path.ts'
import type { ApiResponse, From, PageRequest, Paging } from '../../model/request.ts'
import { Decimal } from '../../value/decimal.ts'
import { nameOf, problemOf, typeNameOf, valueFrom } from '../body-value.ts'
import { callPaginator } from './call-paginator.ts'
import { countOf, isCounted, totalIn, type DeclaredPaging } from './counted-pages.ts'
import { linkTo } from './link-header.ts'
import { withParameter } from './parameter.ts'

/**
 * Returns the request for the next page, or undefined after the last one. The first condition that ends the paging
 * wins. Throws a `PagingError` if the response says that there are more pages, but not how to get the next one.
 */
export function nextRequest(
  paging: Paging<never>,
  response: ApiResponse<unknown>,
  request: PageRequest,
): PageRequest | undefined {
  if (typeof paging === 'function') return callPaginator(paging, response, request)
  // An empty page ends counted paging, even if a total is wrong or missing.
  if (isCounted(paging) && response.records.length === 0) return undefined
  const moreAt = 'more' in paging ? paging.more : undefined
  const more = moreAt === undefined ? undefined : flagIn(response.body, moreAt)
  if (more === false) return undefined
  const next = declaredNext(paging, response, request)
  if (more === true && next === undefined && !isCounted(paging))
    throw new PagingError(`${nameOf(moreAt)} says that there are more pages, but ${missingWayOn(paging)}`)
  return next
}

/** Returns the next request of each kind of paginator, without regard to its `more`. */
function declaredNext(
  paging: DeclaredPaging,
  response: ApiResponse<unknown>,
  request: PageRequest,
): PageRequest | undefined {
  const { body, headers, records, url } = response
  switch (paging.type) {
    case 'one page':
      return undefined
    case 'page': {
      const page = countOf(request, paging) + 1
      const pages = totalIn(body, paging.pages) ?? Infinity
      const isBeyond = page >= paging.start + pages || page > (paging.max ?? Infinity)
      return isBeyond ? undefined : withParameter(request, paging.parameter, page)
    }
    case 'offset': {
      const offset = countOf(request, paging) + records.length
      const total = totalIn(body, paging.total) ?? Infinity
      const isBeyond = offset >= total || offset > (paging.max ?? Infinity)
      return isBeyond ? undefined : withParameter(request, paging.parameter, offset)
    }
    case 'cursor': {
      const cursor = pointerOf(valueFrom(paging.at, body), paging.at)
      return cursor === undefined ? undefined : withParameter(request, paging.parameter, cursor)
    }
    case 'last record': {
      if (records.length === 0) return undefined
      const cursor = pointerOf(valueFrom(paging.at, body), paging.at)
      if (cursor === undefined)
        throw new PagingError(`the last record has no ${nameOf(paging.at)}, which leads to the next page`)
      return withParameter(request, paging.parameter, cursor)
    }
    case 'next url': {
      const next = pointerOf(valueFrom(paging.at, body), paging.at)
      return next === undefined ? undefined : atUrl(request, String(next), url)
    }
    case 'link header': {
      const next = pointerOf(linkTo(paging.rel, headers['link']), `link; rel=${paging.rel}`)
      return next === undefined ? undefined : atUrl(request, String(next), url)
    }
    case 'header': {
      const value = pointerOf(headers[paging.header], paging.header)
      return value === undefined ? undefined : withParameter(request, paging.parameter, value)
    }
    case 'relay': {
      const connection = valueFrom(paging.at, body)
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
function pointerOf(value: unknown, at: From<never, unknown>): string | number | undefined {
  if (value === undefined || value === null || value === '' || value === false) return undefined
  if (typeof value === 'string' || typeof value === 'number') return value
  if (typeof value === 'bigint' || value instanceof Decimal) return String(value)
  throw new PagingError(`${nameOf(at)} should lead to the next page by text or a number, but is ${typeNameOf(value)}`)
}

function flagIn(body: unknown, at: From<never, unknown>): boolean {
  const value = valueFrom(at, body)
  if (typeof value === 'boolean') return value
  if (value === 'true' || value === 'false') return value === 'true'
  throw new PagingError(`${nameOf(at)} should say whether there are more pages, but ${problemOf(value)}`)
}

function missingWayOn(paging: DeclaredPaging): string {
  if (paging.type === 'last record') return 'the page is empty, so that no last record leads to the next one'
  return 'at' in paging ? `${nameOf(paging.at)} is empty` : 'nothing leads to the next one'
}
