import { readTable } from '../database/catalog.ts'
import { quoteLiteral, quoteTable } from '../database/quote.ts'
import type { Transaction } from '../database/transaction.ts'
import { LoadError } from '../model/errors.ts'
import type { Table } from '../model/recipe.ts'
import type { Slice } from '../model/slice.ts'
import { formatCount } from '../value/format.ts'
import { shadowName } from './shadow.ts'
import { addSliceSql, sliceIndexSql } from './shape/change-plan.ts'
import { systemColumns } from './shape/system-columns.ts'
import type { TableShape } from './shape/table-shape.ts'

export interface ClearOptions {
  readonly table: Table
  readonly slice: Pick<Slice, 'id' | 'pipeline' | 'stream'>
  readonly shape: TableShape | undefined
}

/** Removes the rows of a slice that restarts, if reading it again would store them twice. */
export async function clearSlice(transaction: Transaction, { table, slice, shape }: ClearOptions): Promise<void> {
  if (table.write === 'replace') await clearShadow(transaction, slice.id)
  else if (table.write === 'append' && shape) await clearAppended(transaction, { table, slice, shape })
}

async function clearShadow(transaction: Transaction, slice: string): Promise<void> {
  // The catalog knows whether an earlier attempt has created the shadow table.
  if (await readTable(transaction, shadowName(slice)))
    await transaction.run(`delete from ${quoteTable(shadowName(slice))}`)
}

async function clearAppended(
  transaction: Transaction,
  { table, slice, shape }: ClearOptions & { readonly shape: TableShape },
): Promise<void> {
  const { name } = table
  const hasKey = table.key.length > 0
  const remedy =
    'delete them yourself, or accept that they are stored twice, and run: ' +
    `sluice cursor reset ${slice.pipeline} --stream ${slice.stream}`
  if (!shape.hasSlice) {
    if (hasKey) return
    throw new LoadError(
      `${name}: the stream has to restart, but its rows cannot be told from other rows of the table. ` +
        `So that they can next time, run: ${addSliceSql(name)}; ${sliceIndexSql(name)}. To continue now, ${remedy}`,
    )
  }
  const counts = await transaction.one<{ deleted: string; stored: string | null }>(`with gone as (
  delete from ${quoteTable(name)} where ${systemColumns.slice} = ${quoteLiteral(slice.id)} returning 1
)
select count(*) as deleted, (select inserted from sluice.slices where id = ${quoteLiteral(slice.id)}) as stored
from gone`)
  // Rows stored before the column was added do not carry the id.
  const left = Number(counts.stored) - Number(counts.deleted)
  if (!hasKey && left > 0)
    throw new LoadError(
      `${name}: the stream has to restart, but ${formatCount(left, 'row')} that it stored cannot be told from other ` +
        `rows, because the column ${systemColumns.slice} is newer. If they still exist, ${remedy}`,
    )
}
