import { isConnectionError, sqlState } from '../../database/errors.ts'
import { CancelledError, DatabaseError, PausedError, UsageError } from '../../model/errors.ts'
import { defineErrorName, messageOf } from '../../value/error.ts'
import type { ProblemAnswer } from '../schemas/resources.ts'

/** A request that cannot be fulfilled, with the HTTP status and what the client can do. */
export class Problem extends Error {
  static {
    defineErrorName(this)
  }
  readonly status: number
  readonly remedy: string
  constructor(status: number, problem: string, remedy: string, options?: ErrorOptions) {
    super(problem, options)
    this.status = status
    this.remedy = remedy
  }
}

export interface ProblemReply {
  readonly status: number
  readonly body: ProblemAnswer
}

/** Turns any error into an answer, without its stack. `location` names the request, as in `GET /api/runs`. */
export function problemReply(error: unknown, location: string): ProblemReply {
  const reply = (status: number, problem: string, remedy: string): ProblemReply => ({
    status,
    body: { error: { location, problem, remedy } },
  })
  if (error instanceof Problem) return reply(error.status, error.message, error.remedy)
  if (error instanceof UsageError)
    return reply(422, error.message, 'correct what the message names, then send it again')
  if (error instanceof PausedError) return reply(409, error.message, 'continue it, then send it again')
  if (error instanceof CancelledError) return reply(503, error.message, 'send it again when the server is up')
  if (error instanceof DatabaseError || isConnectionError(error) || sqlState(error)?.startsWith('57') === true)
    return reply(503, messageOf(error), 'check that the database is up, then send it again')
  if (isInvalidRequest(error)) return reply(error.statusCode, error.message, 'see /api/openapi.json for valid requests')
  return reply(500, messageOf(error), 'see the output of the server, and please report it')
}

/** Returns true for errors of Fastify about the request: a wrong content type, or a value against the schema. */
const isInvalidRequest = (error: unknown): error is { readonly message: string; readonly statusCode: number } =>
  error instanceof Error &&
  'statusCode' in error &&
  typeof error.statusCode === 'number' &&
  error.statusCode >= 400 &&
  error.statusCode < 500
