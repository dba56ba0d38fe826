import { readTable, type TableInfo } from '../../database/catalog.ts'
import type { Queryable } from '../../database/queryable.ts'
import { quoteIdentifier, quoteTable } from '../../database/quote.ts'
import type { AccountColumn } from '../../model/account.ts'
import { SchemaError } from '../../model/errors.ts'
import { defined } from '../../value/defined.ts'
import type { Table } from '../../model/recipe.ts'
import { historyColumns } from '../history/columns.ts'
import { hasHistoryColumns, isOwnHistory, keyColumns, refusedMode, refuseOtherUnique } from '../history/conversion.ts'
import { readPartitions, type Partitions } from '../partition/partitions.ts'
import { systemColumns } from './system-columns.ts'
import { refuseHiddenRows } from './rights.ts'
import { typeOf, type ColumnType } from '../values/column-type.ts'
import { readOrigins, type ColumnOrigin } from './column-origin.ts'

/** A table as the catalog describes it. */
export interface TableShape {
  readonly name: string
  readonly columns: ReadonlyMap<string, ColumnType>
  /** Columns that the database computes; they cannot be written. */
  readonly generated: ReadonlySet<string>
  /** How many columns the table has had: one that is dropped still counts against the most that it can have. */
  readonly slots: number
  /** Columns that refuse rows without a value for them. */
  readonly notNull: ReadonlyMap<string, { readonly hasDefault: boolean }>
  /** The streams and fields for which columns were created. */
  readonly origins: ReadonlyMap<string, ColumnOrigin>
  readonly bytes: number
  readonly partitioned: boolean
  /** The partitions that the definition keeps; undefined if it keeps none. */
  readonly partitions?: Partitions
  /** `xmax` of its rows cannot be read: a partitioned table returns none, and rights of columns do not include it. */
  readonly hidesXmax: boolean
  /** True for a table without rows, and without triggers or rules that would change rows copied into it. */
  readonly blank: boolean
  /** True if Sluice has created the first column of the table, and so the table. Its comment survives a restore. */
  readonly created: boolean
  /** True if the table has the system column for the slice's id. */
  readonly hasSlice: boolean
  /** True if the table has the columns of a history. Otherwise it has to become one before it is written as one. */
  readonly isHistory: boolean
}

/**
 * Reads a table from the catalog. Returns undefined if it does not exist. Throws if it cannot be written as the
 * definition says.
 */
export async function readShape(on: Queryable, table: Table): Promise<TableShape | undefined> {
  const info = await readTable(on, table.name)
  if (!info) return undefined
  if (info.kind !== 'table' && info.kind !== 'partitioned')
    throw new SchemaError(`${table.name}: it is a ${info.kind}, not a table: give the stream a table of its own`)
  refuseHiddenRows(info, table)
  if (table.account) requireAccountColumn(info, table, table.account)
  const isHistory = hasHistoryColumns(info)
  if (isHistory && table.write !== 'history' && (await isOwnHistory(on, table.name))) throw refusedMode(info, table)
  if (table.write === 'history') refuseOtherUnique(info, table)
  if (table.key.length > 0) requireUniqueKey(info, table, isHistory && table.write === 'history')
  const origins = await readOrigins(on, table.name)
  const partitions = info.kind === 'partitioned' ? await readPartitions(on, table) : undefined
  return {
    name: table.name,
    columns: new Map(info.columns.map((column) => [column.name, typeOf(column)])),
    generated: new Set(info.columns.filter(({ isGenerated }) => isGenerated).map(({ name }) => name)),
    slots: info.slots,
    notNull: new Map(
      info.columns
        .filter(({ refusesNull, isGenerated }) => refusesNull && !isGenerated)
        .map(({ name, hasDefault }) => [name, { hasDefault }]),
    ),
    origins,
    bytes: info.bytes,
    partitioned: info.kind === 'partitioned',
    ...defined({ partitions }),
    hidesXmax: info.kind === 'partitioned' || !info.hasAllColumns,
    // Only who may write all columns may lock the table, which copying into it needs.
    blank: info.isBlank && info.hasAllColumns,
    created: origins.has(info.columns[0]?.name ?? ''),
    hasSlice: info.columns.some(({ name }) => name === systemColumns.slice),
    isHistory,
  }
}

/** Without the column, or with one that changes its text, the rows of several accounts could not be told apart. */
function requireAccountColumn(info: TableInfo, { name }: Table, account: AccountColumn): void {
  const column = info.columns.find((one) => one.name === account.name)
  const quoted = quoteIdentifier(account.name)
  if (!column)
    throw new SchemaError(
      `${name}: the table has no column ${account.name} for the account. If its rows belong to one account, run: ` +
        `alter table ${quoteTable(name)} add column ${quoted} text not null default 'NAME', and make ${quoted} ` +
        'the first part of its key; or choose another table',
    )
  const { sql } = typeOf(column)
  if (sql !== 'text' || column.isGenerated)
    throw new SchemaError(
      `${name}: the column ${account.name} holds the account, and is ${column.isGenerated ? 'generated' : sql} ` +
        "instead of text. Choose another column, as in accounts(…, { column: 'of_account' })",
    )
}

