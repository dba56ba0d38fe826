import type { Page } from '../../model/page.ts'
import type { Table } from '../../model/recipe.ts'
import { columnType, type ColumnType } from '../values/column-type.ts'
import { TypeMismatch } from '../values/type-mismatch.ts'
import { type ColumnKind, columnKindOf, commonKind, isRecord } from '../values/value-kind.ts'
import { valueText } from '../values/value-text.ts'
import { declaredType, readsEmptyAsNull, type Fields } from './fields.ts'
import type { LoadedColumn } from './loaded-column.ts'
import { widenedKind } from './widening.ts'

/** The changes that a table needs before a page can be stored. */
export interface SchemaChange {
  readonly add: readonly LoadedColumn[]
  readonly widen: readonly { readonly column: LoadedColumn; readonly to: ColumnKind }[]
  /** True if rows will fill columns that the table has and the shadow table of a `replace` does not have yet. */
  readonly load: boolean
  /** Times for which a partitioned table lacks a partition, in milliseconds since 1970. @default none */
  readonly cover?: readonly number[]
}

/** `encode` returns this for a page that does not fit its table yet. */
export class NeedsSchemaChange {
  readonly change: SchemaChange
  /** The number of the table of nested lists that needs it; undefined for the table itself. */
  readonly nested: number | undefined
  constructor(change: SchemaChange, nested?: number) {
    this.change = change
    this.nested = nested
  }
}

export const isEmptyChange = ({ add, widen, load, cover = [] }: SchemaChange): boolean =>
  add.length === 0 && widen.length === 0 && !load && cover.length === 0

/** Collects all changes that the records of a page need, so that the table is changed once. */
export function schemaChangeFor(page: Pick<Page, 'records'>, fields: Fields, table: Table): SchemaChange {
  const kinds = new Map<string, ColumnKind>()
  const wider = new Map<LoadedColumn, ColumnKind>()
  for (const record of page.records) {
    // A record whose key cannot be stored is rejected, so its fields need no columns.
    if (!isRecord(record) || table.key.some((field) => columnKindOf(record[field]) === undefined)) continue
    for (const field in record) {
      const value = record[field]
      if (value === null || value === undefined || fields.isLeftOut(field) || !field.isWellFormed()) continue
      if (value === '' && readsEmptyAsNull(table, field)) continue
      const column = fields.loaded(field)
      const kind = columnKindOf(value)
      if (kind === undefined) continue
      if (column) widen(wider, column, value, kind, table)
      else kinds.set(field, commonKind(kinds.get(field), kind))
    }
  }
  const found = [...kinds].map(([field, kind]) =>
    fields.describe(field, declaredType(table, field) ?? columnType(kind)),
  )
  const declared = found.length === 0 ? [] : declaredWithoutValue(fields, table, kinds)
  // A table that exists has the column of the account, or it would not have been opened.
  const account = found.length === 0 || fields.columns.length > 0 ? undefined : fields.account
  return {
    add: [...(account ? [account] : []), ...found, ...declared],
    widen: [...wider].map(([column, to]) => ({ column, to })),
    load: false,
  }
}

function widen(
  wider: Map<LoadedColumn, ColumnKind>,
  column: LoadedColumn,
  value: unknown,
  kind: ColumnKind,
  table: Table,
): void {
  const before = wider.get(column)
  const type = before ? columnType(before) : column.type
  if (column.declared || fits(value, type, column)) return
  const to = widenedKind(type, kind, { key: column.key, version: column.field === table.versionBy })
  if (to) wider.set(column, to)
}

function fits(value: unknown, type: ColumnType, column: LoadedColumn): boolean {
  try {
    valueText(value, type, column)
    return true
  } catch (error) {
    if (error instanceof TypeMismatch) return false
    throw error
  }
}

/** Returns declared columns that no record had a value for; they are created together with the others. */
function declaredWithoutValue(fields: Fields, table: Table, kinds: ReadonlyMap<string, ColumnKind>): LoadedColumn[] {
  return Object.keys(table.columns).flatMap((field) => {
    const type = declaredType(table, field)
    return type && !kinds.has(field) && !fields.loaded(field) ? [fields.describe(field, type)] : []
  })
}
