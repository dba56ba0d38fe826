// The statements of a mirror: what was in the table before a reading, what was brought since, and what is gone.
// migrations/0034_mirrors.sql says what the tables hold.
import { quoteIdentifier, quoteLiteral, quoteTable } from '../../database/quote.ts'
import { marksDeleted } from '../../model/deletions.ts'
import type { Table } from '../../model/recipe.ts'
import { ownRows } from '../deleted/deleted-rows.ts'
import { TO } from '../history/columns.ts'
import { DELETED_AT } from '../shape/system-columns.ts'

/** The beginning of a reason that leaves only the lists which were read whole. */
export const PART = 'part: '

/** Keys of one row of `sluice.mirror_keys`. */
const CHUNK = 8_192

/** Returns the columns of a key in the order of their names: all streams of a table have the same. */
export const keyNames = (columns: readonly { readonly name: string; readonly key: boolean }[]): string[] =>
  columns
    .filter(({ key }) => key)
    .map(({ name }) => name)
    .toSorted()

/** Returns the hash of a row's key. Keys that are equal for their types have equal hashes. */
export const hashSql = (alias: string, keys: readonly string[], slice: string): string =>
  `hash_record_extended(row(${keys.map((name) => `${alias}.${quoteIdentifier(name)}`).join(', ')}), ${slice})`

/** Returns the hash of a row of a window as it is stored: once somebody writes it, it has another one. */
const storedHashSql = (alias: string, keys: readonly string[], slice: string): string => {
  const names = [...keys.map(quoteIdentifier), 'xmin::text']
  return `hash_record_extended(row(${names.map((name) => `${alias}.${name}`).join(', ')}), ${slice})`
}

/**
 * Returns the statement by which a batch notes that its keys exist, for each mirror of its table that is being read.
 * `source` has the columns of the key. Hold the lock of the table's rows: otherwise a mirror that ends at the same
 * moment would not see it.
 */
export const noteSeenSql = (table: Table, source: string, keys: readonly string[]): string =>
  `insert into sluice.mirror_keys (slice, kind, hashes)
  select m.slice, 'seen', array_agg(${hashSql('s', keys, 'm.slice')})
  from sluice.mirrors as m, ${source} as s
  where m.rows_of = ${quoteLiteral(ownRows(table))} and m.rows > 0
    and (m.kept_because is null or m.kept_because like ${quoteLiteral(`${PART}%`)})
  group by m.slice`

/** Returns the condition of the rows that a reading covers: of its account, not marked as deleted, current versions. */
export function coveredSql(alias: string, table: Table): string {
  const { account } = table
  const conditions = [
    ...(account ? [`${alias}.${quoteIdentifier(account.name)} = ${quoteLiteral(account.value)}`] : []),
    ...(marksDeleted(table) ? [`${alias}.${quoteIdentifier(DELETED_AT)} is null`] : []),
    ...(table.write === 'history' ? [`${alias}.${TO} is null`] : []),
  ]
  return conditions.length === 0 ? 'true' : conditions.join(' and ')
}

/** Returns the condition that a row has a key. A unique index admits others, and no stream has stored them. */
const hasKeySql = (alias: string, keys: readonly string[]): string =>
  `row(${keys.map((name) => `${alias}.${quoteIdentifier(name)}`).join(', ')}) is not null`

/** Returns an expression for the columns of a key with their types, as the table has them now. */
export const keyColumnsSql = (table: string, keys: readonly string[]): string =>
  `(select coalesce(string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' order by attname), '')
   from pg_attribute where attrelid = to_regclass(${quoteLiteral(quoteTable(table))}) and attnum > 0
     and not attisdropped and attname = any(array[${keys.map(quoteLiteral).join(', ')}]::text[]))`

/** Returns the statements that forget a mirror. */
export const forgetSql = (slice: string): string[] => [
  `delete from sluice.mirror_keys where slice = ${BigInt(slice)}`,
  `delete from sluice.mirrors where slice = ${BigInt(slice)}`,
  `delete from sluice.mirrored_lists where slice = ${BigInt(slice)}`,
]

/**
 * Returns the statements that begin a mirror: they note the rows of its table, or those of a window by the condition
 * `scope`. `keys` is empty without a table.
 *
 * Only of a window may other streams or people write rows while it is read, and nobody would read these again: its rows
 * are noted as they are, so that one which was written since is not deleted.
 */
