// Which paginator fits an answer that names a way on which the pipeline does not use?
import { valueAt } from '../../model/path.ts'
import type { ApiResponse, Paging, Parameter } from '../../model/request.ts'
import { hintsIn } from '../../source/paging/hints.ts'
import { linkTo } from '../../source/paging/link-header.ts'
import { pagesInHeaders, recordsInHeaders } from '../../source/paging/stated-totals.ts'
import { isInHeader } from '../../source/response-value.ts'
import { advice, type Remark } from './finding.ts'
import type { FirstPage } from './first-page.ts'

/** Recommends a paginator if a run could not prove that the first page is everything, and the answer names a way on. */
export function recommendPaginator(
  { completeness, response }: Pick<FirstPage, 'completeness' | 'response'>,
  paging: Paging<never>,
): Remark[] {
  const paginator = completeness?.grade === 'open' ? paginatorFor(response, paging) : undefined
  return paginator === undefined ? [] : [advice(`recommended for this answer: .pages(${paginator})`)]
}

/** Returns the call of a paginator as it is written; undefined if the answer does not show one. */
function paginatorFor(response: ApiResponse<unknown>, paging: Paging<never>): string | undefined {
  const { headers, records } = response
  if (linkTo('next', headers['link']) !== undefined) return 'byLinkHeader()'
  const { names } = hintsIn(response, { records: records.length, pages: 1 })
  const ways = names.map((name) => wayOf(name, response, paging)).filter((way) => way !== undefined)
  const [best] = ways.toSorted((one, other) => one.rank - other.rank)
  if (best) return best.call
  const pages = pagesInHeaders(headers)
  if (pages && pages.count > 1) return `byPage('page', { pages: ${headerOf(pages.name)} })`
  const total = recordsInHeaders(headers)
  if (total && total.count > records.length)
    return `byOffset('offset', { total: ${headerOf(total.name)} })) or .pages(byPage('page')`
  return undefined
}

interface Way {
  readonly call: string
  /** The lower, the surer it is. */
  readonly rank: number
}

/** Returns the paginator for one name that `hintsIn` has found. */
function wayOf(hint: string, { body, headers }: ApiResponse<unknown>, paging: Paging<never>): Way | undefined {
  const [, header] = /^the header '(.+)'$/.exec(hint) ?? []
  if (header !== undefined && /^https?:\/\//.test(headers[header] ?? ''))
    return { call: `byNextUrl(inHeader('${header}'))`, rank: 0 }
  if (header !== undefined)
    return /page/i.test(header)
      ? { call: `byHeader('page', '${header}')`, rank: 2 }
      : { call: `byCursor('${parameterFor(header, paging)}', inHeader('${header}'))`, rank: 1 }
  const [, path = '', total] = /^'(.+?)'( \((?:\d+|false)\))?$/.exec(hint) ?? []
  if (path === '') return undefined
  if (total === ' (false)') return { call: `byPage('page', { done: '${path}' })`, rank: 4 }
  if (total !== undefined)
    return /page/i.test(path)
      ? { call: `byPage('page', { pages: '${path}' })`, rank: 3 }
      : { call: `byOffset('offset', { total: '${path}' })`, rank: 5 }
  return wayInBody(path, valueAt(body, path), paging)
}

function wayInBody(path: string, value: unknown, paging: Paging<never>): Way | undefined {
  if (value === true) return { call: `byPage('page', { more: '${path}' })`, rank: 4 }
  if (typeof value === 'object' && value !== null) {
    if ('continue' in value) return { call: `byContinue('${path}')`, rank: 0 }
    const name = ['href', 'url', 'cursor'].find((name) => name in value)
    return name === undefined ? undefined : wayInBody(`${path}.${name}`, valueAt(value, name), paging)
  }
  if (typeof value === 'string' && /^(https?:\/\/|[/?])/.test(value)) return { call: `byNextUrl('${path}')`, rank: 0 }
  const isPage = /page$/i.test(path)
  return { call: `byCursor('${isPage ? 'page' : parameterFor(path, paging)}', '${path}')`, rank: isPage ? 2 : 1 }
}

/** Returns the parameter that a cursor is probably sent as: that of the paginator, or the name without `next`. */
function parameterFor(name: string, paging: Paging<never>): string {
  const parameter: Parameter | undefined =
    typeof paging === 'object' && paging.type === 'cursor' ? paging.parameter : undefined
  if (parameter !== undefined) return isInHeader(parameter) ? parameter.header : parameter
  const last = name.split('.').at(-1) ?? name
  const rest = last.replace(/^(x-)?next[_-]?/i, '')
  return rest === '' ? 'cursor' : `${rest[0]?.toLowerCase() ?? ''}${rest.slice(1)}`
}

/** `the header 'x-total'` → `inHeader('x-total')`. */
const headerOf = (name: string): string => `inHeader(${name.replace(/^the header /, '')})`
