import { quoteIdentifier, quoteLiteral } from '../../database/quote.ts'
import type { ColumnType } from './column-type.ts'

type Named = Pick<ColumnType, 'sql' | 'base'>

/** The expression that keeps a column's values when its type widens: `true` as text, a text as a JSON string. */
export function conversionSql(column: string, from: Named, to: Named): string {
  const name = quoteIdentifier(column)
  const isText = to.base === 'text' || to.base === 'jsonb'
  const value = from.base === 'timestamptz' && isText ? instantTextSql(name) : name
  return to.base === 'jsonb' ? `to_jsonb(${value})` : `${value}::${to.sql}`
}

/**
 * Writes moments as RFC 3339 in UTC, with every digit and without zeros at the end: `2024-01-01T00:00:00.5Z`. A cast
 * would depend on the session's time zone and date style; JSON has one form.
 */
const instantTextSql = (name: string): string =>
  `regexp_replace(to_jsonb(${name} at time zone 'UTC') #>> '{}', '(T[^ ]+)',${quoteLiteral(String.raw`\1Z`)})`
