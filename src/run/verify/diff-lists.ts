import type { Comparison } from '../../load/compare/comparison.ts'
import { marksDeleted } from '../../model/deletions.ts'
import type { Table } from '../../model/recipe.ts'
import type { ListDiff } from './stream-diff.ts'

/**
 * Returns what a run would change in the tables of nested lists; undefined if there are none. Call it after the rows of
 * the reading were compared, and the extra ones collected.
 */
export async function diffLists(
  comparison: Comparison,
  table: Table,
  limit: number,
): Promise<readonly ListDiff[] | undefined> {
  const lists = await comparison.compareLists(0, limit)
  // The lists of a marked row stay.
  const ofExtra = lists && !marksDeleted(table) ? await comparison.countListsOfExtra() : []
  return lists?.map(
    ({ table: name, counts: { read, missing, stale, equal, extra, changedMeanwhile }, samples }, at) => ({
      table: name,
      read,
      insert: missing,
      update: stale,
      unchanged: equal,
      delete: extra + (ofExtra[at] ?? 0),
      changedMeanwhile,
      samples,
    }),
  )
}
