import { RateLimitedError } from '../../model/errors.ts'
import type { Limits } from '../../model/rate.ts'
import type { ApiResponse } from '../../model/request.ts'
import { rateLimitOf } from './rate-limit.ts'
import { MAX_WAIT_MS, retryAfter } from './retry-after.ts'

/** A wait before the next request. */
export interface RateWait {
  readonly reason: 'rate limit' | 'retry-after'
  readonly ms: number
  /** The API demands it, not the rate of the definition. */
  readonly isDemanded: boolean
}

/** Reads the limits that an API states in a response. */
export function limitsOf(status: number, headers: ApiResponse<unknown>['headers'], now: Date): Limits {
  const limit = rateLimitOf(headers, now)
  // Retry-After of a redirect has another meaning.
  const blockedMs = status >= 400 ? retryAfter(headers, now) : undefined
  return { blockedMs, left: limit && { requests: limit.remaining, ms: limit.resetMs } }
}

/** Throws `RateLimitedError` if an API demands a longer wait than a run accepts. The stream's position is committed. */
export function throwIfTooLong(
  { isDemanded, ms }: RateWait,
  { origin, now }: { readonly origin: string; readonly now: Date },
): void {
  if (!isDemanded || ms <= MAX_WAIT_MS) return
  const until = new Date(now.getTime() + ms)
  throw new RateLimitedError(
    `${origin} admits no request until ${until.toISOString()}. A run waits 5 minutes at most. ` +
      'Run again then: it continues from what was committed.',
    { status: 429, until, location: origin },
  )
}
