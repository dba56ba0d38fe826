import { exactJson } from './stored-json.ts'

/**
 * Returns a value as JSON in which equal texts mean equal values: to compare records, not to store them. Plain JSON is
 * four times as fast, and knows all values but bigints.
 */
export function contentOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return exactJson(value)
  }
}
