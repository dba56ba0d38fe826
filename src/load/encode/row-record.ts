import { exactNumber } from '../../value/decimal-text.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { unescapeText } from './copy-text.ts'
import type { RowShape } from './encoded-page.ts'

/**
 * Reads a line of COPY text back into a record with the names of its fields; numbers keep every digit. Used for rows
 * that the database refused: the page's records are released by then. A field that the record did not have is not in it
 * either, if its absence has a meaning.
 */
export function rowRecord(
  line: string,
  { columns, marksAbsent = false }: Pick<RowShape, 'columns' | 'marksAbsent'>,
): Record<string, unknown> {
  const texts = line.replace(/\n$/, '').split('\t')
  const absent = marksAbsent ? texts.at(-1) : undefined
  return Object.fromEntries(
    columns.flatMap((column, index) =>
      // The name of the account is not of the record.
      column.constant === undefined && absent?.[index] !== '1'
        ? [[column.field, valueOf(unescapeText(texts[index] ?? '\\N'), column)]]
        : [],
    ),
  )
}

function valueOf(text: string | null, { type }: LoadedColumn): unknown {
  if (text === null) return null
  switch (type.base) {
    case 'bool':
      return text === 'true'
    case 'int2':
    case 'int4':
    case 'int8':
    case 'numeric':
    case 'float4':
    case 'float8':
      return exactNumber(text) ?? text
    case 'json':
    case 'jsonb':
      return JSON.parse(text, exactMember)
    default:
      return text
  }
}

/** Unlike `parseJson`, it examines short numbers too: `1e400` would become Infinity, and a replay would store it. */
const exactMember = (_name: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === 'number' && context?.source !== undefined ? exactNumber(context.source) : value
