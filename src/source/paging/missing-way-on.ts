// A reading that ended without a word of the API: was there a way to the next page?
import { isCondition } from '../../model/condition.ts'
import { formatCount } from '../../value/format.ts'
import { nameOf, valueIn } from '../response-value.ts'
import type { DeclaredPaging } from './counted-pages.ts'
import { isCounted, statedNumber } from './counted-pages.ts'
import { hintsIn } from './hints.ts'
import { linkTo } from './link-header.ts'
import { isCountReached } from './missing-records.ts'
import { isOnlyPageFull, moreOfEnd, type ReadingEnd } from './reading-end.ts'
import { recordsAt } from './stated-totals.ts'

/** Returns why the end is not proven, if the API did not state it: the response hints at more, or the page is full. */
export function wayOnMissing(end: ReadingEnd): string | undefined {
  const kind = silentEnd(end)
  if (kind === undefined || isCountReached(end)) return undefined
  if (kind === 'connection lost') return 'the GraphQL connection is null after pages that had it'
  // What came before the position of an older version is not counted.
  const read = end.state.isPartial ? { records: Infinity, pages: Infinity } : end.state
  const { names, saysNoMore, saysMore } = hintsIn(end.response, read, statedNumber(recordsAt(end.paging), end.response))
  if (kind === 'stated end') return saysMore.length === 0 ? undefined : contradicted(saysMore)
  const link = kind === 'missing' && linkTo('next', end.response.headers['link']) ? ["the header 'link'"] : []
  const found = [...names, ...link]
  if (found.length > 0) return hinted(kind, found, end)
  // The API leaves out the way on at the end, as an earlier reading has shown.
  if (kind === 'missing' && end.isWayOnKnown) return undefined
  if (saysNoMore || kind === 'empty page' || end.state.lastCount !== undefined || !isOnlyPageFull(end)) return undefined
  const size = formatCount(end.response.records.length, 'record')
  const missing = kind === 'missing' ? `, and ${placeOf(end)} is missing` : ''
  return (
    `only one page was read, which seems to be full (${size})${missing}. If more pages exist, correct the paginator. ` +
    'Otherwise request larger pages, such as limit: 1000'
  )
}

type SilentEnd = 'one page' | 'empty page' | 'missing' | 'connection lost' | 'stated end'

/** Returns how the reading ended, undefined if that is no matter of ways on. */
function silentEnd(end: ReadingEnd): SilentEnd | undefined {
  const { paging, response, state, stop } = end
  if (stop !== 'paginator' || typeof paging === 'function') return undefined
  // A member that was never there may have another name.
  if (moreOfEnd(end) === false) return !isLaterPage(end) && isExistenceMissing(end) ? 'missing' : undefined
  const isEmpty = response.records.length === 0
  switch (paging.type) {
    case 'one page':
      return 'one page'
    case 'since':
      return undefined // `SincePages` gives the reasons.
    case 'page':
    case 'offset':
      if (paging.max !== undefined) return undefined
      return isEmpty && state.total === undefined ? 'empty page' : 'stated end'
    case 'last record':
      return isEmpty ? 'empty page' : undefined
    case 'relay': {
      const isLost = valueIn(response, paging.at) === undefined || valueIn(response, paging.at) === null
      return isLost && isLaterPage(end) ? 'connection lost' : undefined // `hasNextPage` decides.
    }
    case 'cursor':
    case 'next url':
    case 'continue':
    case 'link header':
    case 'header':
      // A later page was reached by a way on, so an API may leave it out at the end.
      return !isLaterPage(end) && isWayOnMissing(paging, end) ? 'missing' : 'stated end'
  }
}

const isLaterPage = ({ state }: ReadingEnd): boolean => state.pages > 1 || state.isPartial === true

/** Null, '' and false say that there is no next page. So does a `Link` header with another relation of pages. */
function isWayOnMissing(paging: DeclaredPaging, { response }: ReadingEnd): boolean {
  switch (paging.type) {
    case 'cursor':
    case 'next url':
    case 'continue':
      return valueIn(response, paging.at) === undefined
    case 'header':
      return response.headers[paging.header] === undefined
    case 'link header':
      return !['first', 'last', 'prev', 'previous'].some((rel) => linkTo(rel, response.headers['link']) !== undefined)
    case 'one page':
    case 'page':
    case 'offset':
    case 'last record':
    case 'relay':
    case 'since':
      return false
  }
}

/** True if `more` is a condition on what is there, and nothing is. */
function isExistenceMissing({ paging, response }: ReadingEnd): boolean {
  const more = typeof paging === 'object' && 'more' in paging ? paging.more : undefined
  return isCondition(more) && more.exists !== undefined && valueIn(response, more.at) === undefined
}

function placeOf(end: ReadingEnd): string {
  const { paging } = end
  if (typeof paging === 'function') return 'the way to the next page'
  if ('more' in paging && isExistenceMissing(end)) return nameOf(paging.more)
  if (paging.type === 'header') return nameOf(paging)
  if (paging.type === 'link header') return `the header 'link' with rel="${paging.rel}"`
  return 'at' in paging ? nameOf(paging.at) : 'the way to the next page'
}

function hinted(kind: SilentEnd, names: readonly string[], end: ReadingEnd): string {
  const has = `The response has ${names.join(', ')}`
  if (kind === 'empty page')
    return `an empty page ended the reading. ${has}. Name it in the paginator${isCounted(end.paging) ? HOW : ''}`
  if (kind === 'one page')
    return `only one page was read, by onePage(). ${has}. Choose a paginator that reads the other pages`
  return (
    'only one page was read, because the way to the next page is missing where the paginator looks for it: ' +
    `${placeOf(end)}. ${has}. ${swapped(end.paging, names) ?? 'Compare the paginator with it'}`
  )
}

/** Shows the call with its arguments the other way round, if the parameter has the name of the way on. */
function swapped(paging: ReadingEnd['paging'], names: readonly string[]): string | undefined {
  if (typeof paging !== 'object' || paging.type !== 'cursor') return undefined
  const { parameter, at } = paging
  if (typeof parameter !== 'string' || typeof at !== 'string' || !names.includes(`'${parameter}'`)) return undefined
  return `The parameter comes first, then the place of its next value: write byCursor('${at}', '${parameter}')`
}

function contradicted(names: readonly string[]): string {
  // `hintsIn` calls such an object a statement only where all its members lead on together.
  const object = names.find((name) => /^'(.+\.)?continue'$/.test(name))
  const remedy = object === undefined ? `Name it in the paginator${HOW}` : `Send all its members: byContinue(${object})`
  return `the paginator found the end, but the response says that more follows: ${names.join(', ')}. ${remedy}`
}

const HOW = ", as in { more: 'has_more' } or { done: 'is_last' }"
