import { Decimal } from '../../value/decimal.ts'
import { PagingError } from '../../model/errors.ts'
import { valueAt } from '../../model/path.ts'
import type { ApiResponse, PageRequest, From, NextRequest, Paging } from '../../model/request.ts'
import { linkTo } from './link-header.ts'
import { parameterOf, withParameter } from './parameter.ts'
import { messageOf } from '../../value/error.ts'

type Declared = Exclude<Paging<never>, NextRequest<never>>

/**
 * What to ask after an answer, or nothing: a pure function of the two. The first condition that ends the paging wins;
 * an answer that says there is more, but not how to go on, is an error.
 */
export function nextRequest(
  paging: Paging<never>,
  response: ApiResponse<unknown>,
  request: PageRequest,
): PageRequest | undefined {
  if (typeof paging === 'function') return ownNext(paging, response, request)
  // For these an empty page is the end, whatever its totals say, or leave out.
  if ((paging.type === 'page' || paging.type === 'offset') && response.records.length === 0) return undefined
  const more =
    'more' in paging && paging.more !== undefined ? truth(found(paging.more, response.body), paging.more) : undefined
  if (more === false) return undefined
  const next = following(paging, response, request)
  if (more === true && next === undefined && paging.type !== 'page' && paging.type !== 'offset') {
    throw new PagingError(
      `${nameOf('more' in paging ? paging.more : undefined)} says that there are more pages, but ${wayOn(paging)}`,
    )
  }
  return next
}

function following(paging: Declared, response: ApiResponse<unknown>, request: PageRequest): PageRequest | undefined {
  switch (paging.type) {
    case 'one page':
      return undefined
    case 'page': {
      const page = Number(parameterOf(request, paging.parameter)) + 1
      const pages = total(paging.pages, response.body)
      return (pages !== undefined && page >= pages + paging.start) || page > (paging.max ?? Infinity)
        ? undefined
        : withParameter(request, paging.parameter, page)
    }
    case 'offset': {
      const offset = Number(parameterOf(request, paging.parameter)) + response.records.length
      const records = total(paging.total, response.body)
      return (records !== undefined && offset >= records) || offset > (paging.max ?? Infinity)
        ? undefined
        : withParameter(request, paging.parameter, offset)
    }
    case 'cursor':
      return named(found(paging.at, response.body), paging.at, (cursor) =>
        withParameter(request, paging.parameter, cursor),
      )
    case 'last record': {
      if (response.records.length === 0) return undefined
      const next = named(found(paging.at, response.body), paging.at, (cursor) =>
        withParameter(request, paging.parameter, cursor),
      )
      if (!next) throw new PagingError(`the last record has no ${nameOf(paging.at)}, which leads to the next page`)
      return next
    }
    case 'next url':
      return named(found(paging.at, response.body), paging.at, (url) => atUrl(request, String(url), response.url))
    case 'link header':
      return named(linkTo(paging.rel, response.headers['link']), `link; rel=${paging.rel}`, (url) =>
        atUrl(request, String(url), response.url),
      )
    case 'header':
      return named(response.headers[paging.header], paging.header, (value) =>
        withParameter(request, paging.parameter, value),
      )
    case 'relay':
      return relayed(found(paging.at, response.body), paging, response, request)
  }
}

function relayed(
  connection: unknown,
  { at, variable }: Extract<Declared, { type: 'relay' }>,
  response: ApiResponse<unknown>,
  request: PageRequest,
): PageRequest | undefined {
  if ((connection === null || connection === undefined) && response.records.length === 0) return undefined
  const more = valueAt(connection, 'pageInfo.hasNextPage')
  if (more === false) return undefined
  if (more !== true)
    throw new PagingError(
      `${nameOf(at)} has no pageInfo.hasNextPage: ask for pageInfo { hasNextPage endCursor } in the query`,
    )
  const cursor = valueAt(connection, 'pageInfo.endCursor')
  if (typeof cursor !== 'string' || cursor === '')
    throw new PagingError(
      `${nameOf(at)}.pageInfo says that there is a next page, but has no endCursor: ask for it in the query`,
    )
  return withParameter(request, variable, cursor)
}

