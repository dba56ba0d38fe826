import type { Database, Transaction } from '../database/database.ts'
import { quoteTable } from '../database/quote.ts'
import type { Advance } from '../model/batch.ts'
import { marksDeleted } from '../model/deletions.ts'
import { TooManyDeletesError } from '../model/errors.ts'
import type { Page } from '../model/page.ts'
import type { Table } from '../model/recipe.ts'
import { bisect, type BisectOptions } from './bisect.ts'
import { clearSlice } from './clear-slice.ts'
import { aroundMerge } from './deleted/around-merge.ts'
import { hasDeletedSql, rowsLockSql } from './deleted/deleted-rows.ts'
import { RowDeleter } from './deleted/row-deleter.ts'
import type { EncodedPage } from './encode/encoded-page.ts'
import { writeHistory } from './history/write-history.ts'
import { noteWholeLists } from './mirror/mirrored-lists.ts'
import { notePresent } from './mirror/note-present.ts'
import { UNCONFIRMED } from './mirror/delete-missing.ts'
import { TableMirror, type EndMirrorOptions, type Mirrored, type MirrorOptions } from './mirror/table-mirror.ts'
import { openChildren, type ChildWriter } from './nested/child-writer.ts'
import type { NestedEncoder } from './nested/nested-encoder.ts'
import { OpenTable, type OpenTableOptions } from './open-table.ts'
import { PageChange } from './page-change.ts'
import { shadowName } from './shadow.ts'
import type { LoadedColumn } from './shape/loaded-column.ts'
import { withoutOverflow } from './shape/overflow.ts'
import { missingRights } from './shape/rights.ts'
import type { NeedsSchemaChange } from './shape/schema-change.ts'
import { swapShadow } from './swap-shadow.ts'
import { TableEncoder } from './table-encoder.ts'
import { defined } from '../value/defined.ts'
import { rowsOf, writeBatch, type WrittenBatch } from './write-batch.ts'
import { appendByKey, copyInto, merge, type StoreRows } from './write-modes.ts'

/** Opens the table that a slice is written to. A table that does not exist is created once records show its columns. */
export async function openTableWriter(
  database: Database,
  table: Table,
  options: OpenTableOptions,
): Promise<TableWriter> {
  const open = new OpenTable(database, table, options)
  await open.open()
  return new TableWriter(database, open, await openChildren(database, open, options))
}

/**
 * Writes pages as rows of one table. The order of the calls:
 *
 * 1. `encode` for each page. If it returns `NeedsSchemaChange`, commit all pages before it, and call `changeFor`, which
 *    stores the page with the change. A page without a position cannot be committed: call `change`, and encode it
 *    again.
 * 2. `write` inside a transaction for the pages of a batch. If a row is at fault, `writeBisecting` for the same pages
 *    in another transaction.
 * 3. `finish` at the end of the slice, or `clear` if the slice restarts.
 */
export class TableWriter {
  readonly #database: Database
  readonly #open: OpenTable
  #mirror: TableMirror | undefined
  readonly #encoder: TableEncoder | NestedEncoder
  readonly #children: ChildWriter | undefined
  readonly #deletes: RowDeleter
  /**
   * The table was empty, and no key has occurred twice yet. Rows are then copied straight into it, which saves two
   * thirds of the database's time.
   */
  #copiesDirectly: boolean
  #hasWarned = false

  constructor(database: Database, open: OpenTable, children?: ChildWriter) {
    this.#database = database
    this.#open = open
    this.#children = children
    const encoder = new TableEncoder(open)
    this.#encoder = children ? children.encoderFor(encoder) : encoder
    this.#deletes = new RowDeleter(open.table, open.slice, children?.gone)
    this.#copiesDirectly = open.isBlankForMerge
  }

  get table(): Table {
    return this.#open.table
  }

  /** False until the first change creates the table. */
  get exists(): boolean {
    return this.#open.shape !== undefined
  }

  /** The fields that are loaded into a column. */
  get loadedFields(): ReadonlySet<string> {
    const { columns } = this.#open.fields
    return new Set(columns.filter(({ constant }) => constant === undefined).map(({ field }) => field))
  }

  /** Returns the column of a field; undefined if the table has none. */
  readonly loaded = (field: string): LoadedColumn | undefined => this.#open.fields.loaded(field)

