import type { Queryable } from '../../database/queryable.ts'
import { quoteIdentifier } from '../../database/quote.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import type { ColumnType } from '../values/column-type.ts'
import { conversionSql } from '../values/convert-sql.ts'

/** Gives temporary tables the columns of some rows. `known` holds the types of their columns, and is kept in step. */
export async function fitColumns(
  on: Queryable,
  tables: readonly string[],
  known: Map<string, ColumnType>,
  wanted: readonly LoadedColumn[],
): Promise<void> {
  const statements = wanted.flatMap(({ name, type }) => {
    const current = known.get(name)
    if (current?.sql === type.sql) return []
    return tables.map((table) =>
      current
        ? alterTypeSql(table, name, current, type)
        : `alter table ${table} add ${quoteIdentifier(name)} ${type.sql}`,
    )
  })
  if (statements.length === 0) return
  await on.query(statements.join(';\n'))
  for (const { name, type } of wanted) known.set(name, type)
}

/** Returns the statement that gives a column of a temporary table another type. */
export const alterTypeSql = (table: string, column: string, from: ColumnType, to: ColumnType): string =>
  `alter table ${table} alter ${quoteIdentifier(column)} type ${to.sql} using ${conversionSql(column, from, to)}`
