import { types } from 'node:util'
import { numericColumnText } from '../../value/decimal-text.ts'
import { Decimal } from '../../value/decimal.ts'
import { NotJsonError, strictJson } from '../../value/json/strict-json.ts'
import { illFormedProblem, NUL_CHARACTER } from '../../value/text.ts'
import type { TimeReader } from '../../value/time-form.ts'
import type { ColumnType, TextOptions } from './column-type.ts'
import { floatText, integerText, notFinite, numericText } from './number-text.ts'
import { dayText, limitFraction, timestampText, validDateText } from './time-text.ts'
import { doesNotFit, TypeMismatch } from './type-mismatch.ts'

/**
 * Returns the text of a value that is not null, exactly as its column returns it; throws a `TypeMismatch` otherwise.
 * PostgreSQL is never left to round, cut or reinterpret a value. The text is not escaped for COPY yet.
 */
export function valueText(given: unknown, type: ColumnType, options: TextOptions): string {
  const value = options.time ? readTime(given, options.time) : given
  switch (type.base) {
    case 'bool':
      return typeof value === 'boolean' || (options.declared && (value === 'true' || value === 'false'))
        ? String(value)
        : doesNotFit(value, type)
    case 'int2':
    case 'int4':
    case 'int8':
      return integerText(value, type)
    case 'numeric':
      return numericText(value, type, options)
    case 'float4':
    case 'float8':
      return floatText(value, type, options)
    case 'json':
    case 'jsonb':
      return jsonText(value)
    case 'timestamptz':
    case 'timestamp':
      return timestampText(value, type, options)
    case 'date':
      return dayText(value, type, options)
    case 'time':
    case 'timetz':
      return limitFraction(plainText(value, type), type, options)
    case 'varchar':
    case 'bpchar':
      return limitLength(plainText(value, type, options), type, options)
    case 'bytea':
      return bytesText(value, type)
    default:
      return type.element && Array.isArray(value)
        ? listText(value, type.element, options)
        : plainText(value, type, options)
  }
}

/** Reads a time of another form than ISO 8601. */
function readTime(value: unknown, time: TimeReader): string {
  try {
    return time.read(value)
  } catch (error) {
    // The text '' may be read as null, by an option of the column.
    throw error instanceof RangeError ? new TypeMismatch(error.message, { permanent: value !== '' }) : error
  }
}

function jsonText(value: unknown): string {
  try {
    return strictJson(value)
  } catch (error) {
    throw error instanceof NotJsonError ? new TypeMismatch(error.message, { permanent: true }) : error
  }
}

function limitLength(text: string, type: ColumnType, { round }: TextOptions): string {
  const [limit] = type.limits
  if (limit === undefined || text.length <= limit) return text
  const characters = Array.from(text)
  if (characters.length <= limit) return text
  return round ? characters.slice(0, limit).join('') : doesNotFit(text, type, ' without being cut', 'round')
}

function bytesText(value: unknown, type: ColumnType): string {
  if (value instanceof Uint8Array || types.isUint8Array(value))
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  return typeof value === 'string' && /^\\x(?:[\da-f]{2})*$/i.test(value) ? value : doesNotFit(value, type)
}

/** Returns the text as it is: for text columns, and for types that only the database can check. */
function plainText(value: unknown, type: ColumnType, options?: TextOptions): string {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw new TypeMismatch(illFormedProblem(value), { permanent: true })
      return value
    case 'number':
      return Number.isFinite(value) ? numberText(String(value), options) : notFinite(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'object':
      if (value instanceof Decimal) return numberText(value.text, options)
      if (types.isDate(value)) return validDateText(value)
      return options?.declared && type.base === 'text' ? jsonText(value) : doesNotFit(value, type)
    case 'undefined':
    case 'function':
    case 'symbol':
      throw new TypeMismatch(`a ${typeof value} cannot be stored`, { permanent: true })
  }
}

/**
 * Returns the text of a number in a text column. In a key it is the text that a numeric column has: the column may have
 * been one before, and another text would be another row.
 */
const numberText = (text: string, options: TextOptions | undefined): string =>
  options?.key === true ? numericColumnText(text) : text

/** Returns a list in PostgreSQL's form: `{"a","b",NULL}`. */
function listText(values: readonly unknown[], element: ColumnType, options: TextOptions): string {
  const items = values.map((item) => {
    if (item === null || item === undefined) return 'NULL'
    if (Array.isArray(item)) return listText(item, element, options)
    const text = valueText(item, element, options)
    if (text.includes('\0')) throw new TypeMismatch(NUL_CHARACTER, { permanent: true })
    return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
  })
  return `{${items.join(',')}}`
}
