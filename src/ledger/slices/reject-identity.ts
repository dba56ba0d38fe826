import { createHash } from 'node:crypto'
import { Decimal } from '../../value/decimal.ts'
import { exactJson } from '../../value/json/stored-json.ts'

/** A record, and the parents that it was found under. */
export interface IdentifiedRecord {
  readonly record: unknown
  readonly parents?: readonly unknown[] | undefined
}

/**
 * Returns by what a record is found among the rejects of its stream: by the values of the table's key if the record has
 * them, and by a hash of the record with its parents. The first one is stored with a reject.
 */
export function rejectIdentities({ record, parents }: IdentifiedRecord, key: readonly string[]): string[] {
  const byKey = keyIdentity(record, key)
  const text = `${exactJson(record)}\n${parents ? exactJson(parents) : ''}`
  const hash = createHash('sha256').update(text).digest('hex')
  return byKey === undefined ? [hash] : [byKey, hash]
}

/** Returns the identity of a record by its key; undefined if it does not have all values of the key. */
export function keyIdentity(record: unknown, key: readonly string[]): string | undefined {
  const values = key.map((name) => keyText(record, name))
  return key.length === 0 || values.includes(undefined) ? undefined : `key ${JSON.stringify(values)}`
}

/** Returns the values of the key in an identity; undefined if it is a hash. */
export const keyOfIdentity = (identity: string): string[] | undefined =>
  identity.startsWith('key ') ? (JSON.parse(identity.slice(4)) as string[]) : undefined

/** Returns the value of a field as text, so that 1 and '1' are one key; undefined if it has none. */
function keyText(record: unknown, name: string): string | undefined {
  if (typeof record !== 'object' || record === null || !Object.hasOwn(record, name)) return undefined
  const value: unknown = (record as Readonly<Record<string, unknown>>)[name]
  if (value instanceof Decimal) return value.text
  if (value instanceof Date) return value.toJSON()
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : undefined
}
