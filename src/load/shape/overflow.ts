// Fields for which a table has no room are members of one jsonb column.
import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import { historyColumns } from '../history/columns.ts'
import { columnKindOf, isRecord } from '../values/value-kind.ts'
import { readsEmptyAsNull, type Fields } from './fields.ts'
import { addedColumns } from './system-columns.ts'
import type { TableShape } from './table-shape.ts'

/** A table in PostgreSQL has at most so many columns. Dropped ones count until the table is made anew. */
export const MAX_COLUMNS = 1_600

/** What `overflowRecords` needs of the table that records are stored in. */
export interface OverflowTarget {
  readonly table: Table
  /** They have learned the fields of the records. */
  readonly fields: Pick<Fields, 'loaded' | 'isLeftOut'>
  readonly shape: Pick<TableShape, 'columns' | 'slots'> | undefined
}

/**
 * Returns records whose fields all have a column or can get one. Those without are members of the column of `overflow`;
 * null is then no member. Of new fields the first ones get the columns that are left. Returns the same list for a table
 * without `overflow`.
 */
export function overflowRecords(records: readonly unknown[], target: OverflowTarget): readonly unknown[] {
  const { table, fields } = target
  const { overflow } = table
  if (!overflow) return records
  const named = namedFields(table)
  /** True for what is no matter of room: it has a column, gets none, or no column could be made of it. */
  const isPlaced = (field: string, value: unknown): boolean =>
    named.has(field) ||
    fields.loaded(field) !== undefined ||
    fields.isLeftOut(field) ||
    !field.isWellFormed() ||
    columnKindOf(value) === undefined ||
    (value === '' && readsEmptyAsNull(table, field))
  const chosen = firstFields(records, roomIn(target, named), isPlaced)
  return records.map((record) => {
    if (!isRecord(record)) return record
    if (Object.hasOwn(record, overflow.column))
      throw new SchemaError(
        `${table.name}: a record has the field ${overflow.column}, which is also the column of overflow. ` +
          'Give overflow another name, or rename the field in the stream',
      )
    const entries = Object.entries(record)
    const rest = entries.filter(([field, value]) => !chosen.has(field) && !isPlaced(field, value))
    if (rest.length === 0) return record
    const moved = new Set(rest.map(([field]) => field))
    return Object.fromEntries([
      ...entries.filter(([field]) => !moved.has(field)),
      [overflow.column, Object.fromEntries(rest)],
    ])
  })
}

/** Returns a record as it was before `overflowRecords`. */
export function withoutOverflow(record: Record<string, unknown>, { overflow }: Table): Record<string, unknown> {
  const rest = overflow && record[overflow.column]
  const own = Object.entries(record).filter(([field]) => field !== overflow?.column)
  return Object.fromEntries([...own, ...(isRecord(rest) ? Object.entries(rest) : [])])
}

/** Fields that always have a column: the definition names them. */
const namedFields = ({ key, versionBy, columns, insertOnly = [], ignoreChanges = [] }: Table): ReadonlySet<string> =>
  new Set([
    ...key,
    ...(versionBy === undefined ? [] : [versionBy]),
    ...Object.keys(columns).filter((field) => columns[field] !== false),
    ...insertOnly,
    ...ignoreChanges,
  ])

/** Returns the number of columns that new fields can get. */
function roomIn({ table, fields, shape }: OverflowTarget, named: ReadonlySet<string>): number {
  const { columns = MAX_COLUMNS } = table.overflow ?? {}
  const left = Math.min(columns - (shape?.columns.size ?? 0), MAX_COLUMNS - (shape?.slots ?? 0))
  const kept = [...named].filter((field) => fields.loaded(field) === undefined).length
  const added = addedColumns(table).filter(({ name }) => shape?.columns.has(name) !== true).length
  const ofNew = [table.account, table.write === 'append'].filter(Boolean).length
  const ofHistory = table.write === 'history' ? Object.keys(historyColumns).length : 0
  return left - kept - added - (shape ? 0 : ofNew + ofHistory)
}

/** Returns the fields that come first in the records and are not placed, at most `room` of them. */
function firstFields(
  records: readonly unknown[],
  room: number,
  isPlaced: (field: string, value: unknown) => boolean,
): ReadonlySet<string> {
  const found = new Set<string>()
  for (const record of records) {
    if (!isRecord(record)) continue
    for (const field in record) {
      if (found.size >= room) return found
      if (!found.has(field) && !isPlaced(field, record[field])) found.add(field)
    }
  }
  return found
}
