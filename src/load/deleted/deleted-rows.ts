// `sluice.deleted_rows`: the rows that were deleted, and the versions from which on they are gone.
import { quoteIdentifier, quoteLiteral, quoteTable } from '../../database/quote.ts'
import { DEFAULT_UNDO, marksDeleted } from '../../model/deletions.ts'
import type { Table } from '../../model/recipe.ts'
import type { Slice } from '../../model/slice.ts'
import { duration } from '../../value/duration.ts'
import { versionSql } from '../encode/version-order.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { DELETED_AT, systemColumns } from '../shape/system-columns.ts'

/**
 * Returns the statement that waits for the right to write rows of a table, and holds it until the transaction ends. A
 * transaction that deletes rows waits for those that store rows, and the other way round: otherwise neither would see
 * what the other one is about to commit, and an older row could be stored after its record was deleted.
 */
export const rowsLockSql = (table: Pick<Table, 'name' | 'account'>, mode: 'stores' | 'deletes'): string =>
  `select pg_advisory_xact_lock${mode === 'stores' ? '_shared' : ''}(` +
  `hashtextextended(${quoteLiteral(`sluice rows of ${ownRows(table)}`)}, 0))`

/** Names the rows of a table that a stream can write: those of its account, if there are several. */
export const ownRows = ({ name, account }: Pick<Table, 'name' | 'account'>): string =>
  account ? `${name} of ${account.value}` : name

/** Returns the key of a row as text. Its columns are in the order of their names: all streams write the same. */
export const keyTextSql = (alias: string, columns: readonly Pick<LoadedColumn, 'name' | 'key'>[]): string =>
  `json_build_array(${columns
    .filter(({ key }) => key)
    .map(({ name }) => name)
    .toSorted()
    .map((name) => `${alias}.${quoteIdentifier(name)}`)
    .join(', ')})::text`

/** Returns a version as text that no setting of a session changes. */
const versionTextSql = (alias: string, { name }: LoadedColumn): string =>
  `to_json(${alias}.${quoteIdentifier(name)}) #>> '{}'`

/** Returns the condition that two rows have the same key. */
export const sameKeySql = (
  one: string,
  other: string,
  columns: readonly Pick<LoadedColumn, 'name' | 'key'>[],
): string =>
  columns
    .filter(({ key }) => key)
    .map(({ name }) => `${one}.${quoteIdentifier(name)} = ${other}.${quoteIdentifier(name)}`)
    .join(' and ')

/**
 * Returns the statement that removes from a staging table the rows whose record was deleted later than they are. Hold
 * the lock of the table.
 */
export function removeStaleSql(
  table: string,
  source: string,
  columns: readonly LoadedColumn[],
  { name, type }: LoadedColumn,
): string {
  const version = `s.${quoteIdentifier(name)}`
  return `delete from ${source} as s using sluice.deleted_rows as g
  where g.table_name = ${quoteLiteral(table)} and g.key = ${keyTextSql('s', columns)} and g.version is not null
    and (${version} is null or ${versionSql(`g.version::${type.sql}`, type)} > ${versionSql(version, type)})`
}

/** Returns the statement that says whether a table has rows that were deleted at some version. */
export const hasDeletedSql = (table: string): string =>
  `select exists (
  select from sluice.deleted_rows where table_name = ${quoteLiteral(table)} and version is not null
) as found`

/** What found that a record does not exist: the API announced it, or it was missing in a complete reading. */
export type DeletionReason = 'announced' | 'missing'

export interface RemoveOptions {
  readonly table: Table
  readonly reason: DeletionReason
  readonly slice: Pick<Slice, 'id' | 'pipeline' | 'stream'>
  /** The columns of the key at least. */
  readonly columns: readonly LoadedColumn[]
  readonly version: LoadedColumn | undefined
}

/** Returns the command that removes rows of the table `t`, or marks them, without its conditions. */
export function removeSql(table: Table, using: string | undefined): string {
  const target = `${quoteTable(table.name)} as t`
  if (!marksDeleted(table)) return `delete from ${target}${using === undefined ? '' : ` using ${using}`}`
  const stamps = [DELETED_AT, ...(table.loadedAt ? [systemColumns.loadedAt] : [])]
  const set = stamps.map((column) => `${quoteIdentifier(column)} = statement_timestamp()`).join(', ')
  return `update ${target} set ${set}${using === undefined ? '' : ` from ${using}`}`
}

/** Returns the condition of rows that are not marked yet, as the end of other conditions. */
export const notMarkedSql = (table: Table): string =>
  marksDeleted(table) ? ` and t.${quoteIdentifier(DELETED_AT)} is null` : ''

/**
 * Returns the statement that deletes the rows of the keys in a staging table or query, unless they are newer than the
 * deletion, and keeps them. It returns their number as `deleted`. With a `version` the source has its column: null
 * deletes a row of any version.
 */
