import type { Database } from '../database/database.ts'
import { isTime } from '../load/history/version-time.ts'
import { columnName } from '../load/shape/column-name.ts'
import { readShape } from '../load/shape/table-shape.ts'
import type { Table } from '../model/recipe.ts'

/** Returns true if a version decides which of two rows with one key is newer, so that the newer one stays. */
export async function hasVersion(database: Database, table: Table): Promise<boolean> {
  if (table.write === 'append') return true // Stored rows are never overwritten.
  if (table.versionBy === undefined) return false
  if (!table.isVersionOptional) return true
  const shape = await readShape(database, table)
  const type = shape?.columns.get(columnName(table.versionBy))
  // A history by a cursor that is no time takes the moment of loading, so the row that is read later is newer.
  return !shape || (type !== undefined && (table.write !== 'history' || isTime(type)))
}
