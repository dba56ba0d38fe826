import { createHash } from 'node:crypto'
import type { Queryable } from '../database/queryable.ts'
import type { Database, Transaction } from '../database/database.ts'
import { sqlState } from '../database/errors.ts'
import { quoteTable } from '../database/quote.ts'
import type { Advance, Counts } from '../model/batch.ts'
import type { RunEvent } from '../model/event.ts'
import { maxHighWaterMark } from '../model/high-water-mark.ts'
import type { HighWaterMark, Page, Reject } from '../model/page.ts'
import type { Table } from '../model/recipe.ts'
import { sessionMark, type Slice } from '../model/slice.ts'
import { changeTable } from './shape/change-table.ts'
import { addSliceSql, planChange, sliceIndexSql } from './shape/change-plan.ts'
import { ChunkRing } from './encode/chunk-ring.ts'
import { clearSlice } from './clear-slice.ts'
import { systemColumns } from './shape/system-columns.ts'
import { columnType } from './values/column-type.ts'
import { EncodedRows, type EncodedPage, type RowShape } from './encode/encoded-page.ts'
import { Fields } from './shape/fields.ts'
import { bisect } from './bisect.ts'
import { mismatchPolicy } from './encode/mismatch-policy.ts'
import { isEmptyChange, NeedsSchemaChange, schemaChangeFor, type SchemaChange } from './shape/schema-change.ts'
import { PageEncoder } from './encode/page-encoder.ts'
import { isRecord } from './values/value-kind.ts'
import { byShape, selectRows, type Keep, type RowSelection } from './row-selection.ts'
import { shadowName, shadowStatements, swap } from './shadow.ts'
import { appendByKey, copyInto, merge, type StoreRows, type StoredCounts } from './write-modes.ts'
import { readShape, type TableShape } from './shape/table-shape.ts'
import { isOrdered, versionOrder } from './encode/version-order.ts'

export interface WrittenBatch {
  /** Of the whole batch, what was read and what was written; they balance. */
  readonly counts: Counts
  readonly rejects: readonly Reject[]
  readonly highWaterMark?: HighWaterMark
  /** Hashes of the records that the last run had read already. */
  readonly boundaryMatches?: readonly string[]
}

export interface TableWriterOptions {
  readonly slice: Pick<Slice, 'id' | 'pipeline' | 'stream'>
  readonly emit?: (event: RunEvent) => void
  /** Called first where the table is about to change; throws where the slice is not ours any more. */
  readonly guard?: (transaction: Transaction) => Promise<void>
  readonly signal?: AbortSignal | undefined
}

/** The table that a slice is written to, with what is needed to write it: made or changed as the records ask for it. */
export async function openTableWriter(
  database: Database,
  table: Table,
  options: TableWriterOptions,
): Promise<TableWriter> {
  const target = new TableWriter(database, table, options)
  await target.open()
  return target
}

/**
 * Pages become rows of one table. The calls, in order: `encode` for each page; where that answers `NeedsSchemaChange`,
 * everything before is committed, `change` is called, and the page encoded again; `write` inside a transaction for some
 * pages, and after a fault of a row `writeBisecting` for the same ones in another; at the end of the slice `finish`,
 * where it begins anew `clear`.
 */
export class TableWriter {
  readonly table: Table
  readonly #database: Database
  readonly #options: TableWriterOptions
  readonly #ring = new ChunkRing()
  #shape: TableShape | undefined
  #fields: Fields
  #encoder: PageEncoder | undefined
  /** Columns that the shadow of a replace has. */
  #shadow: ReadonlySet<string> = new Set()
  /** The table was made by this target, so it takes shape freely. */
  #made = false
  /**
   * The table was empty and no key has come twice yet: rows are copied straight into it, which takes the database two
   * thirds of the time.
   */
  #first = false

  constructor(database: Database, table: Table, options: TableWriterOptions) {
    this.table = table
    this.#database = database
    this.#options = options
    this.#fields = new Fields(table, this.#stream, undefined)
  }

