import { quoteTable } from '../../database/quote.ts'
import type { ScratchSession } from '../../database/scratch-session.ts'
import type { DifferenceSample, ListDifferences } from '../../model/difference.ts'
import type { Table } from '../../model/recipe.ts'
import type { RowShape } from '../encode/encoded-page.ts'
import type { ChildTable } from '../nested/child-tables.ts'
import { tablesOfLists } from '../nested/child-writer.ts'
import { entriesOf } from '../nested/store-children.ts'
import { NewTable } from '../new-table.ts'
import { splitByShape, type RowSelection } from '../row-selection.ts'
import { columnName } from '../shape/column-name.ts'
import type { Fields } from '../shape/fields.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import type { SchemaChange } from '../shape/schema-change.ts'
import { columnList } from '../shape/shape-check.ts'
import { readShape } from '../shape/table-shape.ts'
import { TableEncoder } from '../table-encoder.ts'
import type { ColumnType } from '../values/column-type.ts'
import { copyRows } from '../write-modes.ts'
import type { Compared } from './compare-sql.ts'
import { sampleOf, type SampleRow } from './difference-sample.ts'
import { fitColumns } from './fit-columns.ts'
import {
  collectEntriesSql,
  collectListFaultsSql,
  entrySamplesSql,
  isThereSql,
  keepComparedSql,
  ofExtraSql,
  parentsSql,
  stillDifferSql,
  type ListCompared,
  type ListNames,
} from './lists-sql.ts'
import { BATCH } from './scratch-sql.ts'

export interface CompareListsOptions {
  /** The records' table; undefined if it does not exist. */
  readonly root: Compared | undefined
  readonly types: Compared['types']
  readonly keys: readonly LoadedColumn[]
  readonly shapes: readonly RowShape[]
  readonly beginning: Compared['beginning']
  readonly part: number
  readonly limit: number
}

/**
 * The nested lists of a reading. Their entries lie in temporary tables, and each list is compared with its table for
 * those records that are compared themselves: by the record's key, so that an entry that it does not have is extra.
 */
export class ComparedLists {
  readonly lists: readonly ListRows[]
  readonly #on: ScratchSession
  readonly #root: Table
  #batch = 0

  private constructor(on: ScratchSession, root: Table, lists: readonly ListRows[]) {
    this.#on = on
    this.#root = root
    this.lists = lists
  }

  static async open(on: ScratchSession, root: NewTable, streamName: string): Promise<ComparedLists> {
    const lists: ListRows[] = []
    for (const [number, child] of tablesOfLists(root).entries())
      lists.push(await ListRows.open(on, child, { number, streamName }))
    return new ComparedLists(on, root.table, lists)
  }

