import type { Savepoint, Transaction } from '../database/transaction.ts'
import type { Page } from '../model/page.ts'
import type { EncodedPage } from './encode/encoded-page.ts'
import type { OpenTable, OpenTableState } from './open-table.ts'
import { NeedsSchemaChange, type SchemaChange } from './shape/schema-change.ts'
import type { TableEncoder } from './table-encoder.ts'

/** What the change has set, for the rows that follow in the transaction. */
const RESET = `set local datestyle to default; set local lock_timeout = '30s'`

export interface PageChangeOptions {
  readonly open: OpenTable
  readonly encoder: TableEncoder
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
  readonly #encoder: TableEncoder
  readonly #onCreated: () => void
  readonly #page: Page
  readonly #before: OpenTableState
  /** The change that the page needs, and those that it needed after the first. */
  readonly #changes: SchemaChange[]
  readonly #statements: string[] = []
  #rows: EncodedPage | undefined
  #savepoint: Savepoint | undefined
  #done: string[] = []

  constructor(page: Page, needed: NeedsSchemaChange, { open, encoder, onCreated }: PageChangeOptions) {
    this.#open = open
    this.#encoder = encoder
    this.#onCreated = onCreated
    this.#page = page
    this.#before = open.state
    this.#changes = [needed.change]
  }

  /** The statements that were run last. */
  get statements(): readonly string[] {
    return this.#statements
  }

  /** True if the table itself was changed, and not only the shadow table of a `replace`. */
  get hasAltered(): boolean {
    return this.#done.some((text) => text !== '')
  }

  /** Changes the table and returns the rows of the page. */
  async apply(transaction: Transaction): Promise<EncodedPage> {
    this.#open.restore(this.#before)
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
    this.#open.altered(this.#done.filter((text) => text !== '').join(', '))
  }

  rolledBack(): void {
    this.#done = []
    this.#open.restore(this.#before)
  }

  [Symbol.dispose](): void {
    this.#rows?.[Symbol.dispose]()
  }

  async #encode(transaction: Transaction): Promise<EncodedPage> {
    for (;;) {
      const encoded = this.#encoder.encode(this.#page)
      if (!(encoded instanceof NeedsSchemaChange)) return encoded
      this.#changes.push(encoded.change)
      await this.#change(transaction, encoded.change)
    }
  }

  async #change(transaction: Transaction, change: SchemaChange): Promise<void> {
    this.#done.push(await this.#open.changeInside(transaction, change, this.#statements))
  }
}