/** The next page's URL says all that is to be asked, so that no parameter is sent twice. */
function atUrl(request: PageRequest, url: string, base: string): PageRequest {
  if (!URL.canParse(url, base)) throw new PagingError(`the next page's URL cannot be read`)
  return { ...request, url: new URL(url, base).href, query: {} }
}

/** Null, a missing member and the empty text all mean: no more. */
function named(
  value: unknown,
  at: From<never, unknown>,
  then: (value: string | number) => PageRequest,
): PageRequest | undefined {
  if (value === undefined || value === null || value === '' || value === false) return undefined
  if (typeof value === 'string' || typeof value === 'number') return then(value)
  if (typeof value === 'bigint' || value instanceof Decimal) return then(String(value))
  throw new PagingError(`${nameOf(at)} names the next page by ${kindOf(value)}: text or a number was expected`)
}

/**
 * Pages or records in all. Missing in a page that holds records, it is an error: a renamed field must not end the
 * reading, or never end it.
 */
function total(at: From<never, unknown> | undefined, body: unknown): number | undefined {
  if (at === undefined) return undefined
  const value = found(at, body)
  const number =
    typeof value === 'string' && /^\s*\d+\s*$/.test(value)
      ? Number(value)
      : typeof value === 'bigint'
        ? Number(value)
        : value
  if (typeof number === 'number' && Number.isFinite(number) && number >= 0) return number
  throw new PagingError(
    `${nameOf(at)} should say how much there is, but ${value === undefined ? 'is missing' : `holds ${kindOf(value)}`}`,
  )
}

/** The number of pages that an answer tells, for asking them at once. */
export const pagesIn = ({ pages }: Extract<Declared, { type: 'page' }>, body: unknown): number | undefined =>
  total(pages, body)

/** How many pages there are from this one on, for those who watch; undefined where the answer does not tell. */
export function pagesFrom(paging: Declared, body: unknown, request: PageRequest, records: number): number | undefined {
  if (paging.type !== 'page' && paging.type !== 'offset') return undefined
  const at = Number(parameterOf(request, paging.parameter))
  const there = paging.type === 'page' ? total(paging.pages, body) : total(paging.total, body)
  if (there === undefined) return undefined
  const last =
    paging.type === 'page'
      ? Math.min(there + paging.start - 1, paging.max ?? Infinity)
      : Math.min(there - 1, paging.max ?? Infinity)
  return Math.max(1, paging.type === 'page' ? last - at + 1 : Math.floor((last - at) / records) + 1)
}

function truth(value: unknown, at: From<never, unknown>): boolean {
  if (typeof value === 'boolean') return value
  if (value === 'true' || value === 'false') return value === 'true'
  throw new PagingError(
    `${nameOf(at)} should say whether there are more pages, but ${value === undefined ? 'is missing' : `holds ${kindOf(value)}`}`,
  )
}

function ownNext(
  paging: NextRequest<never>,
  response: ApiResponse<unknown>,
  request: PageRequest,
): PageRequest | undefined {
  let next: PageRequest | null | undefined
  try {
    next = paging(response as ApiResponse<never>, request)
  } catch (cause) {
    throw new PagingError(`the paginator's function failed: ${messageOf(cause)}`, { cause })
  }
  if (next === undefined || next === null) return undefined
  if (typeof next !== 'object' || typeof next.url !== 'string' || typeof next.query !== 'object')
    throw new PagingError(
      "the paginator's function must answer a request such as { ...request, query: { … } }, or nothing",
    )
  const query = Object.fromEntries(
    Object.entries(next.query)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, Array.isArray(value) ? value.map(String) : String(value)]),
  )
  return { ...next, query }
}

/** A value of the body, by function or by path; '' is the body itself. */
export function found(from: From<never, unknown>, body: unknown): unknown {
  return typeof from === 'function' ? from(body as never) : from === '' ? body : valueAt(body, from)
}

const nameOf = (at: From<never, unknown> | undefined): string => (typeof at === 'string' ? `'${at}'` : 'the function')
export const kindOf = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'an object'
        : typeof value === 'boolean'
          ? String(value)
          : typeof value === 'string'
            ? 'text'
            : `a ${typeof value}`

function wayOn(paging: Declared): string {
  if (paging.type === 'last record') return 'the page is empty, so that no last record leads on'
  return 'at' in paging ? `${nameOf(paging.at)} is empty` : 'nothing names the next one'
}
