import type { Queryable } from '../database/queryable.ts'
import { quoteLiteral, quoteTable } from '../database/quote.ts'

/** The tables that Sluice has created, as the ledger remembers them. Others are altered only with `adopt: true`. */
export const createdTables = {
  /** Returns true if a table is recorded, under its name or, if it was renamed, under its former name. */
  async has(on: Queryable, table: string): Promise<boolean> {
    const { recorded } = await on.one<{ recorded: boolean }>(
      `select sluice.is_recorded(${quoteLiteral(table)}, to_regclass(${quoteLiteral(quoteTable(table))})) as recorded`,
    )
    return recorded
  },

  /**
   * Returns the statement that records a table. Run it in the transaction that creates the table. No stream has rows in
   * it yet, whoever stored some in a table of this name before.
   */
  recordSql(table: string): string {
    const [name, oid] = [quoteLiteral(table), quoteLiteral(quoteTable(table))]
    return `select sluice.forget_writers(${name}), sluice.record_table(${name}, ${oid}::regclass)`
  },
}
