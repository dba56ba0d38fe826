import { quoteIdentifier, quoteLiteral } from '../../database/quote.ts'
import type { LoadedColumn } from './loaded-column.ts'

/**
 * Returns a statement that raises 42P16 if a table's columns do not have the types for which the rows were encoded. It
 * runs after the table is locked and before the COPY. A text column that became jsonb would read `123` as a number, and
 * numeric(12,2) would round.
 */
export function shapeCheckSql(table: string, columns: readonly LoadedColumn[]): string {
  const names = `array[${columns.map(({ name }) => quoteLiteral(name)).join(', ')}]::text[]`
  const types = `array[${columns.map(({ type }) => quoteLiteral(type.sql)).join(', ')}]::text[]`
  const message = `the columns of ${table} have changed since the rows were encoded`
  const body = `begin
  if (
    select array_agg(format_type(atttypid, atttypmod) order by array_position(${names}, attname::text))
    from pg_attribute
    where attrelid = ${quoteLiteral(table)}::regclass and attname = any(${names}) and attnum > 0 and not attisdropped
  ) is distinct from ${types} then
    raise exception using errcode = '42P16', message = ${quoteLiteral(message)};
  end if;
end`
  return `do ${quoteLiteral(body)}`
}

/** Returns quoted column names, separated by commas. */
export const columnList = (columns: readonly { readonly name: string }[]): string =>
  columns.map(({ name }) => quoteIdentifier(name)).join(', ')
