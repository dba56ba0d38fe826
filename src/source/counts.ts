import type { ReadCounts } from '../model/page.ts'

export const NO_COUNTS: ReadCounts = Object.freeze({
  fetched: 0,
  expanded: 0,
  filtered: 0,
  duplicate: 0,
  rejected: 0,
  parents: 0,
})
