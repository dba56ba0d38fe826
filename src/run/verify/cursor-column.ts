import { quoteIdentifier, quoteLiteral } from '../../database/quote.ts'
import { isTime, momentSql } from '../../load/history/version-time.ts'
import type { LoadedColumn } from '../../load/shape/loaded-column.ts'
import type { Incremental, Recipe } from '../../model/recipe.ts'
import { instantOf } from '../../source/cursor/bound-value.ts'
import { toUnit } from '../../source/cursor/cursor-text.ts'
import { isPlainDecimal } from '../../value/decimal-text.ts'

/** The column of a table that holds the cursor's value of each row. */
export interface CursorColumn {
  readonly name: string
  /** The value, as an expression of the columns. */
  readonly value: string
  /** The same in seconds since 1970; undefined if it is no time. */
  readonly seconds: string | undefined
  /** Returns an end of a range as an expression that compares with the value; undefined if it does not. */
  readonly bound: (text: string) => string | undefined
}

const NUMBERS = new Set(['int2', 'int4', 'int8', 'numeric', 'float4', 'float8'])

/**
 * Returns the column of the cursor's field. Undefined if the rows have no such column, or one whose values do not
 * compare as the cursor does. A stage may have given it other values: compare them with the range that was read.
 */
export function cursorColumn(
  { incremental }: Recipe,
  loaded: (field: string) => LoadedColumn | undefined,
): CursorColumn | undefined {
  const column = typeof incremental?.at === 'string' ? loaded(incremental.at) : undefined
  if (!incremental || !column || column.constant !== undefined) return undefined
  const name = quoteIdentifier(column.name)
  const { unit } = incremental
  if (isTime(column.type)) {
    const value = momentSql(name, column.type)
    return { name, value, seconds: `extract(epoch from ${value})`, bound: (text) => instantSql(text, unit) }
  }
  if (!NUMBERS.has(column.type.base)) return undefined
  const divisor = unit === 'ms' ? 1_000 : 1
  return {
    name,
    value: name,
    seconds: unit === undefined ? undefined : `(${name}::numeric / ${divisor})`,
    bound: (text) => numberSql(toUnit(text, unit)),
  }
}

const numberSql = (text: string): string | undefined =>
  isPlainDecimal(text) ? `${quoteLiteral(text)}::numeric` : undefined

function instantSql(text: string, unit: Incremental['unit']): string | undefined {
  const instant = instantOf(text, unit)
  if (!instant) return undefined
  const seconds = new Date(instant.seconds * 1_000).toISOString().slice(0, -5)
  return `${quoteLiteral(`${seconds}.${instant.fraction || '0'}Z`)}::timestamptz`
}
