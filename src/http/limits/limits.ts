import { RateLimitedError } from '../../model/errors.ts'
import { WHOLE_API, type Limits, type LimitSource } from '../../model/rate.ts'
import type { ApiResponse, LimitHeaders } from '../../model/request.ts'
import type { ResponseOrigin } from '../../model/scope.ts'
import { durationText } from '../../value/duration.ts'
import { namesRateLimit, rateLimitOf, type RateLimit } from './rate-limit.ts'
import { atMost, MAX_WAIT_MS, retryAfter } from './retry-after.ts'

type Headers = ApiResponse<unknown>['headers']

/** A wait before the next request. */
export interface RateWait {
  readonly reason: 'rate limit' | 'retry-after'
  readonly ms: number
  /** The API demands it, not the rate of the definition. */
  readonly isDemanded: boolean
  /** The path that it holds for. @default the whole API */
  readonly path?: string | undefined
  readonly source?: LimitSource | undefined
}

/** Reads the limits that an API states in a response. */
export function limitsOf(
  status: number,
  headers: Headers,
  { now, named, ...origin }: ResponseOrigin & { now: Date; named?: readonly LimitHeaders[] | undefined },
): Limits {
  const { stream, request, body } = origin
  const limit = strictest(rateLimitOf(headers, now, named), body)
  const source = { stream, request, status }
  // Retry-After of a redirect has another meaning.
  const waitMs = body?.waitMs ?? origin.waitMs ?? (status >= 400 ? retryAfter(headers, now) : undefined)
  return {
    ...(waitMs !== undefined && {
      wait: {
        path: waitPath(waitMs, headers, origin),
        ms: waitMs,
        source: {
          ...source,
          header: waitText(waitMs, headers, origin),
        },
      },
    }),
    ...(limit && {
      remaining: { requests: limit.remaining, ms: atMost(limit.resetMs), source: { ...source, header: limit.header } },
    }),
  }
}

function waitText(ms: number, headers: Headers, { body, waitMs }: ResponseOrigin): string {
  if (body?.waitMs !== undefined) return body.text
  if (waitMs === undefined) return `retry-after: ${headers['retry-after']}`
  return `a wait of ${durationText(Math.ceil(ms / 1_000) * 1_000)}, by a rule`
}

/** Returns the limit that admits fewer requests. A header may count points, and the body their number of requests. */
function strictest(ofHeaders: RateLimit | undefined, body: ResponseOrigin['body']): RateLimit | undefined {
  const { remaining } = body ?? {}
  if (!body || !remaining || (ofHeaders && ofHeaders.remaining <= remaining.requests)) return ofHeaders
  return { remaining: remaining.requests, resetMs: remaining.ms, header: body.text }
}

/**
 * Returns the path that a wait holds for. A short one holds for the whole API: a busy API must not be asked elsewhere.
 * A long one holds for the path that was asked, because one endpoint's day must not close all others. Headers about a
 * rate limit describe the whole API.
 */
export function waitPath(
  waitMs: number,
  headers: Headers,
  { path, reach }: Pick<ResponseOrigin, 'path' | 'reach'>,
): string {
  const isWhole = reach === undefined ? waitMs <= MAX_WAIT_MS || namesRateLimit(headers) : reach === 'api'
  return isWhole ? WHOLE_API : path
}

/** The end of every message about a wait that is too long. */
export const RUN_AGAIN = 'A run waits 5 minutes at most. Run again then: it continues from what was committed.'

export interface TooLongOptions {
  readonly origin: string
  readonly now: Date
  /** Follows the message, such as a command that lifts the wait. */
  readonly remedy?: string
}

/** Throws `RateLimitedError` if an API demands a longer wait than a run accepts. The stream's position is committed. */
export function throwIfTooLong(wait: RateWait, { origin, now, remedy = '' }: TooLongOptions): void {
  const { isDemanded, ms, path = WHOLE_API, source } = wait
  if (!isDemanded || ms <= MAX_WAIT_MS) return
  const until = new Date(now.getTime() + ms)
  const because = source ? ` (${source.request} answered ${source.status} with ${source.header})` : ''
  throw new RateLimitedError(
    `${placeText(origin, path)} admits no request until ${until.toISOString()}${because}. ${RUN_AGAIN}${remedy}`,
    { status: 429, until, location: origin },
  )
}

/** Names an API, one of its paths, or an endpoint such as `GET /users` in messages. */
export function placeText(origin: string, path: string): string {
  const [, method, ownPath] = /^([A-Z]+) (\/.*)$/.exec(path) ?? []
  if (ownPath !== undefined) return `${method} ${origin}${ownPath}`
  return path.startsWith('/') ? origin + path : path || origin
}
