import { readTable } from '../database/catalog.ts'
import type { Database } from '../database/database.ts'
import { sqlState } from '../database/errors.ts'
import type { Queryable } from '../database/queryable.ts'
import { quoteIdentifier, quoteTable } from '../database/quote.ts'
import type { Table } from '../model/recipe.ts'
import { defined } from '../value/defined.ts'
import type { LoadedColumn } from './shape/loaded-column.ts'
import { columnList } from './shape/shape-check.ts'
import { systemColumns } from './shape/system-columns.ts'
import { typeOf } from './values/column-type.ts'
import { conversionSql } from './values/convert-sql.ts'

/**
 * The table that holds the rows of a replace until the slice ends. It is logged: the stored position refers to its
 * rows, so they have to survive a crash too.
 */
export const shadowName = (slice: string): string => `sluice.shadow_${slice}`

/**
 * Returns the statements that create the shadow table, or give it the columns and types of the table. Its rows are
 * numbered, so that the row read last wins among rows of one key.
 */
export async function shadowStatements(
  on: Queryable,
  slice: string,
  table: Table,
  columns: readonly LoadedColumn[],
): Promise<string[]> {
  const name = shadowName(slice)
  const shadow = await readTable(on, name)
  if (!shadow) {
    if (columns.length === 0) return []
    const row = quoteIdentifier(systemColumns.row)
    return [
      `create table ${quoteTable(name)} as select ${columnList(columns)} from ${quoteTable(table.name)} with no data`,
      `alter table ${quoteTable(name)} add column ${row} bigint generated always as identity`,
    ]
  }
  const existing = new Map(shadow.columns.map((column) => [column.name, typeOf(column)]))
  return columns.flatMap(({ name: column, type }) => {
    const current = existing.get(column)
    if (current?.sql === type.sql) return []
    const action = current
      ? `alter column ${quoteIdentifier(column)} type ${type.sql} using ${conversionSql(column, current, type)}`
      : `add column ${quoteIdentifier(column)} ${type.sql}`
    return [`alter table ${quoteTable(name)} ${action}`]
  })
}

/**
 * Removes shadow tables whose slice is done or does not exist any more, and returns their names. A shadow table that is
 * in use is left for the next call.
 */
export async function dropOrphanShadows(
  database: Database,
  { signal }: { signal?: AbortSignal } = {},
): Promise<readonly string[]> {
  const orphans = await database.query<{ name: string }>(
    `select c.relname as name from pg_class c
    where c.relnamespace = 'sluice'::regnamespace and c.relkind = 'r' and c.relname ~ '^shadow_[0-9]+$'
      and not exists (
        select from sluice.slices s
         where s.id = case when c.relname ~ '^shadow_[0-9]+$' then substr(c.relname, 8)::bigint end
           and s.status in ('open', 'failed'))`,
    [],
    defined({ signal }),
  )
  const dropped: string[] = []
  for (const { name } of orphans) {
    try {
      await using transaction = await database.transaction({ lockTimeout: '1s', signal })
      await transaction.commit(`drop table if exists sluice.${quoteIdentifier(name)}`)
      dropped.push(name)
    } catch (error) {
      if (sqlState(error) !== '55P03') throw error
    }
  }
  return dropped
}
