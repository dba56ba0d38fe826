import { quoteIdentifier, quoteLiteral } from '../../database/quote.ts'
import type { LoadedColumn } from './loaded-column.ts'

/**
 * A statement that raises 42P16 where a table's columns are not of the types that rows were encoded for. Needed after
 * the table has been locked (or referred to) and before the COPY: a text that meanwhile became jsonb would read `123`
 * as a number, and numeric(12,2) would round.
 */
export function shapeCheckSql(table: string, columns: readonly LoadedColumn[]): string {
  const names = `array[${columns.map(({ name }) => quoteLiteral(name)).join(', ')}]::text[]`
  const types = `array[${columns.map(({ type }) => quoteLiteral(type.sql)).join(', ')}]::text[]`
  const body = `begin
  if (select array_agg(format_type(atttypid, atttypmod) order by array_position(${names}, attname::text)) from pg_attribute
      where attrelid = ${quoteLiteral(table)}::regclass and attname = any(${names}) and attnum > 0 and not attisdropped) is distinct from ${types} then
    raise exception using errcode = '42P16', message = ${quoteLiteral(`the columns of ${table} are not what they were when the rows were encoded`)};
  end if;
end`
  return `do ${quoteLiteral(body)}`
}

/** Names of columns for a list. */
export const columnList = (columns: readonly { readonly name: string }[]): string =>
  columns.map(({ name }) => quoteIdentifier(name)).join(', ')
