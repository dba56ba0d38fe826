// The tables of nested lists of one table: opened, encoded and written together with it.
import type { Database } from '../../database/database.ts'
import type { Queryable } from '../../database/queryable.ts'
import { UsageError } from '../../model/errors.ts'
import type { CountsOfChildren } from '../../model/batch.ts'
import { addChildren } from '../../model/counts.ts'
import type { ColumnDeclaration, Table } from '../../model/recipe.ts'
import type { RowSelection } from '../row-selection.ts'
import { aroundMerge } from '../deleted/around-merge.ts'
import type { GoneLists } from '../deleted/row-deleter.ts'
import { OpenTable, type OpenTableOptions } from '../open-table.ts'
import { missingRights } from '../shape/rights.ts'
import { KINDS } from '../shape/widening.ts'
import { TableEncoder } from '../table-encoder.ts'
import { columnType } from '../values/column-type.ts'
import { appendByKey, merge, type StoreRows } from '../write-modes.ts'
import { childTables, type ChildTable } from './child-tables.ts'
import { nestedLists } from './nested-record.ts'
import { NestedEncoder, type OpenChild } from './nested-encoder.ts'
import {
  acceptedParents,
  childrenLockSql,
  goneSql,
  insertedParents,
  storeChild,
  type Parents,
} from './store-children.ts'
import type { Transaction } from '../../database/transaction.ts'

/** Opens the tables of nested lists; undefined if the table has none. */
export async function openChildren(
  database: Database,
  root: OpenTable,
  options: OpenTableOptions,
): Promise<ChildWriter | undefined> {
  if (!root.table.children) return undefined
  const children: OpenChild[] = []
  for (const child of tablesOfLists(root)) {
    const open = new OpenTable(database, child.table, options)
    await open.open()
    children.push({ child, open, encoder: new TableEncoder(open) })
  }
  return new ChildWriter(root, children)
}

/** Returns the tables of the lists of a table. Throws if they cannot have the names that they are given. */
export function tablesOfLists(root: Pick<OpenTable, 'table' | 'fields'>): ChildTable[] {
  const tables = childTables(root.table, keyColumns(root))
  checkNames([root.table.name, ...tables.map(({ table }) => table.name)])
  return tables
}

function checkNames(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw new UsageError(`${names[0]}: children would store two lists in ${twice}. Name the table of one: { table: … }`)
  const long = names.find((name) => name.split('.').some((part) => Buffer.byteLength(part) > 63))
  if (long !== undefined)
    throw new UsageError(
      `${names[0]}: the name of the table ${long} has more than 63 bytes. Give children another: { table: … }`,
    )
}

/** The parent's key has the same type in the tables of its lists, if a person has chosen it. */
function keyColumns({ table, fields }: Pick<OpenTable, 'table' | 'fields'>): Table['columns'] {
  const columns: Record<string, ColumnDeclaration | undefined> = {}
  for (const field of table.key) {
    const type = fields.loaded(field)?.type
    const isPlain = type === undefined || (type.sql === columnType(type.sql).sql && type.base in KINDS)
    const declared = table.columns[field]
    columns[field] = isPlain || type.limits.length > 0 ? declared : (declared ?? type.sql)
  }
  return columns
}

export class ChildWriter {
  readonly #root: OpenTable
  readonly #children: readonly OpenChild[]
  #counts: CountsOfChildren | undefined

  constructor(root: OpenTable, children: readonly OpenChild[]) {
    this.#root = root
    this.#children = children
  }

  get tables(): readonly OpenTable[] {
    return this.#children.map(({ open }) => open)
  }

  encoderFor(encoder: TableEncoder): NestedEncoder {
    return new NestedEncoder(this.#root, encoder, this.#children)
  }

  /** Returns what was written since the last call. */
  takeCounts(): CountsOfChildren | undefined {
    const counts = this.#counts
    this.#counts = undefined
    return counts
  }

  /** Merges rows and their lists. */
  merge(table: Table, hidesXmax: boolean): StoreRows {
    return merge(table, hidesXmax, aroundMerge(table), async (source, transaction, rows, shape) => {
      const parents = await acceptedParents(transaction, table, { source, shape, round: rows.round })
      await this.#store(transaction, rows, parents)
    })
  }

  /** Inserts rows whose key is new, with their lists. The lists of other rows stay. */
  append(table: Table, slice: { readonly id: string; readonly hasColumn: boolean }): StoreRows {
    return appendByKey(table, slice, async ({ source, insertSql, transaction, rows, shape }) => {
      const parents = await insertedParents(transaction, table, { source, shape, insertSql })
      await this.#store(transaction, rows, parents)
      return parents.inserted
    })
  }

  /** Deletes the lists of rows that a deletion has removed. */
  readonly gone: GoneLists = {
    sql: (source, columns, reason) => {
      const { table, slice } = this.#root
      const of = { table, slice, source, columns, reason }
      return [childrenLockSql(table.name), ...this.#stored.map((one) => goneSql(one.child, of))]
    },
    counted: (deleted) => {
      for (const [index, { child }] of this.#stored.entries())
        this.#counts = addChildren(this.#counts, {
          [child.table.name]: { inserted: 0, updated: 0, unchanged: 0, deleted: deleted[index] ?? 0 },
        })
    },
  }

  /** The lists that have ever had an entry. */
  get #stored(): readonly OpenChild[] {
    return this.#children.filter(({ open }) => open.shape !== undefined)
  }

  /** Adds the lists of a rejected row to its record. */
  readonly complete = (row: RowSelection, record: Record<string, unknown>): Record<string, unknown> =>
    nestedLists(
      row,
      this.#children.map(({ child }) => child),
      record,
    )

  /** Returns the columns and tables of lists that were dropped since they were read. */
  async lostColumns(): Promise<readonly string[]> {
    const lost = await Promise.all(
      this.#children.map(async ({ child, open }) => {
        const columns = await open.lostColumns()
        return columns === 'table' ? [child.table.name] : columns.map((column) => `${child.table.name}.${column}`)
      }),
    )
    return lost.flat()
  }

  /** Returns an error that names the rights that this user lacks for the first table where some are missing. */
  async missingRights(on: Queryable, cause: unknown): Promise<Error | undefined> {
    for (const { child, open } of this.#children) {
      const lacking = await missingRights(on, child.table, { columns: open.fields.columns, isList: true, cause })
      if (lacking) return lacking
    }
    return undefined
  }

  /** Counts only what is written whole: a part that fails is written again, row by row. */
  async #store(transaction: Transaction, rows: RowSelection, parents: Parents): Promise<void> {
    let counts: CountsOfChildren | undefined
    for (const [index, one] of this.#children.entries()) {
      const stored = await storeChild(transaction, rows, parents, { ...one, index })
      if (stored) counts = addChildren(counts, { [one.child.table.name]: stored })
    }
    this.#counts = addChildren(this.#counts, counts)
  }
}
