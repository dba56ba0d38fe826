// Conditions on one value, as data: of a response, or of a record.
import type { InCondition, Test } from './condition-types.ts'

export type { FieldCondition, InCondition, Scalar, Test } from './condition-types.ts'

/** True for a condition in place of a path or a function. */
export const isCondition = (value: unknown): value is InCondition<never> =>
  typeof value === 'object' && value !== null && 'at' in value && !('header' in value)

/** Returns a test as messages and `sluice list --verbose` show it: `status = "deleted"`. */
export function testText(name: string, { is, exists }: Test): string {
  if (exists !== undefined) return `${name} is ${exists ? 'there' : 'missing'}`
  return `${name} = ${[is]
    .flat()
    .map((one) => JSON.stringify(one))
    .join(' or ')}`
}
