import { quoteIdentifier, quoteLiteral, quoteTable, splitTable } from '../../database/quote.ts'
import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import { formatCount } from '../../value/format.ts'
import { shorten } from '../../value/text.ts'
import { checkSql, currentIndexSql, FROM, historyCommentSql, isCurrentSql, TO } from '../history/columns.ts'
import { columnType } from '../values/column-type.ts'
import { conversionSql } from '../values/convert-sql.ts'
import { defaultPartitionSql, divisionSql, planPartitions } from '../partition/plan-partitions.ts'
import { MAX_COLUMNS } from './overflow.ts'
import { originSql } from './column-origin.ts'
import type { LoadedColumn } from './loaded-column.ts'
import type { SchemaChange } from './schema-change.ts'
import { addedColumns, systemColumns } from './system-columns.ts'
import type { TableShape } from './table-shape.ts'

/** Changing a type rewrites the table under a lock that excludes readers. Larger tables are not rewritten. */
export const MAX_REWRITE_BYTES = 2 ** 30

export interface ChangePlan {
  readonly statements: readonly string[]
  /** The columns whose types change. */
  readonly widened: readonly string[]
  /** The views that are made again. @default none */
  readonly views?: string
  /** Describes the change for people. */
  readonly change: string
}

/**
 * Plans the statements that give a table the needed change. `shape` is the table inside the transaction: the plan is
 * empty if another process has made the change.
 */
export function planChange(
  change: SchemaChange,
  table: Table,
  shape: TableShape | undefined,
  stream: string,
): ChangePlan {
  return shape ? planAlteration(change, table, shape, stream) : planCreation(change, table, stream)
}

function planCreation({ add }: SchemaChange, table: Table, stream: string): ChangePlan {
  const { schema } = splitTable(table.name)
  const name = quoteTable(table.name)
  const quotedSchema = quoteIdentifier(schema)
  const account = add.filter(({ constant }) => constant !== undefined)
  const keys = [
    ...account.filter(({ key }) => key),
    ...table.key.flatMap((field) => add.filter((column) => column.field === field && !account.includes(column))),
  ]
  const keyNames = keys.map((key) => quoteIdentifier(key.name))
  const isHistory = table.write === 'history'
  const columns = [...account, ...add.filter((column) => !account.includes(column)).toSorted(keysFirst)].map(
    (column) =>
      `${quoteIdentifier(column.name)} ${column.type.sql}` +
      (column.key || column.constant !== undefined ? ' not null' : ''),
  )
  const more = [
    ...(table.write === 'append' ? [`${quoteIdentifier(systemColumns.slice)} bigint`] : []),
    ...addedColumns(table).map(
      ({ name: column, type, default: value }) =>
        `${quoteIdentifier(column)} ${type}${value === undefined ? '' : ` default ${value}`}`,
    ),
    ...(isHistory ? [`${FROM} timestamptz not null`, `${TO} timestamptz`, isCurrentSql, checkSql] : []),
    ...(keys.length > 0 ? [`primary key (${[...keyNames, ...(isHistory ? [FROM] : [])].join(', ')})`] : []),
  ]
  refuseTooWide(table, columns.length + more.filter((one) => !/^(?:primary key|check) /.test(one)).length)
  return {
    statements: [
      // `create schema if not exists` would need the right to create schemas even if the schema exists.
      `do $sluice$ begin if to_regnamespace(${quoteLiteral(quotedSchema)}) is null then ` +
        `create schema ${quotedSchema}; end if; end $sluice$`,
      `create table ${name} (${[...columns, ...more].join(', ')})${divisionSql(table)}`,
      ...(table.partition ? [defaultPartitionSql(table)] : []),
      ...(table.write === 'append' ? [sliceIndexSql(table.name)] : []),
      ...(isHistory ? [currentIndexSql(name, keyNames), historyCommentSql(table.name)] : []),
      ...add.map((column) => originSql(table.name, column.name, { stream, field: column.field })),
    ],
    widened: [],
    change: `created with ${add.map((column) => `${column.name} ${column.type.sql}`).join(', ')}`,
  }
}

