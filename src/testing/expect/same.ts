import { Decimal } from '../../value/decimal.ts'

/**
 * True if two values are equal: by their members, whatever their prototypes. A member that is undefined equals one that
 * is missing.
 *
 * @param isPart A record equals one that has only some of its members, at any depth. Lists have the same length.
 */
export function same(actual: unknown, expected: unknown, isPart = false): boolean {
  if (Object.is(actual, expected)) return true
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null) return false
  if (actual instanceof Date || expected instanceof Date)
    return actual instanceof Date && expected instanceof Date && actual.getTime() === expected.getTime()
  if (actual instanceof Decimal || expected instanceof Decimal)
    return actual instanceof Decimal && expected instanceof Decimal && actual.text === expected.text
  if (Array.isArray(actual) !== Array.isArray(expected)) return false
  if (Array.isArray(actual) && Array.isArray(expected) && actual.length !== expected.length) return false
  return differingNames(actual, expected, isPart).length === 0
}

/** Returns the names of the members in which two objects differ. */
export function differingNames(actual: object, expected: object, isPart = false): string[] {
  const [left, right] = [membersOf(actual), membersOf(expected)]
  const names = isPart ? Object.keys(right) : [...new Set([...Object.keys(left), ...Object.keys(right)])]
  return names.filter((name) => !same(left[name], right[name], isPart))
}

export const membersOf = (value: object): Readonly<Record<string, unknown>> => value as Record<string, unknown>
