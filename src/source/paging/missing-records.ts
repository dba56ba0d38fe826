// Numbers that tell of more records or pages than a reading has.
import { formatCount, formatNumber } from '../../value/format.ts'
import { nameOf } from '../response-value.ts'
import { countOf, endOf, isCounted } from './counted-pages.ts'
import { isFoundByCounting } from './counted-place.ts'
import { linkTo, pagesBehind } from './link-header.ts'
import { countOfEnd, isCapped, isLastPageShort, moreOfEnd, type ReadingEnd } from './reading-end.ts'
import { pagesInHeaders, recordsAt, recordsInHeaders, type StatedCount } from './stated-totals.ts'

/** `max` ended the reading, and nothing says that the last page was the end. */
export function maxReached(end: ReadingEnd): string | undefined {
  const { paging, request, response, state } = end
  if (!isCounted(paging) || paging.max === undefined || end.stop !== 'paginator') return undefined
  const at = countOf(request, paging)
  const next = paging.type === 'page' ? at + 1 : at + response.records.length
  if (next <= paging.max || moreOfEnd(end) === false) return undefined
  const { total } = state
  const follows = total === undefined ? moreOfEnd(end) === true || !isLastPageShort(end) : next < endOf(paging, total)
  return follows
    ? `\`max: ${paging.max}\` of the paginator ended the reading, although more may follow. ` +
        'Raise or remove `max` to read all of it'
    : undefined
}

/** The API stated more records than came. */
export function recordsMissing(end: ReadingEnd): string | undefined {
  const { records, isPartial } = end.state
  if (hasMovedAnchored(end)) return undefined
  const stated = [countOfEnd(end), recordsInHeaders(end.response.headers)].find((all) => all && all.count > records)
  if (!stated) return tooFewKeys(end)
  if (isPartial && !(isCounted(end.paging) && end.paging.type === 'offset'))
    return (
      `the reading was resumed at a position of an older version, so its records cannot be compared with ` +
      `${stated.name}, which states ${formatNumber(stated.count)}`
    )
  return `${came(records)}, but ${stated.name} states ${formatNumber(stated.count)}${causeOf(end)}`
}

/** The only page has as many records as the API returns at most. */
export function pageCapped({ paging, state: { records } }: ReadingEnd): string | undefined {
  if (typeof paging !== 'object' || paging.type !== 'one page') return undefined
  if (paging.atMost === undefined || records < paging.atMost) return undefined
  return `${came(records)}, and the API returns at most ${formatNumber(paging.atMost)}, so more may exist`
}

/**
 * The paginator names a number of records, and no page has stated it. An offset fails earlier, because it ends by its
 * total.
 */
export function totalUnknown({ paging, state }: ReadingEnd): string | undefined {
  const at = recordsAt(paging)
  if (at === undefined || state.lastCount !== undefined || state.records === 0) return undefined
  return `no response has a number of records at ${nameOf(at)}, where the paginator looks for it. Correct \`total\``
}

/** So many records came as the API stated, but some of them twice, so that others are missing. */
function tooFewKeys(end: ReadingEnd): string | undefined {
  const { differentKeys } = end
  const stated = countOfEnd(end)
  if (differentKeys === undefined || !stated || differentKeys >= stated.count) return undefined
  if (!isFoundByCounting(end.paging, end.request) || end.isAnchored) return undefined
  return (
    `${came(end.state.records)}, of which ${formatNumber(differentKeys)} have different keys, but ${stated.name} ` +
    `states ${formatNumber(stated.count)}. The list moved while it was read`
  )
}

/** Returns the likely cause as a further sentence. What to do with the rows depends on the table: the run says it. */
function causeOf(end: ReadingEnd): string {
  if (end.stop === 'rule') return `. A rule for status ${end.response.status} ended the reading`
  if (end.state.pages === 1 && !isCounted(end.paging) && typeof end.paging === 'object')
    return '. Only one page was read. Name the way to the next page in .pages(…)'
  return isCounted(end.paging) ? '' : ". If it stays so, compare the paginator with the API's documentation"
}

