import type { Database, Transaction } from '../database/database.ts'
import { sqlState } from '../database/errors.ts'
import type { Queryable } from '../database/queryable.ts'
import { withoutAccount } from '../model/account.ts'
import type { RunEvent } from '../model/event.ts'
import type { Table } from '../model/recipe.ts'
import { sessionMark, type Slice } from '../model/slice.ts'
import { CONVERSION } from './history/conversion.ts'
import { historySteps, openingSteps, type HistorySteps } from './history/history-steps.ts'
import { shadowStatements } from './shadow.ts'
import { addSliceSql, planChange, sliceIndexSql } from './shape/change-plan.ts'
import {
  changeInside,
  changeTable,
  lockMissingSchema,
  untilUnlocked,
  type AttemptOptions,
  type ChangeOptions,
} from './shape/change-table.ts'
import { typeDifferences } from './shape/declared-types.ts'
import { Fields } from './shape/fields.ts'
import { deletesUnread, mayAlter, refusedAlteration, refusedReplace, type CreatedTables } from './shape/ownership.ts'
import type { SchemaChange } from './shape/schema-change.ts'
import { addedColumns, systemColumns } from './shape/system-columns.ts'
import { readShape, type TableShape } from './shape/table-shape.ts'
import { aroundViews } from './shape/views.ts'

export interface OpenTableOptions {
  readonly slice: Pick<Slice, 'id' | 'pipeline' | 'stream'>
  readonly emit?: (event: RunEvent) => void
  /** Called inside the transaction before the table changes. Throws if this run has lost the slice. */
  readonly guard?: (transaction: Transaction) => Promise<void>
  /** The run that writes, for `lineage`. @default none */
  readonly run?: string
  /** The tables that Sluice has created. @default those whose comments show it */
  readonly created?: CreatedTables
  readonly signal?: AbortSignal | undefined
}

/** What an `OpenTable` knows of its table. */
export interface OpenTableState {
  readonly shape: TableShape | undefined
  readonly fields: Fields
  readonly isCreated: boolean
  readonly shadowColumns: ReadonlySet<string>
}

/** The table of a slice as the catalog describes it, and the fields that are loaded into it. Changes it on request. */
export class OpenTable {
  readonly table: Table
  readonly slice: OpenTableOptions['slice']
  readonly #database: Database
  readonly #options: OpenTableOptions
  #shape: TableShape | undefined
  #fields: Fields
  #isCreated = false
  #shadowColumns: ReadonlySet<string> = new Set()

  constructor(database: Database, table: Table, options: OpenTableOptions) {
    this.table = table
    this.slice = options.slice
    this.#database = database
    this.#options = options
    this.#fields = new Fields(table, this.#streamName, undefined)
  }

  /** The table as it was when it was last read; undefined if it does not exist yet. */
  get shape(): TableShape | undefined {
    return this.#shape
  }

  /** Throws if this run has lost the slice. */
  get guard(): OpenTableOptions['guard'] {
    return this.#options.guard
  }

  /** The run that writes. */
  get run(): string | undefined {
    return this.#options.run
  }

  /** The fields of the records and their columns. A new object after each change. */
  get fields(): Fields {
    return this.#fields
  }

  /** The policy for changes. A table that this run creates takes any shape. */
  get contract(): Table['onSchemaChange'] {
    return this.#isCreated || !this.#shape ? 'evolve' : this.table.onSchemaChange
  }

  /** True for an append without a key: its rows go straight into the table and carry the slice's id. */
  get isPlainAppend(): boolean {
    return this.table.write === 'append' && this.table.key.length === 0
  }

  /** True if rows of a merge can be copied straight into the table, because it holds none yet. */
  get isBlankForMerge(): boolean {
    const { write, loadedAt, lineage, absent, children } = this.table
    const isPlain = write === 'merge' && !loadedAt && lineage !== true && absent !== 'keep' && !children
    return isPlain && this.#shape?.blank === true
  }

