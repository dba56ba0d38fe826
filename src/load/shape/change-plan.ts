import { quoteIdentifier, quoteTable, splitTable } from '../../database/quote.ts'
import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import { systemColumns } from './system-columns.ts'
import { columnType } from '../values/column-type.ts'
import { conversionSql } from '../values/convert-sql.ts'
import { originSql } from './column-origin.ts'
import type { SchemaChange } from './schema-change.ts'
import type { TableShape } from './table-shape.ts'

/** A type is changed by writing the table anew, under a lock that keeps all readers out: not for tables beyond this. */
const mostBytes = 2 ** 30

export interface ChangePlan {
  readonly statements: readonly string[]
  /** What is done, for people. */
  readonly change: string
}

/** What has to be done to a table that is like this by now, which may be nothing: somebody else may have done it. */
export function planChange(
  need: SchemaChange,
  table: Table,
  shape: TableShape | undefined,
  stream: string,
): ChangePlan {
  return shape ? alteration(need, table, shape, stream) : creation(need, table, stream)
}

function creation({ add }: SchemaChange, table: Table, stream: string): ChangePlan {
  const { schema } = splitTable(table.name)
  const name = quoteTable(table.name)
  const keys = table.key.map((field) => add.find((column) => column.field === field)?.name)
  const columns = add
    .toSorted((a, b) => Number(b.key) - Number(a.key))
    .map((column) => `${quoteIdentifier(column.name)} ${column.type.sql}${column.key ? ' not null' : ''}`)
  const more = [
    ...(table.write === 'append' ? [`${quoteIdentifier(systemColumns.slice)} bigint`] : []),
    ...(table.loadedAt ? [`${quoteIdentifier(systemColumns.loadedAt)} timestamptz default statement_timestamp()`] : []),
    ...(keys.length > 0 ? [`primary key (${keys.map((key) => quoteIdentifier(key!)).join(', ')})`] : []),
  ]
  return {
    statements: [
      // Not `create schema if not exists`: it asks for the right even where there is nothing to create.
      `do $sluice$ begin if to_regnamespace(${literal(quoteIdentifier(schema))}) is null then create schema ${quoteIdentifier(schema)}; end if; end $sluice$`,
      `create table ${name} (${[...columns, ...more].join(', ')})`,
      ...(table.write === 'append' ? [sliceIndexSql(table.name)] : []),
      ...add.map((column) => originSql(table.name, column.name, { stream, field: column.field })),
    ],
    change: `created with ${add.map((column) => `${column.name} ${column.type.sql}`).join(', ')}`,
  }
}

function alteration({ add, widen }: SchemaChange, table: Table, shape: TableShape, stream: string): ChangePlan {
  const missing = add.filter((column) => !shape.columns.has(column.name))
  // Where it is not what it was, the page is encoded by what it is now, and asks again if need be.
  const wider = widen.filter(({ column }) => shape.columns.get(column.name)?.sql === column.type.sql)
  const stamp = table.loadedAt && !shape.columns.has(systemColumns.loadedAt)
  const actions = [
    ...missing.map((column) => `add column if not exists ${quoteIdentifier(column.name)} ${column.type.sql}`),
    ...wider.map(
      ({ column, to }) =>
        `alter column ${quoteIdentifier(column.name)} type ${to} using ${conversionSql(column.name, columnType(to))}`,
    ),
    ...(stamp
      ? [
          `add column if not exists ${quoteIdentifier(systemColumns.loadedAt)} timestamptz`,
          `alter column ${quoteIdentifier(systemColumns.loadedAt)} set default statement_timestamp()`,
        ]
      : []),
  ]
  const statements = actions.length === 0 ? [] : [`alter table ${quoteTable(table.name)} ${actions.join(', ')}`]
  if (wider.length > 0 && shape.bytes > mostBytes) {
    const widened = wider.map(({ column, to }) => `${column.name} from ${column.type.sql} to ${to}`).join(', ')
    throw new SchemaError(
      `${table.name}: its ${(shape.bytes / mostBytes).toFixed(1)} GB would be written anew to widen ${widened}, while nobody can read it. Choose the time yourself and run: ${statements.join('; ')}`,
    )
  }
  return {
    statements: [
      ...statements,
      ...missing.map((column) => originSql(table.name, column.name, { stream, field: column.field })),
    ],
    change: [
      ...missing.map((column) => `added ${column.name} ${column.type.sql}`),
      ...wider.map(({ column, to }) => `widened ${column.name} from ${column.type.sql} to ${to}`),
      ...(stamp ? [`added ${systemColumns.loadedAt}`] : []),
    ].join(', '),
  }
}

/** Small, and finds the rows of one slice, which lie together. */
export function sliceIndexSql(table: string): string {
  return `create index on ${quoteTable(table)} using brin (${quoteIdentifier(systemColumns.slice)})`
}

/** What gives a table the column by which rows of a slice can be found again. */
export const addSliceSql = (table: string): string =>
  `alter table ${quoteTable(table)} add column if not exists ${quoteIdentifier(systemColumns.slice)} bigint`

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
