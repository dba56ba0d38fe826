import type { Page } from '../../model/page.ts'
import type { Table } from '../../model/recipe.ts'
import { columnType, type ColumnType } from '../values/column-type.ts'
import { declarationOf } from './declaration.ts'
import type { Fields } from '../encode/fields.ts'
import type { LoadedColumn } from './loaded-column.ts'
import { TypeMismatch } from '../values/type-mismatch.ts'
import { isRecord } from '../record.ts'
import { type ColumnKind, commonKind, columnKindOf } from '../values/value-kind.ts'
import { valueText } from '../values/value-text.ts'
import { widenedKind } from './widening.ts'

/** How the table has to change before a page can be stored. */
export interface SchemaChange {
  readonly add: readonly LoadedColumn[]
  readonly widen: readonly { readonly column: LoadedColumn; readonly to: ColumnKind }[]
  /** Columns that are there but have not been loaded so far: the shadow of a `replace` gets them. */
  readonly load: boolean
}

export const isEmptyChange = ({ add, widen, load }: SchemaChange): boolean =>
  add.length === 0 && widen.length === 0 && !load

/** Everything that a page asks of its table at once, so that it is changed once. */
export function schemaChangeFor(page: Page, fields: Fields, table: Table): SchemaChange {
  const kinds = new Map<string, ColumnKind>()
  const wider = new Map<LoadedColumn, ColumnKind>()
  for (const record of page.records) {
    if (!isRecord(record) || table.key.some((field) => record[field] === null || record[field] === undefined)) continue
    for (const field in record) {
      const value = record[field]
      if (value === null || value === undefined || fields.isLeftOut(field)) continue
      const column = fields.loaded(field)
      const kind = columnKindOf(value)
      if (kind === undefined) continue
      if (column) widen(wider, column, value, kind, table)
      else kinds.set(field, commonKind(kinds.get(field), kind)!)
    }
  }
  const found = [...kinds].map(([field, kind]) =>
    fields.describe(field, declaredType(table, field) ?? columnType(kind)),
  )
  const declared = found.length === 0 ? [] : declaredOnly(fields, table, kinds)
  return { add: [...found, ...declared], widen: [...wider].map(([column, to]) => ({ column, to })), load: false }
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

function fits(value: unknown, type: ColumnType, { round, declared }: LoadedColumn): boolean {
  try {
    valueText(value, type, { round, declared })
    return true
  } catch (error) {
    if (error instanceof TypeMismatch) return false
    throw error
  }
}

/** Columns that are declared are made with the others, though no record has had a value for them. */
function declaredOnly(fields: Fields, table: Table, kinds: ReadonlyMap<string, ColumnKind>): LoadedColumn[] {
  return Object.keys(table.columns).flatMap((field) => {
    const type = declaredType(table, field)
    return type && !kinds.has(field) && !fields.loaded(field) ? [fields.describe(field, type)] : []
  })
}

function declaredType(table: Table, field: string): ColumnType | undefined {
  const declaration = declarationOf(table, field)
  if (declaration === undefined || declaration === false) return undefined
  return columnType(typeof declaration === 'string' ? declaration : declaration.type)
}
