// The tables of nested lists, as their parent's definition describes them.
import { splitTable } from '../../database/quote.ts'
import type { ChildList } from '../../model/nested.ts'
import type { ColumnDeclaration, Table } from '../../model/recipe.ts'
import { defined } from '../../value/defined.ts'
import { columnName } from '../shape/column-name.ts'

/** The field for the place of an entry in its list, if nothing else identifies it. */
export const INDEX_FIELD = '_index'

/** A nested list and its table. */
export interface ChildTable {
  /** The field of the record, or of the entry, that holds the list. */
  readonly field: string
  /** The fields that lead to it, for messages: `lines.discounts`. */
  readonly path: string
  /** The number of the record's list that it belongs to. */
  readonly list: number
  /** The list in whose entries it is. */
  readonly parent: ChildTable | undefined
  /** The fields of the row for the whole key of the parent: first those for the key of the record. */
  readonly parentFields: readonly string[]
  readonly isIndexed: boolean
  readonly table: Table
}

/**
 * Returns the tables of the lists of a record, each one before those inside its entries. `keyColumns` declares the
 * columns of the record's key.
 */
export function childTables(
  table: Table,
  keyColumns: Readonly<Record<string, ColumnDeclaration | undefined>> = table.columns,
): ChildTable[] {
  const base = splitTable(table.name).table
  const inherited = table.key.map((field) => ({ name: `${base}.${field}`, column: keyColumns[field] }))
  return Object.entries(table.children ?? {})
    .filter((entry): entry is [string, ChildList] => entry[1] !== undefined)
    .flatMap(([field, options], list) => tablesOf({ field, options, list, parent: undefined, inherited, root: table }))
}

interface Inherited {
  readonly name: string
  readonly column: ColumnDeclaration | undefined
}

function tablesOf({
  field,
  options,
  list,
  parent,
  inherited,
  root,
}: {
  readonly field: string
  readonly options: ChildList
  readonly list: number
  readonly parent: ChildTable | undefined
  readonly inherited: readonly Inherited[]
  readonly root: Table
}): ChildTable[] {
  const { key, parentKey, columns = {}, flatten, children } = options
  const above = parent?.table ?? root
  const names = parentKey === undefined ? inherited.map(({ name }) => name) : [parentKey].flat()
  const own = key === undefined ? [INDEX_FIELD] : [key].flat()
  const ofParent = Object.fromEntries(names.map((name, index) => [name, inherited[index]?.column]))
  const child: ChildTable = {
    field,
    path: parent ? `${parent.path}.${field}` : field,
    list,
    parent,
    parentFields: names,
    isIndexed: key === undefined,
    table: {
      name: options.table ?? `${above.name}_${columnName(field)}`,
      key: [...names, ...own],
      write: 'merge',
      onSchemaChange: root.onSchemaChange,
      columns: { ...columns, ...defined(ofParent) },
      loadedAt: root.loadedAt,
      allowEmpty: false,
      maxRejects: root.maxRejects,
      resumeWithin: root.resumeWithin,
      ...defined({
        account: root.account,
        emptyText: root.emptyText,
        adopt: root.adopt,
        views: root.views,
        lineage: root.lineage,
        flatten,
        children,
      }),
    },
  }
  const next = [
    ...names.map((name) => ({ name, column: child.table.columns[name] })),
    ...own.map((name) => ({ name: `${columnName(field)}.${name}`, column: columns[name] })),
  ]
  const below = Object.entries(children ?? {}).filter((entry): entry is [string, ChildList] => entry[1] !== undefined)
  return [
    child,
    ...below.flatMap(([inner, inside]) =>
      tablesOf({ field: inner, options: inside, list, parent: child, inherited: next, root }),
    ),
  ]
}
