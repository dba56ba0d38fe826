import type { Transaction } from '../../database/transaction.ts'
import { rowsLockSql } from '../deleted/deleted-rows.ts'
import { lockHistory } from '../history/write-history.ts'
import type { OpenTable } from '../open-table.ts'

/**
 * Waits for the right to store or to delete rows of a table with a mirror, and holds it until the transaction ends. One
 * transaction at a time writes to a history anyway: a second lock would be taken in another order by some of them.
 */
export async function lockRows(
  transaction: Transaction,
  { table, shape }: Pick<OpenTable, 'table' | 'shape'>,
  mode: 'stores' | 'deletes',
): Promise<void> {
  if (table.write !== 'history') await transaction.run(rowsLockSql(table, mode))
  else if (shape) await lockHistory(transaction, table.name)
}