  /** The number of the next rows of records: each of them is there once. */
  nextBatch(): number {
    return (this.#batch += 1)
  }

  /** Stores the entries of some records with the number of the batch. */
  async copy(rows: RowSelection, batch: number): Promise<void> {
    for (const [index, list] of this.lists.entries())
      for (const part of splitByShape(entriesOf(rows, index))) await list.copy(part.rows, part.shape, batch)
  }

  async clear(): Promise<void> {
    if (this.lists.length > 0) await this.#on.query(`truncate ${this.lists.map(({ name }) => name).join(', ')}`)
  }

  /** Compares the lists of the records that were just compared, and adds those that differ to what a repair reads. */
  async compare({ root, keys, shapes, types, ...options }: CompareListsOptions): Promise<ListDifferences[]> {
    const { part } = options
    await this.#on.query(parentsSql(root, keys, part).join(';\n'))
    const found: ListDifferences[] = []
    for (const list of this.lists) {
      const names: ListNames = {
        read: list.name,
        different: list.different,
        ...this.#keysOf(list, keys),
        isThere: isThereSql(shapes, list.child.list),
      }
      found.push(await list.compare(names, options))
      await this.#on.query(collectListFaultsSql({ types }, names, part))
    }
    return found
  }

  /** Returns for each list how many entries of extra records its table has. Call it after `collectExtra`. */
  async countOfExtra(keys: readonly LoadedColumn[], beginning: Compared['beginning']): Promise<number[]> {
    const counts: number[] = []
    for (const list of this.lists) counts.push(await list.countOfExtra(this.#keysOf(list, keys), beginning))
    return counts
  }

  /** Returns the columns by which the entries of a list belong to their records. */
  #keysOf({ child }: ListRows, keys: readonly LoadedColumn[]): Pick<ListNames, 'parentKeys' | 'ownKeys'> {
    const { account, key } = this.#root
    const ofKey = key.flatMap((field) => keys.find((column) => column.field === field)?.name ?? [])
    const first = account ? [account.name] : []
    return {
      parentKeys: [...first, ...ofKey],
      ownKeys: [...first, ...child.parentFields.slice(0, ofKey.length).map(columnName)],
    }
  }

  /** Returns how many of the entries that differed still do. */
  async countAgain(beginning: Compared['beginning']): Promise<number> {
    let still = 0
    for (const list of this.lists) still += await list.countAgain(beginning)
    return still
  }
}

/** The entries of one nested list. */
export class ListRows {
  readonly child: ChildTable
  readonly encoder: TableEncoder
  readonly name: string
  readonly different: string
  readonly #on: ScratchSession
  readonly #target: NewTable
  readonly #columns = new Map<string, ColumnType>()
  #batch = 0

  private constructor(on: ScratchSession, child: ChildTable, target: NewTable, number: number) {
    this.#on = on
    this.child = child
    this.#target = target
    this.encoder = new TableEncoder(target)
    this.name = `pg_temp.sluice_list_${number}`
    this.different = `pg_temp.sluice_list_${number}_different`
  }

  static async open(
    on: ScratchSession,
    child: ChildTable,
    { number, streamName }: { readonly number: number; readonly streamName: string },
  ): Promise<ListRows> {
    // Where an entry comes from is not compared.
    const target = new NewTable({ ...child.table, lineage: false }, streamName, await readShape(on, child.table))
    const list = new ListRows(on, child, target, number)
    const columns = target.shape ? target.fields.columns : []
    const [name = '', different = ''] = [list.name, list.different].map((text) => text.replace('pg_temp.', ''))
    const empty =
      columns.length === 0
        ? `create temporary table ${name} ()`
        : // As for records: the temporary table has the collations of the table.
          `create temporary table ${name} as
             select ${columnList(columns)} from ${quoteTable(child.table.name)} with no data`
    await on.query(
      [
        `drop table if exists ${list.name}, ${list.different}`,
        empty,
        `alter table ${list.name} add ${BATCH} int not null default 0`,
        `create temporary table ${different} (like ${list.name})`,
        `alter table ${list.different} alter ${BATCH} drop not null,
           add "?kind" text, add "?part" int, add "?parent" bigint`,
      ].join(';\n'),
    )
    for (const { name: column, type } of columns) list.#columns.set(column, type)
    return list
  }

  /** What the encoder of nested rows needs. A run tells of keys that entries share. */
  get open(): { readonly fields: Fields; readonly warn: (message: string) => void } {
    return { fields: this.#target.fields, warn: () => {} }
  }

  /** Makes a change that a page needs, here and not in the table. */
  change(change: SchemaChange): void {
    this.#target.change(change)
  }

  async copy(rows: RowSelection, shape: RowShape, batch: number): Promise<void> {
    await this.#fit(shape.columns)
    const isNew = this.#batch !== batch
    this.#batch = batch
    await copyRows(this.#on, rows, [
      ...(isNew ? [`alter table ${this.name} alter ${BATCH} set default ${batch}`] : []),
      `copy ${this.name} (${columnList(shape.columns)}) from stdin`,
    ])
  }

  async compare(
    names: ListNames,
    { part, beginning, limit }: Pick<CompareListsOptions, 'part' | 'beginning' | 'limit'>,
  ): Promise<ListDifferences> {
    // A list that has never had an entry has no columns.
    const isKnown = this.#columns.size > 0
    const compared = await this.#compared(beginning)
    if (isKnown)
      for (const statement of [
        ...keepComparedSql(names),
        ...collectEntriesSql(names, compared, { part, columns: this.#columns.keys() }),
      ])
        await this.#on.query(statement)
    const { read } = await this.#on.one<{ read: string }>(`select count(*) as read from ${this.name}`)
    const found = await this.#on.query<{ kind: string; count: string }>(
      `select "?kind" as kind, count(*) as count from ${this.different} where "?part" = ${part} group by 1`,
    )
    const counts = new Map(found.map(({ kind, count }) => [kind, Number(count)]))
    const of = (kind: string): number => counts.get(kind) ?? 0
    const [missing, stale, extra, changed] = [of('missing'), of('stale'), of('extra'), of('changed')]
    const samples: DifferenceSample[] = []
    if (compared)
      for (const kind of ['missing', 'stale', 'extra'] as const)
        if (of(kind) > 0) {
          const rows = await this.#on.query<SampleRow>(entrySamplesSql(names, compared, { part, kind, limit }))
          samples.push(...rows.map((row) => sampleOf(kind, row)))
        }
    return {
      table: this.child.table.name,
      counts: {
        read: Number(read),
        equal: Number(read) - missing - stale - changed - of('unread'),
        missing,
        stale,
        extra,
        changedMeanwhile: changed + of('written'),
        notReadYet: of('unread') + of('unread extra'),
      },
      samples,
    }
  }

  async countOfExtra(names: Pick<ListNames, 'parentKeys' | 'ownKeys'>, beginning: Compared['beginning']) {
    const compared = await this.#compared(beginning)
    if (!compared) return 0
    const { count } = await this.#on.one<{ count: string }>(ofExtraSql(names, compared))
    return Number(count)
  }

  async countAgain(beginning: Compared['beginning']): Promise<number> {
    const compared = await this.#compared(beginning)
    const faults = `select count(*) as still from ${this.different} where "?kind" in ('missing', 'stale', 'extra')`
    const { still } = await this.#on.one<{ still: string }>(compared ? stillDifferSql(this, compared) : faults)
    return Number(still)
  }

  /** Reads the table, which may have been created or altered; undefined if it does not exist. */
  async #compared(beginning: Compared['beginning']): Promise<ListCompared | undefined> {
    const shape = this.#columns.size === 0 ? undefined : await readShape(this.#on, this.child.table)
    if (!shape) return undefined
    const { columns } = this.#target.fields
    await this.#fit(columns)
    return { table: this.child.table, shape, types: this.#columns, beginning, columns }
  }

  async #fit(columns: readonly LoadedColumn[]): Promise<void> {
    await fitColumns(this.#on, [this.name, this.different], this.#columns, columns)
  }
}
