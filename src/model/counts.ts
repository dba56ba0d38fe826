import type { ChildCounts, Counts, CountsOfChildren } from './batch.ts'
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

/** Returns the sums of the counts of nested lists, table by table; undefined if there are none. */
export function addChildren(...all: readonly (CountsOfChildren | undefined)[]): CountsOfChildren | undefined {
  const sums: Record<string, ChildCounts> = {}
  for (const counts of all)
    for (const [table, { inserted, updated, unchanged, deleted }] of Object.entries(counts ?? {})) {
      const before = sums[table] ?? { inserted: 0, updated: 0, unchanged: 0, deleted: 0 }
      sums[table] = {
        inserted: before.inserted + inserted,
        updated: before.updated + updated,
        unchanged: before.unchanged + unchanged,
        deleted: before.deleted + deleted,
      }
    }
  return Object.keys(sums).length === 0 ? undefined : sums
}
