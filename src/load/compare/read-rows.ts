import { isDeepStrictEqual } from 'node:util'
import { quoteIdentifier, quoteTable } from '../../database/quote.ts'
import type { ScratchSession } from '../../database/scratch-session.ts'
import { LoadError } from '../../model/errors.ts'
import type { Page } from '../../model/page.ts'
import type { Table } from '../../model/recipe.ts'
import { NestedEncoder } from '../nested/nested-encoder.ts'
import type { EncodedTombstone } from '../deleted/encode-tombstones.ts'
import { EncodedRows, type EncodedPage, type RowShape } from '../encode/encoded-page.ts'
import { NewTable } from '../new-table.ts'
import type { RowRange, RowSelection } from '../row-selection.ts'
import { planChange } from '../shape/change-plan.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import type { NeedsSchemaChange } from '../shape/schema-change.ts'
import { columnList } from '../shape/shape-check.ts'
import type { TableShape } from '../shape/table-shape.ts'
import { TableEncoder } from '../table-encoder.ts'
import { ABSENT_COLUMN } from '../upsert-sql.ts'
import type { ColumnType } from '../values/column-type.ts'
import { writeBatch, type WrittenBatch } from '../write-batch.ts'
import { copyRows } from '../write-modes.ts'
import { ComparedLists } from './compared-lists.ts'
import { alterTypeSql, fitColumns } from './fit-columns.ts'
import {
  BATCH,
  buriedSql,
  DIFFERENT,
  GONE,
  LATER,
  newestSql,
  READ,
  ROW,
  SHAPE,
  type GoneColumns,
} from './scratch-sql.ts'

export interface ReadRowsOptions {
  /** The pipeline without its account, and the stream, as in `billing.customers`. */
  readonly streamName: string
  /** The table as it is; undefined if it does not exist. */
  readonly shape: TableShape | undefined
  /** Entries of nested lists are stored too. @default false */
  readonly lists?: boolean
}

/**
 * The rows of a reading, in a temporary table. They are encoded as a run encodes them, for the table as it is; columns
 * that a run would add or widen are added and widened in the temporary table alone.
 *
 * The order of the calls is that of a `TableWriter`: `encode` for each page, `change` if it asks for a change, `write`
 * for the pages of a batch.
 */
export class ReadRows {
  readonly table: Table
  readonly #on: ScratchSession
  readonly #streamName: string
  readonly #target: NewTable
  #encoder: TableEncoder | NestedEncoder
  #lists: ComparedLists | undefined
  /** The types of the temporary table's columns. */
  readonly #columns = new Map<string, ColumnType>()
  readonly #shapes: RowShape[] = []
  readonly #later = new WeakMap<EncodedRows, (record: number) => boolean>()
  readonly #laterTombstones = new WeakSet<EncodedTombstone>()
  readonly #changes: string[] = []
  /** The values that the next copied rows get. */
  #defaults = { shape: 0, later: false, batch: 0 }
  #gone: GoneColumns | undefined

  private constructor(on: ScratchSession, table: Table, { streamName, shape }: ReadRowsOptions) {
    // Where a row comes from is not compared.
    this.table = { ...table, lineage: false }
    this.#on = on
    this.#streamName = streamName
    this.#target = new NewTable(this.table, streamName, shape)
    this.#encoder = new TableEncoder(this.#target)
  }

