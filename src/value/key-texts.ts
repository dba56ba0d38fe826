// The values of a record's key, as text.
import { Decimal } from './decimal.ts'

/** Returns the values of a record's key; undefined if it does not have all of them. */
export function keyTexts(record: unknown, key: readonly string[]): string[] | undefined {
  const values = key.map((name) => keyText(record, name)).filter((value) => value !== undefined)
  return key.length === 0 || values.length < key.length ? undefined : values
}

/** Returns the value of a field as text, so that 1 and '1' are one key; undefined if it has none. */
function keyText(record: unknown, name: string): string | undefined {
  if (typeof record !== 'object' || record === null || !Object.hasOwn(record, name)) return undefined
  return scalarText((record as Readonly<Record<string, unknown>>)[name])
}

/** Returns text, a number or a time as text; undefined for any other value. */
export function scalarText(value: unknown): string | undefined {
  if (value instanceof Decimal) return value.text
  if (value instanceof Date) return value.toJSON()
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : undefined
}
