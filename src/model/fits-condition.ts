// Whether a value fits a condition. Apart from condition.ts, because a pipeline file that is imported tests nothing.
import { Decimal } from '../value/decimal.ts'
import { typeNameOf } from '../value/type-name.ts'
import { testText, type FieldCondition, type Test } from './condition.ts'
import { RejectError } from './errors.ts'
import { valueAt } from './path.ts'

/** True if a value is one of those of a test, or is there. Null, '' and false are not there. */
export function passes(value: unknown, { is, exists }: Test): boolean {
  if (exists === undefined) return [is].flat().some((one) => one === value)
  const isThere = value !== undefined && value !== null && value !== '' && value !== false
  return isThere === exists
}

/**
 * True if a record fits a condition. Throws a RejectError for a value that can never fit it: it would count as live, or
 * as not flagged, without a word.
 */
export function fitsRecord(condition: FieldCondition, record: unknown): boolean {
  const value = valueAt(record, condition.field)
  if (passes(value, condition)) return true
  const problem = kindProblem(`'${condition.field}'`, value, condition)
  if (problem !== undefined) throw new RejectError(`${problem}. Write the value of \`is\` as the record has it`)
  return false
}

/** Returns why a value can never be one of those of a test: it is of another kind. A missing one and null fit none. */
export function kindProblem(name: string, value: unknown, test: Test): string | undefined {
  if (test.is === undefined || value === undefined || value === null) return undefined
  const values = [test.is].flat().filter((one) => one !== null)
  if (values.length === 0 || values.some((one) => kindOf(one) === kindOf(value))) return undefined
  return `${name} holds ${typeNameOf(value)}, and the condition waits for ${testText('it', test)}, which it never is`
}

/** Numbers that a double does not hold exactly are numbers too. */
const kindOf = (value: unknown): string =>
  typeof value === 'bigint' || value instanceof Decimal ? 'number' : typeof value
