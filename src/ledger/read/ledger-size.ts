import type { Queryable } from '../../database/queryable.ts'

/** Bytes of the ledger on disk, with indexes. */
export interface LedgerSize {
  readonly bytes: number
  /** The largest tables first, those of at least a hundredth of it. */
  readonly tables: readonly { readonly table: string; readonly bytes: number }[]
}

/** Returns how large the ledger is; shadow tables belong to the tables that they fill. */
export async function readLedgerSize(on: Queryable): Promise<LedgerSize> {
  const rows = await on.query<{ table: string; bytes: string }>(
    `select c.relname as table, pg_total_relation_size(c.oid) as bytes from pg_class as c
      where c.relnamespace = to_regnamespace('sluice') and c.relkind = 'r' and c.relname !~ '^shadow_[0-9]+$'
      order by 2 desc, 1`,
  )
  const all = rows.map(({ table, bytes }) => ({ table, bytes: Number(bytes) }))
  const bytes = all.reduce((sum, one) => sum + one.bytes, 0)
  return { bytes, tables: all.filter((one) => one.bytes * 100 >= bytes) }
}
