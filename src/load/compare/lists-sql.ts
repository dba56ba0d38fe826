// The statements that compare the entries of nested lists with those of their tables.
import { quoteIdentifier, quoteLiteral } from '../../database/quote.ts'
import { sameKeySql } from '../deleted/deleted-rows.ts'
import type { RowShape } from '../encode/encoded-page.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { columnList } from '../shape/shape-check.ts'
import { ABSENT_COLUMN, comparedColumns, differsSql } from '../upsert-sql.ts'
import { keyJsonSql, recentSql, shown, storedSql, XMIN, type Beginning, type Compared } from './compare-sql.ts'
import { BATCH, DIFFERENT, EXTRA, LATER, READ, ROW, SHAPE } from './scratch-sql.ts'

/** The records whose lists the tables should have as they were read. */
export const PARENTS = 'pg_temp.sluice_list_parents'

/**
 * Returns the statements that collect the records whose lists are compared: not those that differ and that the next run
 * reads, that the table has in a later version, or that were written since the comparison began. `root` is undefined if
 * the table of the records does not exist.
 */
export function parentsSql(
  root: Pick<Compared, 'table' | 'shape' | 'types' | 'beginning'> | undefined,
  keys: readonly LoadedColumn[],
  part: number,
): string[] {
  const isRecent = root
    ? ` and not exists (select from ${storedSql(root)} as t where ${sameKeySql('t', 's', keys)}
      and ${recentSql(`t.${XMIN}`, root.beginning)})`
    : ''
  return [
    `drop table if exists ${PARENTS}`,
    `create temporary table sluice_list_parents as
  select ${columnList(keys)}, ${ROW}, ${BATCH}, ${SHAPE}, ${LATER}, ${quoteIdentifier(ABSENT_COLUMN)} from ${READ} as s
  where not exists (select from ${DIFFERENT} as d where d.${ROW} = s.${ROW} and d."?part" = ${part}
    and d."?kind" in ('newer', 'changed', 'unread'))${isRecent}`,
    `analyze ${PARENTS}`,
  ]
}

/** A nested list, the temporary tables of its entries, and how they belong to records. */
export interface ListNames {
  /** The entries that were read. */
  readonly read: string
  /** Those that differ, and keys of those that only the table has. */
  readonly different: string
  /** The columns of the record's key, with that of the account. */
  readonly parentKeys: readonly string[]
  /** The columns of the entry for them. */
  readonly ownKeys: readonly string[]
  /** The condition that a record `p` has the list. */
  readonly isThere: string
}

/**
 * Returns the condition that a record `p` says what is in a list. With `absent: 'keep'` one without the list leaves the
 * entries as they are.
 */
export function isThereSql(shapes: readonly RowShape[], list: number): string {
  const cases = shapes.flatMap(({ marksAbsent, columns }, number) =>
    marksAbsent
      ? [`when ${number} then get_bit(p.${quoteIdentifier(ABSENT_COLUMN)}, ${columns.length + list}) = 1`]
      : [],
  )
  return cases.length === 0 ? 'true' : `(case p.${SHAPE} ${cases.join(' ')} end) is not true`
}

const ofKeysSql = ({ parentKeys, ownKeys }: Pick<ListNames, 'parentKeys' | 'ownKeys'>, alias: string): string =>
  parentKeys
    .map((name, at) => `p.${quoteIdentifier(name)} = ${alias}.${quoteIdentifier(ownKeys[at] ?? '')}`)
    .join(' and ')

const ofParentSql = (names: ListNames, alias: string): string => `${ofKeysSql(names, alias)} and ${names.isThere}`

/** Returns the query that counts the entries of records that only the table has. */
export const ofExtraSql = (names: Pick<ListNames, 'parentKeys' | 'ownKeys'>, compared: ListCompared): string =>
  `select count(*) as count from ${storedSql(compared)} as t
where exists (select from ${EXTRA} as p where ${ofKeysSql(names, 't')})`

/** Returns the statements that take away entries of records that are not compared, or that were read again since. */
export const keepComparedSql = (names: ListNames): string[] => [
  `delete from ${names.read} as e where not exists (
  select from ${PARENTS} as p where ${ofParentSql(names, 'e')} and p.${BATCH} = e.${BATCH})`,
  `analyze ${names.read}`,
]

export interface ListCompared extends Pick<Compared, 'table' | 'shape' | 'types'> {
  readonly beginning: Beginning
  readonly columns: readonly LoadedColumn[]
}

const ROWS = { stored: 't', sent: 's', mark: 's' } as const

const entryDiffers = (columns: readonly LoadedColumn[]): string => {
  const compared = comparedColumns(columns)
  return compared.length === 0 ? 'false' : differsSql(compared, { columns, marksAbsent: false }, ROWS)
}

