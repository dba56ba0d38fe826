import { RejectError } from '../model/errors.ts'
import type { StandardSchema } from '../model/recipe.ts'
import { isPromise } from './each.ts'

type Result = Awaited<ReturnType<StandardSchema<unknown>['~standard']['validate']>>

/** A schema as a function of one record: what it makes of it, or its reasons as a rejection. */
export const validating =
  (schema: StandardSchema<unknown>) =>
  (record: unknown): unknown => {
    const result = schema['~standard'].validate(record)
    return isPromise(result) ? result.then(valueOf) : valueOf(result)
  }

function valueOf(result: Result): unknown {
  if (!result.issues) return result.value
  throw new RejectError(
    result.issues
      .map(({ message, path }) => (path?.length ? `${path.map(nameOf).join('.')}: ${message}` : message))
      .join('; '),
  )
}

const nameOf = (step: unknown): string =>
  String(typeof step === 'object' && step !== null && 'key' in step ? step.key : step)