  /** Returns the loaded columns that were dropped since the table was read, or 'table' if all of it was dropped. */
  async lostColumns(): Promise<readonly string[] | 'table'> {
    const [own, ofChildren] = [await this.#open.lostColumns(), await this.#children?.lostColumns()]
    return own === 'table' || ofChildren === undefined ? own : [...own, ...ofChildren]
  }

  /** Returns an error that names the rights that this user lacks; undefined if none is missing, or nobody knows. */
  async missingRights(cause: unknown): Promise<Error | undefined> {
    const on = this.#database.with({})
    const { table, fields } = this.#open
    try {
      const own = await missingRights(on, table, { columns: fields.columns, announces: this.#deletes.isUsed, cause })
      return own ?? (await this.#children?.missingRights(on, cause))
    } catch {
      // The first error says enough.
      return undefined
    }
  }

  /** Returns the rows of a page, or the change that the table needs first. Releases the page's memory with the rows. */
  encode(page: Page): EncodedPage | NeedsSchemaChange {
    return this.#encoder.encode(page)
  }

  /**
   * Changes the table and stores the page that needs it in one transaction, which `store` commits. No other transaction
   * of this slice may be open.
   */
  async changeFor(
    page: Page,
    needed: NeedsSchemaChange,
    store: (change: PageChange) => Promise<void>,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    using change = new PageChange(page, needed, {
      open: this.#open,
      nested: this.#children?.tables ?? [],
      encoder: this.#encoder,
      onCreated: () => (this.#copiesDirectly = this.#open.isBlankForMerge),
    })
    const { statements } = change
    try {
      await this.#open.untilUnlocked({ statements, signal }, () => store(change))
    } catch (error) {
      change.rolledBack()
      throw error
    }
    change.committed()
  }

  /** Changes the table in a transaction of its own. No other transaction of this slice may be open. */
  async change(needed: NeedsSchemaChange, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { exists } = this
    const table = needed.nested === undefined ? this.#open : this.#children?.tables[needed.nested]
    await table?.change(needed.change, signal)
    if (!exists) this.#copiesDirectly = this.#open.isBlankForMerge
  }

  /** Writes encoded pages. Throws the database's error if a row is at fault; the transaction is lost then. */
  async write(transaction: Transaction, pages: readonly EncodedPage[]): Promise<WrittenBatch> {
    this.#children?.takeCounts()
    return this.#finished(
      transaction,
      pages,
      await writeBatch(pages, this.table, {
        storePart: async (rows, shape) => ({ stored: await this.#store(transaction, rows, shape), rejects: [] }),
        deletePart: async (tombstones) => {
          await this.#deletes.run(transaction, tombstones)
          return []
        },
      }),
    )
  }

  /** Writes all rows that can be stored, and rejects the rows that the database refuses. */
  async writeBisecting(transaction: Transaction, pages: readonly EncodedPage[]): Promise<WrittenBatch> {
    // A deferred foreign key would pass each savepoint and fail the COMMIT.
    await transaction.run('set constraints all immediate')
    // A key that exists already is not a fault of its row: from now on rows are merged.
    this.#copiesDirectly = false
    const { name, maxRejects } = this.table
    this.#children?.takeCounts()
    const complete = this.#complete
    const options = { store: this.#store, table: name, maxRejects, ...defined({ complete }) }
    return this.#finished(
      transaction,
      pages,
      await writeBatch(pages, this.table, {
        storePart: (rows, shape) => bisect(transaction, rows, { ...options, shape }),
        deletePart: (tombstones) => this.#deletes.runBisecting(transaction, tombstones),
      }),
      { isBisected: true },
    )
  }

  /** Adds to the record of a rejected row what it had besides its own columns. */
  get #complete(): BisectOptions['complete'] {
    const { table } = this
    const ofLists = this.#children?.complete
    if (!table.overflow) return ofLists
    return (row, record) => withoutOverflow(ofLists?.(row, record) ?? record, table)
  }

  async #finished(
    transaction: Transaction,
    pages: readonly EncodedPage[],
    written: WrittenBatch,
    { isBisected = false } = {},
  ): Promise<WrittenBatch> {
    if (written.sharedKey !== undefined) this.#warnOnce(written.sharedKey)
    if (this.table.mirror && this.exists) await notePresent(transaction, this.#open, rowsOf(pages), isBisected)
    if (this.#mirror && this.table.mirror?.parent) await noteWholeLists(transaction, this.#open, rowsOf(pages))
    return { ...written, ...defined({ children: this.#children?.takeCounts() }) }
  }

  /** Once is enough: a wrong key is wrong on each page. */
  readonly #warnOnce = (message: string): void => {
    if (!this.#hasWarned) this.#open.warn(message)
    this.#hasWarned = true
  }

  /**
   * Begins the mirror of a reading of everything, or of a window: call it before anything is requested. If the reading
   * goes on, returns false if it began without a mirror.
   */
  async openMirror({ isStart, ...options }: MirrorOptions & { readonly isStart: boolean }): Promise<boolean> {
    // The rows that are not marked count, so the column has to be there.
    if (isStart && marksDeleted(this.table) && this.#open.isIncomplete)
      await this.#open.change({ add: [], widen: [], load: true }, options.signal)
    this.#mirror = await TableMirror[isStart ? 'begin' : 'resume'](this.#database, this.#open, options)
    return this.#mirror !== undefined
  }

  /** The mirror of the slice; undefined if its reading deletes nothing. */
  get mirror(): TableMirror | undefined {
    return this.#mirror
  }

  /**
   * Deletes the rows that a reading did not bring, in the transaction that ends the slice. Returns an error instead if
   * these are too many, or `UNCONFIRMED` if a window has to look for them first: the slice must then not end.
   */
  async endMirror(
    transaction: Transaction,
    options: Omit<EndMirrorOptions, 'lists'>,
  ): Promise<Mirrored | TooManyDeletesError | typeof UNCONFIRMED | undefined> {
    this.#children?.takeCounts()
    const ended = await this.#mirror?.end(transaction, { ...options, lists: this.#children?.gone })
    if (ended === undefined || ended === UNCONFIRMED || ended instanceof TooManyDeletesError) return ended
    return { ...ended, ...defined({ children: this.#children?.takeCounts() }) }
  }

  /**
   * Ends the slice: a replace swaps in the rows of its shadow table, and returns the counts of that. A slice that is
   * unchanged has read nothing, and the rows stay.
   */
  async finish(transaction: Transaction, { isUnchanged = false } = {}): Promise<Advance['swap']> {
    if (this.table.write !== 'replace') return undefined
    if (isUnchanged) {
      await transaction.run(`drop table if exists ${quoteTable(shadowName(this.#open.slice.id))}`)
      return undefined
    }
    return swapShadow(transaction, { table: this.table, slice: this.#open.slice.id, shape: this.#open.shape })
  }

  /** Removes the rows of a slice that restarts, if reading it again would store them twice. */
  async clear(transaction: Transaction): Promise<void> {
    await clearSlice(transaction, { table: this.table, slice: this.#open.slice, shape: this.#open.shape })
    if (this.table.mirror) await TableMirror.clear(transaction, this.#open)
  }

  /** Copies rows into an empty table, unless some may be older than the deletion of their records. */
  readonly #copyDirectly: StoreRows = async (transaction, rows, shape) => {
    const { name } = this.table
    if (shape.version) {
      const results = await transaction.run([rowsLockSql(this.table, 'stores'), hasDeletedSql(name)].join(';\n'))
      this.#copiesDirectly = results.at(-1)?.rows[0]?.['found'] === false
      if (!this.#copiesDirectly) return this.#store(transaction, rows, shape)
    }
    return copyInto(quoteTable(name))(transaction, rows, shape)
  }

  /** The write mode of the table. */
  get #store(): StoreRows {
    const { table, slice, shape, isPlainAppend } = this.#open
    const ofSlice = { id: slice.id, hasColumn: shape?.hasSlice ?? false }
    const hidesXmax = shape?.hidesXmax ?? false
    if (this.#children)
      return table.write === 'append' ? this.#children.append(table, ofSlice) : this.#children.merge(table, hidesXmax)
    switch (table.write) {
      case 'merge':
        return this.#copiesDirectly ? this.#copyDirectly : merge(table, hidesXmax, aroundMerge(table))
      case 'history':
        return writeHistory(table, this.#open.fields.seen, this.#warnOnce)
      case 'replace':
        return copyInto(quoteTable(shadowName(slice.id)))
      case 'append':
        return isPlainAppend ? copyInto(quoteTable(table.name)) : appendByKey(table, ofSlice)
    }
  }
}
