// `dedupe`: filters records whose fields equal those of an earlier record.
import { Decimal } from '../value/decimal.ts'
import { keepRecords, type CompiledStage, type MutablePage } from './mutable-page.ts'

/** Remembers the keys of the last `limit` different records. A restart of the slice forgets them. */
export function dedupe(fields: readonly string[], limit: number): CompiledStage {
  const seen = new Set<string>()
  return (page: MutablePage): void => {
    const records: unknown[] = []
    const indexes: number[] = []
    for (const [index, record] of page.records.entries()) {
      const key = keyOf(record, fields)
      if (seen.has(key)) {
        page.duplicate++
        // Moves the key to the end, so that a key that keeps coming is not forgotten.
        seen.delete(key)
      } else {
        records.push(record)
        indexes.push(index)
      }
      seen.add(key)
      if (seen.size > limit) forgetOldest(seen)
    }
    if (records.length < page.records.length) keepRecords(page, records, indexes)
  }
}

/** A set keeps the order in which keys were added. */
function forgetOldest(keys: Set<string>): void {
  for (const oldest of keys) {
    keys.delete(oldest)
    return
  }
}

function keyOf(record: unknown, fields: readonly string[]): string {
  const members = (typeof record === 'object' && record !== null ? record : {}) as Readonly<Record<string, unknown>>
  return JSON.stringify(fields.map((field) => keyPart(members[field])))
}

/** JSON has no bigint and no undefined, and a Decimal must not equal a text. */
function keyPart(value: unknown): unknown {
  if (typeof value === 'bigint') return { n: value.toString() }
  if (value instanceof Decimal) return { d: value.text }
  return value === undefined ? { u: 0 } : value
}
