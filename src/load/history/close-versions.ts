// Deletions end a version of a history. Its key has no current row until it is sent again.
import { quoteIdentifier, quoteLiteral } from '../../database/quote.ts'
import type { Table } from '../../model/recipe.ts'
import { keptBySql, keyTextSql, type RemoveOptions } from '../deleted/deleted-rows.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { systemColumns } from '../shape/system-columns.ts'
import { FROM, TO } from './columns.ts'

export interface CloseOptions {
  /** The quoted name of the table. */
  readonly table: string
  /** A quoted table or a subquery with the key of each deleted row, and the moment of its deletion. */
  readonly source: string
  readonly keys: readonly Pick<LoadedColumn, 'name'>[]
  /**
   * The expression of the moment of a deletion, of the row `s` of the source; null where it is not known: the current
   * version then ends at the moment of the statement.
   */
  readonly moment: string
  readonly loadedAt: boolean
  /** Remembers the ends of deletions without a moment, see `isTimelessEndSql`. @default nothing is remembered */
  readonly remembers?: Pick<RemoveOptions, 'table' | 'slice'>
}

/**
 * Returns the condition that a version ended by a deletion without a time. Such an end is when the deletion was loaded:
 * the record may have come back before it, so a newer version of it is not over at that moment.
 *
 * @param end the `_valid_to` of the version
 */
export const isTimelessEndSql = (
  table: Table['name'],
  alias: string,
  columns: readonly Pick<LoadedColumn, 'name' | 'key'>[],
  end: string,
): string =>
  `exists (select from sluice.deleted_rows as g
    where g.table_name = ${quoteLiteral(table)} and g.key = ${keyTextSql(alias, columns)}
      and g.reason = 'announced' and g.deleted_at = ${end})`

/**
 * Returns a statement that ends the versions in which deletions fall; it returns one row of `closed`. Take
 * `lockHistory` first, and write the rows of the same batch before.
 *
 * - A deletion that is sent again, that falls into a gap, or whose key has no row changes nothing.
 * - One at the very moment at which a version begins (an API that marks a record as deleted and leaves its version as
 *   it was) leaves that version its first microsecond: it was there, and it is over.
 * - Of several that fall into one version the first one counts.
 * - One without a moment is later than all versions that are stored, and earlier than any newer one that follows.
 */
export function closeSql({ table, source, keys, moment, loadedAt, remembers }: CloseOptions): string {
  const names = keys.map(({ name }) => quoteIdentifier(name))
  const stamp = loadedAt ? `, ${quoteIdentifier(systemColumns.loadedAt)} = statement_timestamp()` : ''
  const sameKey = (one: string, other: string): string =>
    names.map((name) => `${one}.${name} = ${other}.${name}`).join(' and ')
  const after = `${FROM} + interval '1 microsecond'`
  return `with found as (
  select ${names.map((name) => `o.${name}`).join(', ')}, o.${FROM}, min(o."?ends") as "?ends",
    (array_agg(${moment} is null order by o."?ends"))[1] as "?timeless"
  from ${source} as s
    cross join lateral (
      select ${names.join(', ')}, ${FROM}, ${TO},
        greatest(coalesce(${moment}, statement_timestamp()), ${after}) as "?ends"
      from ${table} as o
      where ${sameKey('o', 's')} and (${moment} is null or o.${FROM} <= ${moment})
      order by o.${FROM} desc limit 1
    ) as o
  where o.${TO} is null or o.${TO} > o."?ends"
  group by ${names.map((name) => `o.${name}`).join(', ')}, o.${FROM}
), closed as (
  update ${table} as t set ${TO} = f."?ends"${stamp}
  from found as f where ${sameKey('t', 'f')} and t.${FROM} = f.${FROM} returning 1
)${remembers ? rememberSql(remembers, keys) : ''}
select count(*) as closed from closed`
}

/** Returns the part of the statement that keeps the ends of deletions without a time, as long as other deletions. */
function rememberSql({ table, slice }: Pick<RemoveOptions, 'table' | 'slice'>, keys: CloseOptions['keys']): string {
  const key = keyTextSql(
    'f',
    keys.map(({ name }) => ({ name, key: true })),
  )
  return `, kept as (
  insert into sluice.deleted_rows as o (table_name, key, deleted_at, pipeline, stream, slice, run, reason, expires_at)
  select ${quoteLiteral(table.name)}, ${key}, f."?ends", ${keptBySql(table, slice, 'announced')}
  from found as f where f."?timeless"
  on conflict on constraint deleted_once do update
    set deleted_at = excluded.deleted_at, pipeline = excluded.pipeline, stream = excluded.stream,
        slice = excluded.slice, run = excluded.run, reason = excluded.reason, expires_at = excluded.expires_at,
        -- A row that a mirror had kept is that of an older version: brought back, it would overlap the newer ones.
        row = null
)`
}
