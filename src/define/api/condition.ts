import { UsageError } from '../../model/errors.ts'
import type { FieldCondition, Scalar, Test } from '../../model/condition.ts'
import type { PathTo } from '../../model/path.ts'
import type { InHeader } from '../../model/request.ts'
import { rejectUnknownOptions } from '../../model/unknown-option.ts'

type OneOf =
  | {
      /** The value, or a list of values. */
      is: Scalar | readonly Scalar[]
    }
  | {
      /** True if the value must be there, false if it must not. Null, '' and false are not there. */
      exists: boolean
    }

/** A condition on a value of the response, such as `{ at: 'paging.next', exists: true }`. */
export type ResponseCondition<Body> = {
  /** The path of the value, or `inHeader(…)`. */
  at: PathTo<Body, string | number | boolean | object | null> | InHeader
} & OneOf

/** A condition on a field of a record, such as `{ field: 'status', is: 'deleted' }`. */
export type RecordCondition<Row> = {
  /** The path of the field. */
  field: PathTo<Row, string | number | boolean | object | null>
} & OneOf

/** Throws a UsageError unless a test says what the value must be. */
export function checkTest(place: string, { is, exists }: Test): void {
  if ((is === undefined) === (exists === undefined))
    throw new UsageError(`${place}: give \`is\` with a value, or \`exists\` with true or false`)
  if (exists !== undefined && typeof exists !== 'boolean')
    throw new UsageError(`${place}: exists is true or false, not ${JSON.stringify(exists)}`)
  const values: readonly unknown[] = [is].flat()
  if (is !== undefined && (values.length === 0 || values.some((value) => typeof value === 'object' && value !== null)))
    throw new UsageError(`${place}: is has a text, a number, true, false or null, or a list of them`)
}

/** Returns a condition on a record. Throws a UsageError for one that says nothing. */
export function recordCondition(place: string, condition: FieldCondition): FieldCondition {
  if (typeof condition !== 'object' || condition === null)
    throw new UsageError(`${place}: give a condition, as in { field: 'status', is: 'deleted' }`)
  rejectUnknownOptions(place, condition, ['field', 'is', 'exists'])
  if (typeof condition.field !== 'string' || condition.field === '')
    throw new UsageError(`${place}: name the field, as in { field: 'status', is: 'deleted' }`)
  checkTest(place, condition)
  return Object.freeze({ ...condition })
}

/** Returns the field that a flag adds, and when it is true. */
export function flagOf(
  name: string,
  condition: FieldCondition,
): { readonly name: string; readonly where: FieldCondition } {
  if (typeof name !== 'string' || name === '') throw new UsageError('.flag(): name the field that is added')
  return { name, where: recordCondition(`.flag('${name}')`, condition) }
}