export function beginSql(table: Table, slice: string, keys: readonly string[], scope?: string): string[] {
  const hash = scope === undefined ? hashSql : storedHashSql
  const id = `${BigInt(slice)}`
  const name = quoteLiteral(ownRows(table))
  if (keys.length === 0)
    return [
      ...forgetSql(slice),
      `insert into sluice.mirrors (slice, rows_of, key_columns, rows) values (${id}, ${name}, '', 0)`,
    ]
  return [
    ...forgetSql(slice),
    // Sorted by parts, it holds one part at a time in memory, however large the table is.
    'set local enable_hashagg = off',
    `insert into sluice.mirror_keys (slice, kind, hashes)
  select ${id}, 'before', array_agg(k.hash)
  from (
    select ${hash('t', keys, id)} as hash, (row_number() over () - 1) / ${CHUNK} as part
    from ${quoteTable(table.name)} as t
    where ${coveredSql('t', table)} and ${hasKeySql('t', keys)}${scope === undefined ? '' : ` and ${scope}`}
  ) as k group by k.part`,
    `insert into sluice.mirrors (slice, rows_of, key_columns, rows)
  select ${id}, ${name}, ${keyColumnsSql(table.name, keys)}, coalesce(sum(cardinality(hashes)), 0)
  from sluice.mirror_keys where slice = ${id}`,
  ]
}

/** Returns the statements that begin a mirror of nothing but the lists that will be read whole. */
export function beginPartSql(table: Table, slice: string, keys: readonly string[]): string[] {
  const columns = keys.length === 0 ? "''" : keyColumnsSql(table.name, keys)
  return [
    ...forgetSql(slice),
    `insert into sluice.mirrors (slice, rows_of, key_columns, rows)
  values (${BigInt(slice)}, ${quoteLiteral(ownRows(table))}, ${columns}, ${keys.length === 0 ? 0 : 1})`,
  ]
}

/** Returns the statements that make a temporary table of the hashes that were there before and were not seen since. */
export function missingSql(name: string, slice: string): string[] {
  const hashes = (kind: 'before' | 'seen'): string =>
    `(select unnest(hashes) as hash from sluice.mirror_keys where slice = ${BigInt(slice)} and kind = '${kind}')`
  return [
    // Nothing tells the planner how many hashes there are.
    'set local enable_nestloop = off',
    `create temporary table ${name} on commit drop as
  select b.hash from ${hashes('before')} as b
  where not exists (select from ${hashes('seen')} as s where s.hash = b.hash)`,
    `analyze pg_temp.${name}`,
  ]
}

/** Returns the condition that a row of a window was not brought: what was there before has other hashes. */
export const unseenSql = (keys: readonly string[], slice: string): string =>
  `not exists (select from (
    select unnest(hashes) as hash from sluice.mirror_keys where slice = ${BigInt(slice)} and kind = 'seen'
  ) as s where s.hash = ${hashSql('t', keys, `${BigInt(slice)}`)})`

export interface GoneOptions {
  /** The temporary table that is made. */
  readonly name: string
  /** That of `missingSql`. */
  readonly missing: string
  readonly table: Table
  readonly slice: string
  readonly keys: readonly string[]
  /** A further column that is null in each row: the version, which nobody knows. */
  readonly version: { readonly name: string; readonly type: string } | undefined
  /** The condition of the rows of a window, which they have to fulfil now, too. */
  readonly scope: string | undefined
}

/**
 * Returns the statements that make a temporary table of the keys of rows that are gone, numbered as `n` in the order of
 * the key.
 */
export function goneRowsSql({ name, missing, table, slice, keys, version, scope }: GoneOptions): string[] {
  const hash = scope === undefined ? hashSql : storedHashSql
  const list = keys.map((key) => `t.${quoteIdentifier(key)}`)
  const columns = [...list, ...(version ? [`null::${version.type} as ${quoteIdentifier(version.name)}`] : [])]
  return [
    `create temporary table ${name} on commit drop as
  select ${columns.join(', ')}, row_number() over (order by ${list.join(', ')}) as n
  from ${quoteTable(table.name)} as t
  where ${coveredSql('t', table)}${scope === undefined ? '' : ` and ${scope} and ${unseenSql(keys, slice)}`}
    and exists (select from pg_temp.${missing} as m where m.hash = ${hash('t', keys, `${BigInt(slice)}`)})`,
    'set local enable_nestloop to default',
    `analyze pg_temp.${name}`,
  ]
}
