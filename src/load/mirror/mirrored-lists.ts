// A mirror of lists below parents: which lists were read whole, and which of their rows are gone.
// migrations/0032_mirrored_lists.sql says what the tables hold.
import { quoteIdentifier, quoteTable } from '../../database/quote.ts'
import type { Transaction } from '../../database/transaction.ts'
import { recentSql } from '../compare/compare-sql.ts'
import { OLDEST_RUNNING } from '../compare/oldest-running.ts'
import type { EncodedRows } from '../encode/encoded-page.ts'
import type { OpenTable } from '../open-table.ts'
import { columnList, shapeCheckSql } from '../shape/shape-check.ts'
import { coveredSql, hashSql, unseenSql } from './mirror-sql.ts'

let tables = 0

/** Returns the statements that begin it, beside the mirror of the slice. */
export const beginListsSql = (slice: string): string[] => [
  `delete from sluice.mirrored_lists where slice = ${BigInt(slice)}`,
  `insert into sluice.mirrored_lists (slice, transaction) values (${BigInt(slice)}, (${OLDEST_RUNNING}))`,
]

/** Returns the statement that forgets it. */
export const forgetListsSql = (slice: string): string =>
  `delete from sluice.mirrored_lists where slice = ${BigInt(slice)}`

/** Notes the parents whose lists end with some pages, and were read whole. */
export async function noteWholeLists(
  transaction: Transaction,
  { table, slice }: Pick<OpenTable, 'table' | 'slice'>,
  pages: readonly EncodedRows[],
): Promise<void> {
  const parents = pages.flatMap(({ wholeLists }) => wholeLists ?? [])
  for (const group of Map.groupBy(parents, ({ columns }) => columnList(columns)).values()) {
    const [first] = group
    const lines = group.flatMap((one) => one.lines)
    if (!first || lines.length === 0) continue
    tables += 1
    const name = `sluice_whole_${tables}`
    const list = columnList(first.columns)
    await transaction.copy(
      [
        `create temporary table ${name} on commit drop as select ${list} from ${quoteTable(table.name)} with no data`,
        shapeCheckSql(`pg_temp.${name}`, first.columns),
        `copy pg_temp.${name} (${list}) from stdin`,
      ].join(';\n'),
      [Buffer.from(lines.join(''))],
    )
    const id = `${BigInt(slice.id)}`
    const names = first.columns.map((column) => column.name).toSorted()
    await transaction.run(`insert into sluice.mirrored_parents (slice, hashes)
  select ${id}, array_agg(distinct ${hashSql('p', names, id)}) from pg_temp.${name} as p
  where row(${first.columns.map((column) => `p.${quoteIdentifier(column.name)}`).join(', ')}) is not null
    and exists (select from sluice.mirrored_lists where slice = ${id})
  having count(*) > 0;
  drop table pg_temp.${name}`)
  }
}

/** The columns of the table that name the parent of a row; undefined while the table lacks one. */
export function parentColumns({ table, fields }: Pick<OpenTable, 'table' | 'fields'>): string[] | undefined {
  const names = Object.keys(table.mirror?.parent ?? {}).map((field) => fields.loaded(field)?.name)
  return names.includes(undefined) ? undefined : names.filter((name) => name !== undefined).toSorted()
}

/**
 * Makes a temporary table of the keys of rows that are gone, numbered as `n` in the order of the key: rows of lists
 * that were read whole, which neither this reading nor another one of the stream has brought or written since. Returns
 * how many rows these lists had.
 */
export async function collectGoneOfLists(
  transaction: Transaction,
  open: OpenTable,
  {
    name,
    keys,
    version,
  }: {
    readonly name: string
    readonly keys: readonly string[]
    readonly version: { readonly name: string; readonly type: string } | undefined
  },
): Promise<number> {
  const { table, slice } = open
  const id = `${BigInt(slice.id)}`
  const parents = parentColumns(open)
  const begun = await transaction.maybeOne<{ transaction: string }>(
    `select transaction from sluice.mirrored_lists where slice = ${id}`,
  )
  const ofLists =
    begun && parents
      ? `${coveredSql('t', table)} and exists (
    select from pg_temp.${name}_lists as p where p.hash = ${hashSql('t', parents, id)})`
      : 'false'
  const isOld = begun
    ? `not (${recentSql('t.xmin::text::bigint', { transaction: begun.transaction, at: '' })})`
    : 'false'
  const list = keys.map((key) => `t.${quoteIdentifier(key)}`)
  const columns = [...list, ...(version ? [`null::${version.type} as ${quoteIdentifier(version.name)}`] : [])]
  await transaction.run(
    [
      // Nothing tells the planner how many hashes there are.
      'set local enable_nestloop = off',
      `create temporary table ${name}_lists on commit drop as
  select distinct unnest(hashes) as hash from sluice.mirrored_parents where slice = ${id}`,
      `analyze pg_temp.${name}_lists`,
      `create temporary table ${name} on commit drop as
  select ${columns.join(', ')}, row_number() over (order by ${list.join(', ')}) as n
  from ${quoteTable(table.name)} as t where ${ofLists} and ${isOld} and ${unseenSql(keys, slice.id)}`,
    ].join(';\n'),
  )
  const { rows } = await transaction.one<{ rows: string }>(
    `select count(*) as rows from ${quoteTable(table.name)} as t where ${ofLists}`,
  )
  await transaction.run(`set local enable_nestloop to default; analyze pg_temp.${name}`)
  return Number(rows)
}