/** True if anchors prove a reading of a list that has moved. Its records are those of several states of the list. */
const hasMovedAnchored = ({ isAnchored, hasMoved, state }: ReadingEnd): boolean =>
  isAnchored === true && (hasMoved === true || state.hasChanged === true)

const came = (records: number): string => `${formatCount(records, 'record')} came`

/** The total ended the reading, although it may be no more than a limit of the API. */
export function totalDoubtful(end: ReadingEnd): string | undefined {
  const { paging, request, state } = end
  if (!isCounted(paging) || state.total === undefined || end.stop !== 'paginator') return undefined
  if (hasMovedAnchored(end)) return undefined
  if (moreOfEnd(end) === false || isLastPageShort(end)) return undefined
  if (paging.type === 'page') {
    const isBehind = countOf(request, paging) >= endOf(paging, state.total)
    if (!isBehind) return undefined
    return (
      `page ${countOf(request, paging)} has records, but ${nameOf(paging.pages)} states only ` +
      `${formatCount(state.total, 'page')}, so more may follow. Correct \`pages\`: it is the number of all pages`
    )
  }
  const stated = countOfEnd(end)
  if (!stated) return undefined
  const remedy = 'Remove `total` from the paginator, so that an empty page ends the reading'
  if (isCapped(end, stated.count))
    return `${stated.name} states ${formatNumber(stated.count)}, which may mean "or more". ${remedy}`
  if (state.records <= stated.count) return undefined
  const states = `${stated.name} states only ${formatNumber(stated.count)}`
  return `${came(state.records)}, but ${states}, so more may follow. ${remedy}`
}

/** The API stated more pages than were read. */
export function pagesMissing(end: ReadingEnd): string | undefined {
  const { paging, request, response, state, stop } = end
  if (isCounted(paging) && paging.type === 'page' && state.total !== undefined) {
    const isBelow = countOf(request, paging) < endOf(paging, state.total)
    if (stop !== 'rule' || !isBelow) return undefined
    return (
      `a rule for status ${response.status} ended the reading at page ${countOf(request, paging)}, but ` +
      `${nameOf(paging.pages)} states ${formatCount(state.total, 'page')}`
    )
  }
  const stated = pagesInHeaders(response.headers)
  if (!stated || stated.count <= state.pages || state.isPartial || moreOfEnd(end) === false) return undefined
  const total = recordsAt(paging)
  const remedy =
    total === undefined
      ? "Name it in the paginator, as in byPage('page', { pages: inHeader('…') })"
      : `The paginator reads ${nameOf(total)}: compare both numbers`
  const read = `${formatCount(state.pages, 'page')} ${state.pages === 1 ? 'was' : 'were'} read`
  return `${read}, but ${stated.name} states ${formatNumber(stated.count)}. ${remedy}`
}

/** The `Link` header leads further. */
export function linkLeadsOn(end: ReadingEnd): string | undefined {
  const { paging, response } = end
  // Another relation was chosen. If it is missing, `wayOnMissing` lists the header.
  if (typeof paging === 'object' && paging.type === 'link header') return undefined
  const next = linkTo('next', response.headers['link'])
  if (next === undefined || URL.parse(next, response.url)?.href === URL.parse(response.url)?.href) return undefined
  return "the header 'link' leads to a next page, which the paginator does not follow. Use byLinkHeader()"
}

/** The `Link` header names a last page behind the one that was read last. */
export function lastPageBehind({ response, stop, paging }: ReadingEnd): string | undefined {
  const behind = pagesBehind(response.headers['link'], response.url)
  const isMax = isCounted(paging) && paging.max !== undefined
  if (behind === undefined || stop === 'rule' || isMax) return undefined
  return `the header 'link' names a last page that was not read, ${formatNumber(behind)} further on`
}

/** True if the number that the API stated is known, is no limit, and so many records came. */
export function isCountReached(end: ReadingEnd): boolean {
  const stated: StatedCount | undefined = countOfEnd(end)
  return stated !== undefined && !isCapped(end, stated.count) && end.state.records >= stated.count
}
