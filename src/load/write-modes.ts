import type { Transaction } from '../database/transaction.ts'
import { quoteLiteral, quoteTable } from '../database/quote.ts'
import type { WriteCounts } from '../model/batch.ts'
import { LoadError } from '../model/errors.ts'
import type { Table } from '../model/recipe.ts'
import { systemColumns } from './shape/system-columns.ts'
import type { RowShape } from './encode/encoded-page.ts'
import { chunksOf, type RowSelection } from './row-selection.ts'
import { columnList, shapeCheckSql } from './shape/shape-check.ts'
import { upsertSql } from './upsert-sql.ts'

export interface StoredCounts extends WriteCounts {
  /** Append by key: rows that were there already. */
  readonly duplicate: number
}

/** Writes rows of one shape inside a transaction. */
export type StoreRows = (transaction: Transaction, rows: RowSelection, shape: RowShape) => Promise<StoredCounts>

/**
 * Rows straight into a table: append without a key, the shadow of a replace, and a merge as long as the table has held
 * no row.
 */
export const copyInto =
  (table: string): StoreRows =>
  async (transaction, rows, { columns, constant }) => {
    await copied(transaction, rows, [
      // Held until the end, so that nobody changes a type between the check and the copy.
      `lock table ${table} in row exclusive mode`,
      shapeCheckSql(table, columns),
      `copy ${table} (${columnList(constant ? [...columns, constant] : columns)}) from stdin`,
    ])
    return { inserted: rows.rows, updated: 0, unchanged: 0, duplicate: 0 }
  }

/**
 * Merge: through a temporary table, which takes its columns' types from the target so that nothing is rounded on the
 * way.
 */
export const merge =
  ({ name, loadedAt }: Table, partitioned: boolean): StoreRows =>
  async (transaction, rows, { columns, version }) => {
    const source = await staged(transaction, name, rows, columns)
    const result = await transaction.run(
      upsertSql({ table: quoteTable(name), source, columns, version, loadedAt, partitioned }),
    )
    const { inserted, updated } = parseCounts(result.at(-1)!.rows[0]!)
    return { inserted, updated, unchanged: rows.rows - inserted - updated, duplicate: 0 }
  }

/** Append by key: what is there stays, and counts as duplicate. */
export const appendByKey =
  ({ name, loadedAt }: Table, slice: { readonly id: string; readonly column: boolean }): StoreRows =>
  async (transaction, rows, { columns }) => {
    const source = await staged(transaction, name, rows, columns)
    const keys = columnList(columns.filter(({ key }) => key))
    const added = [
      ...(slice.column ? [{ name: systemColumns.slice, value: `${quoteLiteral(slice.id)}::bigint` }] : []),
      ...(loadedAt ? [{ name: systemColumns.loadedAt, value: 'statement_timestamp()' }] : []),
    ]
    const [result] = await transaction.run(`with written as (
  insert into ${quoteTable(name)} (${columnList([...columns, ...added])})
  select ${[columnList(columns), ...added.map(({ value }) => value)].join(', ')} from ${source} order by ${keys}
  on conflict (${keys}) do nothing returning 1
)
select count(*) as inserted, 0 as updated from written`)
    const { inserted } = parseCounts(result!.rows[0]!)
    return { inserted, updated: 0, unchanged: 0, duplicate: rows.rows - inserted }
  }

let stages = 0

/** Copies rows into a temporary table of this transaction and answers its name. */
async function staged(
  transaction: Transaction,
  table: string,
  rows: RowSelection,
  columns: RowShape['columns'],
): Promise<string> {
  stages += 1
  const name = `pg_temp.sluice_batch_${stages}`
  await copied(transaction, rows, [
    // Referring to the target keeps its types as they are until the transaction ends.
    `create temporary table ${name.slice('pg_temp.'.length)} on commit drop as select ${columnList(columns)} from ${quoteTable(table)} with no data`,
    shapeCheckSql(name, columns),
    `copy ${name} (${columnList(columns)}) from stdin`,
  ])
  return name
}

async function copied(transaction: Transaction, rows: RowSelection, statements: readonly string[]): Promise<void> {
  const count = await transaction.copy(statements.join(';\n'), chunksOf(rows))
  if (count !== rows.rows) {
    throw new LoadError(
      `${statements.at(-1)}: the server counted ${count} rows where ${rows.rows} were sent: a trigger or a rule on the table leaves some out; take it away, or load another table`,
    )
  }
}

/** Counts arrive as text. */
export function parseCounts(row: Readonly<Record<string, unknown>>): {
  inserted: number
  updated: number
  deleted: number
} {
  return {
    inserted: Number(row['inserted'] ?? 0),
    updated: Number(row['updated'] ?? 0),
    deleted: Number(row['deleted'] ?? 0),
  }
}