/**
 * `on conflict (key)` needs a unique index of exactly the key, not partial and not deferrable. Versions of a history
 * differ by their beginning too.
 */
function requireUniqueKey(info: TableInfo, table: Table, isHistory: boolean): void {
  const { name } = table
  const columns = [...keyColumns(table), ...(isHistory ? [historyColumns.from] : [])]
  const missing = columns.filter((column) => !info.columns.some((one) => one.name === column))
  if (missing.length > 0)
    throw new SchemaError(
      `${name}: the table has no column ${missing.join(', ')}, but the key needs it. ` +
        `Add it with values, or choose another key${otherKeys(info)}`,
      { explanation: 'TABLE_KEY' },
    )
  const wanted = JSON.stringify(columns.toSorted())
  const same = info.uniqueIndexes.filter(
    (index) => !index.isExpression && JSON.stringify(index.columns.toSorted()) === wanted,
  )
  if (same.some((index) => indexProblem(index) === undefined)) return
  const [found] = same
  const expression = info.uniqueIndexes.find(
    (index) => index.isExpression && columns.every((column) => index.columns.some((one) => isOf(one, column))),
  )
  if (!found && expression) throw keyIsExpression(name, expression)
  const problem = found
    ? `the unique index ${found.name} is ${indexProblem(found)}`
    : `there is no unique index of exactly (${columns.join(', ')})`
  const list = columns.map(quoteIdentifier).join(', ')
  if (info.partitionKey) refuseWithoutParts(info, info.partitionKey, { name, columns, problem })
  const others = otherKeys(info)
  throw new SchemaError(
    `${name}: ${problem}, which writing by key needs. ` +
      `Run: create unique index ${info.partitionKey ? '' : 'concurrently '}on ${quoteTable(name)} (${list})` +
      (others === '' ? '' : `. Or is the key another one${others}?`),
    { explanation: 'TABLE_KEY' },
  )
}

/** PostgreSQL has unique indexes of a partitioned table only if they contain all columns by which it is divided. */
function refuseWithoutParts(
  info: TableInfo,
  { columns: parts, text }: NonNullable<TableInfo['partitionKey']>,
  { name, columns, problem }: { readonly name: string; readonly columns: readonly string[]; readonly problem: string },
): void {
  const missing = parts.filter((part) => part === null || !columns.includes(part))
  if (missing.length === 0) return
  const begin = `${name}: ${problem}, which writing by key needs, and the table is partitioned by ${text}`
  if (missing.includes(null))
    throw new SchemaError(
      `${begin}: PostgreSQL has no unique index of a table that is divided by an expression. ` +
        "Divide it by a column that is part of the key, or write with write: 'append' and without a key",
      { explanation: 'TABLE_KEY' },
    )
  throw new SchemaError(
    `${begin}: a unique index of such a table has to contain ${missing.join(', ')}. Add the field of ` +
      `${missing.join(', ')} to the key${otherKeys(info)}. It must not change in a record: ` +
      'the record would become a second row',
    { explanation: 'TABLE_KEY' },
  )
}

/** True if a part of an index is a column, or an expression of it such as `lower(email)`. */
const isOf = (part: string, column: string): boolean =>
  part === column || (part.includes('(') && new RegExp(`\\b${RegExp.escape(column)}\\b`).test(part))

/** Rows that the index takes for equal would be different rows for the merge. */
const keyIsExpression = (name: string, { name: index, columns }: TableInfo['uniqueIndexes'][number]): SchemaError =>
  new SchemaError(
    `${name}: the unique index ${index} is on an expression, (${columns.join(', ')}), and rows are merged by ` +
      'columns. If upper and lower case are the same key, make the column citext and give it a unique index; or let ' +
      'a stage write the key in lower case, and add a unique index of the column',
    { explanation: 'TABLE_KEY' },
  )

/** Names the keys by which the table could be written, as in `: it is unique by (id)`; '' if there is none. */
function otherKeys({ uniqueIndexes }: TableInfo): string {
  const usable = uniqueIndexes.filter((index) => !index.isExpression && indexProblem(index) === undefined)
  const named = usable.map(({ columns }) => `(${columns.join(', ')})`)
  return named.length === 0 ? '' : `: the table is unique by ${named.join(' and by ')}`
}

function indexProblem({ isValid, isPartial, isDeferrable }: TableInfo['uniqueIndexes'][number]): string | undefined {
  if (!isValid) return 'not valid'
  if (isPartial) return 'partial'
  return isDeferrable ? 'deferrable' : undefined
}
