// Why records of a list that moves may be missing.
import type { FullReading } from './full-reading.ts'

/** An interrupted reading whose pages cannot overlap is read once more if it has not more pages than this. */
const MAX_PAGES_AGAIN = 100

export interface PassEnd {
  readonly pass: number
  readonly pages: number
  readonly isFull: boolean
  readonly hasMoved: boolean
  readonly hasMetFront: boolean
  readonly isUnverified: boolean
  readonly isPlain: boolean
  readonly isLoose: boolean
  readonly isInterrupted: boolean
  /** What its keys say, for a reading of everything. */
  readonly full: Pick<FullReading, 'isComplete' | 'isShort' | 'problem'> | undefined
  /** The first hint that the list has moved. Undefined without `hints`: all pages overlap. */
  readonly hints: { readonly hint: string | undefined } | undefined
}

/** Returns undefined if nothing is missing. */
export function listProblem(end: PassEnd): string | undefined {
  const { pass, pages, hints } = end
  if (end.isUnverified)
    return 'the reading was resumed at a position of an older version, which does not name the records before it'
  if (end.isPlain)
    return (
      'the last record of a page did not come again at the beginning of the next, in any reading. The list moved, ' +
      'or its records have other values in each response. Records may be missing or stored twice'
    )
  if (end.isLoose)
    return 'the list moved while it was read, and the place in it was not found again, so records may be missing'
  if (!hints) {
    if (!end.isFull || (end.full?.isComplete && !end.hasMoved)) return undefined
    if (end.hasMetFront && (!end.hasMoved || pages === 1)) return undefined
    if (end.full?.problem !== undefined) return end.full.problem
    // Of a list that rests, the grade says so.
    if ((end.hasMoved || pass > 1) && end.full?.isShort)
      return 'the list moved while it was read, and the API states more records than came'
    if (!end.hasMoved || pages < 2) return undefined
    return `the list moved in each of ${pass} passes, so records may be missing`
  }
  const { hint } = hints
  if (hint !== undefined)
    return `the list moved while it was read (${hint}${pass > 1 ? `, in pass ${pass}` : ''}), so records may be missing`
  return end.isInterrupted
    ? 'the reading was interrupted, and its pages do not show what has moved in the meantime'
    : undefined
}

/** True if another pass through the list may find what is missing. */
export function isWorthReading({ isLoose, isUnverified, hints, pages }: PassEnd): boolean {
  if (isLoose || isUnverified) return false
  return !hints || hints.hint !== undefined || pages <= MAX_PAGES_AGAIN
}
