// The page number or the offset in a request that a response, or a user's function, has led to.
import type { PageRequest, Parameter, Paging } from '../../model/request.ts'
import { isInHeader } from '../response-value.ts'
import { isCounted } from './counted-pages.ts'
import { parameterOf, withParameter } from './parameter.ts'

/** A place in a list that is found by counting, so that a record that is inserted or deleted moves it. */
export interface CountedPlace {
  readonly type: 'page' | 'offset'
  readonly count: number
  /** Returns the request for another place. */
  readonly at: (count: number) => PageRequest
}

const COUNTING = /(^|\W)_?(page|p|offset|start|skip|from|start_?at|page_?(number|index|no)|number)\W?$/i
const PAGE = /(^|\W)_?(p|page(_?(number|index|no))?|number)\W?$/i
/** A longer number is a time or an id, after which the next page begins. */
const COUNT = /^\d{1,9}$/

/** True if pages are found by counting. What a function does is not known, so it may count. */
export const isFoundByCounting = (paging: Paging<never>, request: PageRequest): boolean =>
  isCounted(paging) || typeof paging === 'function' || countedPlace(paging, request) !== undefined

/** True if a response, or a function, leads to the next page, which may be a counted place. */
export const mayLeadToCount = (paging: Paging<never>): boolean =>
  typeof paging === 'function' ||
  paging.type === 'next url' ||
  paging.type === 'continue' ||
  paging.type === 'link header' ||
  ((paging.type === 'cursor' || paging.type === 'header') && COUNTING.test(nameOf(paging.parameter)))

/**
 * Returns the place in a request that was led to, undefined if it has none: a token of the API counts nothing. A
 * parameter that the first request has with the same value is a filter.
 */
export function countedPlace(
  paging: Paging<never>,
  request: PageRequest,
  first?: PageRequest,
): CountedPlace | undefined {
  if (!mayLeadToCount(paging)) return undefined
  const filters = new Set(first && parametersOf(first, true).map(({ name, value }) => `${name}=${value}`))
  const found = ofPaginator(paging, request).find(
    ({ name, value }) => COUNTING.test(name) && COUNT.test(value) && !filters.has(`${name}=${value}`),
  )
  return found && { type: PAGE.test(found.name) ? 'page' : 'offset', count: Number(found.value), at: found.at }
}

interface Found {
  readonly name: string
  readonly value: string
  readonly at: (count: number) => PageRequest
}

function ofPaginator(paging: Paging<never>, request: PageRequest): Found[] {
  if (typeof paging === 'function') return parametersOf(request, true)
  const { continued } = request
  if (paging.type === 'continue')
    return parametersOf(request, true).filter(({ name }) => continued !== undefined && Object.hasOwn(continued, name))
  if (paging.type !== 'cursor' && paging.type !== 'header') return parametersOf(request, false)
  const { parameter } = paging
  const value = textOf(parameterOf(request, parameter))
  return [{ name: nameOf(parameter), value, at: (count) => withParameter(request, parameter, count) }]
}

const nameOf = (parameter: Parameter): string => (isInHeader(parameter) ? parameter.header : parameter)

const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : ''

/** Returns the parameters in the URL, and those beside it: in the query and on two levels of the body. */
function parametersOf(request: PageRequest, isAll: boolean): Found[] {
  const inUrl = parametersInUrl(request)
  if (!isAll) return inUrl
  const inQuery = Object.entries(request.query).map(([name, value]) => ({
    name,
    value: textOf(value),
    at: (count: number): PageRequest => ({ ...request, query: { ...request.query, [name]: String(count) } }),
  }))
  const inForm = Object.entries(request.form ?? {}).map(([name, value]) => ({
    name,
    value: textOf(value),
    at: (count: number): PageRequest => withParameter(request, name, count),
  }))
  const inJson = Object.entries(request.json ?? {}).flatMap(([name, value]) => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    const members: (readonly [string, unknown])[] = isObject
      ? Object.entries(value).map(([member, inner]) => [`${name}.${member}`, inner])
      : [[name, value]]
    return members.map(([path, inner]) => ({
      name: path,
      value: textOf(inner),
      at: (count: number): PageRequest => withParameter(request, path, typeof inner === 'string' ? `${count}` : count),
    }))
  })
  return [...inUrl, ...inQuery, ...inForm, ...inJson]
}

/** The rest of the URL stays as it is, character by character: it may be signed, or have the name of a secret. */
function parametersInUrl(request: PageRequest): Found[] {
  const [address = ''] = request.url.split('#', 1)
  const mark = address.indexOf('?')
  const path = mark < 0 ? address : address.slice(0, mark)
  const inPath = parametersInPath(request, path, address.slice(path.length))
  if (mark < 0) return inPath
  const parts = address.slice(mark + 1).split('&')
  const inQuery = parts.flatMap((part, index) =>
    [...new URLSearchParams(part)].map(([name, value]) => ({
      name,
      value,
      at: (count: number): PageRequest => {
        const changed = parts.with(index, part.replace(/\d+$/, String(count)))
        return { ...request, url: `${address.slice(0, mark + 1)}${changed.join('&')}` }
      },
    })),
  )
  return [...inQuery, ...inPath]
}

/** Pairs of segments: `/list/page/2` has a parameter `page`. */
function parametersInPath(request: PageRequest, path: string, rest: string): Found[] {
  const segments = path.split('/')
  return segments.slice(1).map((value, index) => ({
    name: segments[index] ?? '',
    value,
    at: (count: number): PageRequest => ({
      ...request,
      url: `${segments.with(index + 1, String(count)).join('/')}${rest}`,
    }),
  }))
}
