// The statements that compare the rows of a reading with those of the table.
import { quoteIdentifier, quoteLiteral, quoteTable } from '../../database/quote.ts'
import { marksDeleted } from '../../model/deletions.ts'
import type { DifferenceKind } from '../../model/difference.ts'
import { isMerged, type Table } from '../../model/recipe.ts'
import { keyTextSql, sameKeySql } from '../deleted/deleted-rows.ts'
import type { RowShape } from '../encode/encoded-page.ts'
import { TO } from '../history/columns.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { columnList } from '../shape/shape-check.ts'
import { DELETED_AT } from '../shape/system-columns.ts'
import type { TableShape } from '../shape/table-shape.ts'
import { ABSENT_COLUMN, comparedColumns, differsSql, mergedSql, notOlderSql } from '../upsert-sql.ts'
import type { ColumnType } from '../values/column-type.ts'
import { conversionSql } from '../values/convert-sql.ts'
import { DIFFERENT, EXTRA, GONE, LATER, READ, ROW, SHAPE, type GoneColumns } from './scratch-sql.ts'

/** The moment at which a comparison began. */
export interface Beginning {
  /** The oldest transaction that was under way. Rows of later ones, and of this one, may be new. */
  readonly transaction: string
  /** By the clock of the server. */
  readonly at: string
}

/** The table that rows are compared with. */
export interface Compared {
  readonly table: Table
  readonly shape: TableShape
  /** The types of the reading's columns. */
  readonly types: ReadonlyMap<string, ColumnType>
  readonly beginning: Beginning
  /** The ledger keeps the rows that were deleted. */
  readonly keepsDeleted: boolean
  /** A run has replaced the rows of the table since the comparison began. */
  readonly isReplaced: boolean
}

export const XMIN = '"?xmin"'
export const MARKED = '"?marked"'

/**
 * Returns the rows of the table that belong to the stream's account, the current ones of a history, with the columns of
 * the reading in the types of the reading.
 */
export function storedSql({ table, shape, types }: Pick<Compared, 'table' | 'shape' | 'types'>, more = 'true'): string {
  const columns = [...types].map(([name, type]) => {
    const stored = shape.columns.get(name)
    const quoted = quoteIdentifier(name)
    if (!stored) return `null::${type.sql} as ${quoted}`
    return stored.sql === type.sql ? quoted : `${conversionSql(name, stored, type)} as ${quoted}`
  })
  const { account } = table
  const isMarked = marksDeleted(table) && shape.columns.has(DELETED_AT)
  const conditions = [
    more,
    ...(account ? [`${quoteIdentifier(account.name)} = ${quoteLiteral(account.value)}`] : []),
    ...(shape.isHistory ? [`${TO} is null`] : []),
  ]
  const all = [
    ...columns,
    `xmin::text::bigint as ${XMIN}`,
    `${isMarked ? `${quoteIdentifier(DELETED_AT)} is not null` : 'false'} as ${MARKED}`,
  ]
  return `(select ${all.join(', ')} from ${quoteTable(table.name)} where ${conditions.join(' and ')})`
}

/**
 * Returns the condition that a row may have been written since the comparison began. Numbers of transactions wrap
 * around, so they are compared by their distance from the beginning.
 */
export const recentSql = (xmin: string, { transaction }: Beginning): string =>
  `((${xmin} - ${BigInt(transaction)}) & 4294967295) < ` +
  `(pg_snapshot_xmax(pg_current_snapshot())::text::bigint - ${BigInt(transaction)})`

const keysOf = ({ columns }: RowShape): LoadedColumn[] => columns.filter(({ key }) => key)

/** Returns the condition that a row `s` of the reading has other values than the stored row `t`. */
function contentsDifferSql({ table }: Compared, { columns, marksAbsent }: RowShape): string {
  // An append leaves a stored row as it is.
  const compared = table.write === 'append' ? [] : comparedColumns(columns)
  const differs = compared.length === 0 ? 'false' : differsSql(compared, { columns, marksAbsent }, ROWS)
  return `(${differs} or t.${MARKED})`
}

const ROWS = { stored: 't', sent: 's', mark: 's' } as const