  /** Creates the temporary tables. A session has those of one stream at a time. */
  static async open(on: ScratchSession, table: Table, options: ReadRowsOptions): Promise<ReadRows> {
    const rows = new ReadRows(on, table, options)
    const columns = options.shape ? rows.#target.fields.columns : []
    // Taken from the table, columns have its collations: equal keys are the same there and here.
    const empty =
      columns.length === 0 ? '' : `select ${columnList(columns)} from ${quoteTable(table.name)} with no data`
    await on.query(
      [
        `drop table if exists ${[READ, DIFFERENT, GONE].join(', ')}`,
        empty === '' ? `create temporary table ${READ} ()` : `create temporary table ${READ} as ${empty}`,
        `create temporary table ${DIFFERENT} (like ${READ})`,
        `alter table ${READ} add ${ROW} bigint generated always as identity, add ${BATCH} int not null default 0`,
        `alter table ${DIFFERENT} add ${ROW} bigint, add "?kind" text, add "?part" int`,
        ...[READ, DIFFERENT].map(
          (name) =>
            `alter table ${name} add ${SHAPE} int not null default 0, add ${LATER} boolean not null default false, ` +
            `add ${quoteIdentifier(ABSENT_COLUMN)} varbit`,
        ),
      ].join(';\n'),
    )
    for (const { name, type } of columns) rows.#columns.set(name, type)
    if (options.lists && table.children) {
      const lists = await ComparedLists.open(on, rows.#target, options.streamName)
      rows.#lists = lists
      rows.#encoder = new NestedEncoder(rows.#target, new TableEncoder(rows.#target), lists.lists)
    }
    return rows
  }

  /** The columns that rows were encoded for, by the number that each row has. */
  get shapes(): readonly RowShape[] {
    return this.#shapes
  }

  /** The columns of the temporary table with their types. */
  get columns(): ReadonlyMap<string, ColumnType> {
    return this.#columns
  }

  /** The columns of the key, with that of the account. */
  get keys(): LoadedColumn[] {
    return this.#target.fields.columns.filter(({ key }) => key)
  }

  /** The column of a field, if one is loaded. */
  loaded(field: string): LoadedColumn | undefined {
    return this.#target.fields.loaded(field)
  }

  /** What a run would change in the table, as its messages say it. */
  get changes(): readonly string[] {
    return this.#changes
  }

  /** The entries of nested lists; undefined if there are none, or they are not compared. */
  get lists(): ComparedLists | undefined {
    return this.#lists
  }

  /** The columns of announced deletions; undefined if none was read. */
  get gone(): GoneColumns | undefined {
    return this.#gone
  }

  /** Returns the rows of a page, or the change that they need. `isLater` marks records that the next run reads. */
  encode(page: Page, isLater?: (record: number) => boolean): EncodedPage | NeedsSchemaChange {
    const encoded = this.#encoder.encode(page)
    if (isLater && encoded instanceof EncodedRows) {
      this.#later.set(encoded, isLater)
      for (const tombstone of encoded.tombstones) this.#laterTombstones.add(tombstone)
    }
    return encoded
  }

  /** Makes the change that a page needs, here and not in the table. */
  change({ change, nested }: NeedsSchemaChange): void {
    if (nested !== undefined) {
      this.#lists?.lists[nested]?.change(change)
      return
    }
    const { shape } = this.#target
    const text = planChange(change, this.table, shape && { ...shape, bytes: 0 }, this.#streamName).change
    if (text !== '') this.#changes.push(text)
    this.#target.change(change)
  }

  /** Stores the rows of some pages, without those that another one of their key replaces. */
  write(pages: readonly EncodedPage[]): Promise<WrittenBatch> {
    return writeBatch(pages, this.table, {
      storePart: async (rows, shape) => {
        await this.#copy(rows, shape)
        return { stored: { inserted: rows.rows, updated: 0, unchanged: 0, duplicate: 0 }, rejects: [] }
      },
      deletePart: async (tombstones) => {
        for (const group of Map.groupBy(tombstones, ({ columns }) => columnList(columns)).values())
          await this.#bury(group)
        return []
      },
    })
  }

  /** Keeps one row of each key, the one that a run would leave in the table. Call it when all rows are written. */
  async keepNewest(): Promise<void> {
    const version = this.#shapes.findLast((shape) => shape.version)?.version
    const keys = this.#shapes.at(-1)?.columns.filter(({ key }) => key) ?? []
    if (keys.length === 0) return
    await this.#on.query(
      [newestSql({ keys, version, first: this.table.write === 'append' }), `analyze ${READ}`].join(';\n'),
    )
  }

  /** Removes all rows, for another reading. Differences that were found stay. */
  async clear(): Promise<void> {
    await this.#on.query(`truncate ${READ}${this.#gone ? `, ${GONE}` : ''}`)
    await this.#lists?.clear()
  }

  /** Gives the temporary tables the type that a column of the table has meanwhile. */
  async retype(column: string, to: ColumnType): Promise<void> {
    const from = this.#columns.get(column)
    if (!from) return
    await this.#on.query([READ, DIFFERENT].map((name) => alterTypeSql(name, column, from, to)).join(';\n'))
    this.#columns.set(column, to)
  }

  async #copy(rows: RowSelection, shape: RowShape): Promise<void> {
    await this.#fit(shape.columns)
    const number = this.#numberOf(shape)
    const batch = this.#lists?.nextBatch() ?? 0
    const absent = shape.marksAbsent ? `, ${quoteIdentifier(ABSENT_COLUMN)}` : ''
    for (const [later, part] of partsOf(rows, (page) => this.#later.get(page))) {
      if (part.rows === 0) continue
      await copyRows(this.#on, part, [
        ...this.#defaultsSql({ shape: number, later, batch }),
        `copy ${READ} (${columnList(shape.columns)}${absent}) from stdin`,
      ])
    }
    await this.#lists?.copy(rows, batch)
  }

