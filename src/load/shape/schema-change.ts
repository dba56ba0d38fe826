import type { Page } from '../../model/page.ts'
import type { Table } from '../../model/recipe.ts'
import { columnType, type ColumnType } from '../values/column-type.ts'
import { declarationOf } from './declaration.ts'
import type { Fields } from '../encode/fields.ts'
import type { LoadedColumn } from './system-columns.ts'
import { Misfit } from '../values/type-mismatch.ts'
import { isRecord } from '../record.ts'
import { type Kind, joined, kindOf } from '../values/value-kind.ts'
import { valueText } from '../values/value-text.ts'
import { widened } from './widening.ts'

/** How the table has to change before a page can be stored. */
export interface Need {
  readonly add: readonly LoadedColumn[]
  readonly widen: readonly { readonly column: LoadedColumn; readonly to: Kind }[]
  /** Columns that are there but have not been loaded so far: the shadow of a `replace` gets them. */
  readonly load: boolean
}

export const isEmpty = ({ add, widen, load }: Need): boolean => add.length === 0 && widen.length === 0 && !load

/** Everything that a page asks of its table at once, so that it is changed once. */
export function needOf(page: Page, fields: Fields, table: Table): Need {
  const kinds = new Map<string, Kind>()
  const wider = new Map<LoadedColumn, Kind>()
  for (const record of page.records) {
    if (!isRecord(record) || table.key.some((field) => record[field] === null || record[field] === undefined)) continue
    for (const field in record) {
      const value = record[field]
      if (value === null || value === undefined || fields.isLeftOut(field)) continue
      const column = fields.loaded(field)
      const kind = kindOf(value)
      if (kind === undefined) continue
      if (column) widen(wider, column, value, kind, table)
      else kinds.set(field, joined(kinds.get(field), kind)!)
    }
  }
  const found = [...kinds].map(([field, kind]) =>
    fields.describe(field, declaredType(table, field) ?? columnType(kind)),
  )
  const declared = found.length === 0 ? [] : declaredOnly(fields, table, kinds)
  return { add: [...found, ...declared], widen: [...wider].map(([column, to]) => ({ column, to })), load: false }
}

function widen(wider: Map<LoadedColumn, Kind>, column: LoadedColumn, value: unknown, kind: Kind, table: Table): void {
  const before = wider.get(column)
  const type = before ? columnType(before) : column.type
  if (column.declared || fits(value, type, column)) return
  const to = widened(type, kind, { key: column.key, version: column.field === table.version })
  if (to) wider.set(column, to)
}

function fits(value: unknown, type: ColumnType, { round, declared }: LoadedColumn): boolean {
  try {
    valueText(value, type, { round, declared })
    return true
  } catch (error) {
    if (error instanceof Misfit) return false
    throw error
  }
}

/** Columns that are declared are made with the others, though no record has had a value for them. */
function declaredOnly(fields: Fields, table: Table, kinds: ReadonlyMap<string, Kind>): LoadedColumn[] {
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
