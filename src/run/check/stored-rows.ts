import type { LoadedColumn } from '../../load/shape/loaded-column.ts'

/** The values of a row by the names of its columns. */
export type StoredRow = Readonly<Record<string, unknown>>

/** Returns records as the rows that a run would store: with the column of the account, without fields left out. */
export const storedRows = (records: readonly unknown[], columns: readonly LoadedColumn[]): StoredRow[] =>
  records.map((record) => {
    const values = new Map<string, unknown>(Object.entries(record as object))
    return Object.fromEntries(columns.map((column) => [column.name, valueOf(column, values)]))
  })

function valueOf(
  { field, constant, emptyIsNull = false }: LoadedColumn,
  values: ReadonlyMap<string, unknown>,
): unknown {
  if (constant !== undefined) return constant
  const value = values.get(field)
  return value === undefined || (value === '' && emptyIsNull) ? null : value
}
