import { readTable } from '../database/catalog.ts'
import type { Queryable } from '../database/queryable.ts'
import { sqlState } from '../database/errors.ts'
import { quoteIdentifier, quoteTable } from '../database/quote.ts'
import type { Transaction } from '../database/transaction.ts'
import type { Database } from '../database/database.ts'
import type { Advance } from '../model/batch.ts'
import { LoadError } from '../model/errors.ts'
import type { Table } from '../model/recipe.ts'
import { columnName } from './shape/column-name.ts'
import { systemColumns } from './shape/system-columns.ts'
import { typeOf } from './values/column-type.ts'
import { conversionSql } from './values/convert-sql.ts'
import type { LoadedColumn } from './shape/loaded-column.ts'
import { columnList, shapeCheckSql } from './shape/shape-check.ts'
import { parseCounts } from './write-modes.ts'
import type { TableShape } from './shape/table-shape.ts'
import { upsertSql } from './upsert-sql.ts'
import { versionSql } from './encode/version-order.ts'

/**
 * Where a replace gathers its rows before they become the table. Logged: after a crash its rows are there as long as
 * the position is.
 */
export const shadowName = (slice: string): string => `sluice.shadow_${slice}`

/**
 * Statements after which the shadow is there and has these columns, of the types that the table has them. Its rows are
 * numbered, so that of several of one key the one read last can be told.
 */
export async function shadowStatements(
  on: Queryable,
  slice: string,
  table: Table,
  columns: readonly LoadedColumn[],
): Promise<string[]> {
  const name = shadowName(slice)
  const shadow = await readTable(on, name)
  if (!shadow) {
    if (columns.length === 0) return []
    return [
      `create table ${quoteTable(name)} as select ${columnList(columns)} from ${quoteTable(table.name)} with no data`,
      `alter table ${quoteTable(name)} add column ${quoteIdentifier(systemColumns.row)} bigint generated always as identity`,
    ]
  }
  const there = new Map(shadow.columns.map((column) => [column.name, typeOf(column)]))
  return columns.flatMap(({ name: column, type }) => {
    const now = there.get(column)
    if (now === undefined) return [`alter table ${quoteTable(name)} add column ${quoteIdentifier(column)} ${type.sql}`]
    return now.sql === type.sql
      ? []
      : [
          `alter table ${quoteTable(name)} alter column ${quoteIdentifier(column)} type ${type.sql} using ${conversionSql(column, type)}`,
        ]
  })
}

export interface Swap {
  readonly table: Table
  readonly slice: string
  readonly shape: TableShape | undefined
}

/**
 * Bring the table to what the shadow holds, by row locks only, and drop the shadow: views, grants, indexes and readers
 * live on.
 */
export async function swap(
  transaction: Transaction,
  { table, slice, shape }: Swap,
): Promise<NonNullable<Advance['swap']>> {
  const shadow = await readTable(transaction, shadowName(slice))
  if (!shape) return { inserted: 0, updated: 0, deleted: 0 }
  const [name, target] = [quoteTable(shadowName(slice)), quoteTable(table.name)]
  await refuseEmpty(transaction, table, shadow && name)
  if (!shadow) {
    // Nothing was read that could have told which columns it needs.
    const [gone] = await transaction.query(deleteAll(target))
    return parseCounts(gone)
  }
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
  const before = [`lock table ${target} in row exclusive mode`, shapeCheckSql(target, columns), `analyze ${name}`]
  const result = await transaction.run(
    [
      ...before,
      ...(table.key.length > 0 ? byKey(table, name, columns, shape.partitioned) : whole(table, name, columns)),
      `drop table ${name}`,
    ].join(';\n'),
  )
  const counted = result
    .map(({ rows: [row] }) => row)
    .filter((row) => row !== undefined)
    .map(parseCounts)
  const sum = (of: 'inserted' | 'updated' | 'deleted'): number => counted.reduce((all, row) => all + row[of], 0)
  return { inserted: sum('inserted'), updated: sum('updated'), deleted: sum('deleted') }
}

/** An API that answers nothing is more often broken than empty. */
async function refuseEmpty(
  transaction: Transaction,
  { name, allowEmpty }: Table,
  shadow: string | undefined,
): Promise<void> {
  if (allowEmpty) return
  const { refused } = await transaction.one<{ refused: boolean }>(
    `select ${shadow === undefined ? 'true' : `not exists (select from ${shadow})`} and exists (select from ${quoteTable(name)}) as refused`,
  )
  if (refused)
    throw new LoadError(
      `${name}: nothing was read that could replace the rows of the table, so they stay. If the source may really be empty, say so with allowEmpty: true`,
    )
}

function byKey(
  { name, versionBy, loadedAt }: Table,
  shadow: string,
  columns: readonly LoadedColumn[],
  partitioned: boolean,
): string[] {
  const keys = columns.filter(({ key }) => key).map((column) => quoteIdentifier(column.name))
  const newer = columns.find((column) => versionBy !== undefined && column.name === columnName(versionBy))
  const order = [
    ...keys,
    ...(newer ? [`${versionSql(quoteIdentifier(newer.name), newer.type)} desc nulls last`] : []),
    `${quoteIdentifier(systemColumns.row)} desc`,
  ]
  const source = `(select distinct on (${keys.join(', ')}) ${columnList(columns)} from ${shadow} order by ${order.join(', ')})`
  return [
    `with gone as (delete from ${quoteTable(name)} t where not exists (select from ${shadow} s where ${keys.map((key) => `s.${key} = t.${key}`).join(' and ')}) returning 1) select count(*) as deleted from gone`,
    // The shadow is the whole truth: a stored version that is greater is none that the API still has.
    upsertSql({ table: quoteTable(name), source, columns, loadedAt, partitioned }),
  ]
}

const deleteAll = (table: string): string =>
  `with gone as (delete from ${table} returning 1) select count(*) as deleted from gone`

function whole({ name, loadedAt }: Table, shadow: string, columns: readonly LoadedColumn[]): string[] {
  const stamp = loadedAt ? [{ name: systemColumns.loadedAt }] : []
  const values = [columnList(columns), ...stamp.map(() => 'statement_timestamp()')].join(', ')
  return [
    deleteAll(quoteTable(name)),
    `with written as (insert into ${quoteTable(name)} (${columnList([...columns, ...stamp])}) select ${values} from ${shadow} order by ${quoteIdentifier(systemColumns.row)} returning 1) select count(*) as inserted from written`,
  ]
}

/**
 * Removes shadows whose slice is done, dropped or gone; one that is in use at this moment is left for the next time.
 */
export async function dropOrphanShadows(
  database: Database,
  { signal }: { signal?: AbortSignal } = {},
): Promise<readonly string[]> {
  const orphans = await database.query<{ name: string }>(
    `select c.relname as name from pg_class c where c.relnamespace = 'sluice'::regnamespace and c.relkind = 'r' and c.relname ~ '^shadow_[0-9]+$'
    and not exists (select from sluice.slices s where s.id::text = substr(c.relname, 8) and s.status in ('open', 'failed'))`,
    [],
    { ...(signal && { signal }) },
  )
  const dropped: string[] = []
  for (const { name } of orphans) {
    try {
      await using transaction = await database.transaction({ lockTimeout: '1s', ...(signal && { signal }) })
      await transaction.commit(`drop table if exists sluice.${quoteIdentifier(name)}`)
      dropped.push(name)
    } catch (error) {
      if (sqlState(error) !== '55P03') throw error
    }
  }
  return dropped
}
