// The entries of nested lists as rows, with the keys of their parents.
import { SchemaError } from '../../model/errors.ts'
import { displayValue } from '../values/type-mismatch.ts'
import { INDEX_FIELD, type ChildTable } from './child-tables.ts'
import { isPlainObject } from './flat-records.ts'

/** The field of an entry that is no object. */
const VALUE_FIELD = 'value'

/** The entries of one list of all records of a page. */
export interface ChildRows {
  readonly rows: Record<string, unknown>[]
  /** For each row the number of its record. */
  readonly recordOf: number[]
}

export interface CollectedRows {
  readonly of: ReadonlyMap<ChildTable, ChildRows>
  /** The reasons why records have no list where one is expected, by the number of the record. */
  readonly problems: ReadonlyMap<number, string>
}

/**
 * Returns the rows of all nested lists of some records. A list that is absent or null is empty, an object in place of a
 * list is its only entry, and an entry that is no object has its value in the field `value`.
 */
export function childRows(
  records: readonly unknown[],
  key: readonly string[],
  tables: readonly ChildTable[],
): CollectedRows {
  const of = new Map<ChildTable, ChildRows>(tables.map((table) => [table, { rows: [], recordOf: [] }]))
  const problems = new Map<number, string>()
  const below = (parent: ChildTable | undefined): ChildTable[] => tables.filter((table) => table.parent === parent)
  const collect = (
    table: ChildTable,
    holder: Readonly<Record<string, unknown>>,
    keys: unknown[],
    record: number,
  ): void => {
    const list = listOf(Object.hasOwn(holder, table.field) ? holder[table.field] : undefined)
    if (typeof list === 'string') {
      if (!problems.has(record)) problems.set(record, `${table.path}: ${list}`)
      return
    }
    for (const [index, entry] of list.entries()) {
      const members = isPlainObject(entry) ? entry : { [VALUE_FIELD]: entry }
      const added = Object.fromEntries(table.parentFields.map((name, at) => [name, keys[at]]))
      if (table.isIndexed) added[INDEX_FIELD] = index
      const taken = Object.keys(added).find((name) => Object.hasOwn(members, name))
      if (taken !== undefined) throw takenField(table, taken)
      const row = { ...added, ...members }
      const target = of.get(table)
      target?.rows.push(row)
      target?.recordOf.push(record)
      const own = table.table.key.slice(table.parentFields.length).map((name) => (row as Record<string, unknown>)[name])
      for (const inner of below(table)) collect(inner, members, [...keys, ...own], record)
    }
  }
  for (const [number, record] of records.entries()) {
    if (!isPlainObject(record)) continue
    const keys = key.map((field) => record[field])
    for (const table of below(undefined)) collect(table, record, keys, number)
  }
  return { of, problems }
}

function listOf(value: unknown): readonly unknown[] | string {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value as readonly unknown[]
  return isPlainObject(value) ? [value] : `it is ${displayValue(value)}, and children stores a list`
}

const takenField = ({ table, path }: ChildTable, field: string): SchemaError =>
  new SchemaError(
    `${table.name}: an entry of ${path} has the field ${JSON.stringify(field)}, which ` +
      (field === INDEX_FIELD
        ? 'holds its place in the list. Give the list a key'
        : "holds the parent's key. Give parentKey"),
  )
