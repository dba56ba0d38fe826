// A table that was merged becomes a history, and a history a merged table.
import { readTable, type TableInfo } from '../../database/catalog.ts'
import type { Queryable } from '../../database/queryable.ts'
import { quoteIdentifier, quoteTable, splitTable } from '../../database/quote.ts'
import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import { MAX_REWRITE_BYTES } from '../shape/change-plan.ts'
import { columnName } from '../shape/column-name.ts'
import { systemColumns } from '../shape/system-columns.ts'
import { typeOf } from '../values/column-type.ts'
import {
  checkSql,
  currentIndexSql,
  FROM,
  HISTORY_COMMENT,
  historyColumns,
  historyCommentSql,
  IS_CURRENT,
  isCurrentSql,
  TO,
} from './columns.ts'
import { currentViewName } from './current-view.ts'
import { BEFORE_ALL, isTime, momentSql } from './version-time.ts'

/** True if a table has the columns of a history. */
export const hasHistoryColumns = ({ columns }: Pick<TableInfo, 'columns'>): boolean =>
  [historyColumns.from, historyColumns.to].every((name) => columns.some((column) => column.name === name))

/** Returns the columns of the key, with that of the account. */
export const keyColumns = ({ key, account }: Table): string[] => [
  ...(account ? [account.name] : []),
  ...key.map(columnName),
]

/**
 * Returns the statements that turn a merged table into a history without losing anything. Each row becomes a current
 * version, which begins at its version; without one, when it was last loaded; without that, before all times. The table
 * is written once.
 */
export async function conversionStatements(on: Queryable, table: Table): Promise<readonly string[]> {
  const info = await readTable(on, table.name)
  if (!info) return []
  const name = quoteTable(table.name)
  const { schema } = splitTable(table.name)
  const keys = keyColumns(table)
  const unique = keyIndexes(info, keys)
  const statements = [
    // The index of the key is a constraint, or an index alone. It goes first: the new one takes its name.
    `alter table ${name} ${[
      ...unique.map((index) => `drop constraint if exists ${quoteIdentifier(index)}`),
      `add column ${FROM} timestamptz`,
      `add column ${TO} timestamptz`,
    ].join(', ')}`,
    ...unique.map((index) => `drop index if exists ${quoteIdentifier(schema)}.${quoteIdentifier(index)}`),
    `alter table ${name} ${[
      `alter column ${FROM} type timestamptz using ${beginSql(info, table)}`,
      `alter column ${FROM} set not null`,
      `add column ${isCurrentSql}`,
      `add ${checkSql}`,
      `add primary key (${[...keys.map(quoteIdentifier), FROM].join(', ')})`,
    ].join(', ')}`,
    currentIndexSql(name, keys.map(quoteIdentifier)),
    historyCommentSql(table.name),
  ]
  const size = (info.bytes / MAX_REWRITE_BYTES).toFixed(1)
  if (info.bytes > MAX_REWRITE_BYTES)
    throw new SchemaError(
      `${table.name}: to become a history it is rewritten, which is ${size} GB, ` +
        'and no session can read it until that ends. ' +
        `Choose the time yourself and run: begin; ${statements.join('; ')}; commit`,
    )
  return statements
}

/** The description of the change for people. */
export const CONVERSION = 'turned into a history'

/** Returns the unique indexes of exactly the key. */
const keyIndexes = ({ uniqueIndexes }: TableInfo, keys: readonly string[]): string[] =>
  uniqueIndexes.filter(({ columns, isPartial }) => !isPartial && isSame(columns, keys)).map((index) => index.name)

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  JSON.stringify(some.toSorted()) === JSON.stringify(others.toSorted())

function beginSql({ columns }: TableInfo, { versionBy }: Table): string {
  const find = (name: string): TableInfo['columns'][number] | undefined =>
    columns.find((column) => column.name === name)
  const version = versionBy === undefined ? undefined : find(columnName(versionBy))
  // A null version begins before all times, as it will when the row is read again.
  if (version && isTime(typeOf(version))) return momentSql(quoteIdentifier(version.name), typeOf(version))
  const loadedAt = find(systemColumns.loadedAt)
  return loadedAt ? momentSql(quoteIdentifier(loadedAt.name), typeOf(loadedAt)) : BEFORE_ALL
}

/**
 * Throws if a unique index would refuse a second version of a row: versions repeat the values of columns that have not
 * changed.
 */
export function refuseOtherUnique({ uniqueIndexes }: TableInfo, table: Table): void {
  const keys = keyColumns(table)
  const other = uniqueIndexes.find(
    ({ columns, isPartial }) => !isPartial && !columns.includes(historyColumns.from) && !isSame(columns, keys),
  )
  if (other)
    throw new SchemaError(
      `${table.name}: the unique index ${other.name} (${other.columns.join(', ')}) would refuse a second version of ` +
        `a row. Drop it, or make it one of current rows: create unique index on ${quoteTable(table.name)} ` +
        `(${other.columns.map(quoteIdentifier).join(', ')}) where ${TO} is null`,
    )
}

/** Returns true if Sluice has made a table a history. Its records may have fields of these names in another table. */
export async function isOwnHistory(on: Queryable, name: string): Promise<boolean> {
  const { comment } = await on.one<{ comment: string | null }>(
    `select (
      select col_description(attrelid, attnum) from pg_attribute
      where attrelid = to_regclass($1) and attname = $2 and not attisdropped
    ) as comment`,
    [quoteTable(name), historyColumns.from],
  )
  return comment === HISTORY_COMMENT
}

/** The error for a history that is to be written in another mode, with the transaction that throws its past away. */
export function refusedMode({ columns }: TableInfo, table: Table): SchemaError {
  const { name, write, key } = table
  const target = quoteTable(name)
  const computed = columns.some((column) => column.name === historyColumns.isCurrent)
  const keys = key.length === 0 ? [] : [`add primary key (${keyColumns(table).map(quoteIdentifier).join(', ')})`]
  const actions = [...(computed ? [IS_CURRENT] : []), TO, FROM].map((column) => `drop column ${column}`)
  const statements = [
    'begin',
    `drop view if exists ${quoteTable(currentViewName(name))}`,
    `delete from ${target} where ${TO} is not null`,
    `alter table ${target} ${[...actions, ...keys].join(', ')}`,
    'commit',
  ]
  return new SchemaError(
    `${name}: the table is a history, and write: '${write}' would have to throw its past away. ` +
      `Write { write: 'history' }, or choose another table. To keep only the current rows, run: ` +
      statements.join('; '),
  )
}
