// Does the paginator skip records if the list moves while it is read?
import type { HttpSource, Incremental } from '../../model/recipe.ts'
import type { Paging, Parameter } from '../../model/request.ts'
import { takesBound } from '../../model/bounds-in.ts'
import { isFoundByCounting } from '../../source/paging/counted-place.ts'
import { isInHeader } from '../../source/response-value.ts'
import { cursorValuesOf, orderOf } from './check-order.ts'
import { advice, type Remark } from './finding.ts'
import type { FirstPage } from './first-page.ts'

/**
 * Recommends bySince() for an incremental stream whose pages are found by counting. A record that slips over a border
 * of two pages is not read by later runs either.
 */
export function checkMovingList(
  { next, response }: Pick<FirstPage, 'next' | 'response'>,
  { paging, request }: Pick<HttpSource, 'paging' | 'request'>,
  incremental: Incremental,
): Remark[] {
  if (!next || typeof paging === 'function' || !isFoundByCounting(paging, next)) return []
  // Pages of offsets overlap, and show themselves whether the list has moved.
  if (paging.type === 'offset' && paging.overlap !== false) return []
  const isSent = takesBound(request, 'since')
  const isAscending = orderOf(cursorValuesOf(incremental, response.records)) === 'ascending'
  const steps = [!isSent && 'sends `since` to filter by it', !isAscending && 'sorts by it, ascending']
  const by = bySince(paging)
  const remedy =
    isSent && isAscending
      ? `The request has \`since\`, and the page is in ascending order, so use ${by}`
      : `If the API can do it, write a request that ${steps.filter(Boolean).join(' and ')}, and use ${by}` +
        (paging.type === 'page' ? '. If it takes an offset, byOffset() skips none either' : '')
  const field = typeof incremental.at === 'string' ? `the field '${incremental.at}'` : 'the cursor'
  return [
    advice(
      'a record that changes while these pages are read moves the others, and one of them may be skipped without a ' +
        `sign. Later runs do not read it, because they read what is newer by ${field}. ${remedy}`,
    ),
  ]
}

/** Returns the call of bySince() around the paginator that is used. */
function bySince(paging: Exclude<Paging<never>, (...given: never) => unknown>): string {
  switch (paging.type) {
    case 'page':
      return `bySince(byPage(${quoted(paging.parameter)}))`
    case 'offset':
      return `bySince(byOffset(${quoted(paging.parameter)}))`
    case 'next url':
      return typeof paging.at === 'string' ? `bySince(byNextUrl('${paging.at}'))` : 'bySince(byNextUrl(…))'
    case 'link header':
      return 'bySince(byLinkHeader())'
    case 'one page':
    case 'cursor':
    case 'continue':
    case 'last record':
    case 'header':
    case 'relay':
    case 'since':
      return 'bySince()'
  }
}

const quoted = (parameter: Parameter): string =>
  isInHeader(parameter) ? `inHeader('${parameter.header}')` : `'${parameter}'`
