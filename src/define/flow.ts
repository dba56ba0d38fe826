import { UsageError } from '../model/errors.ts'
import type { Recipe, Table } from '../model/recipe.ts'
import type { Range } from '../model/request.ts'
import { rejectUnknownOptions } from '../model/unknown-option.ts'

/**
 * A stream and the table that its rows are stored in: what `.into()` returns. `.rows()` reads it without a database.
 *
 * @example
 * const flow: Flow<Customer> = customers.into('billing.customers', { key: 'id' })
 */
export class Flow<out Row> {
  readonly recipe: Recipe
  readonly table: Table

  constructor(recipe: Recipe, table: Table) {
    this.recipe = recipe
    this.table = Object.freeze(table)
    Object.freeze(this)
  }

  /**
   * Reads the rows without a database. A record that would be rejected throws a RejectError. After the last row, an
   * IncompleteError is thrown if it is not proven that everything was read; `complete: 'any'` accepts that.
   *
   * @example
   * for await (const customer of billing.streams.customers.rows({ since: '2025-01-01' })) console.log(customer.email)
   */
  async *rows(
    options: Range & { signal?: AbortSignal; complete?: 'required' | 'any' } = {},
  ): AsyncGenerator<Row, void, undefined> {
    rejectUnknownOptions('.rows()', options, { since: true, until: true, signal: true, complete: true })
    // oxlint-disable-next-line no-restricted-imports -- The engine is loaded when rows are read.
    const { readRows } = await import('../read/read-rows.ts')
    // The types of the chain that built the recipe are those of its rows.
    yield* readRows(this.recipe, options) as AsyncGenerator<Row, void, undefined>
  }

  /** @deprecated Renamed to `rows`. */
  get records(): 'records() of a finished flow is now rows()' {
    throw new UsageError('records() of a finished flow is now rows()')
  }
}
