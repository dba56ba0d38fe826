import type { Limits } from '../../model/rate.ts'
import type { Budget } from '../../model/scope.ts'
import { RateLimitedError } from '../../model/errors.ts'
import { rateLimitOf } from './rate-limit.ts'
import { MAX_WAIT_MS, retryAfter } from './retry-after.ts'

/** What makes a request wait. */
export interface RateWait {
  readonly reason: 'rate limit' | 'retry-after'
  readonly ms: number
  /** The API asks for it, not the definition. */
  readonly asked: boolean
}

/** What an answer says about its API's limits. */
export function limitsOf(
  status: Parameters<Budget['observe']>[0],
  headers: Parameters<Budget['observe']>[1],
  now: Date,
): Limits {
  const limit = rateLimitOf(headers, now)
  // A redirect may say Retry-After too, and means something else by it.
  const blockedMs = status >= 400 ? retryAfter(headers, now) : undefined
  return { blockedMs, left: limit && { requests: limit.remaining, ms: limit.resetMs } }
}

/** No run waits for an API for so long: the stream ends with its position committed, and says until when. */
export function throwIfTooLong(
  { asked, ms }: RateWait,
  { name, now }: { readonly name: string; readonly now: Date },
): void {
  if (!asked || ms <= MAX_WAIT_MS) return
  const until = new Date(now.getTime() + ms)
  throw new RateLimitedError(
    `${name} admits no request until ${until.toISOString()}, longer than a run waits: run again then, and it goes on from there`,
    { status: 429, until },
  )
}
