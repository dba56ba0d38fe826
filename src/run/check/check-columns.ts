// Would the table take the rows of the first page? A column may be too short for them, or want a value.
import { quoteIdentifier, quoteTable } from '../../database/quote.ts'
import { flatRecords } from '../../load/nested/flat-records.ts'
import { NewTable } from '../../load/new-table.ts'
import { historyColumns } from '../../load/history/columns.ts'
import { Fields } from '../../load/shape/fields.ts'
import { addedColumns, systemColumns } from '../../load/shape/system-columns.ts'
import type { TableShape } from '../../load/shape/table-shape.ts'
import { isRecord } from '../../load/values/value-kind.ts'
import { NO_READ_COUNTS } from '../../model/counts.ts'
import type { Table } from '../../model/recipe.ts'
import { formatCount } from '../../value/format.ts'
import { checkRejects } from './check-rejects.ts'
import { advice, problem, type Remark } from './finding.ts'
import { pageEncoder } from './page-encoder.ts'

/** Returns what a run would reject of rows because of the table as it is. Nothing is sent to the database. */
export function checkColumns(
  rows: readonly unknown[],
  { table, stream, shape }: { readonly table: Table; readonly stream: string; readonly shape: TableShape },
): Remark[] {
  // A merged table that becomes a history has other columns then.
  if (rows.length === 0 || (table.write === 'history' && !shape.isHistory)) return []
  const counts = { ...NO_READ_COUNTS, fetched: rows.length }
  const stored = pageEncoder(new NewTable(table, stream, shape))({ records: rows, counts, rejects: [] })
  return [...checkRejects(stored.rejects, rows.length, table), ...checkNotNull(stored.rows, { table, stream, shape })]
}

/** A column that is NOT NULL refuses each row without a value for it. */
function checkNotNull(
  rows: readonly unknown[],
  { table, stream, shape }: { readonly table: Table; readonly stream: string; readonly shape: TableShape },
): Remark[] {
  const fields = new Fields(table, stream, shape)
  const flat = flatRecords(rows, table, fields).filter(isRecord)
  for (const record of flat) fields.learn(Object.keys(record))
  const own = new Set<string>([
    ...Object.values(systemColumns),
    ...Object.values(historyColumns),
    ...addedColumns(table).map(({ name }) => name),
  ])
  const loaded = new Map(fields.columns.map((column) => [column.name, column]))
  return [...shape.notNull].flatMap(([column, { hasDefault }]): Remark[] => {
    const found = loaded.get(column)
    if (own.has(column) || found?.key === true || found?.constant !== undefined || (!found && hasDefault)) return []
    const isEmpty = (value: unknown): boolean =>
      value === null || value === undefined || (value === '' && found?.emptyIsNull === true)
    const empty = found ? flat.filter((record) => isEmpty(record[found.field])) : flat
    if (empty.length === 0) return []
    const isEach = empty.length === flat.length
    const which = isEach ? 'no record' : `${empty.length} of ${formatCount(flat.length, 'record')}`
    const remark = !isEach && empty.length <= table.maxRejects ? advice : problem
    return [
      remark(
        `the column ${column} is NOT NULL${hasDefault ? '' : ' and has no default'}, and ${which} of the first page ` +
          `${isEach ? 'has a' : 'have no'} value for it: ${isEach ? 'each' : 'these'} would be rejected. Give the ` +
          `field a value by .map(), or let the owner run: alter table ${quoteTable(table.name)} alter column ` +
          `${quoteIdentifier(column)} drop not null`,
      ),
    ]
  })
}
