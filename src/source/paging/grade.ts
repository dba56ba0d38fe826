// How sure it is that a reading has read everything: a pure function of its end and of what its pages have shown.
import { COUNTED, ENDED, type Completeness } from '../../model/completeness.ts'
import { formatNumber } from '../../value/format.ts'
import { isFoundByCounting } from './counted-place.ts'
import {
  lastPageBehind,
  linkLeadsOn,
  maxReached,
  pageCapped,
  pagesMissing,
  recordsMissing,
  totalDoubtful,
  totalUnknown,
} from './missing-records.ts'
import { wayOnMissing } from './missing-way-on.ts'
import { countOfEnd, isCapped, type ReadingEnd } from './reading-end.ts'

/** Returns the grade of a reading that has ended, with the reasons of `open`. */
export function completenessOf(end: ReadingEnd): Completeness {
  // No later page can have a record of the range, whatever the API says about the others.
  if (end.stop === 'order') return ENDED
  const missing = maxReached(end) ?? recordsMissing(end) ?? totalDoubtful(end)
  const found = [
    missing,
    totalUnknown(end),
    pageCapped(end),
    pagesMissing(end),
    listChanged(end),
    linkLeadsOn(end) ?? lastPageBehind(end),
    wayOnMissing(end),
  ]
  const reasons = found.filter((reason) => reason !== undefined)
  if (reasons.length > 0) return { grade: 'open', reasons }
  return isCounted(end) ? COUNTED : ENDED
}

/** A stated number of records that changes shows that the list moved. Pages found by counting may then skip records. */
function listChanged(end: ReadingEnd): string | undefined {
  const { hasChanged, firstCount, pages } = end.state
  const stated = countOfEnd(end)
  if (!hasChanged || !stated || firstCount === undefined || pages < 2) return undefined
  if (!isFoundByCounting(end.paging, end.request) || end.isAnchored) return undefined
  const change =
    firstCount === stated.count
      ? 'stated different numbers of records'
      : `stated ${formatNumber(firstCount)} records at first and ${formatNumber(stated.count)} at the end`
  return `${stated.name} ${change}. The list moved while it was read, so records may have been skipped`
}

/** True if so many different records came as the API stated, in every page, or if no page could skip a record. */
function isCounted(end: ReadingEnd): boolean {
  const stated = countOfEnd(end)
  if (end.isAnchored && end.mayHide) return end.isComplete === true && (!stated || !isCapped(end, stated.count))
  if (end.isAnchored) return !stated || !isCapped(end, stated.count)
  if (!stated || end.state.hasChanged || isCapped(end, stated.count)) return false
  return end.differentKeys === stated.count
}