export function deleteRowsSql(source: string, { table, slice, columns, version, reason }: RemoveOptions): string {
  const mark = marksDeleted(table)
  const keeps = table.undo !== false && !mark
  const stored = version && `t.${quoteIdentifier(version.name)}`
  const sent = version && `d.${quoteIdentifier(version.name)}`
  const notNewer =
    version === undefined
      ? ''
      : ` and (${sent} is null or ${stored} is null or ` +
        `${versionSql(`${stored}`, version.type)} <= ${versionSql(`${sent}`, version.type)})`
  const removed = `${removeSql(table, `${source} as d`)}
  where ${sameKeySql('t', 'd', columns)}${notNewer}${notMarkedSql(table)}`
  if (!keeps && !version) return `with gone as (${removed} returning 1) select count(*) as deleted from gone`
  const key = keyTextSql('d', columns)
  const text = version ? `coalesce(${versionTextSql('d', version)}, gone.version)` : 'null::text'
  const isNewer = version
    ? `${versionSql(`(${versionTextSql('d', version)})::${version.type.sql}`, version.type)} > ` +
      versionSql(`g.version::${version.type.sql}`, version.type)
    : 'false'
  return `with gone as (
  ${removed}
  returning ${key} as key, ${keeps ? 'row_to_json(t)' : 'null::json'} as row,
    ${version ? versionTextSql('t', version) : 'null::text'} as version
), kept as (
  insert into sluice.deleted_rows as o (table_name, key, version, row, pipeline, stream, slice, run, reason,
    expires_at)
  select distinct on (${key}) ${quoteLiteral(table.name)}, ${key}, ${text}, gone.row,
    ${keptBySql(table, slice, reason)}
  from ${source} as d
    left join gone on gone.key = ${key}
    left join sluice.deleted_rows as g on g.table_name = ${quoteLiteral(table.name)} and g.key = ${key}
  where gone.row is not null or (${text} is not null and (g.version is null or ${isNewer}))
  ${KEEP_LAST}
)
select count(*) as deleted from gone`
}

/** Returns the values of the columns from `pipeline` to `expires_at`. */
export function keptBySql(
  { undo = DEFAULT_UNDO }: Table,
  { pipeline, stream, id }: RemoveOptions['slice'],
  reason: DeletionReason,
): string {
  const seconds = duration(undo === false ? DEFAULT_UNDO : undo) / 1_000
  const values = [pipeline, stream].map(quoteLiteral).join(', ')
  const run = `(select run from sluice.slices where id = ${BigInt(id)})`
  const expires = `statement_timestamp() + make_interval(secs => ${seconds})`
  return `${values}, ${BigInt(id)}, ${run}, ${quoteLiteral(reason)}, ${expires}`
}

/** When and by which deletion a row was taken: the entries of its lists, which are deleted later, belong to that. */
const TAKEN = ['parent_table', 'parent_key', 'pipeline', 'stream', 'slice', 'run', 'reason', 'deleted_at']
const latest = (name: string): string =>
  `${name} = case when excluded.row is null and o.row is not null then o.${name} else excluded.${name} end`

/**
 * What becomes of a row that was deleted before: the last one stays, and the version does not go back. A deletion that
 * has found no row leaves the kept row as it is, apart from its version.
 */
export const KEEP_LAST = `on conflict on constraint deleted_once do update
    set version = coalesce(excluded.version, o.version), row = coalesce(excluded.row, o.row),
        ${TAKEN.map(latest).join(',\n        ')},
        expires_at = excluded.expires_at`

/**
 * Returns the statement that takes the mark from rows of a staging table `source`, after they were merged: their
 * records exist. It returns as `updated` how many of them the merge had left as they were.
 */
export function unmarkSql(
  table: Table,
  source: string,
  columns: readonly LoadedColumn[],
  version?: LoadedColumn,
): string {
  const target = quoteTable(table.name)
  const mark = quoteIdentifier(DELETED_AT)
  const stamp = table.loadedAt ? `, ${quoteIdentifier(systemColumns.loadedAt)} = statement_timestamp()` : ''
  const at = (alias: string): string => `${alias}.${quoteIdentifier(version?.name ?? '')}`
  const isStored =
    version &&
    ` and (${at('t')} is null or ${versionSql(at('t'), version.type)} <= ${versionSql(at('s'), version.type)})`
  // A row that this transaction has written counts already. Its number is at least that of the transaction.
  return `with hit as (
  select t.tableoid as part, t.ctid as place,
    t.xmin::text::bigint >= pg_current_xact_id()::text::bigint % 4294967296 as counted
  from ${target} as t join ${source} as s on ${sameKeySql('t', 's', columns)}
  where t.${mark} is not null${isStored ?? ''}
), done as (
  update ${target} as t set ${mark} = null${stamp} from hit
  where t.tableoid = hit.part and t.ctid = hit.place returning hit.counted
)
select count(*) filter (where not counted) as updated from done`
}