const keysFirst = (a: LoadedColumn, b: LoadedColumn): number => Number(b.key) - Number(a.key)

function planAlteration(
  { add, widen, cover = [] }: SchemaChange,
  table: Table,
  shape: TableShape,
  stream: string,
): ChangePlan {
  const missing = add.filter((column) => !shape.columns.has(column.name))
  // A column that has changed since is skipped: the page is encoded for its new type, and may ask again.
  const wider = widen.filter(({ column }) => shape.columns.get(column.name)?.sql === column.type.sql)
  const added = addedColumns(table).filter(({ name }) => !shape.columns.has(name))
  if (missing.length + added.length > 0) refuseTooWide(table, shape.slots + missing.length + added.length, shape)
  const actions = [
    ...missing.map((column) => `add column if not exists ${quoteIdentifier(column.name)} ${column.type.sql}`),
    ...wider.map(({ column, to }) => {
      const conversion = conversionSql(column.name, column.type, columnType(to))
      return `alter column ${quoteIdentifier(column.name)} type ${to} using ${conversion}`
    }),
    // A default that came with the column would give it to the rows that are there already.
    ...added.flatMap((column) => [
      `add column if not exists ${quoteIdentifier(column.name)} ${column.type}`,
      ...(column.default === undefined
        ? []
        : [`alter column ${quoteIdentifier(column.name)} set default ${column.default}`]),
    ]),
  ]
  const statements = actions.length === 0 ? [] : [`alter table ${quoteTable(table.name)} ${actions.join(', ')}`]
  if (wider.length > 0 && shape.bytes > MAX_REWRITE_BYTES) {
    const widened = wider.map(({ column, to }) => `${column.name} from ${column.type.sql} to ${to}`).join(', ')
    const size = (shape.bytes / MAX_REWRITE_BYTES).toFixed(1)
    throw new SchemaError(
      `${table.name}: widening ${widened} rewrites ${size} GB, and no session can read the table until that ends. ` +
        `Choose the time yourself and run: ${shorten(statements.join('; '))}`,
    )
  }
  const { made, statements: partitions } = planPartitions(cover, table, shape)
  return {
    statements: [
      ...statements,
      ...partitions,
      ...missing.map((column) => originSql(table.name, column.name, { stream, field: column.field })),
    ],
    widened: wider.map(({ column }) => column.name),
    change: [
      ...missing.map((column) => `added ${column.name} ${column.type.sql}`),
      ...wider.map(({ column, to }) => `widened ${column.name} from ${column.type.sql} to ${to}`),
      ...added.map(({ name }) => `added ${name}`),
      ...made.map((partition) => `added the partition ${partition}`),
    ].join(', '),
  }
}

/** Says what PostgreSQL would refuse in its own words, before anything is sent. */
function refuseTooWide({ name, overflow }: Table, count: number, shape?: TableShape): void {
  if (count <= MAX_COLUMNS) return
  const dropped = shape ? shape.slots - shape.columns.size : 0
  const counted = dropped > 0 ? `, ${dropped} of which were dropped but count until the table is made anew` : ''
  const remedy = overflow
    ? 'Leave fields out'
    : "Set overflow: 'rest' for the table, which stores further fields in the jsonb column rest; or leave fields out"
  throw new SchemaError(
    `${name}: it would have ${formatCount(count, 'column')}${counted}, and a table in PostgreSQL has at most 1,600. ` +
      `Nothing was changed. ${remedy} with columns: { FIELD: false }`,
  )
}

/** Returns the statement for an index on the slice's id: a small one, because rows of a slice lie together. */
export const sliceIndexSql = (table: string): string =>
  `create index on ${quoteTable(table)} using brin (${quoteIdentifier(systemColumns.slice)})`

/** Returns the statement that adds the column for the slice's id. */
export const addSliceSql = (table: string): string =>
  `alter table ${quoteTable(table)} add column if not exists ${quoteIdentifier(systemColumns.slice)} bigint`
