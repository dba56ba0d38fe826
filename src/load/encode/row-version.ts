import { historyVersion } from '../history/version-time.ts'
import type { OpenTable } from '../open-table.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { isOrdered, versionOrder } from './version-order.ts'

/** Returns the column that decides which of two rows is newer; undefined if nothing decides it. */
export function rowVersion({ table, fields }: Pick<OpenTable, 'table' | 'fields'>): LoadedColumn | undefined {
  const column = table.versionBy === undefined ? undefined : fields.loaded(table.versionBy)
  if (table.write === 'history') return historyVersion(table, column)
  if (!column || (table.isVersionOptional && !isOrdered(column.type))) return undefined
  versionOrder(column.type, column.name) // Throws for a type without an order.
  return column
}
