import { Semaphore } from '../../flow/semaphore.ts'
import { parseRate, type RequestRate } from '../../model/rate.ts'
import type { Rate } from '../../model/request.ts'
import type { Budget } from '../../model/scope.ts'
import { limitsOf, throwIfTooLong, type RateWait } from './limits.ts'
import { realTime, type Time } from './time.ts'

export interface RateBudgetOptions {
  readonly now: () => Date
  readonly time?: Time
  /** Names the API in messages. */
  readonly origin: string
}

/** Opens the budget of one API within this process, by the rate of its definition and the limits that it states. */
export function rateBudget(rate: Rate | undefined, options: RateBudgetOptions): Budget {
  return new RateBudget(rate, options)
}

/** The API has stated no limit. */
const UNLIMITED = { requests: Number.POSITIVE_INFINITY, until: 0 }

/**
 * A bucket whose tokens return one period after they were taken, so that no period has more requests than the rate. A
 * bucket that refills steadily admits twice as many in its first period, which strict APIs answer with 429.
 */
class RateBudget implements Budget {
  readonly #rate: RequestRate | undefined
  readonly #now: () => Date
  readonly #time: Time
  readonly #origin: string
  /** Serves waiting requests in their order. */
  readonly #turn = new Semaphore(1)
  /** Times at which the tokens of the last period were taken, oldest first. */
  #takenAt: number[] = []
  /** The requests that the API admits until its reset. Within that time only a stricter statement replaces it. */
  #stated = { ...UNLIMITED }
  #blockedUntil = 0

  constructor(rate: Rate | undefined, { now, time = realTime, origin }: RateBudgetOptions) {
    this.#rate = rate === undefined ? undefined : parseRate(rate)
    this.#now = now
    this.#time = time
    this.#origin = origin
  }

  async acquire(requests: number, { signal, onWait }: Parameters<Budget['acquire']>[1]): Promise<void> {
    using _turn = await this.#turn.acquire({ signal })
    for (let wait = this.#nextWait(requests); wait; wait = this.#nextWait(requests)) {
      throwIfTooLong(wait, { origin: this.#origin, now: this.#now() })
      onWait?.(wait.reason, wait.ms)
      await this.#time.sleep(wait.ms, { signal })
    }
    if (this.#rate) this.#takenAt.push(...Array.from({ length: requests }, () => this.#time.clock()))
    this.#stated.requests -= requests
  }

  observe(status: number, headers: Parameters<Budget['observe']>[1]): void {
    const clock = this.#time.clock()
    if (clock >= this.#stated.until) this.#stated = { ...UNLIMITED }
    const { left, blockedMs } = limitsOf(status, headers, this.#now())
    if (left && left.requests < this.#stated.requests)
      this.#stated = { requests: left.requests, until: clock + left.ms }
    if (blockedMs !== undefined) this.#blockedUntil = Math.max(this.#blockedUntil, clock + blockedMs)
  }

  #nextWait(requests: number): RateWait | undefined {
    const clock = this.#time.clock()
    if (this.#blockedUntil > clock)
      return { reason: 'retry-after', ms: Math.ceil(this.#blockedUntil - clock), isDemanded: true }
    if (this.#stated.requests < requests && this.#stated.until > clock)
      return { reason: 'rate limit', ms: Math.ceil(this.#stated.until - clock), isDemanded: true }
    const until = this.#rate ? this.#freeAt(requests, this.#rate, clock) : 0
    return until > clock ? { reason: 'rate limit', ms: Math.ceil(until - clock), isDemanded: false } : undefined
  }

  /** Returns the time at which this many tokens are free. */
  #freeAt(wanted: number, { requests, periodMs }: RequestRate, clock: number): number {
    const firstTaken = this.#takenAt.findIndex((takenAt) => takenAt + periodMs > clock)
    if (firstTaken === -1) this.#takenAt = []
    else if (firstTaken > 0) this.#takenAt.splice(0, firstTaken)
    const missing = this.#takenAt.length + Math.min(wanted, requests) - requests
    const lastMissing = this.#takenAt[missing - 1]
    return lastMissing === undefined ? 0 : lastMissing + periodMs
  }
}
