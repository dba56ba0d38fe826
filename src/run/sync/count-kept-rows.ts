import { quoteIdentifier, quoteLiteral, quoteTable } from '../../database/quote.ts'
import { hasParentCursors } from '../../ledger/parent-cursors.ts'
import { readStoredRows } from '../../ledger/read/has-stored.ts'
import { historyColumns } from '../../load/history/columns.ts'
import { readOrigins } from '../../load/shape/column-origin.ts'
import { DELETED_AT } from '../../load/shape/system-columns.ts'
import { withoutAccount } from '../../model/account.ts'
import { isMerged } from '../../model/recipe.ts'
import { marksDeleted } from '../../model/deletions.ts'
import type { SliceContext } from './slice-context.ts'

/** A larger table is not counted: 128 MB take about 0.1 s. */
const MAX_COUNTED_BYTES = 2 ** 27

/**
 * Returns how many rows a table has that a full reading of a merged stream did not bring: their records are gone at the
 * API, filtered or rejected. Undefined if that is not known: the stream or a child list was read in part, other
 * streams write to the table, or the table is large.
 */
export async function countKeptRows({ stream, slice }: SliceContext): Promise<number | undefined> {
  const { database, table, recipe, writeSignal: signal } = stream
  const { kind, since, until } = slice
  const isFull = since === undefined && until === undefined && recipe.incremental?.startFrom === undefined
  if (kind !== 'sync' || !isFull || !isMerged(table)) return undefined
  const on = database.with({ signal, timeout: '10s' })
  try {
    if (await hasParentCursors(on, slice)) return undefined
    const { bytes } = await on.one<{ bytes: string | null }>(
      `select coalesce(sum(pg_relation_size(relid)), pg_relation_size(to_regclass($1))) as bytes
         from pg_partition_tree(to_regclass($1))`,
      [quoteTable(table.name)],
    )
    if (bytes === null || Number(bytes) > MAX_COUNTED_BYTES) return undefined
    const origins = [...(await readOrigins(on, table.name)).values()]
    const owner = `${withoutAccount(stream.pipeline)}.${stream.stream}`
    if (origins.some((origin) => origin.stream !== owner)) return undefined
    const { account } = table
    const { rows } = await on.one<{ rows: string }>(
      `select count(*) as rows from ${quoteTable(table.name)} where ${
        account ? `${quoteIdentifier(account.name)} = ${quoteLiteral(account.value)}` : 'true'
      }${table.write === 'history' ? ` and ${quoteIdentifier(historyColumns.to)} is null` : ''}${
        marksDeleted(table) ? ` and ${quoteIdentifier(DELETED_AT)} is null` : ''
      }`,
    )
    const kept = Number(rows) - (await readStoredRows(on, slice))
    // Records that came twice, as in a list that moved, hide how many rows did not come.
    return kept < 0 ? undefined : kept
  } catch {
    // The slice is done. A table that cannot be counted is no reason to fail.
    return undefined
  }
}
