import { types } from 'node:util'
import { Decimal } from '../../value/decimal.ts'
import type { ColumnType } from './column-type.ts'
import { escapeText } from '../encode/copy-text.ts'
import { decimalParts, fitsNumeric, fitsReal, plainDecimal, sameDecimal } from '../../value/decimal-text.ts'
import { dateText, fractionDigits, isDay, meantDigits } from '../../value/instant.ts'
import { jsonText, loneSurrogate } from './json-text.ts'
import { TypeMismatch, displayValue } from './type-mismatch.ts'
import { isInt8 } from './value-kind.ts'

export interface TextOptions {
  /** Admit what the column itself rounds or cuts. */
  readonly round: boolean
  /** A definition chose this type: an object in a text column is then written as JSON. */
  readonly declared: boolean
}

/**
 * The text of a value that is not null, exactly as its column will give it back, or a `TypeMismatch`. Nothing is left to the
 * column to round, to cut or to read in its own way. Not escaped for COPY yet.
 */
export function valueText(value: unknown, type: ColumnType, options: TextOptions): string {
  const { base } = type
  switch (base) {
    case 'bool':
      return typeof value === 'boolean' || (options.declared && (value === 'true' || value === 'false'))
        ? String(value)
        : mismatch(value, type)
    case 'int2':
      return integer(value, type, -32_768n, 32_767n)
    case 'int4':
      return integer(value, type, -2_147_483_648n, 2_147_483_647n)
    case 'int8':
      return integer(value, type)
    case 'numeric':
      return numeric(value, type, options)
    case 'float4':
    case 'float8':
      return float(value, type, options)
    case 'json':
    case 'jsonb':
      return jsonText(value)
    case 'timestamptz':
    case 'timestamp':
      return timestamp(value, type, options)
    case 'date':
      return day(value, type, options)
    case 'time':
    case 'timetz':
      return limitedFraction(scalar(value, type), type, options)
    case 'varchar':
    case 'bpchar':
      return limited(scalar(value, type, options), type, options)
    case 'bytea':
      return bytes(value, type)
    default:
      return type.element && Array.isArray(value) ? list(value, type.element, options) : scalar(value, type, options)
  }
}

function mismatch(value: unknown, { sql }: ColumnType, more = ''): never {
  throw new TypeMismatch(`${displayValue(value)} does not fit ${sql}${more}`)
}

/**
 * The text of a number, whatever holds it; undefined for what is none. Strings only where they come back letter by
 * letter.
 */
function numberText(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (value instanceof Decimal) return value.text
  return typeof value === 'string' && plainDecimal.test(value) && !/^-0(?:\.0*)?$/.test(value) ? value : undefined
}

function integer(value: unknown, type: ColumnType, least?: bigint, most?: bigint): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return mismatch(value, type)
  const text = typeof value === 'number' ? String(BigInt(value)) : numberText(value)
  if (text === undefined || !/^-?\d+$/.test(text)) return mismatch(value, type)
  const whole = BigInt(text)
  return isInt8(whole) && (least === undefined || (whole >= least && whole <= most!)) ? text : mismatch(value, type)
}

function numeric(value: unknown, type: ColumnType, { round }: TextOptions): string {
  const text = numberText(value)
  const parts = text === undefined ? undefined : decimalParts(text)
  if (text === undefined || !parts) return typeof value === 'number' ? notFinite(value) : mismatch(value, type)
  const [precision, scale = 0] = type.limits
  if (precision !== undefined && !round && !fitsNumeric(parts, precision, scale))
    return mismatch(value, type, ' without being rounded')
  return text
}

function notFinite(value: number): never {
  throw new TypeMismatch(`${value} is no number that could be stored`, { hopeless: true })
}

function float(value: unknown, type: ColumnType, { round }: TextOptions): string {
  const text = numberText(value)
  if (text === undefined) return mismatch(value, type)
  const double = Number(text)
  const single = type.base === 'float4'
  if (
    Number.isFinite(double) &&
    !round &&
    ((single && !fitsReal(double)) || !(typeof value === 'number' || sameDecimal(String(double), text)))
  )
    mismatch(value, type, ' without being rounded')
  if (typeof value !== 'number' && !Number.isFinite(double)) return mismatch(value, type)
  return String(double)
}

function timestamp(value: unknown, type: ColumnType, options: TextOptions): string {
  const zoned = type.base === 'timestamptz'
  if (types.isDate(value)) {
    const text = validDate(value)
    return limitedFraction(zoned ? text : text.replace('Z', ''), type, options)
  }
  if (typeof value !== 'string') return mismatch(value, type)
  if (zoned) {
    if (fractionDigits(value) < 0) mismatch(value, type, ': it needs a day and a time that exist, and an offset')
  } else if (!isDay(value) && fractionDigits(`${value}Z`) < 0) {
    if (fractionDigits(value) < 0) mismatch(value, type)
    // PostgreSQL ignores the offset here.
    if (!/(?:[Zz]|[+-]00:00)$/.test(value) && !options.round) mismatch(value, type, ', which would lose the offset')
  }
  return limitedFraction(value, type, options)
}

function validDate(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new TypeMismatch('it is an invalid Date', { hopeless: true })
  return dateText(value)
}

function limitedFraction(text: string, type: ColumnType, { round }: TextOptions): string {
  const limit = type.limits[0] ?? 6
  return round || meantDigits(text) <= limit ? text : mismatch(text, type, ' without being rounded')
}

function day(value: unknown, type: ColumnType, { round, declared }: TextOptions): string {
  const text = types.isDate(value) ? validDate(value) : value
  if (typeof text !== 'string') return mismatch(value, type)
  if (isDay(text)) return text
  if (fractionDigits(text) < 0) return mismatch(value, type)
  // Midnight is what a day's field may look like, if somebody said that it is a day.
  return round || (declared && /^.{10}T00:00:00(?:\.0+)?Z$/.test(text))
    ? text.slice(0, 10)
    : mismatch(value, type, ' without losing its time')
}

function limited(text: string, type: ColumnType, { round }: TextOptions): string {
  const [limit] = type.limits
  if (limit === undefined || text.length <= limit) return text
  const characters = Array.from(text)
  if (characters.length <= limit) return text
  return round ? characters.slice(0, limit).join('') : mismatch(text, type)
}

function bytes(value: unknown, type: ColumnType): string {
  if (value instanceof Uint8Array || types.isUint8Array(value))
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  return typeof value === 'string' && /^\\x(?:[\da-f]{2})*$/i.test(value) ? value : mismatch(value, type)
}

/** Text as it is: for text columns, and for types that only the database can judge. */
function scalar(value: unknown, type: ColumnType, options?: TextOptions): string {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw new TypeMismatch(loneSurrogate, { hopeless: true })
      return value
    case 'number':
      return Number.isFinite(value) ? String(value) : notFinite(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'object':
      if (value instanceof Decimal) return value.text
      if (types.isDate(value)) return validDate(value)
      return options?.declared && type.base === 'text' ? jsonText(value) : mismatch(value, type)
    case 'undefined':
    case 'function':
    case 'symbol':
      throw new TypeMismatch(`a ${typeof value} cannot be stored`, { hopeless: true })
  }
}

function list(values: readonly unknown[], element: ColumnType, options: TextOptions): string {
  const items = values.map((item) => {
    if (item === null || item === undefined) return 'NULL'
    if (Array.isArray(item)) return list(item, element, options)
    const text = valueText(item, element, options)
    if (text.includes('\0')) escapeText(text)
    return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
  })
  return `{${items.join(',')}}`
}
