// `validate`: checks each record by a Standard Schema.
import { RejectError } from '../model/errors.ts'
import type { StandardSchema } from '../model/recipe.ts'
import { isPromise } from './call-for-each.ts'

type Result = Awaited<ReturnType<StandardSchema<unknown>['~standard']['validate']>>

/** Returns a function of one record that returns the schema's value, or throws a `RejectError` with its issues. */
export const validateFunction =
  (schema: StandardSchema<unknown>) =>
  (record: unknown): unknown => {
    const result = schema['~standard'].validate(record)
    return isPromise(result) ? result.then(valueOf) : valueOf(result)
  }

function valueOf(result: Result): unknown {
  if (!result.issues) return result.value
  throw new RejectError(
    result.issues
      .map(({ message, path }) => (path?.length ? `${path.map(stepName).join('.')}: ${message}` : message))
      .join('; '),
  )
}

/** A step of an issue's path is a name, or an object that holds the name. */
const stepName = (step: unknown): string =>
  String(typeof step === 'object' && step !== null && 'key' in step ? step.key : step)
