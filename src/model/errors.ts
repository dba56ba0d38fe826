// What callers may catch. A message says place, fault and remedy; `code` is stable; `cause` keeps what was underneath.

export class SluiceError extends Error {
  readonly code: string = 'SLUICE'
}
Object.defineProperty(SluiceError.prototype, 'name', {
  value: 'SluiceError',
  enumerable: false,
  configurable: true,
  writable: true,
})

const named = (type: { prototype: object; name: string }): void => {
  Object.defineProperty(type.prototype, 'name', {
    value: type.name,
    enumerable: false,
    configurable: true,
    writable: true,
  })
}

/** A definition, an option or the environment is wrong; nothing was requested. Exit code 2. */
export class UsageError extends SluiceError {
  override readonly code = 'USAGE'
}

/** A request failed for good. */
export class HttpError extends SluiceError {
  override readonly code: string = 'HTTP'
  /** 0 where there was no answer. */
  readonly status: number
  constructor(message: string, { status = 0, cause }: { status?: number; cause?: unknown } = {}) {
    super(message, { cause })
    this.status = status
  }
}

/** The API asks to wait longer than a run may: the stream ends with its position committed. */
export class RateLimitedError extends HttpError {
  override readonly code = 'RATE_LIMITED'
  readonly until: Date
  constructor(message: string, { status, until, cause }: { status: number; until: Date; cause?: unknown }) {
    super(message, { status, cause })
    this.until = until
  }
}

/** A body was not what it should be: no JSON, no list where the records should be, a page that is too large. */
export class DecodeError extends SluiceError {
  override readonly code = 'DECODE'
}

/** Pages follow each other wrongly: a request that was already made, `more` with no way on. */
export class PagingError extends SluiceError {
  override readonly code = 'PAGING'
}

/** The stored position cannot be used any more: the slice has to begin anew. */
export class PositionLostError extends SluiceError {
  override readonly code = 'POSITION_LOST'
}

/** A record cannot be stored; thrown inside a stage, it rejects that record alone. */
export class RejectError extends SluiceError {
  override readonly code = 'REJECT'
}

/** The table's shape does not admit what is to be written. */
export class SchemaError extends SluiceError {
  override readonly code = 'SCHEMA'
}

/** Rows could not be written, and it is not the rows' fault. */
export class LoadError extends SluiceError {
  override readonly code: string = 'LOAD'
}

/** More records were rejected than the table's `maxRejects` admits. */
export class TooManyRejectsError extends LoadError {
  override readonly code = 'TOO_MANY_REJECTS'
}

/** The slice belongs to somebody else by now; nothing more may be written. */
export class SliceLostError extends SluiceError {
  override readonly code = 'SLICE_LOST'
}

/** The database cannot be used: not there, read-only, no right. */
export class DatabaseError extends SluiceError {
  override readonly code = 'DATABASE'
}

/** Stopped from outside. Exit code 130. */
export class CancelledError extends SluiceError {
  override readonly code = 'CANCELLED'
}

for (const type of [
  UsageError,
  HttpError,
  RateLimitedError,
  DecodeError,
  PagingError,
  PositionLostError,
  RejectError,
  SchemaError,
  LoadError,
  TooManyRejectsError,
  SliceLostError,
  DatabaseError,
  CancelledError,
])
  named(type)

/**
 * Why a record is rejected for what a function of the user's threw on it; undefined where it was not the record's
 * fault: the run was stopped, the definition is wrong, or an API that the function asked is down, which would reject
 * every record after it as well.
 */
export function rejectionOf(error: unknown): string | undefined {
  if (
    error instanceof UsageError ||
    error instanceof CancelledError ||
    error instanceof DatabaseError ||
    error instanceof RateLimitedError
  )
    return undefined
  if (
    error instanceof HttpError &&
    (error.status < 400 || error.status > 499 || [401, 403, 408, 429].includes(error.status))
  )
    return undefined
  if (!Error.isError(error)) return `thrown: ${String(error)}`
  return error.message === '' ? error.name : error.message
}
