import type { Queryable } from '../../database/queryable.ts'
import { quoteIdentifier, quoteLiteral, quoteTable } from '../../database/quote.ts'

/** Which field of which stream a column was made for, kept as the column's comment. */
export interface ColumnOrigin {
  readonly stream: string
  readonly field: string
}

const beginning = 'Sluice '

/**
 * The statement that marks a column. A marked column is written in every row of its stream, null where a record does
 * not have the field, though no record of this run may have it; columns of others keep what is in them.
 */
export const originSql = (table: string, column: string, { stream, field }: ColumnOrigin): string =>
  `comment on column ${quoteTable(table)}.${quoteIdentifier(column)} is ${quoteLiteral(`${beginning}${JSON.stringify({ stream, field })}`)}`

/** The marks of a table's columns, by column. */
export async function readOrigins(on: Queryable, table: string): Promise<ReadonlyMap<string, ColumnOrigin>> {
  const rows = await on.query<{ name: string; comment: string }>(
    `select a.attname as name, col_description(a.attrelid, a.attnum) as comment from pg_attribute a
    where a.attrelid = ${quoteLiteral(quoteTable(table))}::regclass and a.attnum > 0 and not a.attisdropped
      and starts_with(col_description(a.attrelid, a.attnum), ${quoteLiteral(beginning)})`,
  )
  return new Map(
    rows.flatMap(({ name, comment }) => {
      const read = parsed(comment.slice(beginning.length))
      return read ? [[name, read] as const] : []
    }),
  )
}

/** People may write comments too. */
function parsed(text: string): ColumnOrigin | undefined {
  try {
    const value = JSON.parse(text) as Partial<ColumnOrigin> | null
    return typeof value?.stream === 'string' && typeof value.field === 'string'
      ? { stream: value.stream, field: value.field }
      : undefined
  } catch {
    return undefined
  }
}
