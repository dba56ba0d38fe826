// Errors that callers may catch. A message names the location, the problem and the remedy. `code` is stable, and
// `cause` holds the underlying error.
import { defineErrorName } from '../value/error.ts'
import type { ErrorCode } from './error-code.ts'
import { SluiceError, UsageError } from './usage-error.ts'

export { SluiceError, UsageError, type Place } from './usage-error.ts'

/**
 * Reasons for which a request fails.
 *
 * | kind | meaning |
 * |---|---|
 * | `not sent` | its URL is invalid, or is on an origin that the API does not allow |
 * | `connection` | the connection failed in a way that a retry does not mend, such as a bad certificate |
 * | `unavailable` | each of its `attempts` failed in a way that may pass: no complete response, 408, 425, 429 or 5xx |
 * | `credentials` | the API refused the credentials; the message names them |
 * | `status` | any other status that is not a success |
 * | `redirect` | the redirects have no end, or lead nowhere |
 * | `graphql` | the response lists GraphQL errors |
 * | `rule` | a rule of the definition lets the response fail |
 * | `rate limit` | the API asks for a longer wait than a run accepts |
 */
export type HttpErrorKind =
  | 'not sent'
  | 'connection'
  | 'unavailable'
  | 'credentials'
  | 'status'
  | 'redirect'
  | 'graphql'
  | 'rule'
  | 'rate limit'

export interface HttpErrorOptions {
  readonly kind: HttpErrorKind
  /** @default 0 */
  readonly status?: number | undefined
  /** @default 1 */
  readonly attempts?: number | undefined
  readonly location?: string | undefined
  readonly cause?: unknown
}

const EXPLANATIONS_OF_KINDS: Readonly<Record<HttpErrorKind, ErrorCode>> = {
  'not sent': 'HTTP_NOT_SENT',
  connection: 'HTTP_CONNECTION',
  unavailable: 'HTTP_UNAVAILABLE',
  credentials: 'HTTP_CREDENTIALS',
  status: 'HTTP_STATUS',
  redirect: 'HTTP_REDIRECT',
  graphql: 'GRAPHQL',
  rule: 'HTTP_RULE',
  'rate limit': 'RATE_LIMITED',
}

/** A request failed for good. */
export class HttpError extends SluiceError {
  override readonly code: string = 'HTTP'
  readonly kind: HttpErrorKind
  /** HTTP status of the response; 0 if there was none. */
  readonly status: number
  /** Times that the request was tried, counted by the client that retries it; 0 if nothing was sent. */
  attempts: number
  /** The request as messages name it, such as `GET /topics`. */
  readonly location: string | undefined

  constructor(message: string, { kind, status = 0, attempts, location, cause }: HttpErrorOptions) {
    super(message, { cause })
    this.kind = kind
    this.status = status
    this.attempts = attempts ?? (kind === 'not sent' ? 0 : 1)
    this.location = location
  }

  override get explanation(): ErrorCode {
    return this.kind === 'status' && this.status === 404 ? 'HTTP_NOT_FOUND' : EXPLANATIONS_OF_KINDS[this.kind]
  }

  static {
    defineErrorName(this)
  }
}

/** The API asks for a longer wait than a run accepts. The stream ends with its position committed. */
export class RateLimitedError extends HttpError {
  override readonly code = 'RATE_LIMITED'
  readonly until: Date

  constructor(message: string, { until, ...options }: Omit<HttpErrorOptions, 'kind'> & { readonly until: Date }) {
    super(message, { ...options, kind: 'rate limit' })
    this.until = until
  }
  static {
    defineErrorName(this)
  }
}

/** A response body is not as expected: not JSON, no list of records, or larger than the limit. */
export class DecodeError extends SluiceError {
  override readonly code = 'DECODE'
  static {
    defineErrorName(this)
  }
}

/** Pages do not follow each other: a request repeats, or more pages are announced without a way to them. */
export class PagingError extends SluiceError {
  override readonly code = 'PAGING'
  static {
    defineErrorName(this)
  }
}

/** The stored position is no longer valid. The slice has to restart. */
export class PositionLostError extends SluiceError {
  override readonly code = 'POSITION_LOST'
  static {
    defineErrorName(this)
  }
}