/** Returns the expression of the kind of a difference, for rows `s` of the reading and the stored row `t`, if any. */
function kindSql(compared: Compared, shape: RowShape): string {
  const { beginning } = compared
  const { version } = shape
  // Null if the sent row has no version: it is older than one that has.
  const newer =
    version && isMerged(compared.table) ? `when ${notOlderSql(version, 't', 's')} is not true then 'newer'` : ''
  return `case
    when t.${XMIN} is null and (${deletedSinceSql(compared, shape)}) then 'changed'
    when t.${XMIN} is not null and ${recentSql(`t.${XMIN}`, beginning)} then 'changed'
    when s.${LATER} then 'unread'
    when t.${XMIN} is null then 'missing'
    ${newer} else 'stale' end`
}

/** Returns the condition that the row of a key was deleted, or its version ended, since the comparison began. */
function deletedSinceSql({ table, shape, beginning, keepsDeleted, isReplaced }: Compared, sent: RowShape): string {
  if (isReplaced) return 'true'
  const keys = keysOf(sent)
  if (shape.isHistory)
    return `exists (select from ${quoteTable(table.name)} as h where ${sameKeySql('h', 's', keys)}
      and ${recentSql('h.xmin::text::bigint', beginning)})`
  if (!keepsDeleted) return 'false'
  return `exists (select from sluice.deleted_rows as g where g.table_name = ${quoteLiteral(table.name)}
      and g.key = ${keyTextSql('s', sent.columns)} and g.deleted_at >= ${quoteLiteral(beginning.at)}::timestamptz)`
}

/** Returns the statement that collects all rows of the reading as missing: there is no table. */
export function collectMissingSql({ types }: Pick<Compared, 'types'>, part: number): string {
  const list = [...[...types.keys()].map(quoteIdentifier), ...MARKS].join(', ')
  return `insert into ${DIFFERENT} (${list}, "?kind", "?part") select ${list}, 'missing', ${part} from ${READ}`
}

/** The columns of the temporary tables that are no values of the row. */
const MARKS = [ROW, SHAPE, LATER, quoteIdentifier(ABSENT_COLUMN)]

/** Returns the statement that collects the rows of the reading that differ from the table, for one list of columns. */
export function collectDifferentSql(compared: Compared, shape: RowShape, { number, part }: Part): string {
  const list = [...[...compared.types.keys()].map(quoteIdentifier), ...MARKS]
  return `insert into ${DIFFERENT} (${list.join(', ')}, "?kind", "?part")
select ${list.map((name) => `s.${name}`).join(', ')}, ${kindSql(compared, shape)}, ${part}
from ${READ} as s left join ${storedSql(compared)} as t on ${sameKeySql('t', 's', shape.columns)}
where s.${SHAPE} = ${number} and (t.${XMIN} is null or ${contentsDifferSql(compared, shape)})`
}

/** The number of a list of columns, and of the part of the stream that was read. */
export interface Part {
  readonly number: number
  readonly part: number
}

/** Returns the statement that gives each difference the kind that it has now; '' for those that are none any more. */
export const compareAgainSql = (compared: Compared, shape: RowShape, number: number): string =>
  `update ${DIFFERENT} as d set "?kind" = n.kind from (
  select s.ctid as place,
    case when t.${XMIN} is null or ${contentsDifferSql(compared, shape)}
      then ${kindSql(compared, shape)} else '' end as kind
  from ${DIFFERENT} as s left join ${storedSql(compared)} as t on ${sameKeySql('t', 's', shape.columns)}
  where s.${SHAPE} = ${number} and s."?kind" in ('missing', 'stale')
) as n where d.ctid = n.place`

/** Returns the statement that counts by column how the differing rows of a kind differ: one number for each column. */
export function columnCountsSql(compared: Compared, shape: RowShape, number: number): string {
  const counts = differingColumns(shape).map(({ differs }) => `count(*) filter (where ${differs})`)
  return `select array[${counts.join(', ')}]::bigint[] as counts
from ${DIFFERENT} as s join ${storedSql(compared)} as t on ${sameKeySql('t', 's', shape.columns)}
where s.${SHAPE} = ${number} and s."?kind" = 'stale'`
}

/** The columns by which rows of a shape may differ, and the mark of deleted rows, with the condition for each. */
export const differingColumns = (shape: RowShape): { readonly name: string; readonly differs: string }[] => [
  ...comparedColumns(shape.columns).map((column) => ({
    name: column.name,
    differs: differsSql([column], shape, ROWS),
  })),
  { name: DELETED_AT, differs: `t.${MARKED}` },
]

/** Characters of a value that a sample shows. */
const MAX_VALUE_LENGTH = 200

/** Returns a value as a sample shows it. */
export const shown = (value: string): string => `left((${value})::text, ${MAX_VALUE_LENGTH})`

