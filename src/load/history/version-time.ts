// When a version of a history begins.
import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import type { ColumnType } from '../values/column-type.ts'
import { historyColumns } from './columns.ts'

/**
 * When the versions of some rows begin:
 *
 * | value | when |
 * |---|---|
 * | a column | at its value, and before all times where that is null |
 * | `unknown` | before all times, because no row has had a value in the column of the version yet |
 * | `load` | when they are loaded, because they have no version |
 */
export type VersionTime = LoadedColumn | 'unknown' | 'load'

const TIMES = new Set(['timestamptz', 'timestamp', 'date'])

export const isTime = ({ base }: ColumnType): boolean => TIMES.has(base)

/** A version that is null is older than all others, as in a merge. */
export const BEFORE_ALL = `'-infinity'::timestamptz`

/** Returns the moment of a version. A time without an offset is one in UTC, whatever the session's zone is. */
export function momentSql(expression: string, { base }: ColumnType): string {
  const moment = base === 'timestamptz' ? `${expression}::timestamptz` : `(${expression}::timestamp at time zone 'UTC')`
  return `coalesce(${moment}, ${BEFORE_ALL})`
}

/**
 * Returns the column from which versions take their beginning. Undefined if the table has no such column yet, or if
 * the cursor's field, which is the version by default, is no time. Throws if a declared version is no time.
 */
export function historyVersion(table: Table, column: LoadedColumn | undefined): LoadedColumn | undefined {
  if (!column || isTime(column.type)) return column
  if (table.isVersionOptional) return undefined
  const { field, name, type } = column
  throw new SchemaError(
    `${table.name}: a history takes ${historyColumns.from} from versionBy: '${field}', and the column ${name} is ` +
      `${type.sql}, which is no time. Declare it, as in columns: { ${field}: 'timestamptz' }, or ` +
      `{ ${field}: time('unix') } for seconds since 1970, and load a new table. If it is no time, name another ` +
      'field, or leave versionBy out: a version then begins when it is loaded',
  )
}

/** Returns when rows with these columns begin. `seen` are the fields that occurred in a record. */
export function versionTime(table: Table, columns: readonly LoadedColumn[], seen: ReadonlySet<string>): VersionTime {
  const { versionBy, isVersionOptional } = table
  if (versionBy === undefined) return 'load'
  const column = columns.find(({ field, constant }) => field === versionBy && constant === undefined)
  if (column) return historyVersion(table, column) ?? 'load'
  // The records have the field, always null so far. They may have a value later, and must not be newer then.
  return !isVersionOptional || seen.has(versionBy) ? 'unknown' : 'load'
}
