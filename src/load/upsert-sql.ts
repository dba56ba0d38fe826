import { quoteIdentifier } from '../database/quote.ts'
import { systemColumns } from './shape/system-columns.ts'
import type { LoadedColumn } from './shape/loaded-column.ts'
import { versionSql } from './encode/version-order.ts'

export interface UpsertOptions {
  /** Quoted, as everything that is not a column here. */
  readonly table: string
  /** What stands behind `from`. */
  readonly source: string
  readonly columns: readonly LoadedColumn[]
  /** A stored row with a greater version is left alone. */
  readonly version?: LoadedColumn | undefined
  readonly loadedAt: boolean
  /** Of a partitioned table no row tells its xmax; PostgreSQL 18 says what was there before. */
  readonly partitioned: boolean
}

/**
 * Types of which equal values are the same value; of others (1.5 and 1.50, `a` and `A` in citext) the key is written as
 * well.
 */
const exact = new Set(['int2', 'int4', 'int8', 'text', 'varchar', 'bool', 'date', 'timestamptz', 'timestamp', 'uuid'])

/**
 * Insert what is new, update what differs; answers one row of `inserted` and `updated`. Rows that are stored as they
 * are are not touched: they are looked up first, since `on conflict do update` locks each row before it asks whether it
 * is to change, and a lock is written to the row and to the WAL (450 bytes a row of 380 where 2 are enough). The lookup
 * is a subquery with a limit, so that no plan reads the whole table for a batch.
 *
 * Rows are compared by their bytes (`*<>`), and only in the columns that are loaded: `is distinct from` takes 1.5 and
 * 1.50 for equal and has no json, and a column that is not loaded would make every row new. In the order of the key, so
 * that two writers meet their rows in one order.
 */
export function upsertSql({ table, source, columns, version, loadedAt, partitioned }: UpsertOptions): string {
  const names = columns.map(({ name }) => quoteIdentifier(name))
  const keys = columns.filter(({ key }) => key).map(({ name }) => quoteIdentifier(name))
  const changing = columns
    .filter(({ key, type }) => !key || !exact.has(type.base))
    .map(({ name }) => quoteIdentifier(name))
  const stamp = loadedAt ? [quoteIdentifier(systemColumns.loadedAt)] : []
  const row = (of: string): string => `row(${changing.map((name) => `${of}.${name}`).join(', ')})::record`
  const changes = (stored: string, sent: string): string =>
    `${row(stored)} *<> ${row(sent)}${version ? ` and ${newerSql(version, stored, sent)}` : ''}`
  const conflict =
    changing.length === 0
      ? 'do nothing'
      : `do update set ${[...changing, ...stamp].map((name) => `${name} = excluded.${name}`).join(', ')} where ${changes('t', 'excluded')}`
  return `with written as (
  insert into ${table} as t (${[...names, ...stamp].join(', ')})
  select ${[...names.map((name) => `s.${name}`), ...stamp.map(() => 'statement_timestamp()')].join(', ')}
  from ${source} as s left join lateral (select ${names.join(', ')} from ${table} as o where ${keys.map((key) => `o.${key} = s.${key}`).join(' and ')} limit 1) as o on true
  where o.${keys[0]} is null${changing.length === 0 ? '' : ` or (${changes('o', 's')})`}
  order by ${keys.map((key) => `s.${key}`).join(', ')}
  on conflict (${keys.join(', ')}) ${conflict}
  returning ${partitioned ? `old.${keys[0]} is null` : 't.xmax = 0'} as inserted
)
select count(*) filter (where inserted) as inserted, count(*) filter (where not inserted) as updated from written`
}

/** Not older than what is stored; null is older than everything. */
function newerSql({ name, type }: LoadedColumn, storedRow: string, sentRow: string): string {
  const [stored, sent] = [`${storedRow}.${quoteIdentifier(name)}`, `${sentRow}.${quoteIdentifier(name)}`]
  return `(${stored} is null or ${versionSql(stored, type)} <= ${versionSql(sent, type)})`
}
