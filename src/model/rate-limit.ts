// How a definition says how many requests an API admits. Plain data.
import type { Duration } from '../value/duration.ts'

/** A number of requests in a period, such as `'10/s'`. */
export type Rate = `${number}/${'s' | 'm' | 'h'}`

/** A number of requests in a period, and a bucket if it has a burst. */
export interface RateLimit {
  readonly requests: number
  /** The period: a word, or a duration such as `'10s'`. */
  readonly per: 'second' | 'minute' | 'hour' | 'day' | Duration
  /**
   * The limit is a bucket: it admits so many requests at once, and gains `requests` in each period. @default none: no
   * period has more than `requests`
   */
  readonly burst?: number
}

/** One limit, or several that hold at once. */
export type RateLimits = Rate | RateLimit | readonly (Rate | RateLimit)[]

/** At most `requests` within any period of `periodMs` milliseconds; with a `burst`, a bucket that gains them. */
export interface RequestRate {
  readonly requests: number
  readonly periodMs: number
  readonly burst?: number
}

/** Headers that state a budget of an API: what is left of it, and when it is full again. */
export interface LimitHeaders {
  readonly remaining: string
  /** Seconds from now, a time since 1970 in seconds or milliseconds, or a date. */
  readonly reset: string
  /** What a request has cost, if the budget counts points. @default a request costs 1 */
  readonly cost?: string
}

/** The limits of an API. */
export interface ApiLimits {
  /** Shared by all streams. @default no limit */
  readonly rate?: RateLimits
  /** In a pipeline of several accounts: what has a limit, and a budget, of its own. @default 'account' */
  readonly ratePer?: 'account' | 'app'
  /** Headers of budgets, in lower case. @default those with usual names */
  readonly limitHeaders?: readonly LimitHeaders[]
}
