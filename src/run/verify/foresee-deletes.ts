// Which rows of a table the next run would delete because it does not bring them, and whether it may.
import { sqlState } from '../../database/errors.ts'
import { createdTables } from '../../ledger/created-tables.ts'
import type { StreamName } from '../../ledger/stream-name.ts'
import type { Comparison } from '../../load/compare/comparison.ts'
import { TableMirror } from '../../load/mirror/table-mirror.ts'
import { deletesUnread, mayAlter, refusedReplace } from '../../load/shape/ownership.ts'
import type { Recipe, Table } from '../../model/recipe.ts'
import { isReadIfChanged } from '../sync/mirror-reading.ts'
import { extraScope, type ExtraScope } from './extra-scope.ts'
import type { ReadPart } from './read-into.ts'

/** True if a run from here on ends with the deletions of a mirror. */
export const endsWithMirror = (since: string | undefined, recipe: Recipe, { mirror }: Table): boolean =>
  mirror !== undefined && (since === undefined || isReadIfChanged(recipe))

export interface RefuseDeletesOptions extends StreamName {
  readonly table: Table
  /** The run ends with the deletions of a mirror. */
  readonly isMirror: boolean
}

/** Throws if the next run would fail before its first request, because it may not delete rows of the table. */
export async function refuseDeletes(
  { session, shape }: Comparison,
  { table, isMirror, ...slice }: RefuseDeletesOptions,
): Promise<void> {
  if (!shape || !deletesUnread(table)) return
  try {
    if (!(await mayAlter(session, table, shape, createdTables))) throw refusedReplace(table)
    if (isMirror) await TableMirror.refuseOthers(session, { table, slice, shape })
  } catch (error) {
    if (!UNKNOWN_TO_LEDGER.has(sqlState(error))) throw error
  }
}

/** There is no ledger yet, or it is one of an older version. */
const UNKNOWN_TO_LEDGER = new Set<string | undefined>(['3F000', '42883', '42P01'])

export interface UnreadScopeOptions {
  readonly table: Table
  readonly recipe: Recipe
  readonly isMirror: boolean
  /** Why the mirror deletes nothing, such as a page that was left out. */
  readonly keptBecause: string | undefined
}

/**
 * Returns which rows of the table the run would delete if it did not bring them: a condition, undefined if it deletes
 * none. `unknown` is a sentence about that.
 */
export async function unreadScope(
  comparison: Comparison,
  part: ReadPart,
  { table, recipe, isMirror, keptBecause }: UnreadScopeOptions,
): Promise<ExtraScope> {
  if (part.isUnchanged) return { scope: undefined }
  if (table.write === 'replace') return { scope: 'true' }
  if (!isMirror) return { scope: undefined }
  const nothing = 'the mirror would delete nothing: '
  if (keptBecause !== undefined) return { scope: undefined, unknown: nothing + keptBecause }
  const { scope, unknown } = await extraScope(comparison, part, { recipe, table, others: [], window: undefined })
  if (unknown === undefined) return { scope }
  // A run knows most of their rows by their keys.
  const isKnownToRun = part.rejected > 0 && part.completeness !== undefined && part.completeness.grade !== 'open'
  return {
    scope,
    unknown: (isKnownToRun ? 'the rows that the mirror would delete are not known: ' : nothing) + unknown,
  }
}
