import { HttpError, RateLimitedError } from '../model/errors.ts'
import type { ApiResponse } from '../model/request.ts'
import { defineErrorName, messageOf } from '../value/error.ts'
import { rateLimitOf } from './limits/rate-limit.ts'
import { MAX_WAIT_MS, retryAfter } from './limits/retry-after.ts'

/** One attempt failed in a way that may pass. It is caught by `withRetry` and never leaves this folder. */
export class TransientError extends Error {
  static {
    defineErrorName(this)
  }
  /** The request as messages name it. */
  readonly location: string | undefined
  /** 0 if there was no response. */
  readonly status: number
  /** What the API asks to wait before the next try. */
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    {
      location,
      status = 0,
      retryAfterMs,
      cause,
    }: {
      readonly location?: string | undefined
      readonly status?: number
      readonly retryAfterMs?: number | undefined
      readonly cause?: unknown
    } = {},
  ) {
    super(message, { cause })
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

/** What a status that is no success makes of its request. */
export function statusError(
  status: number,
  headers: ApiResponse<unknown>['headers'],
  { label, remedy, now }: { label: string; remedy: string; now: Date },
): Error {
  // GitHub answers 403 where a limit is used up; only the headers tell it from a right that is missing.
  const limited = status === 403 && (headers['retry-after'] !== undefined || rateLimitOf(headers, now)?.remaining === 0)
  const passing = limited || status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501)
  if (!passing)
    return new HttpError(`${label} answered ${status}${remedy}`, {
      kind: remedy === '' ? 'status' : 'credentials',
      status,
      location: label,
    })
  const retryAfterMs = retryAfter(headers, now)
  if (retryAfterMs === undefined) return new TransientError(`${label} answered ${status}`, { status, location: label })
  if (retryAfterMs <= MAX_WAIT_MS)
    return new TransientError(`${label} answered ${status} (retry after ${Math.ceil(retryAfterMs / 1_000)} s)`, {
      status,
      retryAfterMs,
      location: label,
    })
  const until = new Date(now.getTime() + retryAfterMs)
  const message = `${label} answered ${status} (retry after ${until.toISOString()}), longer than a run waits: run again then, and it goes on from there`
  return new RateLimitedError(message, { status, until, location: label })
}

/**
 * What becomes of a request whose connection failed: an answer that broke off may come whole the next time, a
 * certificate or a header does not become right.
 */
export function connectionError(error: unknown, label: string): Error {
  const code = codeOf(error)
  const text = messageOf(error) || String(error)
  const fault = code && !text.includes(code) ? `${text} (${code})` : text
  // What is no HTTP has a code in some cases only.
  const isGarbled = Error.isError(error) && error.name === 'HTTPParserError'
  if (TRANSIENT_CODES.has(code) || isGarbled)
    return new TransientError(`${label} got no whole answer: ${fault}`, { location: label, cause: error })
  return new HttpError(`${label} could not be sent: ${fault}`, { kind: 'connection', location: label, cause: error })
}

/** The code of an error of Node's or undici's. */
export function codeOf(error: unknown): string {
  return Error.isError(error) && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
