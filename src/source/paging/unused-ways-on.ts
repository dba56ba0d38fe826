// Finds what looks like a way to the next page in the response that ends a paging.
import type { ApiResponse, Paging } from '../../model/request.ts'
import { valueIn } from '../response-value.ts'
import { linkTo } from './link-header.ts'

/** Names such as `next`, `nextPageToken`, `next_cursor`, `@odata.nextLink` and `continuationToken`. */
const WAY_ON = /(^|[^a-z])next([^a-z]|$)|next_?(page|cursor|token|link|url|href|offset|key)|continuation|scroll_?id/i
/** Names such as `has_more` and `hasNextPage`. */
const MORE = /^(has_?more|has_?next(_?page)?|more)$/i
const MAX_DEPTH = 3

/**
 * Returns the names of a response that look like a way to the next page, if its paginator found none: it is missing,
 * not null, empty or false, which say that there is no next page. Returns nothing for a response whose `has_more` is
 * false, and for paginators that count or are functions.
 */
export function unusedWaysOn(paging: Paging<never>, response: ApiResponse<unknown>): string[] {
  if (!isWayOnMissing(paging, response)) return []
  const found: Found = { names: [], saysNoMore: false }
  search(response.body, '', MAX_DEPTH, found)
  if (found.saysNoMore) return []
  const link = linkTo('next', response.headers['link']) === undefined ? [] : ["the header 'link'"]
  const headers = Object.entries(response.headers).filter(([name, value]) => WAY_ON.test(name) && pointsOn(value))
  return [...found.names.map((name) => `'${name}'`), ...link, ...headers.map(([name]) => `the header '${name}'`)]
}

function isWayOnMissing(paging: Paging<never>, response: ApiResponse<unknown>): boolean {
  if (typeof paging === 'function') return false
  switch (paging.type) {
    case 'cursor':
    case 'next url':
      // A function may decide by itself that there is no next page.
      return typeof paging.at !== 'function' && valueIn(response, paging.at) === undefined
    case 'header':
      return response.headers[paging.header] === undefined
    case 'link header':
      return linkTo(paging.rel, response.headers['link']) === undefined
    case 'one page':
    case 'page':
    case 'offset':
    case 'last record':
    case 'relay':
      return false
  }
}

interface Found {
  readonly names: string[]
  saysNoMore: boolean
}

/** Lists are left out, because they hold records. */
function search(value: unknown, path: string, depth: number, found: Found): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth === 0) return
  for (const [name, member] of Object.entries(value)) {
    const place = path === '' ? name : `${path}.${name}`
    if (MORE.test(name)) {
      if (member === true) found.names.push(place)
      if (member === false) found.saysNoMore = true
    } else if (WAY_ON.test(name) && pointsOn(member)) found.names.push(place)
    else search(member, place, depth - 1, found)
  }
}

/** True for text, a number, and an object with a URL, such as `next: { href: '…' }`. */
function pointsOn(value: unknown): boolean {
  if (typeof value === 'object' && value !== null)
    return ['href', 'url', 'cursor'].some((name) => name in value && pointsOn((value as Record<string, unknown>)[name]))
  return (typeof value === 'string' && value !== '') || typeof value === 'number' || typeof value === 'bigint'
}
