import type { Counts } from '../../model/batch.ts'

/** Nothing yet. */
export const none: Counts = Object.freeze({
  fetched: 0,
  expanded: 0,
  filtered: 0,
  duplicate: 0,
  rejected: 0,
  parents: 0,
  inserted: 0,
  updated: 0,
  unchanged: 0,
})

/** Counts of several pages or batches together. */
export const added = (...all: readonly Counts[]): Counts => {
  const sum = { ...none }
  for (const counts of all) for (const name of Object.keys(none) as (keyof Counts)[]) sum[name] += counts[name]
  return sum
}
