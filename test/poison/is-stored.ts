// Compares what a table holds with what was sent, by text: no code of the product decides what is equal.
import { NumberText, readJson, type Value } from './read-json.ts'

/** A column as the catalog of the database describes it. */
export interface Column {
  readonly name: string
  /** The name of its type in pg_type, such as `int8`. */
  readonly type: string
  /** The definition names its type, so the text of a number or of a boolean is one. */
  readonly isDeclared: boolean
}

/** Returns the expression that reads a column as the text that `isStored` takes. Moments are seconds since 1970. */
export const readSql = ({ type }: Pick<Column, 'type'>, name: string): string =>
  type === 'timestamptz' ? `extract(epoch from ${name})::text` : `${name}::text`

/** Returns true if the text of a column says exactly what was sent. A column that was widened holds texts. */
export function isStored(stored: string | null, { type, isDeclared }: Column, sent: Value): boolean {
  if (sent === null || stored === null) return sent === stored
  switch (type) {
    case 'int4':
    case 'int8':
    case 'numeric':
    case 'float8':
      if (sent instanceof NumberText) return sameNumber(stored, sent.text)
      return typeof sent === 'string' && (stored === sent || (isDeclared && sameNumber(stored, sent)))
    case 'bool':
      return typeof sent === 'boolean' ? stored === String(sent) : isDeclared && stored === sent
    case 'timestamptz':
      return typeof sent === 'string' && microseconds(sent) === scaled(stored)
    case 'date':
      return typeof sent === 'string' && (stored === sent || (isDeclared && isMidnight(sent, stored)))
    case 'bytea':
    case 'uuid':
      return typeof sent === 'string' && plainHex(stored) === plainHex(sent)
    case 'json':
    case 'jsonb': {
      const value = readJson(stored)
      return sameJson(value, sent) || (typeof value === 'string' && isText(value, sent))
    }
    default:
      return isText(stored, sent) || (isDeclared && isJsonText(stored, sent))
  }
}

/** A declared text column holds an object or a list as JSON. */
function isJsonText(stored: string, sent: Value): boolean {
  try {
    return typeof sent === 'object' && sameJson(readJson(stored), sent)
  } catch {
    return false
  }
}

/** Returns true if a text says what was sent: the text itself, or a scalar of a column that became text later. */
function isText(stored: string, sent: Value): boolean {
  if (sent instanceof NumberText) return sameNumber(stored, sent.text)
  if (typeof sent === 'boolean') return stored === String(sent)
  if (typeof sent !== 'string') return false
  if (stored === sent) return true
  // The column was a timestamptz before: its moments are texts in UTC.
  const moment = microseconds(sent)
  return moment !== undefined && stored.endsWith('Z') && microseconds(stored) === moment
}

/**
 * Returns true if two values of JSON are equal, number by number and character by character. The order of members does
 * not count. `isCut`: what lies more than 500 levels deep may be replaced by a remark, as in the record of a reject.
 */
export function sameJson(one: Value, other: Value, { isCut = false } = {}): boolean {
  if (one instanceof NumberText) return other instanceof NumberText && sameNumber(one.text, other.text)
  if (isCut && one === '[more than 500 levels deep]') return true
  if (Array.isArray(one)) {
    if (!Array.isArray(other) || one.length !== other.length) return false
    for (const [index, item] of one.entries()) if (!sameJson(item, other[index] ?? null, { isCut })) return false
    return true
  }
  if (one instanceof Map) {
    if (!(other instanceof Map) || one.size !== other.size) return false
    for (const [name, member] of one) {
      const same = other.get(name)
      if (same === undefined || !sameJson(member, same, { isCut })) return false
    }
    return true
  }
  return one === other
}

/** Returns true if two texts are the same number, such as `1.50` and `15e-1`. */
export const sameNumber = (one: string, other: string): boolean => {
  const number = canonical(one)
  return number !== undefined && number === canonical(other)
}

/** Returns the digits without zeros at either end, and the power of ten of the last one. */
function canonical(text: string): string | undefined {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  if (whole === '') return ['NaN', 'Infinity', '-Infinity'].includes(text) ? text : undefined
  const all = `${whole}${fraction}`
  let first = 0
  while (all[first] === '0') first += 1
  let end = all.length
  while (end > first && all[end - 1] === '0') end -= 1
  if (first === end) return '0'
  return `${sign}${all.slice(first, end)}e${Number(power) - fraction.length + (all.length - end)}`
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d))$/

/** Returns the microseconds since 1970 of a text that is a moment; undefined for others, and for finer ones. */
function microseconds(text: string): bigint | undefined {
  const [, year, month, day, hour, minute, second, fraction = '', sign, hours = 0, minutes = 0] = TIME.exec(text) ?? []
  const micros = fraction.replace(/0+$/, '')
  if (year === undefined || micros.length > 6) return undefined
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  date.setUTCHours(Number(hour), Number(minute), Number(second))
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1)
  return BigInt(date.getTime() - offset) * 1_000n + BigInt(micros.padEnd(6, '0'))
}

/** Returns seconds with a fraction, as the database writes them, in microseconds. */
function scaled(seconds: string): bigint {
  const [whole = '', fraction = ''] = seconds.replace('-', '').split('.')
  const size = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
  return seconds.startsWith('-') ? -size : size
}

const isMidnight = (sent: string, day: string): boolean =>
  sent.startsWith(day) && /^.{10}T00:00:00(?:\.0+)?Z$/.test(sent)

const plainHex = (text: string): string => text.toLowerCase().replaceAll(/[{}-]/g, '')
