import { quoteIdentifier } from '../../database/quote.ts'
import type { ColumnType } from './column-type.ts'

/** What a column's values become when it is widened: the same values, `true` as text, a text as JSON string. */
export function conversion(column: string, type: Pick<ColumnType, 'sql' | 'base'>): string {
  const name = quoteIdentifier(column)
  return type.base === 'jsonb' ? `to_jsonb(${name})` : `${name}::${type.sql}`
}
