// Conditions on one value, as data: of a response, or of a record.
import { valueAt } from './path.ts'
import type { FieldCondition, InCondition, Test } from './condition-types.ts'

export type { FieldCondition, InCondition, Scalar, Test } from './condition-types.ts'

/** True for a condition in place of a path or a function. */
export const isCondition = (value: unknown): value is InCondition<never> =>
  typeof value === 'object' && value !== null && 'at' in value && !('header' in value)

/** True if a value is one of those of a test, or is there. Null, '' and false are not there. */
export function passes(value: unknown, { is, exists }: Test): boolean {
  if (exists === undefined) return [is].flat().some((one) => one === value)
  const isThere = value !== undefined && value !== null && value !== '' && value !== false
  return isThere === exists
}

/** True if a record fits a condition. */
export const fitsRecord = ({ field, ...test }: FieldCondition, record: unknown): boolean =>
  passes(valueAt(record, field), test)

/** Returns a test as messages and `sluice list --verbose` show it: `status = "deleted"`. */
export function testText(name: string, { is, exists }: Test): string {
  if (exists !== undefined) return `${name} is ${exists ? 'there' : 'missing'}`
  return `${name} = ${[is]
    .flat()
    .map((one) => JSON.stringify(one))
    .join(' or ')}`
}
