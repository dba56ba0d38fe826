import type { ColumnInfo } from '../../database/catalog.ts'
import type { TimeReader } from '../../value/time-form.ts'
import type { Zone } from '../../value/zone.ts'

/** A column's type in parts: `numeric(12,2)[]` is a list of numeric with two limits. */
export interface ColumnType {
  /** The type as SQL writes it, with limits. Two types are the same if these texts are equal. */
  readonly sql: string
  /** The short name of PostgreSQL, without limits. */
  readonly base: string
  /** The numbers in parentheses. */
  readonly limits: readonly number[]
  /** The type of a list's elements. */
  readonly element?: ColumnType
}

export interface TextOptions {
  /** Accept values that the column rounds or cuts. */
  readonly round: boolean
  /** The definition chose this type: an object in a text column is then written as JSON. */
  readonly declared: boolean
  /** It belongs to the key. @default false */
  readonly key?: boolean
  /** The zone of times without an offset, for timestamptz. */
  readonly zone?: Zone
  /** Reads times that are written in another form than ISO 8601. */
  readonly time?: TimeReader
}

/** Short names of types, by the long names of `format_type` and of the SQL standard. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
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

/** Reads the text of a type, as `format_type` returns it or a definition declares it. */
export function columnType(sql: string): ColumnType {
  const text = sql.trim().toLowerCase().replaceAll(/\s+/g, ' ')
  if (text.endsWith('[]')) {
    const element = columnType(text.slice(0, -2))
    return { sql, base: `${element.base}[]`, limits: [], element: element.element ?? element }
  }
  const limits = /\(([-\d, ]+)\)/.exec(text)?.[1]
  const name = text.replace(/ ?\([-\d, ]+\)/, '')
  // `character` alone is character(1).
  const implied = name === 'character' || name === 'char' ? [1] : []
  return { sql, base: SHORT_NAMES[name] ?? name, limits: limits ? limits.split(',').map(Number) : implied }
}

/** Returns the type of a column that exists; for a domain, the encoding of its base type. */
export function typeOf({ type, base, precision, scale, length, fraction }: ColumnInfo): ColumnType {
  if (base.startsWith('_')) return columnType(type)
  const limits = [precision, scale, length, fraction].filter((limit) => limit !== undefined)
  return { sql: type, base, limits }
}
