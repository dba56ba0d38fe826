import { Decimal } from '../../value/decimal.ts'
import { unescape } from './copy-text.ts'
import { decimalParts } from '../../value/decimal-text.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'

/**
 * A row that was sent, as a record again: by the names of its fields, numbers with every digit. For rejects, whose
 * record is gone by then.
 */
export function rowRecord(line: string, columns: readonly LoadedColumn[]): Record<string, unknown> {
  const texts = line.replace(/\n$/, '').split('\t')
  return Object.fromEntries(columns.map((column, index) => [column.field, valueOf(unescape(texts[index]!), column)]))
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
      return numberOf(text)
    case 'json':
    case 'jsonb':
      return JSON.parse(text, (_, value: unknown, context?: { source?: string }) =>
        typeof value === 'number' && context?.source !== undefined ? numberOf(context.source) : value,
      )
    default:
      return text
  }
}

/** As parsing the API's JSON would have made it. */
function numberOf(text: string): unknown {
  const number = Number(text)
  if (/^-?\d+$/.test(text)) return Number.isSafeInteger(number) ? number : BigInt(text)
  const [sent, kept] = [decimalParts(text), decimalParts(String(number))]
  if (!sent) return text
  return sent.digits === kept?.digits && sent.exponent === kept.exponent ? number : new Decimal(text)
}
