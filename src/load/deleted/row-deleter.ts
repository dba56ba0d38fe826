import { isRowError, sqlState } from '../../database/errors.ts'
import { quoteIdentifier, quoteTable } from '../../database/quote.ts'
import type { Transaction } from '../../database/transaction.ts'
import { LoadError } from '../../model/errors.ts'
import type { Reject } from '../../model/page.ts'
import type { Table } from '../../model/recipe.ts'
import type { Slice } from '../../model/slice.ts'
import { closeSql } from '../history/close-versions.ts'
import { isTime, momentSql } from '../history/version-time.ts'
import { lockHistory } from '../history/write-history.ts'
import { keyNames, noteSeenSql } from '../mirror/mirror-sql.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { columnList, shapeCheckSql } from '../shape/shape-check.ts'
import { deleteRowsSql, rowsLockSql, type DeletionReason, type RemoveOptions } from './deleted-rows.ts'
import type { EncodedTombstone } from './encode-tombstones.ts'

let stagingTables = 0

/** The lists of rows, which go with them. */
export interface GoneLists {
  /** Returns a first statement, and one for each list that returns the number of its rows as `deleted`. */
  readonly sql: (source: string, columns: readonly LoadedColumn[], reason: DeletionReason) => readonly string[]
  readonly counted: (deleted: readonly number[]) => void
}

/** Deletes the rows of records that the API announced as deleted, in the transaction of their batch. */
export class RowDeleter {
  readonly #table: Table
  readonly #slice: Pick<Slice, 'id' | 'pipeline' | 'stream'>

  readonly #lists: GoneLists | undefined
  #isUsed = false

  constructor(table: Table, slice: Pick<Slice, 'id' | 'pipeline' | 'stream'>, lists?: GoneLists) {
    this.#lists = lists
    this.#table = table
    this.#slice = slice
  }

  /** True once a record was announced as deleted. */
  get isUsed(): boolean {
    return this.#isUsed
  }

  /** Call it before the rows of the batch are stored. Throws the database's error if a row cannot be deleted. */
  async run(transaction: Transaction, tombstones: readonly EncodedTombstone[]): Promise<void> {
    this.#isUsed ||= tombstones.length > 0
    for (const group of Map.groupBy(tombstones, ({ columns }) => columnList(columns)).values())
      await this.#delete(transaction, group)
  }

  /** Deletes all rows that can be deleted, and returns a reject for each other one. */
  async runBisecting(transaction: Transaction, tombstones: readonly EncodedTombstone[]): Promise<Reject[]> {
    try {
      await using savepoint = await transaction.savepoint()
      await this.run(transaction, tombstones)
      await savepoint.release()
      return []
    } catch (error) {
      if (!(error instanceof Error) || !isRowError(error)) throw error
      const [first, ...others] = tombstones
      if (!first) throw error
      if (others.length === 0) return [first.reject(refusal(error))]
      const half = tombstones.length >> 1
      return [
        ...(await this.runBisecting(transaction, tombstones.slice(0, half))),
        ...(await this.runBisecting(transaction, tombstones.slice(half))),
      ]
    }
  }

  async #delete(transaction: Transaction, tombstones: readonly EncodedTombstone[]): Promise<void> {
    const [first] = tombstones
    if (!first) return
    const { columns, versionColumn: version } = first
    stagingTables += 1
    const name = `sluice_gone_${stagingTables}`
    const source = `pg_temp.${name}`
    const isHistory = this.#table.write === 'history'
    const target = quoteTable(this.#table.name)
    const list = columnList(columns)
    const statements = [
      ...(!isHistory && (version || this.#table.mirror) ? [rowsLockSql(this.#table, 'deletes')] : []),
      `create temporary table ${name} on commit drop as select ${list} from ${target} with no data`,
      shapeCheckSql(source, columns),
      `copy ${source} (${list}) from stdin`,
    ]
    const lines = Buffer.from(tombstones.map(({ line }) => line).join(''))
    const count = await transaction.copy(statements.join(';\n'), [lines])
    if (count !== tombstones.length)
      throw new LoadError(
        `${this.#table.name}: the server took ${count} of ${tombstones.length} keys of deleted records. ` +
          'Please report this',
      )
    if (isHistory) await lockHistory(transaction, this.#table.name)
    const deletion = isHistory
      ? endVersionsSql({ table: this.#table, slice: this.#slice, columns, version }, source)
      : deleteRowsSql(source, { table: this.#table, slice: this.#slice, columns, version, reason: 'announced' })
    const lists = this.#lists?.sql(source, columns, 'announced') ?? []
    // What the API announces as deleted is not missing in its list.
    const seen = this.#table.mirror ? [noteSeenSql(this.#table, source, keyNames(columns))] : []
    const results = await transaction.run([deletion, ...lists, ...seen, `drop table ${source}`].join(';\n'))
    const counts = results.slice(2, -1 - seen.length)
    this.#lists?.counted(counts.map(({ rows: [row] }) => Number(row?.['deleted'] ?? 0)))
  }
}

/** Returns the statement that ends the versions of a history in which deletions fall. */
function endVersionsSql(
  { table, slice, columns, version }: Pick<RemoveOptions, 'table' | 'slice' | 'columns' | 'version'>,
  source: string,
): string {
  const at = version && `s.${quoteIdentifier(version.name)}`
  return closeSql({
    table: quoteTable(table.name),
    source,
    keys: columns.filter(({ key }) => key),
    moment:
      version && at && isTime(version.type)
        ? `case when ${at} is not null then ${momentSql(at, version.type)} end`
        : 'null::timestamptz',
    loadedAt: table.loadedAt,
    // Where versions begin when they are loaded, a new one never begins before the end of another.
    ...(table.versionBy !== undefined && { remembers: { table, slice } }),
  })
}

/** Returns why the database refuses to delete a row, and what can be done. */
export function refusal(error: Error): string {
  const { detail } = error as { detail?: unknown }
  const more = typeof detail === 'string' ? `; ${detail}` : ''
  const remedy =
    sqlState(error) === '23503'
      ? "Delete the rows that refer to it first, give the foreign key `on delete cascade`, or set deleted: 'mark'"
      : 'Change the trigger or the constraint that refuses it'
  return `its row cannot be deleted: ${error.message} (SQLSTATE ${sqlState(error)}${more}). ${remedy}`
}
