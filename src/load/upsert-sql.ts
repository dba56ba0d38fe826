import { quoteIdentifier } from '../database/quote.ts'
import { systemColumns } from './shape/system-columns.ts'
import type { LoadedColumn } from './shape/loaded-column.ts'
import { versionSql } from './encode/version-order.ts'

export interface UpsertOptions {
  /** The quoted name of the table. */
  readonly table: string
  /** A quoted table or a subquery. */
  readonly source: string
  readonly columns: readonly LoadedColumn[]
  /** With it a stored row with a greater version is left unchanged. */
  readonly version?: LoadedColumn | undefined
  readonly loadedAt: boolean
  /** Rows of a partitioned table have no usable xmax; PostgreSQL 18 returns the old row instead. */
  readonly partitioned: boolean
}

/**
 * Types whose equal values are identical. For others (1.5 and 1.50, `a` and `A` in citext) the key is updated as well.
 */
export const EXACT_TYPES = new Set([
  'int2',
  'int4',
  'int8',
  'text',
  'varchar',
  'bool',
  'date',
  'timestamptz',
  'timestamp',
  'uuid',
])

/**
 * Returns a statement that inserts new rows and updates rows that differ; it returns one row of `inserted` and
 * `updated`.
 *
 * - Unchanged rows are not touched. They are looked up first, because `on conflict do update` locks each row before it
 *   evaluates its condition, and a lock is written to the row and to the WAL: 450 bytes for a row of 380, instead of 2.
 * - The lookup is a subquery with a limit, so that no plan reads the whole table for a batch.
 * - Rows are compared by their bytes (`*<>`): `is distinct from` takes 1.5 and 1.50 for equal, and has no json. Only
 *   loaded columns are compared, because another column would make every row differ.
 * - Rows are written in the order of the key, so that two writers lock them in the same order.
 */
export function upsertSql({ table, source, columns, version, loadedAt, partitioned }: UpsertOptions): string {
  const names = columns.map(({ name }) => quoteIdentifier(name))
  const keys = columns.filter(({ key }) => key).map(({ name }) => quoteIdentifier(name))
  const [firstKey] = keys
  const changing = columns
    .filter(({ key, type }) => !key || !EXACT_TYPES.has(type.base))
    .map(({ name }) => quoteIdentifier(name))
  const stamp = loadedAt ? [quoteIdentifier(systemColumns.loadedAt)] : []
  const row = (of: string): string => `row(${changing.map((name) => `${of}.${name}`).join(', ')})::record`
  const differs = (stored: string, sent: string): string =>
    `${row(stored)} *<> ${row(sent)}${version ? ` and ${notOlderSql(version, stored, sent)}` : ''}`
  const assignments = [...changing, ...stamp].map((name) => `${name} = excluded.${name}`).join(', ')
  const conflict =
    changing.length === 0 ? 'do nothing' : `do update set ${assignments} where ${differs('t', 'excluded')}`
  const values = [...names.map((name) => `s.${name}`), ...stamp.map(() => 'statement_timestamp()')]
  const sameKey = keys.map((key) => `o.${key} = s.${key}`).join(' and ')
  return `with written as (
  insert into ${table} as t (${[...names, ...stamp].join(', ')})
  select ${values.join(', ')}
  from ${source} as s
    left join lateral (select ${names.join(', ')} from ${table} as o where ${sameKey} limit 1) as o on true
  where o.${firstKey} is null${changing.length === 0 ? '' : ` or (${differs('o', 's')})`}
  order by ${keys.map((key) => `s.${key}`).join(', ')}
  on conflict (${keys.join(', ')}) ${conflict}
  returning ${partitioned ? `old.${firstKey} is null` : 't.xmax = 0'} as inserted
)
select count(*) filter (where inserted) as inserted, count(*) filter (where not inserted) as updated from written`
}

/** Returns the condition that the sent row is not older than the stored row. Null is older than everything. */
function notOlderSql({ name, type }: LoadedColumn, storedRow: string, sentRow: string): string {
  const [stored, sent] = [`${storedRow}.${quoteIdentifier(name)}`, `${sentRow}.${quoteIdentifier(name)}`]
  return `(${stored} is null or ${versionSql(stored, type)} <= ${versionSql(sent, type)})`
}