export interface CollectEntriesOptions {
  readonly part: number
  /** The columns of the entries that were read. Either table may have got some of them later than others. */
  readonly columns: Iterable<string>
}

/** Returns the statements that collect the entries of a list that differ; `compared` is undefined without its table. */
export function collectEntriesSql(
  names: ListNames,
  compared: ListCompared | undefined,
  { part, columns: all }: CollectEntriesOptions,
): string[] {
  const { read, different } = names
  const own = [...[...all].map(quoteIdentifier), BATCH]
  const collect = `insert into ${different} (${own.join(', ')}, "?kind", "?part", "?parent")
  select ${own.map((name) => `s.${name}`).join(', ')}`
  if (!compared)
    return [
      `${collect}, case when p.${LATER} then 'unread' else 'missing' end, ${part}, p.${ROW}
  from ${read} as s join ${PARENTS} as p on ${ofParentSql(names, 's')}`,
    ]
  const { columns, beginning } = compared
  const keys = columns.filter(({ key }) => key)
  const stored = storedSql(compared)
  const recent = recentSql(`t.${XMIN}`, beginning)
  return [
    `${collect}, case when p.${LATER} then 'unread' when t.${XMIN} is null then 'missing'
    when ${recent} then 'changed' else 'stale' end, ${part}, p.${ROW}
  from ${read} as s join ${PARENTS} as p on ${ofParentSql(names, 's')}
  left join ${stored} as t on ${sameKeySql('t', 's', keys)}
  where t.${XMIN} is null or ${entryDiffers(columns)}`,
    `insert into ${different} (${columnList(keys)}, "?kind", "?part", "?parent")
  select ${keys.map(({ name }) => `t.${quoteIdentifier(name)}`).join(', ')},
    case when p.${LATER} then 'unread extra' when ${recent} then 'written' else 'extra' end, ${part}, p.${ROW}
  from ${stored} as t join ${PARENTS} as p on ${ofParentSql(names, 't')}
  where not exists (select from ${read} as s where ${sameKeySql('s', 't', keys)})`,
  ]
}

/** Returns the statement that adds the records with differing lists to those that a repair reads again. */
export function collectListFaultsSql(
  { types }: Pick<Compared, 'types'>,
  { different }: Pick<ListNames, 'different'>,
  part: number,
): string {
  const list = [...[...types.keys()].map(quoteIdentifier), ROW, SHAPE, LATER, quoteIdentifier(ABSENT_COLUMN)].join(', ')
  return `insert into ${DIFFERENT} (${list}, "?kind", "?part")
  select ${list}, 'lists', ${part} from ${READ} as s
  where s.${ROW} in (select "?parent" from ${different}
      where "?part" = ${part} and "?kind" in ('missing', 'stale', 'extra'))
    and not exists (select from ${DIFFERENT} as d where d.${ROW} = s.${ROW} and d."?part" = ${part}
      and d."?kind" in ('missing', 'stale', 'lists'))`
}

/** Returns the query for the first entries of a kind: the key as JSON, and a list for each differing column. */
export function entrySamplesSql(
  { different }: Pick<ListNames, 'different'>,
  compared: ListCompared,
  { part, kind, limit }: { readonly part: number; readonly kind: string; readonly limit: number },
): string {
  const { columns } = compared
  const keys = columns.filter(({ key }) => key)
  const values = comparedColumns(columns).map((column) => {
    const name = quoteIdentifier(column.name)
    return `case when ${entryDiffers([column])} then json_build_array(${quoteLiteral(column.name)},
      ${shown(`t.${name}`)}, ${shown(`s.${name}`)})::text end`
  })
  const list = kind === 'stale' ? `array_remove(array[${values.join(', ')}]::text[], null)` : 'null::text[]'
  return `select ${keyJsonSql('s', keys)} as key, ${list} as columns
from ${different} as s left join ${storedSql(compared)} as t on ${sameKeySql('t', 's', keys)}
where s."?part" = ${part} and s."?kind" = ${quoteLiteral(kind)} order by s.ctid limit ${limit}`
}

/** Returns the query that counts the differing entries that still differ. */
export function stillDifferSql({ different }: Pick<ListNames, 'different'>, compared: ListCompared): string {
  const keys = compared.columns.filter(({ key }) => key)
  return `select count(*) as still
from ${different} as s left join ${storedSql(compared)} as t on ${sameKeySql('t', 's', keys)}
where case when s."?kind" in ('missing', 'stale') then t.${XMIN} is null or ${entryDiffers(compared.columns)}
  else s."?kind" = 'extra' and t.${XMIN} is not null end`
}
