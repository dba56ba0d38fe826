// Values of a response that JSON does not know. Those inside records reject their records only.
import type { BodyFaults } from '../model/scope.ts'
import { keepRawText } from '../value/json/stored-json.ts'

/**
 * Throws if a value outside the records is none of JSON, since the paging may depend on it. A record with such a value
 * goes on as it was parsed, with NaN or half of a surrogate pair: a stage may correct it, and no column but one of
 * floating-point numbers stores it. Its text is kept for the rejects.
 */
export function checkFaults({ list, textOf, error }: BodyFaults, records: readonly unknown[]): void {
  const set = new Set(records)
  for (const fault of list) {
    const record = fault.holders.find((holder) => set.has(holder))
    // A record that is no object is rejected anyway.
    if (!record && fault.holders.at(-1) !== records) throw error(fault)
    const text = record && fault.kind === 'number' ? textOf(record) : undefined
    if (record && text !== undefined) keepRawText(record, text)
  }
}
