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

interface TableAsItIs {
  readonly table: Table
  /** `pipeline.stream`. */
  readonly stream: string
  readonly shape: TableShape
}

/** Returns what a run would reject of rows because of the table as it is. Nothing is sent to the database. */
export function checkColumns(rows: readonly unknown[], { table, stream, shape }: TableAsItIs): Remark[] {
  // A merged table that becomes a history has other columns then.
  if (rows.length === 0 || (table.write === 'history' && !shape.isHistory)) return []
  const counts = { ...NO_READ_COUNTS, fetched: rows.length }
  const stored = pageEncoder(new NewTable(table, stream, shape))({ records: rows, counts, rejects: [] })
  return [...checkRejects(stored.rejects, rows.length, table), ...checkNotNull(stored.rows, { table, stream, shape })]
}

/** A column that is NOT NULL refuses each row without a value for it. */
function checkNotNull(rows: readonly unknown[], at: TableAsItIs): Remark[] {
  const { table } = at
  return emptyColumns(rows, at).map(({ column, start, empty }): Remark => {
    const isEach = empty.length === rows.length
    const which = isEach ? 'no record' : `${empty.length} of ${formatCount(rows.length, 'record')}`
    const remark = !isEach && empty.length <= table.maxRejects ? advice : problem
    return remark(
      `${start}${which} of the first page ${isEach ? 'has a' : 'have no'} value for it: ` +
        `${isEach ? 'each' : 'these'} would be rejected. Give the field a value by .map(), or let the owner run: ` +
        dropNotNull(table, column),
    )
  })
}

/** The entries of a nested list on the first page, as rows of its table. */
export interface EntriesOfList {
  /** The fields that lead to the list: `lines.discounts`. */
  readonly path: string
  /** For each row the number of its record. */
  readonly recordOf: readonly number[]
  /** All records of the page. */
  readonly records: number
  /** Of the stream. */
  readonly maxRejects: number
}

/** The same for the entries of a list: a record is rejected with all its entries if the table refuses one of them. */
export function checkEntries(
  rows: readonly unknown[],
  { path, recordOf, records, maxRejects }: EntriesOfList,
  at: TableAsItIs,
): Remark[] {
  return emptyColumns(rows, at).map(({ column, start, empty }): Remark => {
    const isEach = empty.length === rows.length
    const which = isEach ? 'no entry' : `${empty.length} of ${rows.length} entries`
    const rejected = new Set(empty.map((row) => recordOf[row])).size
    const remark = rejected < records && rejected <= maxRejects ? advice : problem
    return remark(
      `${start}${which} of ${path} on the first page ${isEach ? 'has a' : 'have no'} value for it: ` +
        `${rejected} of ${formatCount(records, 'record')} would be rejected, with all their entries. Give the field ` +
        `a value by .map(), or let the owner run: ${dropNotNull(at.table, column)}`,
    )
  })
}

interface EmptyColumn {
  readonly column: string
  /** The beginning of the sentence about it. */
  readonly start: string
  /** The numbers of the rows without a value for it. */
  readonly empty: readonly number[]
}

/** Returns the columns that are NOT NULL, and for which some of the rows have no value. */
function emptyColumns(rows: readonly unknown[], { table, stream, shape }: TableAsItIs): EmptyColumn[] {
  const fields = new Fields(table, stream, shape)
  const flat = flatRecords(rows, table, fields).map((row) => (isRecord(row) ? row : {}))
  for (const record of flat) fields.learn(Object.keys(record))
  const own = new Set<string>([
    ...Object.values(systemColumns),
    ...Object.values(historyColumns),
    ...addedColumns(table).map(({ name }) => name),
  ])
  const loaded = new Map(fields.columns.map((column) => [column.name, column]))
  return [...shape.notNull].flatMap(([column, { hasDefault }]): EmptyColumn[] => {
    const found = loaded.get(column)
    if (own.has(column) || found?.key === true || found?.constant !== undefined || (!found && hasDefault)) return []
    const isEmpty = (value: unknown): boolean =>
      value === null || value === undefined || (value === '' && found?.emptyIsNull === true)
    const empty = [...flat.entries()].filter(([, row]) => !found || isEmpty(row[found.field])).map(([number]) => number)
    const start = `the column ${column} is NOT NULL${hasDefault ? '' : ' and has no default'}, and `
    return empty.length === 0 ? [] : [{ column, start, empty }]
  })
}

const dropNotNull = ({ name }: Table, column: string): string =>
  `alter table ${quoteTable(name)} alter column ${quoteIdentifier(column)} drop not null`
