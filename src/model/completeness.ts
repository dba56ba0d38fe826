import type { Table } from './recipe.ts'

/**
 * How sure it is that a reading has read everything, the best first: `counted`: as many different records came as the
 * API said, or each step was anchored. `ended`: the API said that nothing follows. `open`: anything else.
 */
export const GRADES = ['counted', 'ended', 'open'] as const
/** How sure it is that a reading was complete: the count is proven, the API stated the end, or neither. */
export type Grade = (typeof GRADES)[number]

/** The grade of one reading, or of several together. */
export interface Completeness {
  readonly grade: Grade
  /** Of `open` only: sentences without a full stop at the end, at most 10. They hold no secret. */
  readonly reasons: readonly string[]
}

/** Reasons that are kept: `sluice.max_open_reasons()`. */
export const MAX_REASONS = 10

export const COUNTED: Completeness = Object.freeze({ grade: 'counted', reasons: Object.freeze([]) })
export const ENDED: Completeness = Object.freeze({ grade: 'ended', reasons: Object.freeze([]) })

/** Returns the completeness of a reading that cannot prove that it has read everything. */
export const openBecause = (reason: string): Completeness => ({ grade: 'open', reasons: [reason] })

/** Returns the worse one. Two that are open are joined, with the reasons of both. */
export function worstOf(a: Completeness | undefined, b: Completeness | undefined): Completeness | undefined {
  if (!a || !b) return a ?? b
  if (a.grade === 'open' && b.grade === 'open')
    return { grade: 'open', reasons: [...new Set([...a.reasons, ...b.reasons])].slice(0, MAX_REASONS) }
  return RANK[a.grade] >= RANK[b.grade] ? a : b
}

const RANK: Readonly<Record<Grade, number>> = { counted: 0, ended: 1, open: 2 }

/** False if a reading that is open must not end: `replace` would delete the rows that were not read. */
export const acceptsOpen = ({ write, complete }: Pick<Table, 'write' | 'complete'>): boolean =>
  complete === undefined ? write !== 'replace' : complete === 'any'

/** Returns what is told of a reading that is open; undefined for any other. */
export function openText(completeness: Completeness | undefined): string | undefined {
  if (completeness?.grade !== 'open') return undefined
  const { reasons } = completeness
  return reasons.length === 0 ? 'no reason was given' : reasons.join('; ')
}
