// What a mirror does with a history: the versions of missing rows end, and begin again if their records come back.
import { quoteIdentifier, quoteLiteral, quoteTable } from '../../database/quote.ts'
import type { Table } from '../../model/recipe.ts'
import { keptBySql, KEEP_LAST, keyTextSql, sameKeySql, type RemoveOptions } from '../deleted/deleted-rows.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { systemColumns } from '../shape/system-columns.ts'
import { FROM, TO } from './columns.ts'
import { SENT } from './history-sql.ts'

const stampOf = ({ loadedAt }: Pick<Table, 'loadedAt'>): string[] =>
  loadedAt ? [quoteIdentifier(systemColumns.loadedAt)] : []

export interface EndMissingOptions extends Pick<RemoveOptions, 'table' | 'slice' | 'columns'> {
  /** All columns of the table. */
  readonly names: readonly string[]
}

/**
 * Returns the statement that ends the current versions of the keys in a temporary table, and returns their number as
 * `deleted`. Take `lockHistory` first.
 *
 * For `undelete`, the ledger keeps what would have been the next version: the same row, from the end of this one on.
 * With `versionBy` it is kept for good, because it also says that the API did not announce the deletion: the record may
 * come back with the version that it had, see `beginAgainSql`.
 */
export function endMissingSql(source: string, { table, slice, columns, names }: EndMissingOptions): string {
  const stamps = stampOf(table).map((name) => `, ${name} = statement_timestamp()`)
  const ofNext = new Map([
    [FROM, `t.${TO} as ${FROM}`],
    [TO, `null as ${TO}`],
  ])
  const row = names.map(quoteIdentifier).map((name) => ofNext.get(name) ?? `t.${name}`)
  const kept = table.undo === false ? 'null::json' : `(select row_to_json(r) from (select ${row.join(', ')}) as r)`
  const values = keptBySql(table, slice, 'missing')
  const expires = table.versionBy === undefined ? values : `${values} + interval '1000 years'`
  return `with ended as (
  update ${quoteTable(table.name)} as t
  set ${TO} = greatest(statement_timestamp(), t.${FROM} + interval '1 microsecond')${stamps.join('')}
  from ${source} as d where ${sameKeySql('t', 'd', columns)} and t.${TO} is null
  returning ${keyTextSql('d', columns)} as key, ${kept} as row
), kept as (
  insert into sluice.deleted_rows as o (table_name, key, row, pipeline, stream, slice, run, reason, expires_at)
  select ${quoteLiteral(table.name)}, ended.key, ended.row, ${expires} from ended
  ${KEEP_LAST}
)
select count(*) as deleted from ended`
}

/**
 * Returns the statements by which records that come back begin a version now, though theirs is not newer than the one
 * that a mirror has ended. The first one returns their number as `inserted`. `source` has the rows of a batch with
 * their numbers, after they were written. Rows that are older than the ended version begin none.
 */
export function beginAgainSql(
  table: Table,
  source: string,
  columns: readonly LoadedColumn[],
  version: LoadedColumn | undefined,
): readonly [insert: string, forget: string] {
  const target = quoteTable(table.name)
  const names = columns.map(({ name }) => quoteIdentifier(name))
  const keys = columns.filter(({ key }) => key).map(({ name }) => `s.${quoteIdentifier(name)}`)
  const stamps = stampOf(table)
  const at = version && quoteIdentifier(version.name)
  const isSame = at === undefined ? '' : ` and s.${at} is not distinct from o.${at}`
  const ended = `sluice.deleted_rows as g
  where g.table_name = ${quoteLiteral(table.name)} and g.key = ${keyTextSql('s', columns)} and g.reason = 'missing'`
  return [
    `with written as (
  insert into ${target} (${[...names, FROM, ...stamps].join(', ')})
  select distinct on (${keys.join(', ')}) ${names.map((name) => `s.${name}`).join(', ')},
    greatest(statement_timestamp(), o.${TO})${stamps.map(() => ', statement_timestamp()').join('')}
  from ${source} as s
    cross join lateral (
      select * from ${target} as o where ${sameKeySql('o', 's', columns)} order by o.${FROM} desc limit 1
    ) as o
  where o.${TO} is not null${isSame} and exists (select from ${ended})
  order by ${keys.join(', ')}, s.${SENT} desc
  returning 1
)
select count(*) as inserted from written`,
    `delete from sluice.deleted_rows as g using ${source} as s
  where g.table_name = ${quoteLiteral(table.name)} and g.key = ${keyTextSql('s', columns)} and g.reason = 'missing'
    and exists (select from ${target} as o where ${sameKeySql('o', 's', columns)} and o.${TO} is null)`,
  ]
}
