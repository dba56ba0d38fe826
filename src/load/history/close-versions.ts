// Deletions end a version of a history. Its key has no current row until it is sent again.
import { quoteIdentifier } from '../../database/quote.ts'
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
}

/**
 * Returns a statement that ends the versions in which deletions fall; it returns one row of `closed`. Take
 * `lockHistory` first, and write the rows of the same batch before.
 *
 * - A deletion that is sent again, that falls into a gap, or whose key has no row changes nothing.
 * - One at the very moment at which a version begins (an API that marks a record as deleted and leaves its version as
 *   it was) leaves that version its first microsecond: it was there, and it is over.
 * - Of several that fall into one version the first one counts.
 */
export function closeSql({ table, source, keys, moment, loadedAt }: CloseOptions): string {
  const names = keys.map(({ name }) => quoteIdentifier(name))
  const stamp = loadedAt ? `, ${quoteIdentifier(systemColumns.loadedAt)} = statement_timestamp()` : ''
  const sameKey = (one: string, other: string): string =>
    names.map((name) => `${one}.${name} = ${other}.${name}`).join(' and ')
  const after = `${FROM} + interval '1 microsecond'`
  return `with found as (
  select ${names.map((name) => `o.${name}`).join(', ')}, o.${FROM}, min(o."?ends") as "?ends"
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
)
select count(*) as closed from closed`
}
