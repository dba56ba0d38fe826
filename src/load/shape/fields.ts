import { SchemaError } from '../../model/errors.ts'
import type { ColumnDeclaration, ColumnOptions, Table } from '../../model/recipe.ts'
import { defined } from '../../value/defined.ts'
import { timeReader } from '../../value/time-form.ts'
import { zoneNamed } from '../../value/zone.ts'
import { columnType, type ColumnType } from '../values/column-type.ts'
import { historyColumns } from '../history/columns.ts'
import { columnName, ColumnNames } from './column-name.ts'
import type { LoadedColumn } from './loaded-column.ts'
import { addedColumns } from './system-columns.ts'
import type { TableShape } from './table-shape.ts'

/** Returns the definition's word about a field. A field may be named `constructor`, which every object has. */
export const declarationOf = ({ columns }: Table, field: string): ColumnDeclaration | undefined =>
  Object.hasOwn(columns, field) ? columns[field] : undefined

const listedIn = ({ children = {} }: Table, field: string): boolean =>
  Object.hasOwn(children, field) && children[field] !== undefined

/** Returns the type that the definition declares for a field, if any. */
export function declaredType(table: Table, field: string): ColumnType | undefined {
  const declaration = declarationOf(table, field)
  if (declaration === undefined || declaration === false) return undefined
  const type = typeof declaration === 'string' ? declaration : declaration.type
  return type === undefined ? undefined : columnType(type)
}

/** Returns true if the text `''` of a field is null. A key is never null. */
export function readsEmptyAsNull(table: Table, field: string): boolean {
  const declaration = declarationOf(table, field)
  const ofColumn = typeof declaration === 'object' ? declaration.emptyText : undefined
  return (ofColumn ?? table.emptyText) === 'null' && !table.key.includes(field)
}

/**
 * The fields of a stream's records, and the column that each is written to. The state of a field:
 *
 * | state | when |
 * |---|---|
 * | loaded | it belongs to the key, its column was created for it, or a record had it and the table has its column |
 * | undetermined | records had it, always null, and it has no column |
 * | left out | the definition says so |
 */
export class Fields {
  readonly #table: Table
  readonly #names: ColumnNames
  readonly #shape: TableShape | undefined
  readonly #loaded = new Map<string, LoadedColumn>()
  readonly #undetermined = new Set<string>()
  readonly #seen = new Set<string>()
  /** Field names of the last record, because most records have the same names as the one before. */
  #last: readonly string[] = []

  constructor(table: Table, stream: string, shape: TableShape | undefined, seen: Iterable<string> = []) {
    this.#table = table
    this.#shape = shape
    this.#names = new ColumnNames(table.name, table.account?.name, [
      ...addedColumns(table).map(({ name }) => name),
      ...(table.write === 'history' ? Object.values(historyColumns) : []),
    ])
    const declared = Object.keys(table.columns).filter((field) => table.columns[field] !== false)
    const certain = new Set([...table.key, ...declared, ...(table.versionBy === undefined ? [] : [table.versionBy])])
    // They are not "seen": declared fields without a column are created only with a record.
    for (const field of certain) this.#load(field)
    for (const [column, origin] of shape?.origins ?? [])
      if (origin.stream === stream) this.#loadByOrigin(column, origin.field)
    this.learn(seen)
  }

  get columns(): readonly LoadedColumn[] {
    const { account } = this
    const isThere = account !== undefined && this.#shape?.columns.has(account.name) === true
    return isThere ? [account, ...this.#loaded.values()] : [...this.#loaded.values()]
  }

  /** The column of the account as it is or will be. No field of a record is written to it. */
  get account(): LoadedColumn | undefined {
    const { account, key } = this.#table
    if (!account) return undefined
    const { name, value } = account
    const type = this.#shape?.columns.get(name) ?? columnType('text')
    return { field: '', name, type, key: key.length > 0, declared: true, round: false, constant: value }
  }

  get undetermined(): readonly string[] {
    return [...this.#undetermined]
  }

  /** All fields that occurred in a record. */
  get seen(): ReadonlySet<string> {
    return this.#seen
  }

  loaded(field: string): LoadedColumn | undefined {
    return this.#loaded.get(field)
  }

  isLeftOut(field: string): boolean {
    // A list with a table of its own has no column.
    return declarationOf(this.#table, field) === false || listedIn(this.#table, field)
  }

  /** Returns the fields of a record that did not occur before. */
  unknownOf(record: object): string[] {
    const last = this.#last
    let index = 0
    for (const field in record) {
      if (field !== last[index]) return this.#compareAll(record)
      index += 1
    }
    return []
  }

  /** Adds fields to those that occurred. */
  learn(fields: Iterable<string>): void {
    for (const field of fields) {
      if (this.#seen.has(field)) continue
      // No column is named after a name with a broken character: records with a value there are rejected.
      const isKnown = this.isLeftOut(field) || this.#loaded.has(field) || (field.isWellFormed() && this.#load(field))
      if (!isKnown) this.#undetermined.add(field)
      this.#seen.add(field)
    }
  }

  /** Returns the column of a field as it is or will be. */
  describe(field: string, type: ColumnType, name = this.#names.of(field)): LoadedColumn {
    const declaration = declarationOf(this.#table, field)
    const { round, zone, time }: ColumnOptions = typeof declaration === 'object' ? declaration : {}
    return {
      field,
      name,
      type,
      key: this.#table.key.includes(field),
      declared: declaredType(this.#table, field) !== undefined,
      round: round === true,
      emptyIsNull: readsEmptyAsNull(this.#table, field),
      ...(this.#table.insertOnly?.includes(field) && { isInsertOnly: true as const }),
      ...(this.#table.ignoreChanges?.includes(field) && { isIgnored: true as const }),
      ...defined({ zone: zone === undefined ? undefined : zoneNamed(zone), time: time && timeReader(time) }),
    }
  }

  #compareAll(record: object): string[] {
    const names: string[] = []
    for (const field in record) names.push(field)
    this.#last = names
    return names.filter((field) => !this.#seen.has(field))
  }

  /** Loads a field into its column; returns false if the table has no such column. */
  #load(field: string): boolean {
    const name = this.#names.of(field)
    const type = this.#shape?.columns.get(name)
    if (!type) return false
    if (this.#shape?.generated.has(name)) {
      throw new SchemaError(
        `${this.#table.name}: the database computes the column ${name}, so the field ${JSON.stringify(field)} cannot ` +
          `be written to it. Leave it out with columns: { ${JSON.stringify(field)}: false }`,
      )
    }
    // The API has renamed the field for which the column was created, for example from user_id to userId.
    for (const [other, column] of this.#loaded)
      if (column.name === name && !this.#seen.has(other)) this.#loaded.delete(other)
    this.#loaded.set(field, this.describe(field, type))
    return true
  }

  /** Loads a column that was created for a field of this stream: records without the field write null. */
  #loadByOrigin(column: string, field: string): void {
    const type = this.#shape?.columns.get(column)
    const isTaken = [...this.#loaded.values()].some(({ name }) => name === column)
    if (type && !isTaken && columnName(field) === column && !this.isLeftOut(field))
      this.#loaded.set(field, this.describe(field, type, column))
  }
}
