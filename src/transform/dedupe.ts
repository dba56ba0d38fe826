import { Decimal } from '../value/decimal.ts'
import { keep, type Change, type Working } from './working.ts'

/**
 * Leave out records that agree in these fields with one of the last ones; what is remembered is bounded, and lost when
 * a reading is interrupted.
 */
export function dedupe(by: readonly string[], last: number): Change {
  const seen = new Set<string>()
  return (page: Working): void => {
    const records: unknown[] = []
    const places: number[] = []
    for (const [place, record] of page.records.entries()) {
      const key = keyOf(record, by)
      if (seen.has(key)) {
        page.duplicate++
        // Moved to the end: what keeps coming must not be forgotten.
        seen.delete(key)
      } else {
        records.push(record)
        places.push(place)
      }
      seen.add(key)
      if (seen.size > last) seen.delete(seen.values().next().value!)
    }
    if (records.length < page.records.length) keep(page, records, places)
  }
}

function keyOf(record: unknown, by: readonly string[]): string {
  const members = (typeof record === 'object' && record !== null ? record : {}) as Readonly<Record<string, unknown>>
  return JSON.stringify(by.map((field) => told(members[field])))
}

/** JSON knows neither bigints nor undefined, and a Decimal must not equal a text. */
function told(value: unknown): unknown {
  if (typeof value === 'bigint') return { n: value.toString() }
  if (value instanceof Decimal) return { d: value.text }
  return value === undefined ? { u: 0 } : value
}
