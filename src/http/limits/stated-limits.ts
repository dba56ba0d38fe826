import type { Limits } from '../../model/rate.ts'

/**
 * If the API admits no more than this many requests, each one is counted across all processes. With more, a few that
 * are in flight do no harm.
 */
const MAX_COUNTED_REQUESTS = 50

/** The limits that an API has stated, to this process or to another one. Times are on one monotonic clock. */
export class StatedLimits {
  #remaining: { readonly requests: number; readonly until: number } | undefined
  #blockedUntil = 0

  /** Stores the limits of a response. Returns those that are new to other processes, or undefined. */
  observe({ left, blockedMs = 0 }: Limits, clock: number): Limits | undefined {
    const isBlocked = blockedMs > 0 && clock + blockedMs > this.#blockedUntil
    const remaining = this.remaining(clock)
    const isCounted =
      left !== undefined &&
      left.requests <= MAX_COUNTED_REQUESTS &&
      left.ms > 0 &&
      (remaining === undefined || left.requests < remaining)
    if (!isBlocked && !isCounted) return undefined
    const news: Limits = { ...(isBlocked && { blockedMs }), ...(isCounted && { left }) }
    this.store(news, clock)
    return news
  }

  /** Stores limits that another process has reported. */
  store({ left, blockedMs = 0 }: Limits, clock: number): void {
    if (blockedMs > 0) this.#blockedUntil = Math.max(this.#blockedUntil, clock + blockedMs)
    if (left) this.#remaining = { requests: left.requests, until: clock + left.ms }
  }

  /** Returns for how long no request may be sent. */
  blockedMs(clock: number): number {
    return Math.max(0, Math.ceil(this.#blockedUntil - clock))
  }

  /** Returns the number of requests that the API admits until its reset, or undefined if it need not be counted. */
  remaining(clock: number): number | undefined {
    return this.#remaining && this.#remaining.until > clock ? this.#remaining.requests : undefined
  }
}
