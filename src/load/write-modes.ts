import { quoteIdentifier, quoteLiteral, quoteTable } from '../database/quote.ts'
import type { Transaction } from '../database/transaction.ts'
import type { WriteCounts } from '../model/batch.ts'
import { LoadError } from '../model/errors.ts'
import type { Table } from '../model/recipe.ts'
import { shorten } from '../value/text.ts'
import type { AroundMerge } from './deleted/around-merge.ts'
import { rowsLockSql } from './deleted/deleted-rows.ts'
import type { RowShape } from './encode/encoded-page.ts'
import { keyNames, noteSeenSql } from './mirror/mirror-sql.ts'
import { chunksOf, type RowSelection } from './row-selection.ts'
import { columnList, shapeCheckSql } from './shape/shape-check.ts'
import { lineageColumns, systemColumns } from './shape/system-columns.ts'
import { ABSENT_COLUMN, upsertSql } from './upsert-sql.ts'

export interface StoredCounts extends WriteCounts {
  /** Rows of an append by key whose key existed already. */
  readonly duplicate: number
}

/** Stores rows of one shape inside a transaction. Each write mode is one such function. */
export type StoreRows = (transaction: Transaction, rows: RowSelection, shape: RowShape) => Promise<StoredCounts>

/**
 * Copies rows straight into a table: for an append without a key, the shadow table of a replace, and a merge into an
 * empty table.
 */
export const copyInto =
  (table: string): StoreRows =>
  async (transaction, rows, { columns, constant, lineage }) => {
    const list = columnList([...columns, ...(constant ? [constant] : []), ...(lineage ? TRACED : [])])
    await copyRows(transaction, rows, [
      // Held until the transaction ends, so that no type changes between the check and the copy.
      `lock table ${table} in row exclusive mode`,
      shapeCheckSql(table, columns),
      `copy ${table} (${list}) from stdin`,
    ])
    return { inserted: rows.rows, updated: 0, unchanged: 0, duplicate: 0 }
  }

const nothing = async (): Promise<void> => {}

/**
 * Merges rows by key. A temporary table with the column types of the target keeps values from being rounded. `then` is
 * called with it when the rows are written.
 */
export const merge =
  (
    { name, loadedAt, lineage }: Table,
    hidesXmax: boolean,
    around?: AroundMerge,
    then: (source: string, transaction: Transaction, rows: RowSelection, shape: RowShape) => Promise<void> = nothing,
  ): StoreRows =>
  async (transaction, rows, shape) => {
    const { columns, version, marksAbsent } = shape
    const source = await copyToStaging(transaction, name, rows, shape)
    const table = quoteTable(name)
    const upsert = upsertSql({ table, source, columns, version, loadedAt, lineage, hidesXmax, marksAbsent })
    const before = around?.before(source, shape) ?? []
    const statements = [...before, upsert, ...(around?.after(source, shape) ?? [])]
    const [written, ...more] = (await transaction.run(statements.join(';\n')))
      .slice(before.length)
      .map((result) => parseCounts(result.rows[0]))
    await then(source, transaction, rows, shape)
    const inserted = written?.inserted ?? 0
    const updated = Math.min(
      more.reduce((sum, counts) => sum + counts.updated, written?.updated ?? 0),
      rows.rows - inserted,
    )
    return { inserted, updated, unchanged: rows.rows - inserted - updated, duplicate: 0 }
  }