/** Returns the query for the first differences of a kind: the key as JSON, and a list for each differing column. */
export function samplesSql(
  compared: Compared,
  shape: RowShape,
  { number, part, kind, limit }: Part & { readonly kind: DifferenceKind; readonly limit: number },
): string {
  const values = comparedColumns(shape.columns).map((column) => {
    const name = quoteIdentifier(column.name)
    const after = shown(mergedSql(column, shape, ROWS))
    return `case when ${differsSql([column], shape, ROWS)}
      then json_build_array(${quoteLiteral(column.name)}, ${shown(`t.${name}`)}, ${after})::text end`
  })
  const marked = `case when t.${MARKED} then json_build_array(${quoteLiteral(DELETED_AT)}, 'set', null)::text end`
  const columns = kind === 'missing' ? 'null::text[]' : `array_remove(array[${[...values, marked].join(', ')}], null)`
  return `select ${keyJsonSql('s', keysOf(shape))} as key, ${columns} as columns
from ${DIFFERENT} as s left join ${storedSql(compared)} as t on ${sameKeySql('t', 's', shape.columns)}
where s.${SHAPE} = ${number} and s."?part" = ${part} and s."?kind" = ${quoteLiteral(kind)}
order by s.${ROW} limit ${limit}`
}

/** Returns the key of a row as JSON, without the account. */
export const keyJsonSql = (alias: string, keys: readonly LoadedColumn[]): string =>
  `json_build_object(${keys
    .filter(({ constant }) => constant === undefined)
    .map(({ name }) => `${quoteLiteral(name)}, ${alias}.${quoteIdentifier(name)}`)
    .join(', ')})::text`

/** Returns the statement that creates the list of the table's rows that a reading does not have. */
export const createExtraSql = (keys: readonly LoadedColumn[]): string[] => [
  `drop table if exists ${EXTRA}`,
  `create temporary table ${EXTRA} as select ${columnList(keys)} from ${READ} with no data`,
  `alter table ${EXTRA} add "?announced" boolean not null, add "?part" int not null`,
]

export interface ExtraOptions {
  readonly keys: readonly LoadedColumn[]
  readonly gone: GoneColumns | undefined
  readonly part: number
  /** The rows of the table that the reading should have. @default all of the stream */
  readonly scope: string
}

/**
 * Returns the statement that collects rows of the table that the reading does not have. It returns as `changed` how
 * many more of them were written since the comparison began.
 */
export function collectExtraSql(compared: Compared, { keys, gone, part, scope }: ExtraOptions): string {
  const list = columnList(keys)
  const isGone = gone ? ` and not exists (select from ${GONE} as g where ${sameKeySql('t', 'g', keys)})` : ''
  return `with unseen as (
  select ${list}, ${recentSql(`t.${XMIN}`, compared.beginning)} as recent
  from ${storedSql(compared, scope)} as t
  where not t.${MARKED} and not exists (select from ${READ} as s where ${sameKeySql('t', 's', keys)})${isGone}
), kept as (
  insert into ${EXTRA} (${list}, "?announced", "?part") select ${list}, false, ${part} from unseen where not recent
)
select count(*) filter (where recent) as changed from unseen`
}

/** Returns the statement that collects rows of the table whose records the source announced as deleted. */
export function collectAnnouncedSql(
  compared: Compared,
  { keys, version }: GoneColumns,
  { part }: Pick<Part, 'part'>,
): string {
  const list = keys.map(({ name }) => `t.${quoteIdentifier(name)}`).join(', ')
  const isOver = version ? ` and (g.${quoteIdentifier(version.name)} is null or ${notOlderSql(version, 't', 'g')})` : ''
  return `insert into ${EXTRA} (${columnList(keys)}, "?announced", "?part")
select ${list}, true, ${part} from ${GONE} as g join ${storedSql(compared)} as t on ${sameKeySql('t', 'g', keys)}
where not g.${LATER} and not t.${MARKED} and not ${recentSql(`t.${XMIN}`, compared.beginning)}
  and not exists (select from ${READ} as s where ${sameKeySql('g', 's', keys)})${isOver}`
}

/** Returns the statement that takes rows from the list whose records another reading has. */
export const foundAgainSql = (keys: readonly LoadedColumn[]): string =>
  `delete from ${EXTRA} as e using ${READ} as s where not e."?announced" and ${sameKeySql('e', 's', keys)}`