  #numberOf(shape: RowShape): number {
    const known = this.#shapes.findIndex(({ hash }) => hash === shape.hash)
    return known < 0 ? this.#shapes.push(shape) - 1 : known
  }

  /** Gives the temporary tables the columns of some rows. */
  async #fit(columns: readonly LoadedColumn[]): Promise<void> {
    await fitColumns(this.#on, [READ, DIFFERENT], this.#columns, columns)
  }

  #defaultsSql(wanted: { readonly shape: number; readonly later: boolean; readonly batch: number }): string[] {
    if (isDeepStrictEqual(wanted, this.#defaults)) return []
    this.#defaults = { ...wanted }
    return [
      `alter table ${READ} alter ${SHAPE} set default ${wanted.shape}, alter ${LATER} set default ${wanted.later},
        alter ${BATCH} set default ${wanted.batch}`,
    ]
  }

  /** Removes the rows of records that are announced as deleted after they were read, and remembers their keys. */
  async #bury(tombstones: readonly EncodedTombstone[]): Promise<void> {
    const [first] = tombstones
    if (!first) return
    const { columns, versionColumn: version } = first
    await this.#fit(columns)
    const list = columnList(columns)
    const name = 'pg_temp.sluice_buried'
    if (!this.#gone)
      await this.#on.query(
        `create temporary table if not exists sluice_gone as select ${list}, ${LATER} from ${READ} with no data`,
      )
    this.#gone = { keys: columns.filter(({ key }) => key), version }
    for (const later of [false, true]) {
      const some = tombstones.filter((tombstone) => this.#laterTombstones.has(tombstone) === later)
      if (some.length === 0) continue
      const count = await this.#on.copy(
        [
          'drop table if exists pg_temp.sluice_buried',
          `create temporary table sluice_buried as select ${list} from ${READ} with no data`,
          `copy ${name} (${list}) from stdin`,
        ].join(';\n'),
        [Buffer.from(some.map(({ line }) => line).join(''))],
      )
      if (count !== some.length)
        throw new LoadError(
          `${this.table.name}: ${count} of ${some.length} deleted keys were copied. Please report this`,
        )
      await this.#on.query(buriedSql(this.#gone, { from: name, list, later }).join(';\n'))
    }
  }
}

type IsLater = ((record: number) => boolean) | undefined

/** Divides rows into those that runs should have read, and those that the next run reads. */
function partsOf(
  { ranges, rows }: RowSelection,
  laterOf: (page: EncodedRows) => IsLater,
): readonly (readonly [later: boolean, rows: RowSelection])[] {
  if (ranges.every(({ page }) => !laterOf(page))) return [[false, { ranges, rows }]]
  const parts = [false, true].map((later) => {
    const some: RowRange[] = []
    let count = 0
    for (const { page, from, to } of ranges) {
      const isLater = laterOf(page)
      for (let row = from; row < to; row += 1) {
        if ((isLater?.(page.recordOf[row] ?? 0) ?? false) !== later) continue
        const last = some.at(-1)
        if (last?.page === page && last.to === row) some[some.length - 1] = { page, from: last.from, to: row + 1 }
        else some.push({ page, from: row, to: row + 1 })
        count += 1
      }
    }
    return [later, { ranges: some, rows: count }] as const
  })
  return parts
}
