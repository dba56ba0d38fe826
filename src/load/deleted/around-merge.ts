// What a merge does besides storing rows, where records may be deleted.
import { marksDeleted } from '../../model/deletions.ts'
import type { Table } from '../../model/recipe.ts'
import type { RowShape } from '../encode/encoded-page.ts'
import { keyNames, noteSeenSql } from '../mirror/mirror-sql.ts'
import { removeStaleSql, rowsLockSql, unmarkSql } from './deleted-rows.ts'

/** Statements that run with a merge, in its order. `source` is the staging table with the rows. */
export interface AroundMerge {
  readonly before: (source: string, shape: RowShape) => readonly string[]
  /** Each returns as `updated` how many rows it has changed that the merge had left as they were. */
  readonly after: (source: string, shape: RowShape) => readonly string[]
}

/** Returns what a merge into a table does besides. */
export const aroundMerge = (table: Table): AroundMerge => ({
  before: (source, { columns, version }) => [
    ...(version || table.mirror ? [rowsLockSql(table, 'stores')] : []),
    // A row that is older than its deletion was in the list, too.
    ...(table.mirror ? [noteSeenSql(table, source, keyNames(columns))] : []),
    ...(version ? [removeStaleSql(table.name, source, columns, version)] : []),
  ],
  after: (source, { columns, version }) => (marksDeleted(table) ? [unmarkSql(table, source, columns, version)] : []),
})
