import type { Savepoint, Transaction } from '../database/transaction.ts'
import type { Page } from '../model/page.ts'
import type { EncodedPage } from './encode/encoded-page.ts'
import type { OpenTable, OpenTableState } from './open-table.ts'
import { NeedsSchemaChange } from './shape/schema-change.ts'
import type { TableEncoder } from './table-encoder.ts'

/** What the change has set, for the rows that follow in the transaction. */
const RESET = `set local datestyle to default; set local lock_timeout = '30s'`

export interface PageChangeOptions {
  readonly open: OpenTable
  /** The tables of nested lists. */
  readonly nested: readonly OpenTable[]
  readonly encoder: Pick<TableEncoder, 'encode'>
  /** Called when a transaction has created the table. */
  readonly onCreated: () => void
}

/**
 * A change of a table and the page that needs it. They are stored in one transaction: if the page cannot be stored, the
 * table stays as it was.
 *
 * 1. `apply` first in each transaction that is tried. It returns the rows of the page.
 * 2. `undo` if no row of the page was stored. The transaction may then be committed without the change.
 * 3. `committed` or `rolledBack` when the outcome is known.
 */
export class PageChange implements Disposable {
  readonly #open: OpenTable
  readonly #nested: readonly OpenTable[]
  readonly #encoder: Pick<TableEncoder, 'encode'>
  readonly #onCreated: () => void
  readonly #page: Page
  readonly #before: OpenTableState
  readonly #nestedBefore: readonly OpenTableState[]
  /** The change that the page needs, and those that it needed after the first. */
  readonly #changes: NeedsSchemaChange[]
  readonly #statements: string[] = []
  #rows: EncodedPage | undefined
  #savepoint: Savepoint | undefined
  #done: { readonly table: OpenTable; readonly text: string }[] = []

  constructor(page: Page, needed: NeedsSchemaChange, { open, nested, encoder, onCreated }: PageChangeOptions) {
    this.#open = open
    this.#nested = nested
    this.#encoder = encoder
    this.#onCreated = onCreated
    this.#page = page
    this.#before = open.state
    this.#nestedBefore = nested.map(({ state }) => state)
    this.#changes = [needed]
  }

  /** The statements that were run last. */
  get statements(): readonly string[] {
    return this.#statements
  }

  /** True if the table itself was changed, and not only the shadow table of a `replace`. */
  get hasAltered(): boolean {
    return this.#done.some(({ text }) => text !== '')
  }

  /** Changes the table and returns the rows of the page. */
  async apply(transaction: Transaction): Promise<EncodedPage> {
    this.#restore()
    this.#done = []
    this.#savepoint = await transaction.savepoint()
    for (const change of this.#changes) await this.#change(transaction, change)
    this.#rows ??= await this.#encode(transaction)
    if (!this.#before.shape) this.#onCreated()
    await transaction.run(RESET)
    return this.#rows
  }

  /** Takes the change and the rows back. What the transaction has done before stays. */
  async undo(): Promise<void> {
    await this.#savepoint?.[Symbol.asyncDispose]()
    this.rolledBack()
  }

  committed(): void {
    for (const table of new Set(this.#done.map((one) => one.table))) {
      const texts = this.#done.filter((one) => one.table === table).map(({ text }) => text)
      table.altered(texts.filter((text) => text !== '').join(', '))
    }
  }

  rolledBack(): void {
    this.#done = []
    this.#restore()
  }

  [Symbol.dispose](): void {
    this.#rows?.[Symbol.dispose]()
  }

  async #encode(transaction: Transaction): Promise<EncodedPage> {
    for (;;) {
      const encoded = this.#encoder.encode(this.#page)
      if (!(encoded instanceof NeedsSchemaChange)) return encoded
      this.#changes.push(encoded)
      await this.#change(transaction, encoded)
    }
  }

  async #change(transaction: Transaction, { change, nested }: NeedsSchemaChange): Promise<void> {
    const table = (nested === undefined ? undefined : this.#nested[nested]) ?? this.#open
    this.#done.push({ table, text: await table.changeInside(transaction, change, this.#statements) })
  }

  #restore(): void {
    this.#open.restore(this.#before)
    for (const [index, state] of this.#nestedBefore.entries()) this.#nested[index]?.restore(state)
  }
}