  /** True if the table lacks a column that its options add, or the shadow table of a replace one that is loaded. */
  get isIncomplete(): boolean {
    if (!this.#shape) return false
    const { columns } = this.#shape
    if (addedColumns(this.table).some(({ name }) => !columns.has(name))) return true
    return this.table.write === 'replace' && this.#fields.columns.some(({ name }) => !this.#shadowColumns.has(name))
  }

  get #streamName(): string {
    // All accounts of a pipeline write to the same columns.
    return `${withoutAccount(this.slice.pipeline)}.${this.slice.stream}`
  }

  /** Reads the catalog, and adds the columns that Sluice needs to an existing table. Call it once, first. */
  async open(): Promise<void> {
    const connection = this.#database.with({ signal: this.#options.signal })
    await this.#read(connection)
    const shape = this.#shape
    if (!shape) return
    if (this.table.write === 'history') await this.#openHistory(shape)
    if (deletesUnread(this.table) && !(await this.#mayAlter(connection, shape))) throw refusedReplace(this.table)
    for (const message of await typeDifferences(connection, this.table, shape)) this.warn(message)
    if (this.isPlainAppend && !shape.hasSlice && this.table.onSchemaChange === 'evolve')
      await this.#addSliceColumn(shape)
    if (this.table.write === 'replace') await this.#openShadow()
  }

  /**
   * Returns the loaded columns that were dropped since the table was read, or 'table' if all of it was dropped. Reading
   * on would not restore the values of rows stored before.
   */
  async lostColumns(): Promise<readonly string[] | 'table'> {
    if (!this.#shape) return []
    const shape = await readShape(this.#database.with({ signal: this.#options.signal }), this.table)
    return shape ? this.#fields.columns.map(({ name }) => name).filter((name) => !shape.columns.has(name)) : 'table'
  }

  /**
   * Changes the table in a transaction of its own and reads it again. No other transaction of this slice may be open,
   * because it would hold a lock on the table.
   */
  async change(change: SchemaChange, signal: AbortSignal | undefined = this.#options.signal): Promise<void> {
    const { steps, done } = this.#steps(change)
    await this.#changeTable({ steps, guard: this.#options.guard, signal })
    await this.#read(this.#database.with({ signal }))
    this.#learnShadow()
    this.altered(done())
  }

  /**
   * Changes the table inside a transaction, and reads it as the transaction sees it. Returns the description of the
   * change, '' if nothing but the shadow table changed. After a rollback call `restore` with the earlier `state`.
   */
  async changeInside(transaction: Transaction, change: SchemaChange, statements: string[]): Promise<string> {
    const { steps, done } = this.#steps(change)
    await changeInside(transaction, { steps, table: this.table.name, guard: this.#options.guard }, statements)
    await this.#read(transaction)
    this.#learnShadow()
    return done()
  }

  /** What is known of the table, for `restore`. */
  get state(): OpenTableState {
    return {
      shape: this.#shape,
      fields: this.#fields,
      isCreated: this.#isCreated,
      shadowColumns: this.#shadowColumns,
    }
  }

  /** Forgets a change that was rolled back. Fields that occurred since are not forgotten. */
  restore({ shape, fields, isCreated, shadowColumns }: OpenTableState): void {
    const { seen } = this.#fields
    this.#shape = shape
    this.#fields = fields
    this.#fields.learn(seen)
    this.#isCreated = isCreated
    this.#shadowColumns = shadowColumns
  }

  /** Repeats a transaction that changes the table until it gets the lock. */
  async untilUnlocked(
    options: Pick<AttemptOptions, 'statements' | 'signal'>,
    attempt: () => Promise<void>,
  ): Promise<void> {
    await untilUnlocked({ ...options, table: this.table.name, onWait: this.#onWait }, attempt)
  }

  /** Reports a change that is committed. */
  altered(change: string): void {
    const { table, slice } = this
    if (change !== '') this.#options.emit?.({ type: 'table.altered', stream: slice.stream, table: table.name, change })
  }

  #steps(change: SchemaChange): Pick<ChangeOptions, 'steps'> & { readonly done: () => string } {
    const { table } = this
    let done = ''
    const alter = async (transaction: Transaction): Promise<readonly string[]> => {
      const shape = await readShape(transaction, table)
      if (!shape) await lockMissingSchema(transaction, table.name)
      const plan = planChange(change, table, shape, this.#streamName)
      if (shape && plan.statements.length > 0 && !(await this.#mayAlter(transaction, shape)))
        throw refusedAlteration(table, plan)
      const { change: made, statements } = await aroundViews(transaction, table, plan)
      done = made
      this.#isCreated ||= shape === undefined
      const record = shape ? undefined : this.#options.created?.recordSql(table.name)
      return record === undefined ? statements : [...statements, record]
    }
    const steps = {
      append: [alter],
      merge: [alter],
      replace: [alter, this.#fitShadow],
      history: historySteps(this.#history, change, alter),
    }
    return { steps: steps[table.write], done: () => done }
  }

  get #history(): HistorySteps {
    return { table: this.table, mayAlter: async (on, shape) => this.#mayAlter(on, shape) }
  }

  /** Turns a merged table into a history, and brings the view of its current rows in step. */
  async #openHistory(shape: TableShape): Promise<void> {
    const { guard, signal } = this.#options
    const steps = await openingSteps(this.#database.with({ signal }), this.#history, shape)
    if (steps.length === 0) return
    await this.#changeTable({ steps, guard, signal })
    await this.#read(this.#database.with({ signal }))
    if (!shape.isHistory) this.altered(CONVERSION)
  }

  /** Gives the shadow table of a replace the columns of the table, which is not changed. */
  async #openShadow(): Promise<void> {
    const { guard, signal } = this.#options
    await this.#changeTable({ steps: [this.#fitShadow], guard, signal })
    await this.#read(this.#database.with({ signal }))
    this.#learnShadow()
  }

  readonly #fitShadow = async (transaction: Transaction): Promise<readonly string[]> => {
    await this.#read(transaction)
    return shadowStatements(transaction, this.slice.id, this.table, this.#fields.columns)
  }

  #learnShadow(): void {
    if (this.table.write === 'replace') this.#shadowColumns = new Set(this.#fields.columns.map(({ name }) => name))
  }

  async #addSliceColumn(shape: TableShape): Promise<void> {
    const [table, { signal }] = [this.table, this.#options]
    const statements = [addSliceSql(table.name), sliceIndexSql(table.name)]
    const missing = `the column ${systemColumns.slice}, without which a restart of the stream fails`
    if (!(await this.#mayAlter(this.#database.with({ signal }), shape))) {
      this.warn(
        `${table.name}: Sluice did not create this table, so it does not add ${missing}. ` +
          `Set adopt: true for the table, or run: ${statements.join('; ')}`,
      )
      return
    }
    try {
      const add = async (transaction: Transaction): Promise<readonly string[]> =>
        (await readShape(transaction, table))?.hasSlice ? [] : statements
      await this.#changeTable({ steps: [add], signal })
    } catch (error) {
      if (sqlState(error) !== '42501') throw error
      this.warn(`${table.name}: this user may not add ${missing}. Let the table's owner run: ${statements.join('; ')}`)
    }
    await this.#read(this.#database.with({ signal }))
  }

  async #mayAlter(on: Queryable, shape: TableShape): Promise<boolean> {
    return mayAlter(on, this.table, shape, this.#options.created)
  }

  async #changeTable(options: Pick<ChangeOptions, 'steps' | 'guard'> & Pick<AttemptOptions, 'signal'>): Promise<void> {
    await changeTable(this.#database, {
      ...options,
      table: this.table.name,
      sessionTag: sessionMark(this.slice),
      onWait: this.#onWait,
    })
  }

  readonly #onWait = (ms: number): void =>
    this.#options.emit?.({ type: 'waiting', stream: this.slice.stream, for: 'lock', ms })

  async #read(on: Queryable): Promise<void> {
    this.#shape = await readShape(on, this.table)
    this.#fields = new Fields(this.table, this.#streamName, this.#shape, this.#fields.seen)
  }

  warn(message: string): void {
    this.#options.emit?.({ type: 'warning', stream: this.slice.stream, message })
  }
}
