import type { ApiResponse, LimitHeaders } from '../../model/request.ts'
import { untilDate } from './retry-after.ts'

type Headers = ApiResponse<unknown>['headers']

/** The requests that an API still admits, and the time until it admits more. */
export interface RateLimit {
  readonly remaining: number
  readonly resetMs: number
  /** The header that states it, with its value. */
  readonly header: string
}

type Numbers = Omit<RateLimit, 'header'>

const PREFIXES = ['ratelimit', 'x-ratelimit', 'x-rate-limit'] as const

/** Reads the rate limit in the headers of a response. Returns undefined unless they state both numbers. */
export function rateLimitOf(headers: Headers, now: Date, named: readonly LimitHeaders[] = []): RateLimit | undefined {
  const own = strictestOfNamed(headers, now, named)
  if (own) return own
  const combined = strictest(headers['ratelimit'])
  if (combined) return { ...combined, header: `ratelimit: ${headers['ratelimit']}` }
  for (const prefix of PREFIXES) {
    const remaining = numberOf(headers[`${prefix}-remaining`])
    const resetAfter = numberOf(headers[`${prefix}-reset-after`])
    const resetMs = resetAfter === undefined ? resetMsOf(headers[`${prefix}-reset`], headers, now) : resetAfter * 1_000
    if (remaining !== undefined && resetMs !== undefined)
      return { remaining, resetMs, header: `${prefix}-remaining: ${headers[`${prefix}-remaining`]}` }
  }
  return undefined
}

/** Returns the strictest of the budgets that a definition names. A budget of points admits as many as the last cost. */
function strictestOfNamed(headers: Headers, now: Date, named: readonly LimitHeaders[]): RateLimit | undefined {
  const found = named.flatMap(({ remaining: name, reset, cost }) => {
    const left = numberOf(headers[name])
    const resetMs = resetMsOf(headers[reset], headers, now)
    const each = cost === undefined ? 1 : (numberOf(headers[cost]) ?? 1)
    if (left === undefined || resetMs === undefined) return []
    return [{ remaining: Math.floor(left / Math.max(1, each)), resetMs, header: `${name}: ${headers[name]}` }]
  })
  return found.toSorted((a, b) => a.remaining - b.remaining || b.resetMs - a.resetMs)[0]
}

/** True if a header describes a rate limit, which holds for the whole API. */
export function namesRateLimit(headers: Headers): boolean {
  return Object.keys(headers).some((name) => /^(?:x-)?rate-?limit(?:-|$)/.test(name))
}

/**
 * Reads the combined header: `"default";r=50;t=30`, or several of them, or `limit=100, remaining=50, reset=30` of an
 * earlier draft.
 */
function strictest(text: string | undefined): Numbers | undefined {
  if (text === undefined) return undefined
  const earlier = limitOf(/\bremaining=(\d+)/.exec(text)?.[1], /\breset=(\d+)/.exec(text)?.[1])
  if (earlier) return earlier
  const policies = text
    .split(',')
    .map((policy) => limitOf(/;\s*r=(\d+)/.exec(policy)?.[1], /;\s*t=(\d+)/.exec(policy)?.[1]))
  return policies
    .filter((policy) => policy !== undefined)
    .toSorted((a, b) => a.remaining - b.remaining || b.resetMs - a.resetMs)[0]
}

function limitOf(remaining: string | undefined, seconds: string | undefined): Numbers | undefined {
  return remaining === undefined || seconds === undefined
    ? undefined
    : { remaining: Number(remaining), resetMs: Number(seconds) * 1_000 }
}

/**
 * Reads a reset time. Some APIs write seconds from now, some seconds or milliseconds since 1970, some a date; the size
 * of the number decides.
 */
function resetMsOf(text: string | undefined, headers: Headers, now: Date): number | undefined {
  if (text === undefined) return undefined
  const number = numberOf(text)
  if (number === undefined || /^\d{4}-/.test(text.trim())) return untilDate(text, headers, now)
  if (number > 1e11) return untilDate(number, headers, now)
  return number > 1e8 ? untilDate(number * 1_000, headers, now) : number * 1_000
}

/** Reads the number at the beginning of a text, if it is not negative. */
function numberOf(text: string | undefined): number | undefined {
  const number = Number.parseFloat(text ?? '')
  return Number.isFinite(number) && number >= 0 ? number : undefined
}
