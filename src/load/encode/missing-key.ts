import { nearest } from '../../value/nearest.ts'
import { isRecord } from '../values/value-kind.ts'

/** Names of fields that a message lists at most. */
const MAX_LISTED = 20

/** Lists the fields of a record that have a value or null, as in `it has id, name`. */
export function fieldsText(record: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(record).filter((name) => record[name] !== undefined)
  if (names.length === 0) return 'no fields'
  return names.slice(0, MAX_LISTED).join(', ') + (names.length > MAX_LISTED ? ', …' : '')
}

/** Names the field that a misspelled one probably means, as in `. Did you mean id?`; '' if none is near. */
export function meantText(field: string, record: Readonly<Record<string, unknown>>): string {
  const near = nearest(field, Object.keys(record))
  return near === undefined ? '' : `. Did you mean ${near}?`
}

/** Returns a sentence about the field of the key that no record has; undefined if there is none. */
export function missingKeyText(records: readonly unknown[], key: readonly string[]): string | undefined {
  const [first] = records
  if (!isRecord(first)) return undefined
  const field = key.find((name) => records.every((record) => isRecord(record) && record[name] === undefined))
  return (
    field &&
    `no record has the field ${field} of the key; the records have ${fieldsText(first)}${meantText(field, first)}`
  )
}
