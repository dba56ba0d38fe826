// The part of a reject's reason that says how the record could be stored.
import { quoteIdentifier, quoteTable } from '../../database/quote.ts'
import type { ColumnOptions, Table } from '../../model/recipe.ts'
import { isStoredAsWritten } from '../../value/decimal-text.ts'
import { defined } from '../../value/defined.ts'
import { declarationOf } from '../shape/fields.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { KINDS, widenedKind } from '../shape/widening.ts'
import { columnType, type ColumnType } from '../values/column-type.ts'
import { conversionSql } from '../values/convert-sql.ts'
import { TypeMismatch } from '../values/type-mismatch.ts'
import { type ColumnKind, columnKindOf, commonKind } from '../values/value-kind.ts'

/** The remedy for a value that no column can hold as it is. */
export const CORRECT_IT = 'Correct it in a stage such as .map()'

/** Returns the sentences that say how a value that does not fit its column could be stored. */
export function remedyFor(value: unknown, cause: unknown, column: LoadedColumn, table: Table): string {
  const { permanent, admittedBy } = cause instanceof TypeMismatch ? cause : { permanent: true, admittedBy: undefined }
  if (permanent) return CORRECT_IT
  const wider = value === '' ? undefined : widerType(value, column, table)
  const ways = [
    value === '' && !column.key && `${declared(table, column, { emptyText: 'null' })} to read it as null`,
    admittedBy === 'zone' && `${declared(table, column, { zone: 'Europe/Berlin' })} to read it on that zone's clock`,
    admittedBy === 'round' &&
      `${declared(table, column, { round: true })} to store it ${isText(column) ? 'cut' : 'rounded'}`,
    wider && `${declared(table, column, retype(wider))} after ${widenSql(table.name, column, wider)}`,
  ].filter((way) => way !== false && way !== undefined)
  const remedy = ways.length === 0 ? CORRECT_IT : `Declare ${ways.join(', or ')}`
  return [whyNotWidened(value, column, table), remedy].filter((text) => text !== undefined).join('. ')
}

/** Options that are added to a declaration; those that are undefined are removed from it. */
type MoreOptions = { readonly [Name in keyof ColumnOptions]: ColumnOptions[Name] | undefined }

const retype = ({ sql }: ColumnType): MoreOptions => ({ type: sql, round: undefined, zone: undefined })

/** Writes a column's declaration with one more option, in the words of a definition. */
function declared(table: Table, { field, type }: LoadedColumn, more: MoreOptions): string {
  const before = declarationOf(table, field)
  const given: ColumnOptions = typeof before === 'string' ? { type: before } : before || {}
  const { time, type: _, ...others } = given
  if (time)
    return `columns: { ${field}: time('${time.form}', { ${optionsText(Object.entries({ ...others, ...more }))} }) }`
  const options = Object.entries(defined({ type: typeName(type), ...given, ...more }))
  const text = options.length === 1 ? literal(options[0]?.[1]) : `{ ${optionsText(options)} }`
  return `columns: { ${/^[A-Za-z_]\w*$/.test(field) ? field : JSON.stringify(field)}: ${text} }`
}

const optionsText = (options: readonly (readonly [string, unknown])[]): string =>
  options.map(([name, option]) => `${name}: ${literal(option)}`).join(', ')

const literal = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : String(value))

const SHORT_NAMES: Readonly<Record<string, string>> = {
  timestamptz: 'timestamptz',
  timestamp: 'timestamp',
  varchar: 'varchar',
  bpchar: 'char',
}

/** Returns a type's name as definitions write it: `timestamptz(3)`. */
function typeName({ sql, base, limits }: ColumnType): string {
  const name = SHORT_NAMES[base]
  if (name === undefined || columnType(sql).base !== base) return sql
  return limits.length === 0 ? name : `${name}(${limits.join(',')})`
}

const isText = ({ type: { base } }: LoadedColumn): boolean => base === 'varchar' || base === 'bpchar'

/** Kinds of types that Sluice does not widen by itself. */
const OTHER_KINDS: Readonly<Record<string, ColumnKind>> = {
  float4: 'numeric',
  float8: 'numeric',
  varchar: 'text',
  bpchar: 'text',
  timestamp: 'timestamptz',
}

/** Returns a type that holds the value and all values of the column; undefined if none could replace its type. */
function widerType(value: unknown, column: LoadedColumn, { versionBy }: Table): ColumnType | undefined {
  const current = KINDS[column.type.base] ?? OTHER_KINDS[column.type.base]
  const isNumber = current === 'bigint' || current === 'numeric'
  const kind = isNumber && typeof value === 'string' && isStoredAsWritten(value) ? 'numeric' : columnKindOf(value)
  if (current === undefined || kind === undefined) return undefined
  const wider = commonKind(current, kind)
  const isCompared = column.key || column.field === versionBy
  return isCompared && (wider === 'text' || wider === 'jsonb') ? undefined : columnType(wider)
}

/** Returns the statement that widens a column. */
function widenSql(table: string, { name, type }: LoadedColumn, wider: ColumnType): string {
  const column = quoteIdentifier(name)
  const isInUtc = type.base === 'timestamp' && wider.base === 'timestamptz'
  const conversion = isInUtc ? `${column} at time zone 'UTC'` : conversionSql(name, type, wider)
  return `alter table ${quoteTable(table)} alter column ${column} type ${wider.sql} using ${conversion}`
}

/** Returns the reason for which a column is not widened although its type would be. */
function whyNotWidened(value: unknown, column: LoadedColumn, { versionBy }: Table): string | undefined {
  const kind = columnKindOf(value)
  if (column.declared || kind === undefined || widenedKind(column.type, kind) === undefined) return undefined
  if (column.field === versionBy) return 'It is the version of its row, which does not become text or jsonb'
  return column.key ? 'It belongs to the key, which does not become another type' : undefined
}
