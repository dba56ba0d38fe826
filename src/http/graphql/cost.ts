// What a GraphQL response says of the cost of its query, and of the points that are left: as Shopify states it in
// `extensions.cost`, and as GitHub states it in `data.rateLimit`.
import type { ApiResponse } from '../../model/request.ts'
import type { StatedByBody } from '../../model/scope.ts'
import { rateLimitOf } from '../limits/rate-limit.ts'
import { retryAfter, untilDate } from '../limits/retry-after.ts'
import { errorsOf } from './response.ts'

type Headers = ApiResponse<unknown>['headers']

/** A bucket of points that fills again at a steady rate. */
export interface Throttle {
  /** Points that a query like this one must find in the bucket. */
  readonly cost: number
  readonly available: number
  readonly maximum: number
  readonly restorePerSecond: number
}

const THROTTLED = new Set(['THROTTLED', 'RATE_LIMITED', 'RATELIMITED', 'TOO_MANY_REQUESTS'])

/** True if a response refuses its query because too much was asked for at once. */
export const isThrottled = (body: unknown, headers: Headers): boolean =>
  errorsOf(body).some(({ code }) => THROTTLED.has(code) || headers['retry-after'] !== undefined)

/** Returns the bucket that `extensions.cost` describes. */
export function throttleOf(body: unknown): Throttle | undefined {
  const cost = membersOf(membersOf(body, 'extensions'), 'cost')
  const status = membersOf(cost, 'throttleStatus')
  const [points, available, maximum, restorePerSecond] = [
    numberOf(cost['requestedQueryCost']),
    numberOf(status['currentlyAvailable']),
    numberOf(status['maximumAvailable']),
    numberOf(status['restoreRate']),
  ]
  if (points === undefined || available === undefined || maximum === undefined || !restorePerSecond) return undefined
  return { cost: points, available, maximum, restorePerSecond }
}

/** Returns the milliseconds until a bucket has the points of another query like this one. */
export const waitFor = ({ cost, available, maximum, restorePerSecond }: Throttle): number =>
  Math.ceil((Math.max(0, Math.min(cost, maximum) - available) / restorePerSecond) * 1_000)

/** Returns the limits that a response states in its body, for all processes; undefined if it states none. */
export function limitsInBody(body: unknown, headers: Headers, now: Date): StatedByBody | undefined {
  const throttle = throttleOf(body)
  const isRefused = isThrottled(body, headers)
  if (throttle) {
    const { cost, available } = throttle
    const waitMs = waitFor(throttle)
    return waitMs > 0 || isRefused ? { waitMs, text: `${available} points left of ${cost}` } : undefined
  }
  const remaining = remainingIn(body, headers, now)
  if (!isRefused) return remaining
  const limit = rateLimitOf(headers, now)
  const reset = limit?.remaining === 0 ? limit.resetMs : remaining?.remaining?.ms
  const waitMs = retryAfter(headers, now) ?? reset
  return waitMs === undefined ? undefined : { waitMs, text: 'a refusal by its rate limit' }
}

/** Reads `rateLimit { cost remaining resetAt }`: so many queries like this one are admitted until the reset. */
function remainingIn(body: unknown, headers: Headers, now: Date): StatedByBody | undefined {
  const limit = membersOf(membersOf(body, 'data'), 'rateLimit')
  const [cost, remaining] = [numberOf(limit['cost']), numberOf(limit['remaining'])]
  const ms = typeof limit['resetAt'] === 'string' ? untilDate(limit['resetAt'], headers, now) : undefined
  if (cost === undefined || remaining === undefined || ms === undefined) return undefined
  const requests = Math.floor(remaining / Math.max(1, cost))
  return { remaining: { requests, ms }, text: `rateLimit: ${remaining} points left, at ${cost} each` }
}

function membersOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  const member = isObject(value) ? value[name] : undefined
  return isObject(member) ? member : {}
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
