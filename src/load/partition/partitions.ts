// The partitions of a table that is divided by time, as the catalog has them.
import type { Queryable } from '../../database/queryable.ts'
import { quoteTable } from '../../database/quote.ts'
import { SchemaError } from '../../model/errors.ts'
import type { Partitioning } from '../../model/partition.ts'
import type { Table } from '../../model/recipe.ts'
import { columnName } from '../shape/column-name.ts'
import type { Period } from './period.ts'

/** How a table is divided, and what it has. */
export interface Partitions extends Partitioning {
  /** By their beginning. They do not overlap. */
  readonly periods: readonly Period[]
  /** The quoted name of the partition for all other rows; undefined if there is none. */
  readonly rest: string | undefined
}

interface Division {
  readonly strategy: string
  readonly columns: readonly (string | null)[]
  readonly rest: string | null
}

/** Returns the partitions that a definition keeps, if any. Throws if the table is divided in another way. */
export async function readPartitions(on: Queryable, table: Table): Promise<Partitions | undefined> {
  const { partition, name } = table
  if (!partition) return undefined
  const quoted = quoteTable(name)
  const division = await on.one<Division>(
    `select p.partstrat as strategy, (
              select format('%I.%I', n.nspname, c.relname)
                from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = p.partdefid) as rest,
            array(select a.attname::text from unnest(p.partattrs::int2[]) with ordinality as k (number, place)
                    left join pg_attribute a on a.attrelid = p.partrelid and a.attnum = k.number and k.number <> 0
                   order by k.place) as columns
       from pg_partitioned_table p where p.partrelid = $1::regclass`,
    [quoted],
  )
  const column = columnName(partition.by)
  if (division.strategy !== 'r' || division.columns.length !== 1 || division.columns[0] !== column)
    throw new SchemaError(
      `${name}: the table is divided in another way than partition says, by (${division.columns.join(', ')}) and not ` +
        `by ranges of ${column}. Remove partition from its options, and make its partitions yourself`,
    )
  const bounds = await on.query<{ from: string | null; to: string | null }>(
    `with style as materialized (select set_config('datestyle', 'ISO, YMD', true) as iso)
     select ${boundSql(1)} as from, ${boundSql(2)} as to
       from style, pg_inherits i join pg_class c on c.oid = i.inhrelid,
            lateral (select pg_get_expr(c.relpartbound, c.oid) as text where style.iso <> '' offset 0) as bound,
            regexp_match(bound.text, $2) as b
      where i.inhparent = $1::regclass and b is not null`,
    [quoted, String.raw`^FOR VALUES FROM \('?([^()']+)'?\) TO \('?([^()']+)'?\)$`],
  )
  const periods = bounds
    .map(({ from, to }) => ({ from: Number(from ?? -Infinity), to: Number(to ?? Infinity) }))
    .toSorted((a, b) => a.from - b.from)
  return { ...partition, periods, rest: division.rest ?? undefined }
}

/** Null for an open end. A time without an offset is read as UTC, as the partitions of such a column are made. */
const boundSql = (place: 1 | 2): string =>
  `case when b[${place}] in ('MINVALUE', 'MAXVALUE', '-infinity', 'infinity') then null
        when b[${place}] ~ ':[0-9.]+[+-][0-9]' then extract(epoch from b[${place}]::timestamptz) * 1000
        else extract(epoch from b[${place}]::timestamp at time zone 'UTC') * 1000 end`
