import type { ApiResponse } from '../../model/request.ts'
import { untilDate } from './retry-after.ts'

type Headers = ApiResponse<unknown>['headers']

/** How many requests an API still admits, and how long until it admits more. */
export interface RateLimit {
  readonly remaining: number
  readonly resetMs: number
}

const SPELLINGS = ['ratelimit', 'x-ratelimit', 'x-rate-limit'] as const

/** What the headers of an answer say about its API's limit; undefined where they do not say both numbers. */
export function rateLimitOf(headers: Headers, now: Date): RateLimit | undefined {
  const combined = tightest(headers['ratelimit'])
  if (combined) return combined
  for (const name of SPELLINGS) {
    const remaining = first(headers[`${name}-remaining`])
    const after = first(headers[`${name}-reset-after`])
    const resetMs = after === undefined ? resetOf(headers[`${name}-reset`], headers, now) : after * 1_000
    if (remaining !== undefined && resetMs !== undefined) return { remaining, resetMs }
  }
  return undefined
}

/** `"default";r=50;t=30`, several of them, or `limit=100, remaining=50, reset=30` of an older draft. */
function tightest(text: string | undefined): RateLimit | undefined {
  if (text === undefined) return undefined
  const old = limit(/\bremaining=(\d+)/.exec(text)?.[1], /\breset=(\d+)/.exec(text)?.[1])
  if (old) return old
  const policies = text
    .split(',')
    .map((policy) => limit(/;\s*r=(\d+)/.exec(policy)?.[1], /;\s*t=(\d+)/.exec(policy)?.[1]))
  return policies
    .filter((policy) => policy !== undefined)
    .toSorted((a, b) => a.remaining - b.remaining || b.resetMs - a.resetMs)[0]
}

function limit(remaining: string | undefined, seconds: string | undefined): RateLimit | undefined {
  return remaining === undefined || seconds === undefined
    ? undefined
    : { remaining: Number(remaining), resetMs: Number(seconds) * 1_000 }
}

/** Some APIs write seconds from now, some seconds or milliseconds since 1970, some a date; the size tells which. */
function resetOf(text: string | undefined, headers: Headers, now: Date): number | undefined {
  if (text === undefined) return undefined
  const number = first(text)
  if (number === undefined || /^\d{4}-/.test(text.trim())) return untilDate(text, headers, now)
  if (number > 1e11) return untilDate(number, headers, now)
  return number > 1e8 ? untilDate(number * 1_000, headers, now) : number * 1_000
}

function first(text: string | undefined): number | undefined {
  const number = Number.parseFloat(text ?? '')
  return Number.isFinite(number) && number >= 0 ? number : undefined
}
