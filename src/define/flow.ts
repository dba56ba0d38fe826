import { UsageError } from '../model/errors.ts'
import type { Recipe, Table } from '../model/recipe.ts'
import type { Range } from '../model/request.ts'
import { readRows } from '../read/read-rows.ts'

/** A stream and where it lands. */
export class Flow<out Row> {
  readonly recipe: Recipe
  readonly table: Table

  constructor(recipe: Recipe, table: Table) {
    this.recipe = recipe
    this.table = Object.freeze(table)
    Object.freeze(this)
  }

  /**
   * Read the rows without a database: `for await (const row of billing.streams.customers.records())`. A rejected record
   * is an error here.
   */
  rows(options: Range & { signal?: AbortSignal } = {}): AsyncGenerator<Row, void, undefined> {
    // The chain that built the recipe has proven its rows' type.
    return readRows(this.recipe, options) as AsyncGenerator<Row, void, undefined>
  }

  /** @deprecated Renamed to `rows`. */
  get records(): 'records() of a finished flow is now rows()' {
    throw new UsageError('records() of a finished flow is now rows()')
  }
}
