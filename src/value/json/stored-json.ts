import { storableText } from '../text.ts'
import { writeExactNumbers } from './exact-numbers.ts'
import { keptAsJson } from './kept-as-json.ts'
import { checkJson } from './strict-json.ts'

/**
 * Writes a value for a column of type json, which keeps every digit, NUL characters and halves of surrogate pairs. A
 * part that JSON cannot hold (a function, a Map, NaN, a cycle) is written as text or as a list; the rest stays.
 */
export function exactJson(value: unknown): string {
  try {
    checkJson(value)
    return JSON.stringify(value, writeExactNumbers) ?? 'null'
  } catch {
    return JSON.stringify(keptAsJson(value), writeExactNumbers) ?? 'null'
  }
}

/** Writes a value for a column of type jsonb that people read: characters that PostgreSQL cannot hold are replaced. */
export function displayJson(value: unknown): string {
  return (
    JSON.stringify(value, function (this: unknown, name: string, member: unknown) {
      return typeof member === 'string' ? storableText(member) : writeExactNumbers.call(this, name, member)
    }) ?? 'null'
  )
}
