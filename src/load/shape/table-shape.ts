import { readTable, type TableInfo } from '../../database/catalog.ts'
import type { Queryable } from '../../database/queryable.ts'
import { quoteIdentifier, quoteTable } from '../../database/quote.ts'
import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import { columnName } from './column-name.ts'
import { systemColumns } from './system-columns.ts'
import { typeOf, type ColumnType } from '../values/column-type.ts'
import { readOrigins, type ColumnOrigin } from './column-origin.ts'

/** A table as it is: its columns by name, and which of them belong to which stream. */
export interface TableShape {
  readonly name: string
  readonly columns: ReadonlyMap<string, ColumnType>
  /** Computed by the database: cannot be written. */
  readonly generated: ReadonlySet<string>
  readonly origins: ReadonlyMap<string, ColumnOrigin>
  readonly bytes: number
  readonly partitioned: boolean
  /** Without rows, and without anything that would change or leave out what is copied into it. */
  readonly blank: boolean
  readonly hasSlice: boolean
}

/**
 * Reads the catalog; undefined where the table is not there. Throws where it is no table that could be written as the
 * definition says.
 */
export async function readShape(on: Queryable, table: Table): Promise<TableShape | undefined> {
  const info = await readTable(on, table.name)
  if (!info) return undefined
  if (info.kind !== 'table' && info.kind !== 'partitioned')
    throw new SchemaError(`${table.name}: it is a ${info.kind}, not a table: give the stream a table of its own`)
  if (table.key.length > 0) requireUniqueKey(info, table)
  if (info.kind === 'partitioned' && table.write !== 'append') await requireEighteen(on, table)
  return {
    name: table.name,
    columns: new Map(info.columns.map((column) => [column.name, typeOf(column)])),
    generated: new Set(info.columns.filter(({ isGenerated }) => isGenerated).map(({ name }) => name)),
    origins: await readOrigins(on, table.name),
    bytes: info.bytes,
    partitioned: info.kind === 'partitioned',
    blank: info.isBlank,
    hasSlice: info.columns.some(({ name }) => name === systemColumns.slice),
  }
}

/** Before, nothing tells an inserted row of a partitioned table from an updated one. */
async function requireEighteen(on: Queryable, { name }: Table): Promise<void> {
  const [server] = await on.query<{ version: number }>(`select current_setting('server_version_num')::int as version`)
  if (server!.version < 180_000)
    throw new SchemaError(
      `${name}: it is partitioned, which merge and replace can write from PostgreSQL 18 on: use a later server, a plain table, or append`,
    )
}

/** `on conflict (key)` needs an index of exactly these columns, for all rows, that is checked at once. */
function requireUniqueKey(info: TableInfo, { name, key }: Table): void {
  const columns = key.map(columnName)
  const missing = columns.filter((column) => !info.columns.some((one) => one.name === column))
  if (missing.length > 0)
    throw new SchemaError(
      `${name}: the table has no column ${missing.join(', ')}, which the key needs: add it, with values, or choose another key`,
    )
  const wanted = JSON.stringify(columns.toSorted())
  const same = info.uniqueIndexes.filter(
    (index) => !index.isExpression && JSON.stringify(index.columns.toSorted()) === wanted,
  )
  if (same.some((index) => !index.isPartial && !index.isDeferrable && index.isValid)) return
  const [found] = same
  const fault = found
    ? `the unique index ${found.name} is ${found.isValid ? (found.isPartial ? 'partial' : 'deferrable') : 'not valid'}`
    : `there is no unique index of exactly (${columns.join(', ')})`
  throw new SchemaError(
    `${name}: ${fault}, which writing by key needs. Run: create unique index concurrently on ${quoteTable(name)} (${columns.map(quoteIdentifier).join(', ')})`,
  )
}
