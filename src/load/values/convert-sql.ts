import { quoteIdentifier } from '../../database/quote.ts'
import type { ColumnType } from './column-type.ts'

/** The expression that keeps a column's values when its type widens: `true` as text, a text as a JSON string. */
export function conversionSql(column: string, type: Pick<ColumnType, 'sql' | 'base'>): string {
  const name = quoteIdentifier(column)
  return type.base === 'jsonb' ? `to_jsonb(${name})` : `${name}::${type.sql}`
}
