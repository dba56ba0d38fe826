import { isConnectionError, sqlState } from '../../database/errors.ts'
import { CancelledError, DatabaseError, UsageError } from '../../model/errors.ts'
import { defineErrorName, messageOf } from '../../value/error.ts'

/** Why a request is not answered as it was asked: place, fault and remedy, and the status that fits. */
export class Problem extends Error {
  static {
    defineErrorName(this)
  }
  readonly status: number
  readonly remedy: string
  constructor(status: number, fault: string, remedy: string, options?: ErrorOptions) {
    super(fault, options)
    this.status = status
    this.remedy = remedy
  }
}

/** What is answered for an error. Never a stack. */
export interface ProblemReply {
  readonly status: number
  readonly error: { readonly place: string; readonly fault: string; readonly remedy: string }
}

/** Any error as an answer. */
export function problemReply(error: unknown, place: string): ProblemReply {
  const answer = (status: number, fault: string, remedy: string): ProblemReply => ({
    status,
    error: { place, fault, remedy },
  })
  if (error instanceof Problem) return answer(error.status, error.message, error.remedy)
  if (error instanceof UsageError)
    return answer(422, error.message, 'change what the message names, then send it again')
  if (error instanceof CancelledError) return answer(503, error.message, 'send it again to a server that goes on')
  if (error instanceof DatabaseError || isConnectionError(error) || sqlState(error)?.startsWith('57') === true)
    return answer(503, messageOf(error), 'look whether the database is up, then send it again')
  if (isRefused(error)) return answer(error.statusCode, error.message, 'see /api/openapi.json for what may be sent')
  return answer(500, messageOf(error), 'look at what the server prints, and please report it')
}

/**
 * What the framework itself refuses: a body of another type, a value that the schema does not admit. Its errors only
 * look like some.
 */
const isRefused = (error: unknown): error is { readonly message: string; readonly statusCode: number } =>
  error instanceof Error &&
  'statusCode' in error &&
  typeof error.statusCode === 'number' &&
  error.statusCode >= 400 &&
  error.statusCode < 500
