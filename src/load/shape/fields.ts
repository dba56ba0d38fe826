import { SchemaError } from '../../model/errors.ts'
import type { ColumnDeclaration, Table } from '../../model/recipe.ts'
import { columnType, type ColumnType } from '../values/column-type.ts'
import { columnName, ColumnNames } from './column-name.ts'
import type { LoadedColumn } from './loaded-column.ts'
import type { TableShape } from './table-shape.ts'

/** Returns the definition's word about a field. A field may be named `constructor`, which every object has. */
const declarationOf = ({ columns }: Table, field: string): ColumnDeclaration | undefined =>
  Object.hasOwn(columns, field) ? columns[field] : undefined

/** Returns the type that the definition declares for a field, if any. */
export function declaredType(table: Table, field: string): ColumnType | undefined {
  const declaration = declarationOf(table, field)
  if (declaration === undefined || declaration === false) return undefined
  return columnType(typeof declaration === 'string' ? declaration : declaration.type)
}

/**
 * What is known of the fields of a stream's records, and which column each is written to. A field is
 *
 * | it is | since |
 * |---|---|
 * | loaded | it belongs to the key, or the column was made for it, or a record had it and the table has its column |
 * | undetermined | records had it, always null, and there is no column |
 * | left out | the definition says so |
 */
export class Fields {
  readonly #table: Table
  readonly #names: ColumnNames
  readonly #shape: TableShape | undefined
  readonly #loaded = new Map<string, LoadedColumn>()
  readonly #undetermined = new Set<string>()
  readonly #known = new Set<string>()
  /** Names of the record that was looked at last: most records are like the one before. */
  #last: readonly string[] = []

  constructor(table: Table, stream: string, shape: TableShape | undefined, seen: Iterable<string> = []) {
    this.#table = table
    this.#shape = shape
    this.#names = new ColumnNames(table.name)
    const declared = Object.keys(table.columns).filter((field) => table.columns[field] !== false)
    const certain = new Set([...table.key, ...declared, ...(table.versionBy === undefined ? [] : [table.versionBy])])
    // What is certain and has no column yet is nothing that a record had.
    for (const field of certain) if (this.#column(field) !== undefined) this.#load(field)
    for (const [column, origin] of shape?.origins ?? [])
      if (origin.stream === stream) this.#loadOrigin(column, origin.field)
    this.learn(seen)
  }

  get columns(): readonly LoadedColumn[] {
    return [...this.#loaded.values()]
  }

  get undetermined(): readonly string[] {
    return [...this.#undetermined]
  }

  /** Every field that a record had. */
  get seen(): ReadonlySet<string> {
    return this.#known
  }

  loaded(field: string): LoadedColumn | undefined {
    return this.#loaded.get(field)
  }

  isLeftOut(field: string): boolean {
    return declarationOf(this.#table, field) === false
  }

  /** Fields of a record that no record had before. */
  unknownOf(record: object): string[] {
    const last = this.#last
    let index = 0
    for (const field in record) {
      if (field !== last[index]) return this.#unknownOf(record)
      index += 1
    }
    return []
  }

  /** Take notice of fields; true where one of them is loaded from now on. */
  learn(fields: Iterable<string>): boolean {
    const before = this.#loaded.size
    for (const field of fields) {
      if (this.#known.has(field)) continue
      if (!this.isLeftOut(field) && !this.#loaded.has(field)) {
        if (this.#column(field) === undefined) this.#undetermined.add(field)
        else this.#load(field)
      }
      this.#known.add(field)
    }
    return this.#loaded.size > before
  }

  /** How the column of a field is, or would be, declared. */
  describe(field: string, type: ColumnType, name = this.#names.of(field)): LoadedColumn {
    const declaration = declarationOf(this.#table, field)
    return {
      field,
      name,
      type,
      key: this.#table.key.includes(field),
      declared: declaration !== undefined && declaration !== false,
      round: typeof declaration === 'object' && declaration.round === true,
    }
  }

  #unknownOf(record: object): string[] {
    const names: string[] = []
    for (const field in record) names.push(field)
    this.#last = names
    return names.filter((field) => !this.#known.has(field))
  }

  #load(field: string): void {
    const { name, type } = this.#column(field)!
    if (this.#shape!.generated.has(name)) {
      throw new SchemaError(
        `${this.#table.name}: the column ${name} is computed by the database, so the field ${JSON.stringify(field)} cannot be written to it: leave it out with columns: { ${JSON.stringify(field)}: false }`,
      )
    }
    // The field that the column was made for has been renamed, if only as its letters go.
    for (const [other, column] of this.#loaded)
      if (column.name === name && !this.#known.has(other)) this.#loaded.delete(other)
    this.#loaded.set(field, this.describe(field, type))
  }

  /**
   * A column that was made for a field of this stream, in which no record of this run may have it: written as null
   * then.
   */
  #loadOrigin(column: string, field: string): void {
    const type = this.#shape!.columns.get(column)
    const others = [...this.#loaded.values()].some(({ name }) => name === column)
    if (type && !others && columnName(field) === column && !this.isLeftOut(field))
      this.#loaded.set(field, this.describe(field, type, column))
  }

  #column(field: string): { readonly name: string; readonly type: ColumnType } | undefined {
    const name = this.#names.of(field)
    const type = this.#shape?.columns.get(name)
    return type && { name, type }
  }
}
