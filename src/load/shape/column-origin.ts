import type { Queryable } from '../../database/queryable.ts'
import { quoteIdentifier, quoteLiteral, quoteTable } from '../../database/quote.ts'

/** The stream and the field for which a column was created. It is stored as the column's comment. */
export interface ColumnOrigin {
  readonly stream: string
  readonly field: string
}

const PREFIX = 'Sluice '

/**
 * Returns the statement that stores a column's origin. Each row of that stream then writes the column, as null if the
 * record lacks the field. Columns of other streams keep their values.
 */
export const originSql = (table: string, column: string, { stream, field }: ColumnOrigin): string =>
  `comment on column ${quoteTable(table)}.${quoteIdentifier(column)} is ` +
  quoteLiteral(`${PREFIX}${JSON.stringify({ stream, field })}`)

/** Returns the origins of a table's columns, by column. */
export async function readOrigins(on: Queryable, table: string): Promise<ReadonlyMap<string, ColumnOrigin>> {
  const rows = await on.query<{ name: string; comment: string }>(
    `select a.attname as name, col_description(a.attrelid, a.attnum) as comment from pg_attribute a
    where a.attrelid = ${quoteLiteral(quoteTable(table))}::regclass and a.attnum > 0 and not a.attisdropped
      and starts_with(col_description(a.attrelid, a.attnum), ${quoteLiteral(PREFIX)})`,
  )
  return new Map(
    rows.flatMap(({ name, comment }) => {
      const origin = parseOrigin(comment.slice(PREFIX.length))
      return origin ? [[name, origin] as const] : []
    }),
  )
}

/** Returns undefined for other comments, which people may have written. */
function parseOrigin(text: string): ColumnOrigin | undefined {
  try {
    const value = JSON.parse(text) as Partial<ColumnOrigin> | null
    return typeof value?.stream === 'string' && typeof value.field === 'string'
      ? { stream: value.stream, field: value.field }
      : undefined
  } catch {
    return undefined
  }
}
