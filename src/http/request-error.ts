import { HttpError, RateLimitedError } from '../model/errors.ts'
import type { ApiResponse } from '../model/request.ts'
import type { ResponseOrigin } from '../model/scope.ts'
import { certificateProblem } from '../observe/certificate-problem.ts'
import { defineErrorName, messageOf } from '../value/error.ts'
import { schemeProblem } from './scheme-problem.ts'
import { placeText, RUN_AGAIN, waitPath } from './limits/limits.ts'
import { rateLimitOf } from './limits/rate-limit.ts'
import { MAX_WAIT_MS, retryAfter } from './limits/retry-after.ts'

export interface TransientErrorOptions {
  /** The request as messages name it. */
  readonly location?: string | undefined
  /** 0 if there was no response. */
  readonly status?: number
  /** The wait that the API asks for before the next try. */
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
  /** The error of the last try. @default an `HttpError` with this message */
  readonly final?: Error | undefined
}

/** One try failed in a way that may pass. `withRetry` catches it, so it never leaves this folder. */
export class TransientError extends Error {
  static {
    defineErrorName(this)
  }
  readonly location: string | undefined
  readonly status: number
  readonly retryAfterMs: number | undefined
  readonly final: Error | undefined

  constructor(message: string, { location, status = 0, retryAfterMs, cause, final }: TransientErrorOptions = {}) {
    super(message, { cause })
    this.final = final
    this.location = location
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

const TRANSIENT_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'EPROTO',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
])

export interface StatusErrorOptions {
  readonly label: string
  /** Problem and remedy of the credentials; undefined for a status that does not concern them. */
  readonly credentialsProblem: string | undefined
  /** What the API says itself, as the end of a message. @default nothing */
  readonly said?: string
  readonly now: Date
  /** The API, and how far a long wait reaches in it. */
  readonly origin: string
  readonly path: string
  readonly reach?: ResponseOrigin['reach']
}

/** Returns the error of a response whose status is not a success. */
export function statusError(
  status: number,
  headers: ApiResponse<unknown>['headers'],
  { label, credentialsProblem, said = '', now, origin, ...asked }: StatusErrorOptions,
): Error {
  if (!isTransient(status, headers, now)) {
    const detail = credentialsProblem === undefined ? '' : `: ${credentialsProblem}`
    return new HttpError(`${label} answered ${status}${detail}${said}`, {
      kind: credentialsProblem === undefined ? 'status' : 'credentials',
      status,
      location: label,
    })
  }
  const retryAfterMs = retryAfter(headers, now)
  return retryError(`${label} answered ${status}`, { label, status, headers, retryAfterMs, now, origin, ...asked })
}

export interface RetryErrorOptions extends Omit<StatusErrorOptions, 'credentialsProblem' | 'said'> {
  readonly status: number
  readonly headers: ApiResponse<unknown>['headers']
  /** The wait that the API asks for. */
  readonly retryAfterMs: number | undefined
}

/** Returns the error of a response after which the request is tried again, or later if that takes too long. */
export function retryError(
  message: string,
  { label, status, headers, retryAfterMs, now, origin, ...asked }: RetryErrorOptions,
): Error {
  if (retryAfterMs === undefined) return new TransientError(message, { status, location: label })
  if (retryAfterMs <= MAX_WAIT_MS)
    return new TransientError(`${message} (retry after ${Math.ceil(retryAfterMs / 1_000)} s)`, {
      status,
      retryAfterMs,
      location: label,
    })
  const until = new Date(now.getTime() + retryAfterMs)
  return new RateLimitedError(
    `${message} (retry after ${until.toISOString()}). ` +
      `Until then no request is sent to ${placeText(origin, waitPath(retryAfterMs, headers, asked))}. ${RUN_AGAIN}`,
    { status, until, location: label },
  )
}

/** GitHub answers 403 to a request beyond its limit. Only the headers distinguish that from a missing permission. */
function isTransient(status: number, headers: ApiResponse<unknown>['headers'], now: Date): boolean {
  if (status === 403) return headers['retry-after'] !== undefined || rateLimitOf(headers, now)?.remaining === 0
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501)
}

/**
 * Returns the error of a request whose connection failed. A response that broke off may be complete at the next try; a
 * bad certificate, the wrong scheme or an invalid header stays. `url` is where it was sent, if nothing has answered.
 */
export function connectionError(error: unknown, label: string, url?: URL): Error {
  const certificate = certificateProblem(error)
  if (certificate)
    return new HttpError(
      `${label} could not be sent: the server's certificate is ${certificate} (${messageOf(error)})` +
        (certificate === 'not trusted' ? '; name the file of its authority in NODE_EXTRA_CA_CERTS' : ''),
      { kind: 'connection', location: label, cause: error },
    )
  const scheme = url && schemeProblem(error, url)
  if (scheme?.isSure)
    return new HttpError(`${label} could not be sent: ${scheme.text}`, {
      kind: 'connection',
      location: label,
      cause: error,
    })
  const code = codeOf(error)
  const text = messageOf(error) || String(error)
  const problem = (code && !text.includes(code) ? `${text} (${code})` : text) + (scheme ? ` (${scheme.text})` : '')
  // A response that is not HTTP has a code in some cases only.
  const isGarbled = Error.isError(error) && error.name === 'HTTPParserError'
  if (TRANSIENT_CODES.has(code) || isGarbled)
    return new TransientError(`${label} got no complete response: ${problem}`, { location: label, cause: error })
  return new HttpError(`${label} could not be sent: ${problem}`, { kind: 'connection', location: label, cause: error })
}

/** Returns the code of an error of Node or undici, or an empty text. */
export function codeOf(error: unknown): string {
  return Error.isError(error) && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Returns what a refusal says about the credentials; undefined if it is none. */
export function credentialsProblem(
  status: number,
  { secrets, users = [] }: { readonly secrets: readonly string[]; readonly users?: readonly string[] },
): string | undefined {
  // An API does not say which of the two is wrong.
  const names = [...users.map((user) => `the user ${JSON.stringify(user)}`), ...secrets].join(' and ')
  switch (status) {
    case 401:
      return names
        ? `the credentials were refused; check ${names}`
        : 'the API asks for credentials; give the API its auth'
    case 403:
      return names
        ? `the credentials lack a permission; check what ${names} may read`
        : 'the API may ask for credentials; give the API its auth'
    default:
      return undefined
  }
}
