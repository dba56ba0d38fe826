import type { Counts } from './batch.ts'
import type { ReadCounts } from './page.ts'

/** Names of the counts, as in every table of the ledger. */
export const COUNT_NAMES = [
  'fetched',
  'expanded',
  'filtered',
  'duplicate',
  'deleted',
  'rejected',
  'parents',
  'inserted',
  'updated',
  'unchanged',
] as const satisfies readonly (keyof Counts)[]

export const NO_READ_COUNTS: ReadCounts = Object.freeze({
  fetched: 0,
  expanded: 0,
  filtered: 0,
  duplicate: 0,
  deleted: 0,
  rejected: 0,
  parents: 0,
})

export const NO_COUNTS: Counts = Object.freeze({ ...NO_READ_COUNTS, inserted: 0, updated: 0, unchanged: 0 })

/** Returns the sums of counts of one kind, name by name. */
export function addCounts<Kind extends ReadCounts>(first: Kind, ...others: readonly Kind[]): Kind {
  const sums = { ...first } as Record<keyof Kind, number>
  for (const counts of others)
    for (const name of Object.keys(first) as (keyof Kind)[]) sums[name] += counts[name] as number
  return sums as Kind
}
