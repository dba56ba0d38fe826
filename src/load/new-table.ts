import type { Table } from '../model/recipe.ts'
import type { EncodedTable } from './table-encoder.ts'
import { Fields } from './shape/fields.ts'
import type { SchemaChange } from './shape/schema-change.ts'
import type { TableShape } from './shape/table-shape.ts'
import { columnType, type ColumnType } from './values/column-type.ts'

/**
 * A table in memory: one with the columns that a first run would create, or one that exists with those that a run would
 * add. Pages are encoded for it, and nothing is stored.
 */
export class NewTable implements EncodedTable {
  readonly table: Table
  readonly slice: EncodedTable['slice']
  readonly contract: Table['onSchemaChange']
  readonly isIncomplete = false
  readonly isPlainAppend = false
  readonly run = undefined
  readonly #existing: TableShape | undefined
  readonly #columns: Map<string, ColumnType>
  #fields: Fields

  /** `existing` is the table as it is. @default it does not exist */
  constructor(table: Table, stream: string, existing?: TableShape) {
    this.table = table
    this.slice = { id: '0', pipeline: '', stream }
    this.contract = existing ? table.onSchemaChange : 'evolve'
    this.#existing = existing
    this.#columns = new Map(existing?.columns)
    this.#fields = new Fields(table, stream, existing)
  }

  get fields(): Fields {
    return this.#fields
  }

  get shape(): TableShape | undefined {
    const { size } = this.#columns
    if (this.#existing) {
      // No partition is made in memory.
      const { partitions: _, ...existing } = this.#existing
      return { ...existing, columns: this.#columns, slots: existing.slots + size - existing.columns.size }
    }
    if (size === 0) return undefined
    return {
      name: this.table.name,
      columns: this.#columns,
      generated: new Set(),
      slots: size,
      notNull: new Map(),
      origins: new Map(),
      bytes: 0,
      partitioned: false,
      hidesXmax: false,
      blank: true,
      created: true,
      hasSlice: false,
      isHistory: this.table.write === 'history',
    }
  }

  /** Adds and widens columns as the statements of a run would. */
  change({ add, widen }: SchemaChange): void {
    for (const { name, type } of add) this.#columns.set(name, type)
    for (const { column, to } of widen) this.#columns.set(column.name, columnType(to))
    this.#fields = new Fields(this.table, this.slice.stream, this.shape, this.#fields.seen)
  }
}
