import { readTable } from '../database/catalog.ts'
import { quoteLiteral, quoteTable } from '../database/quote.ts'
import type { Transaction } from '../database/transaction.ts'
import { LoadError } from '../model/errors.ts'
import type { Table } from '../model/recipe.ts'
import type { Slice } from '../model/slice.ts'
import { addSliceSql, sliceIndexSql } from './shape/change-plan.ts'
import { systemColumns } from './shape/system-columns.ts'
import { shadowName } from './shadow.ts'
import type { TableShape } from './shape/table-shape.ts'

export interface ClearOptions {
  readonly table: Table
  readonly slice: Pick<Slice, 'id' | 'pipeline' | 'stream'>
  readonly shape: TableShape | undefined
}

/** Removes what a slice that begins anew has written, where reading it again would double it. */
export async function clearSlice(transaction: Transaction, { table, slice, shape }: ClearOptions): Promise<void> {
  const name = quoteTable(table.name)
  if (table.write === 'replace') {
    // Asked of the catalog: a new reading may not know yet which columns the shadow of an earlier one has.
    if (await readTable(transaction, shadowName(slice.id)))
      await transaction.run(`delete from ${quoteTable(shadowName(slice.id))}`)
    return
  }
  if (!shape || table.write === 'merge') return
  const goOn = `remove them yourself, or accept that they are stored twice, and run: sluice cursor reset ${slice.pipeline} --stream ${slice.stream}`
  if (shape.hasSlice) {
    const [gone] = await transaction.query<{
      deleted: string
      stored: string | null
    }>(`with gone as (delete from ${name} where ${systemColumns.slice} = ${quoteLiteral(slice.id)} returning 1)
select count(*) as deleted, (select inserted from sluice.slices where id = ${quoteLiteral(slice.id)}) as stored from gone`)
    // The column may be younger than the first of these rows.
    const left = Number(gone!.stored) - Number(gone!.deleted)
    if (table.key.length === 0 && left > 0)
      throw new LoadError(
        `${table.name}: the reading has to begin anew, and ${left} of the rows that it has stored do not carry its number in ${systemColumns.slice}. Where they are still there, ${goOn}`,
      )
  } else if (table.key.length === 0) {
    throw new LoadError(
      `${table.name}: the reading has to begin anew, and the rows that it has stored cannot be told from others. From now on they can after: ${addSliceSql(table.name)}; ${sliceIndexSql(table.name)}. To go on now, ${goOn}`,
    )
  }
}
