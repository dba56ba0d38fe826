import { readTable } from '../database/catalog.ts'
import { quoteIdentifier, quoteTable } from '../database/quote.ts'
import type { Transaction } from '../database/transaction.ts'
import type { Advance } from '../model/batch.ts'
import { LoadError } from '../model/errors.ts'
import type { Table } from '../model/recipe.ts'
import { versionSql } from './encode/version-order.ts'
import { shadowName } from './shadow.ts'
import { columnName } from './shape/column-name.ts'
import type { LoadedColumn } from './shape/loaded-column.ts'
import { columnList, shapeCheckSql } from './shape/shape-check.ts'
import { systemColumns } from './shape/system-columns.ts'
import type { TableShape } from './shape/table-shape.ts'
import { upsertSql } from './upsert-sql.ts'
import { typeOf } from './values/column-type.ts'
import { parseCounts } from './write-modes.ts'

export interface SwapOptions {
  readonly table: Table
  readonly slice: string
  readonly shape: TableShape | undefined
}

/**
 * Gives the table the rows of the shadow table, and drops the shadow table. It takes row locks only, so views, grants,
 * indexes and readers are not disturbed.
 */
export async function swapShadow(
  transaction: Transaction,
  { table, slice, shape }: SwapOptions,
): Promise<NonNullable<Advance['swap']>> {
  const shadow = await readTable(transaction, shadowName(slice))
  if (!shape) return { inserted: 0, updated: 0, deleted: 0 }
  const [name, target] = [quoteTable(shadowName(slice)), quoteTable(table.name)]
  await refuseEmpty(transaction, table, shadow && name)
  // Without any record the columns are unknown, and no shadow table was created.
  if (!shadow) return parseCounts(await transaction.one(deleteAllSql(target)))
  const columns = shadow.columns
    .filter((column) => column.name !== systemColumns.row)
    .map((column) => ({
      name: column.name,
      type: typeOf(column),
      field: column.name,
      declared: true,
      round: false,
      key: table.key.some((key) => columnName(key) === column.name),
    }))
  const swap = table.key.length > 0 ? swapByKey(table, name, columns, shape) : replaceAll(table, name, columns)
  const results = await transaction.run(
    [
      `lock table ${target} in row exclusive mode`,
      shapeCheckSql(target, columns),
      `analyze ${name}`,
      ...swap,
      `drop table ${name}`,
    ].join(';\n'),
  )
  const counts = results.map(({ rows: [row] }) => parseCounts(row))
  const sum = (of: 'inserted' | 'updated' | 'deleted'): number => counts.reduce((all, row) => all + row[of], 0)
  return { inserted: sum('inserted'), updated: sum('updated'), deleted: sum('deleted') }
}

/** Refuses to empty a table: an API that returns nothing is more often broken than empty. */
async function refuseEmpty(
  transaction: Transaction,
  { name, allowEmpty }: Table,
  shadow: string | undefined,
): Promise<void> {
  if (allowEmpty) return
  const isEmpty = shadow === undefined ? 'true' : `not exists (select from ${shadow})`
  const { refused } = await transaction.one<{ refused: boolean }>(
    `select ${isEmpty} and exists (select from ${quoteTable(name)}) as refused`,
  )
  if (refused)
    throw new LoadError(
      `${name}: no records were read, so the rows of the table stay. ` +
        'If the source can really be empty, set allowEmpty: true',
    )
}

/** Deletes keys that the shadow table lacks, then inserts and updates the rest. */
function swapByKey(
  { name, versionBy, loadedAt }: Table,
  shadow: string,
  columns: readonly LoadedColumn[],
  { hidesXmax }: TableShape,
): string[] {
  const table = quoteTable(name)
  const keys = columns.filter(({ key }) => key).map((column) => quoteIdentifier(column.name))
  const version = columns.find((column) => versionBy !== undefined && column.name === columnName(versionBy))
  const order = [
    ...keys,
    ...(version ? [`${versionSql(quoteIdentifier(version.name), version.type)} desc nulls last`] : []),
    `${quoteIdentifier(systemColumns.row)} desc`,
  ]
  const newest = `select distinct on (${keys.join(', ')}) ${columnList(columns)} from ${shadow}`
  const sameKey = keys.map((key) => `s.${key} = t.${key}`).join(' and ')
  return [
    `with gone as (
  delete from ${table} t where not exists (select from ${shadow} s where ${sameKey}) returning 1
)
select count(*) as deleted from gone`,
    // Without a version: the shadow table is all that the API has, so a greater stored version is obsolete.
    upsertSql({ table, source: `(${newest} order by ${order.join(', ')})`, columns, loadedAt, hidesXmax }),
  ]
}

const deleteAllSql = (table: string): string =>
  `with gone as (delete from ${table} returning 1) select count(*) as deleted from gone`

function replaceAll({ name, loadedAt }: Table, shadow: string, columns: readonly LoadedColumn[]): string[] {
  const stamp = loadedAt ? [{ name: systemColumns.loadedAt }] : []
  const values = [columnList(columns), ...stamp.map(() => 'statement_timestamp()')].join(', ')
  return [
    deleteAllSql(quoteTable(name)),
    `with written as (
  insert into ${quoteTable(name)} (${columnList([...columns, ...stamp])})
  select ${values} from ${shadow} order by ${quoteIdentifier(systemColumns.row)} returning 1
)
select count(*) as inserted from written`,
  ]
}
