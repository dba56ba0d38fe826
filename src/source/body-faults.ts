// Values of a response that JSON does not know, or that lie too deep. Those in records reject their records only.
import type { BodyFaults } from '../model/scope.ts'
import { UnreadableRecord } from '../model/unreadable-record.ts'
import { keepRawText } from '../value/json/stored-json.ts'

/**
 * Throws if a value outside the records is none of JSON, since the paging may depend on it. A record with such a value
 * goes on as it was parsed, with NaN or half of a surrogate pair: a stage may correct it, and no column but one of
 * floating-point numbers stores it. Its text is kept for the rejects. Returns the records, `UnreadableRecord`s in place
 * of those of which a part was left out.
 */
export function checkFaults({ list, textOf, error }: BodyFaults, records: readonly unknown[]): readonly unknown[] {
  const set = new Set(records)
  const unreadable = new Map<unknown, UnreadableRecord>()
  for (const fault of list) {
    const record = fault.holders.find((holder) => set.has(holder))
    // A record that is no object is rejected anyway.
    if (!record && fault.holders.at(-1) !== records) throw error(fault)
    const text = record && fault.kind !== 'text' ? textOf(record) : undefined
    if (record && text !== undefined) keepRawText(record, text)
    if (record && fault.kind === 'depth')
      unreadable.set(record, new UnreadableRecord(`${fault.path} ${fault.problem}`, record as Record<string, unknown>))
  }
  return unreadable.size === 0 ? records : records.map((record) => unreadable.get(record) ?? record)
}