/** Appends rows by key. A row whose key is stored already counts as duplicate. */
export const appendByKey =
  (
    table: Table,
    slice: { readonly id: string; readonly hasColumn: boolean },
    insert: InsertRows = countInserted,
  ): StoreRows =>
  async (transaction, rows, shape) => {
    const { name, loadedAt, lineage, mirror } = table
    const { columns } = shape
    const source = await copyToStaging(transaction, name, rows, shape)
    if (mirror)
      await transaction.run([rowsLockSql(table, 'stores'), noteSeenSql(table, source, keyNames(columns))].join(';\n'))
    const keys = columnList(columns.filter(({ key }) => key))
    const added = [
      ...(slice.hasColumn ? [{ name: systemColumns.slice, value: `${quoteLiteral(slice.id)}::bigint` }] : []),
      ...(lineage ? TRACED.map((column) => ({ ...column, value: quoteIdentifier(column.name) })) : []),
      ...(loadedAt ? [{ name: systemColumns.loadedAt, value: 'statement_timestamp()' }] : []),
      ...(lineage ? [{ name: lineageColumns.firstSeen, value: 'statement_timestamp()' }] : []),
    ]
    const values = [columnList(columns), ...added.map(({ value }) => value)].join(', ')
    const inserted = await insert({
      source,
      transaction,
      rows,
      shape,
      insertSql: `insert into ${quoteTable(name)} (${columnList([...columns, ...added])})
  select ${values} from ${source} order by ${keys}
  on conflict (${keys}) do nothing returning ${keys}`,
    })
    return { inserted, updated: 0, unchanged: 0, duplicate: rows.rows - inserted }
  }

/** Runs the statement that inserts rows, and returns their number. */
export type InsertRows = (options: {
  readonly source: string
  readonly insertSql: string
  readonly transaction: Transaction
  readonly rows: RowSelection
  readonly shape: RowShape
}) => Promise<number>

const countInserted: InsertRows = async ({ transaction, insertSql }) => {
  const [result] = await transaction.run(`with written as (${insertSql}) select count(*) as inserted from written`)
  return parseCounts(result?.rows[0]).inserted
}

/** The columns of `lineage` that rows bring with them. */
const TRACED = [{ name: lineageColumns.run }, { name: lineageColumns.sourceUrl }]

let stagingTables = 0

/**
 * Copies rows into a temporary table of this transaction and returns its name. The rounds after the first share one
 * table: each table takes locks until the transaction ends, of which the server has a limited number.
 */
export async function copyToStaging(
  transaction: Transaction,
  table: string,
  rows: RowSelection,
  { columns, hash, lineage, marksAbsent = false }: RowShape,
): Promise<string> {
  const isShared = (rows.round ?? 0) > 0
  if (!isShared) stagingTables += 1
  const name = isShared ? `sluice_round_${hash}` : `sluice_batch_${stagingTables}`
  const list = columnList([...columns, ...(lineage ? TRACED : [])])
  const absent = marksAbsent ? quoteIdentifier(ABSENT_COLUMN) : undefined
  const from = `select ${list}${absent ? `, null::varbit as ${absent}` : ''} from ${quoteTable(table)} with no data`
  await copyRows(transaction, rows, [
    // The select locks the target, which keeps its column types until the transaction ends.
    `create temporary table ${isShared ? 'if not exists ' : ''}${name} on commit drop as ${from}`,
    ...(isShared ? [`truncate pg_temp.${name}`] : []),
    shapeCheckSql(`pg_temp.${name}`, columns),
    `copy pg_temp.${name} (${list}${absent ? `, ${absent}` : ''}) from stdin`,
  ])
  // What a record lacks is looked up by key for each row that is updated.
  if (absent && !isShared && rows.rows > 1)
    await transaction.run(`create index on pg_temp.${name} (${columnList(columns.filter(({ key }) => key))})`)
  return `pg_temp.${name}`
}

export async function copyRows(
  transaction: Pick<Transaction, 'copy'>,
  rows: RowSelection,
  statements: readonly string[],
): Promise<void> {
  const count = await transaction.copy(statements.join(';\n'), chunksOf(rows))
  if (count !== rows.rows) {
    throw new LoadError(
      `${shorten(statements.at(-1) ?? '')}: the server stored ${count} of ${rows.rows} rows. ` +
        'A trigger or a rule on the table leaves rows out: remove it, or load another table',
    )
  }
}

/** Reads the counts of a statement's row, which arrive as text. A missing count is 0. */
export const parseCounts = (
  row: Readonly<Record<string, unknown>> | undefined,
): { readonly inserted: number; readonly updated: number; readonly deleted: number } => ({
  inserted: Number(row?.['inserted'] ?? 0),
  updated: Number(row?.['updated'] ?? 0),
  deleted: Number(row?.['deleted'] ?? 0),
})
