// What tables do with the rows of records that no longer exist.
import { isMerged, type Table } from './recipe.ts'
import type { Duration } from './request.ts'

/** How long deleted rows can be brought back, if the definition says nothing else. */
export const DEFAULT_UNDO: Duration = '7d'

/**
 * True if the row of a record that the API announces as deleted goes. An `append` never changes a stored row, a
 * `replace` stores only what was read, and without a key nothing says which row it is.
 */
export const removesAnnounced = (table: Pick<Table, 'write' | 'key' | 'deleted'>): boolean =>
  isMerged(table) && table.key.length > 0 && table.deleted !== 'keep'

/** True if deleted rows stay, and their column `_deleted_at` says since when. */
export const marksDeleted = ({ deleted }: Pick<Table, 'deleted'>): boolean => deleted === 'mark'
