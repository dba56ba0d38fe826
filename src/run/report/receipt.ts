// What a stream costs the database: the row versions that its transactions write, and how much its tables grow.
import type { Database } from '../../database/database.ts'
import type { Queryable } from '../../database/queryable.ts'
import { quoteTable } from '../../database/quote.ts'
import type { Transaction } from '../../database/transaction.ts'
import { childTables } from '../../load/nested/child-tables.ts'
import type { Table } from '../../model/recipe.ts'
import type { StreamReceipt } from '../../model/report.ts'

type RowVersions = Pick<StreamReceipt, 'inserted' | 'updated' | 'hotUpdated' | 'deleted'>

interface State {
  /** Where the write-ahead log of the server ends. */
  readonly position: string
  /** Bytes of it since the position that was given. */
  readonly wal: number
  readonly tables: number
  readonly indexes: number
}

/**
 * The receipt of one stream. PostgreSQL keeps the counts of a transaction's row versions with the transaction, so other
 * writers of the table are not in them, and they need not be written anywhere first. It knows the write-ahead log of
 * the server only.
 *
 * Order of calls: `open`, then for each batch `note` before its COMMIT and `committed` after it, `close`.
 */
export class ReceiptMeter {
  readonly #database: Database
  /** The table and those of its nested lists, quoted. */
  readonly #tables: readonly string[]
  readonly #before: State
  /** Of batches that are not committed yet, by slice. */
  readonly #noted = new Map<string, RowVersions>()
  #written: RowVersions = NONE

  private constructor(database: Database, tables: readonly string[], before: State) {
    this.#database = database
    this.#tables = tables
    this.#before = before
  }

  static async open(database: Database, table: Table, signal: AbortSignal): Promise<ReceiptMeter> {
    const tables = [table, ...childTables(table).map((child) => child.table)].map(({ name }) => quoteTable(name))
    return new ReceiptMeter(database, tables, await readState(database.with({ signal }), tables))
  }

  /** Reads what a transaction has written so far. It counts once the batch of the slice is committed. */
  async note(slice: string, transaction: Transaction): Promise<void> {
    this.#noted.set(slice, await readWritten(transaction, this.#tables))
  }

  committed(slice: string): void {
    this.#written = sum(this.#written, this.#noted.get(slice) ?? NONE)
    this.#noted.delete(slice)
  }

  /** Returns the receipt. Undefined if nothing was written: then it asks the database nothing. */
  async close(signal: AbortSignal): Promise<StreamReceipt | undefined> {
    const { inserted, updated, deleted } = this.#written
    if (inserted + updated + deleted === 0) return undefined
    const before = this.#before
    const after = await readState(this.#database.with({ signal }), this.#tables, before.position)
    return {
      ...this.#written,
      dead: updated + deleted,
      tableBytes: { before: before.tables, after: after.tables },
      indexBytes: { before: before.indexes, after: after.indexes },
      serverWalBytes: after.wal,
    }
  }
}

const NONE: RowVersions = Object.freeze({ inserted: 0, updated: 0, hotUpdated: 0, deleted: 0 })

const sum = (one: RowVersions, other: RowVersions): RowVersions => ({
  inserted: one.inserted + other.inserted,
  updated: one.updated + other.updated,
  hotUpdated: one.hotUpdated + other.hotUpdated,
  deleted: one.deleted + other.deleted,
})

/** Reads sizes and the position of the write-ahead log, or the bytes since a position. A missing table has no size. */
async function readState(on: Queryable, tables: readonly string[], since = '0/0'): Promise<State> {
  const row = await on.one<{ position: string; wal: string; tables: string; indexes: string }>(
    `select pg_current_wal_insert_lsn()::text as position, (pg_current_wal_insert_lsn() - $2::pg_lsn)::text as wal,
            coalesce(sum(pg_table_size(c)), 0)::text as tables, coalesce(sum(pg_indexes_size(c)), 0)::text as indexes
       from unnest($1::text[]) as t (name), to_regclass(t.name) as c where c is not null`,
    [tables, since],
  )
  return { position: row.position, wal: Number(row.wal), tables: Number(row.tables), indexes: Number(row.indexes) }
}

async function readWritten(on: Queryable, tables: readonly string[]): Promise<RowVersions> {
  const row = await on.one<Record<keyof RowVersions, string>>(
    `select coalesce(sum(pg_stat_get_xact_tuples_inserted(c)), 0)::text as inserted,
            coalesce(sum(pg_stat_get_xact_tuples_updated(c)), 0)::text as updated,
            coalesce(sum(pg_stat_get_xact_tuples_hot_updated(c)), 0)::text as "hotUpdated",
            coalesce(sum(pg_stat_get_xact_tuples_deleted(c)), 0)::text as deleted
       from unnest($1::text[]) as t (name), to_regclass(t.name) as c where c is not null`,
    [tables],
  )
  return {
    inserted: Number(row.inserted),
    updated: Number(row.updated),
    hotUpdated: Number(row.hotUpdated),
    deleted: Number(row.deleted),
  }
}
