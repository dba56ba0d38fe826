import type { ColumnInfo } from '../../database/catalog.ts'

/** A column's type, taken apart: `numeric(12,2)[]` is a list of numeric with two limits. */
export interface ColumnType {
  /** As SQL says it, limits included; also what makes two types the same. */
  readonly sql: string
  /** Without limits, by its everyday name. */
  readonly base: string
  /** What stands in parentheses. */
  readonly limits: readonly number[]
  /** The type of a list's elements. */
  readonly element?: ColumnType
}

/** The names that `format_type` and people use for one type. */
const everyday: Readonly<Record<string, string>> = {
  smallint: 'int2',
  integer: 'int4',
  int: 'int4',
  bigint: 'int8',
  decimal: 'numeric',
  real: 'float4',
  'double precision': 'float8',
  boolean: 'bool',
  'character varying': 'varchar',
  character: 'bpchar',
  char: 'bpchar',
  'timestamp with time zone': 'timestamptz',
  'timestamp without time zone': 'timestamp',
  'time with time zone': 'timetz',
  'time without time zone': 'time',
}

/** Reads the text of a type, as `format_type` gives it or a definition declares it. */
export function columnType(sql: string): ColumnType {
  const text = sql.trim().toLowerCase().replaceAll(/\s+/g, ' ')
  if (text.endsWith('[]')) {
    const element = columnType(text.slice(0, -2))
    return {
      sql,
      base: `${element.base}[]`,
      limits: [],
      element: element.base.endsWith('[]') ? element.element! : element,
    }
  }
  const limits = /\(([-\d, ]+)\)/.exec(text)
  const name = text.replace(/ ?\([-\d, ]+\)/, '')
  // `character` alone is character(1).
  const implied = name === 'character' || name === 'char' ? [1] : []
  return { sql, base: everyday[name] ?? name, limits: limits ? limits[1]!.split(',').map(Number) : implied }
}

/** The type of a column that is there: of a domain, how the type below it has to be written. */
export function typeOf({ type, base, precision, scale, length, fraction }: ColumnInfo): ColumnType {
  if (base.startsWith('_')) return columnType(type)
  const limits = [precision, scale, length, fraction].filter((limit) => limit !== undefined)
  return { sql: type, base, limits }
}
