import { sqlState } from '../../database/errors.ts'
import type { Queryable } from '../../database/queryable.ts'
import { quoteIdentifier, quoteLiteral, quoteTable } from '../../database/quote.ts'
import type { Table } from '../../model/recipe.ts'
import { columnType, type ColumnType } from '../values/column-type.ts'
import { columnName } from './column-name.ts'
import { nearest } from '../../value/nearest.ts'
import { declarationOf, declaredType, readsEmptyAsNull } from './fields.ts'
import type { TableShape } from './table-shape.ts'

/**
 * Compares the column types that a definition declares with those of its table. Returns a message for each difference:
 * both types, the column, and what to do.
 */
export async function typeDifferences(on: Queryable, table: Table, shape: TableShape): Promise<string[]> {
  const messages = notDivided(table, shape)
  for (const field of Object.keys(table.columns)) {
    const declared = declaredType(table, field)
    const column = columnName(field)
    const actual = shape.columns.get(column)
    if (!declared || !actual || isSameType(declared, actual)) continue
    const name = await canonicalName(on, declared.sql)
    if (name !== undefined && isSameType({ ...columnType(name), limits: declared.limits }, actual)) continue
    const begin = `${table.name}: the column ${column} is ${actual.sql}, but the definition declares`
    messages.push(
      name === undefined
        ? `${begin} ${declared.sql}, which is not a type of this database. ${correctIt(field, declared)}`
        : `${begin} ${declared.sql}. Values are stored as ${actual.sql}. Declare { ${field}: '${actual.sql}' }, ` +
            `or change the table: ${changeTypeSql(table, field, declared, actual)}`,
    )
  }
  return messages
}

/** A table that exists is not divided: PostgreSQL would have to write it anew. */
const notDivided = ({ name, partition }: Table, { partitioned }: TableShape): string[] =>
  partition && !partitioned
    ? [
        `${name}: the table exists and is not divided by ${partition.by}: partition is for a new table. Rename the ` +
          'table and read everything into a new one with --full, or remove partition',
      ]
    : []

/** Returns a message for each declared column type that the database does not have. */
export async function undefinedTypes(on: Queryable, table: Table): Promise<string[]> {
  const messages: string[] = []
  for (const field of Object.keys(table.columns)) {
    const declared = declaredType(table, field)
    if (!declared || declared.base in SERIAL_TYPES || (await canonicalName(on, declared.sql)) !== undefined) continue
    messages.push(
      `${table.name}: the definition declares ${declared.sql} for ${field}, which is not a type of this database. ` +
        correctIt(field, declared),
    )
  }
  return messages
}

/** Types that are declared often. */
const USUAL_TYPES = (
  'smallint integer bigint numeric real text varchar char citext boolean uuid date time interval timestamp ' +
  'timestamptz json jsonb inet bytea serial bigserial'
).split(' ')

/** Returns the remedy for a type that does not exist, with the one that it probably means. */
function correctIt(field: string, { base }: ColumnType): string {
  const name = OTHER_NAMES[base] ?? nearest(base, USUAL_TYPES)
  return `${name === undefined ? '' : `Did you mean ${name}? `}Correct it in columns: { ${field}: … }`
}

/** What other databases and languages call a type. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'numeric',
  datetime: 'timestamptz',
  double: 'double precision',
  object: 'jsonb',
  blob: 'bytea',
}

/** Returns the statement that gives a column its declared type. It reads texts as the declaration reads them. */
function changeTypeSql(table: Table, field: string, declared: ColumnType, actual: ColumnType): string {
  const name = quoteIdentifier(columnName(field))
  const value = actual.base === 'text' && readsEmptyAsNull(table, field) ? `nullif(${name}, '')` : name
  const declaration = declarationOf(table, field)
  const zone = actual.base === 'text' && typeof declaration === 'object' ? declaration.zone : undefined
  const conversion = zone === undefined ? `${value}::${declared.sql}` : inZoneSql(value, declared, zone)
  return `alter table ${quoteTable(table.name)} alter column ${name} type ${declared.sql} using ${conversion}`
}

/** Reads a text with an offset as it is, and one without on the clock of a zone. */
const inZoneSql = (value: string, { sql }: ColumnType, zone: string): string =>
  `case when ${value} ~ '[T ].*(Z|[+-][0-9]{2}:?[0-9]{2})$' then ${value}::${sql} ` +
  `else ${value}::timestamp at time zone ${quoteLiteral(zone)} end`

const SERIAL_TYPES: Readonly<Record<string, string>> = { smallserial: 'int2', serial: 'int4', bigserial: 'int8' }

function isSameType(declared: ColumnType, actual: ColumnType): boolean {
  if (normalized(declared.sql) === normalized(actual.sql)) return true
  if (declared.element && actual.element) return isSameType(declared.element, actual.element)
  const base = SERIAL_TYPES[declared.base] ?? declared.base
  return base === actual.base && limitsOf(declared) === limitsOf(actual)
}

const normalized = (sql: string): string => sql.trim().toLowerCase().replaceAll(/\s+/g, ' ').replaceAll(', ', ',')

/** `numeric(12)` is numeric(12,0), and `bit` is bit(1). */
function limitsOf({ base, limits }: ColumnType): string {
  if (base === 'numeric' && limits.length === 1) return `${limits[0]},0`
  return base === 'bit' && limits.length === 0 ? '1' : limits.join(',')
}

/** Returns PostgreSQL's own name of a type, without limits; undefined if there is no such type. */
async function canonicalName(on: Queryable, sql: string): Promise<string | undefined> {
  try {
    const [row] = await on.query<{ name: string | null }>('select format_type(to_regtype($1), null) as name', [sql])
    return row?.name ?? undefined
  } catch (error) {
    // to_regtype returns null for an unknown name, but throws for text that cannot be a name.
    if (sqlState(error)?.startsWith('42')) return undefined
    throw error
  }
}