/** The API no longer knows the delta token of a mirror. The slice has to restart, and reads everything. */
export class TokenExpiredError extends PositionLostError {
  static {
    defineErrorName(this)
  }
}

/** The API no longer has the results of a job. The slice has to restart, with another job. */
export class ResultsLostError extends PositionLostError {
  static {
    defineErrorName(this)
  }
}

/** A job of the API failed, or did not end in time. The next run starts another one. */
export class JobError extends SluiceError {
  override readonly code = 'JOB'
  static {
    defineErrorName(this)
  }
}

/**
 * A reading came to its end without a proof that it has read everything, and its table does not accept that. Its cursor
 * stays, and the next run reads the same range from its start again.
 */
export class IncompleteError extends SluiceError {
  override readonly code = 'INCOMPLETE'
  /** Why it is not proven, as sentences. */
  readonly reasons: readonly string[]

  constructor(message: string, { reasons }: { readonly reasons: readonly string[] }) {
    super(message)
    this.reasons = reasons
  }
  static {
    defineErrorName(this)
  }
}

/**
 * The list has moved while it was read, and rows cannot be found by a key. The slice has to restart, because rows would
 * double.
 */
export class ListMovedError extends PositionLostError {
  static {
    defineErrorName(this)
  }

  /** A digest of all records that were read, in their order. Undefined if a part of them is not known. */
  readonly passDigest: string | undefined

  constructor(passDigest?: string) {
    super('the list has moved while it was read, and its table has no key. Restarting from the beginning')
    this.passDigest = passDigest
  }
}

/** A record cannot be stored. Thrown by a stage, it rejects that record only. */
export class RejectError extends SluiceError {
  override readonly code = 'REJECT'
  static {
    defineErrorName(this)
  }
}

/** The table's columns do not accept the rows. */
export class SchemaError extends SluiceError {
  override readonly code = 'SCHEMA'
  static {
    defineErrorName(this)
  }
}

/** Rows could not be written, for a reason other than the rows themselves. */
export class LoadError extends SluiceError {
  override readonly code: string = 'LOAD'
  static {
    defineErrorName(this)
  }
}

/** More records were rejected than the table's `maxRejects` allows. */
export class TooManyRejectsError extends LoadError {
  override readonly code = 'TOO_MANY_REJECTS'
  static {
    defineErrorName(this)
  }
}

/** A complete reading of a mirror did not bring more rows than it may delete. Nothing was deleted. */
export class TooManyDeletesError extends LoadError {
  override readonly code = 'TOO_MANY_DELETES'
  static {
    defineErrorName(this)
  }
}

/** Another run has taken the slice over. This run must not write to it any more. */
export class SliceLostError extends SluiceError {
  override readonly code = 'SLICE_LOST'
  static {
    defineErrorName(this)
  }
}

/** The database cannot be used: it is unreachable, read-only or lacks a permission. */
export class DatabaseError extends SluiceError {
  override readonly code = 'DATABASE'
  static {
    defineErrorName(this)
  }
}

/** The run was stopped from outside. Exit code 130. */
export class CancelledError extends SluiceError {
  override readonly code = 'CANCELLED'
  static {
    defineErrorName(this)
  }
}

/** A person has paused the stream: it is not read until it is continued. */
export class PausedError extends CancelledError {
  static {
    defineErrorName(this)
  }
}

/** Client errors that say nothing about the record: the credentials or the rate of requests are to blame. */
const STATUSES_OF_THE_API = new Set([401, 403, 408, 429])

/**
 * Returns the reason for which a record is rejected after a user's function threw on it. Returns undefined if the
 * record is not to blame: the run was stopped, the definition is wrong, or an API that the function called is down. The
 * same error would then reject every record that follows.
 */
export function rejectionOf(error: unknown): string | undefined {
  if (
    error instanceof UsageError ||
    error instanceof CancelledError ||
    error instanceof DatabaseError ||
    error instanceof RateLimitedError
  )
    return undefined
  if (error instanceof HttpError) {
    const { status } = error
    if (status < 400 || status > 499 || STATUSES_OF_THE_API.has(status)) return undefined
  }
  if (!Error.isError(error)) return `thrown: ${String(error)}`
  return error.message === '' ? error.name : error.message
}