  get #stream(): string {
    return `${this.#options.slice.pipeline}.${this.#options.slice.stream}`
  }

  /** Reads the catalog and adds what Sluice itself needs in a table that is there. Once, before anything else. */
  async open(): Promise<void> {
    const { signal } = this.#options
    await this.#read(this.#database.with({ signal }))
    const shape = this.#shape
    if (!shape) return
    this.#first = this.#isBlank
    if (this.table.write === 'append' && !shape.hasSlice && this.#shadowless && this.table.onSchemaChange === 'evolve')
      await this.#addSlice()
    if (this.table.write === 'replace' || (this.table.loadedAt && !shape.columns.has(systemColumns.loadedAt)))
      await this.change({ add: [], widen: [], load: true })
  }

  /**
   * What somebody has taken from the table since it was read: columns by name, or all of it. The rows that were stored
   * before have lost their values, which a reading that goes on would not bring back.
   */
  async lostColumns(): Promise<readonly string[] | 'table'> {
    if (!this.#shape) return []
    const shape = await readShape(this.#database.with({ signal: this.#options.signal }), this.table)
    return shape ? this.#fields.columns.map(({ name }) => name).filter((name) => !shape.columns.has(name)) : 'table'
  }

  /** Whether there is a table to write to; a first reading makes one. */
  get exists(): boolean {
    return this.#shape !== undefined
  }

  /** The page as rows, or what the table needs before it can be. The page's memory is given back once it is encoded. */
  encode(page: Page): EncodedPage | NeedsSchemaChange {
    this.#learn(page)
    const contract = this.#made || !this.#shape ? 'evolve' : this.table.onSchemaChange
    if (this.#fields.columns.length === 0 && page.records.length > 0) {
      const need = schemaChangeFor(page, this.#fields, this.table)
      return contract === 'evolve' && !isEmptyChange(need)
        ? new NeedsSchemaChange(need)
        : this.#encodeNothing(page, contract)
    }
    if (
      this.#shape &&
      this.table.write === 'replace' &&
      this.#fields.columns.some(({ name }) => !this.#shadow.has(name))
    )
      return new NeedsSchemaChange({ add: [], widen: [], load: true })
    const { table } = this
    const encoder = (this.#encoder ??= this.#compile())
    let encoded = encoder.encode(page, mismatchPolicy({ table, fields: this.#fields, contract, mayChange: true }))
    if (encoded === 'change') {
      const need = schemaChangeFor(page, this.#fields, table)
      if (!isEmptyChange(need)) return new NeedsSchemaChange(need)
      // No change could help: what does not fit is rejected.
      encoded = encoder.encode(
        page,
        mismatchPolicy({ table, fields: this.#fields, contract, mayChange: false }),
      ) as EncodedRows
    }
    page.hold?.[Symbol.dispose]()
    return encoded
  }

  /**
   * Change the table in a transaction of its own, then read it again. Nothing of this slice may be under way in another
   * transaction.
   */
  async change(
    needed: NeedsSchemaChange | SchemaChange,
    { signal = this.#options.signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const need = needed instanceof NeedsSchemaChange ? needed.change : needed
    const { table } = this
    let done = ''
    const alter = async (transaction: Transaction): Promise<readonly string[]> => {
      const shape = await readShape(transaction, table)
      const { statements, change } = planChange(need, table, shape, this.#stream)
      done = change
      this.#made ||= shape === undefined
      return statements
    }
    const fitShadow = async (transaction: Transaction): Promise<readonly string[]> => {
      await this.#read(transaction)
      return shadowStatements(transaction, this.#options.slice.id, table, this.#fields.columns)
    }
    await changeTable(this.#database, {
      steps: table.write === 'replace' ? [alter, fitShadow] : [alter],
      guard: this.#options.guard,
      table: table.name,
      mark: sessionMark(this.#options.slice),
      signal,
      waiting: (ms) => this.#options.emit?.({ type: 'waiting', stream: this.#options.slice.stream, for: 'lock', ms }),
    })
    const wasThere = this.#shape !== undefined
    await this.#read(this.#database.with({ signal }))
    if (!wasThere) this.#first = this.#isBlank
    if (table.write === 'replace') this.#shadow = new Set(this.#fields.columns.map(({ name }) => name))
    if (done !== '')
      this.#options.emit?.({
        type: 'table.altered',
        stream: this.#options.slice.stream,
        table: table.name,
        change: done,
      })
  }

  /**
   * Write encoded pages. An error of a row is thrown as it is: the transaction is lost, and `writeBisecting` finds the
   * row in another.
   */
  async write(transaction: Transaction, pages: readonly EncodedPage[]): Promise<WrittenBatch> {
    return this.#writeBy(pages, async (rows, shape) => ({
      stored: await this.#store(transaction, rows, shape),
      rejects: [],
    }))
  }

  /** Write what can be written of them, and reject the rows that the database refuses. */
  async writeBisecting(transaction: Transaction, pages: readonly EncodedPage[]): Promise<WrittenBatch> {
    // A deferred foreign key would pass each savepoint and fail the COMMIT.
    await transaction.run('set constraints all immediate')
    // A key that is there is no fault of a row: from now on rows go by way of what is stored.
    this.#first = false
    const { name, maxRejects } = this.table
    return this.#writeBy(pages, (rows, shape) =>
      bisect(transaction, rows, { store: this.#store, shape, table: name, maxRejects }),
    )
  }

  /** The end of the slice: a replace brings its table to what was read, and answers what that did. */
  async finish(transaction: Transaction): Promise<Advance['swap']> {
    if (this.table.write !== 'replace') return undefined
    return swap(transaction, { table: this.table, slice: this.#options.slice.id, shape: this.#shape })
  }

  /** The slice begins anew: remove what it has written, where that would be doubled. */
  async clear(transaction: Transaction): Promise<void> {
    await clearSlice(transaction, { table: this.table, slice: this.#options.slice, shape: this.#shape })
  }

  /** There is no column to write to, and nothing in the page that one could be made of. */
  #encodeNothing(page: Page, contract: Table['onSchemaChange']): EncodedPage {
    const keys = this.table.key.map((field) => this.#fields.describe(field, columnType('text')))
    const undetermined = this.#fields.undetermined.filter((field) => !this.table.key.includes(field))
    const encoder = new PageEncoder(
      { hash: '', columns: keys, version: undefined, constant: undefined },
      { undetermined, ring: this.#ring, refuse: 'it holds nothing that a column could be made of' },
    )
    const encoded = encoder.encode(
      page,
      mismatchPolicy({ table: this.table, fields: this.#fields, contract, mayChange: false }),
    ) as EncodedRows
    page.hold?.[Symbol.dispose]()
    return encoded
  }

  async #writeBy(
    pages: readonly EncodedPage[],
    store: (rows: RowSelection, shape: RowShape) => Promise<{ stored: StoredCounts; rejects: readonly Reject[] }>,
  ): Promise<WrittenBatch> {
    const encoded = pages.map((page) => {
      if (!(page instanceof EncodedRows))
        throw new TypeError(`${this.table.name}: write takes the pages that encode has answered`)
      return page
    })
    const selection = selectRows(encoded, this.#keep)
    let { duplicates: duplicate } = selection
    const rejects: Reject[] = pages.flatMap((page) => page.rejects)
    const written = { inserted: 0, updated: 0, unchanged: 0 }
    let refused = 0
    for (const part of byShape(selection)) {
      const { stored, rejects: more } = await store(part, part.ranges[0]!.page.rowShape)
      written.inserted += stored.inserted
      written.updated += stored.updated
      written.unchanged += stored.unchanged
      duplicate += stored.duplicate
      refused += more.length
      rejects.push(...more)
    }
    const read = (name: keyof EncodedPage['counts']): number => pages.reduce((sum, page) => sum + page.counts[name], 0)
    const highWaterMark = pages.reduce<HighWaterMark | undefined>(
      (greatest, page) => maxHighWaterMark(greatest, page.highWaterMark),
      undefined,
    )
    const counts = {
      fetched: read('fetched'),
      expanded: read('expanded'),
      filtered: read('filtered'),
      duplicate: read('duplicate') + duplicate,
      rejected: read('rejected') + refused,
      parents: read('parents'),
      ...written,
    }
    const boundaryMatches = pages.flatMap((page) => page.boundaryMatches ?? [])
    return {
      counts,
      rejects,
      ...(highWaterMark && { highWaterMark }),
      ...(boundaryMatches.length > 0 && { boundaryMatches }),
    }
  }

  get #store(): StoreRows {
    const { table } = this
    switch (table.write) {
      case 'merge':
        return this.#first ? copyInto(quoteTable(table.name)) : merge(table, this.#shape?.partitioned ?? false)
      case 'replace':
        return copyInto(quoteTable(shadowName(this.#options.slice.id)))
      case 'append':
        return this.#shadowless
          ? copyInto(quoteTable(table.name))
          : appendByKey(table, { id: this.#options.slice.id, column: this.#shape?.hasSlice ?? false })
    }
  }

  get #isBlank(): boolean {
    return this.table.write === 'merge' && !this.table.loadedAt && this.#shape?.blank === true
  }

  get #keep(): Keep {
    if (this.table.key.length === 0) return 'all'
    // What is stored stays in an append by key, so the first one counts within a batch too: it must not matter where
    // batches end.
    return this.table.write === 'append' ? 'first' : 'newest'
  }

  /** Rows go straight into the table, and carry the slice's number. */
  get #shadowless(): boolean {
    return this.table.write === 'append' && this.table.key.length === 0
  }

  #learn(page: Page): void {
    for (const record of page.records) {
      if (!isRecord(record)) continue
      const unknown = this.#fields.unknownOf(record)
      if (unknown.length === 0) continue
      this.#fields.learn(unknown)
      this.#encoder = undefined
    }
  }

  async #read(on: Queryable): Promise<void> {
    this.#shape = await readShape(on, this.table)
    this.#fields = new Fields(this.table, this.#stream, this.#shape, this.#fields.seen)
    this.#encoder = undefined
  }

  #compile(): PageEncoder {
    const { columns, undetermined } = this.#fields
    const constant =
      this.#shadowless && this.#shape?.hasSlice
        ? { name: systemColumns.slice, text: this.#options.slice.id }
        : undefined
    const hash = createHash('sha256')
      .update(JSON.stringify([columns.map(({ name, type }) => [name, type.sql]), constant?.name]))
      .digest('hex')
      .slice(0, 16)
    return new PageEncoder({ hash, columns, version: this.#version(), constant }, { undetermined, ring: this.#ring })
  }

  #version(): RowShape['version'] {
    const { versionBy, isVersionOptional } = this.table
    const column = versionBy === undefined ? undefined : this.#fields.loaded(versionBy)
    if (!column || (isVersionOptional && !isOrdered(column.type))) return undefined
    versionOrder(column.type, column.name)
    return column
  }

  async #addSlice(): Promise<void> {
    const { table } = this
    try {
      await changeTable(this.#database, {
        steps: [
          async (transaction) =>
            (await readShape(transaction, table))?.hasSlice ? [] : [addSliceSql(table.name), sliceIndexSql(table.name)],
        ],
        table: table.name,
        mark: sessionMark(this.#options.slice),
        waiting: (ms) => this.#options.emit?.({ type: 'waiting', stream: this.#options.slice.stream, for: 'lock', ms }),
        signal: this.#options.signal,
      })
    } catch (error) {
      if (sqlState(error) !== '42501') throw error
      this.#options.emit?.({
        type: 'warning',
        stream: this.#options.slice.stream,
        message: `${table.name}: without the column ${systemColumns.slice}, which may not be added, a reading that has to begin anew fails. Let its owner run: ${addSliceSql(table.name)}; ${sliceIndexSql(table.name)}`,
      })
    }
    await this.#read(this.#database.with({ signal: this.#options.signal }))
  }
}
