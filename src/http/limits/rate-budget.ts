import { Semaphore } from '../../flow/semaphore.ts'
import { parseRate, WHOLE_API, type LimitSource, type RequestRate } from '../../model/rate.ts'
import type { Rate } from '../../model/request.ts'
import type { AcquireOptions, Budget, ResponseOrigin } from '../../model/scope.ts'
import { limitsOf, throwIfTooLong, type RateWait } from './limits.ts'
import { realTime, type Time } from './time.ts'
import { Waits } from './waits.ts'

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

interface StatedRemaining {
  requests: number
  readonly until: number
  readonly source?: LimitSource | undefined
}

/** The API has stated no limit. */
const UNLIMITED: StatedRemaining = { requests: Number.POSITIVE_INFINITY, until: 0 }

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
  #stated: StatedRemaining = { ...UNLIMITED }
  readonly #waits = new Waits()

  constructor(rate: Rate | undefined, { now, time = realTime, origin }: RateBudgetOptions) {
    this.#rate = rate === undefined ? undefined : parseRate(rate)
    this.#now = now
    this.#time = time
    this.#origin = origin
  }

  async acquire(requests: number, options: AcquireOptions): Promise<void> {
    // A wait of one path must not hold the turn, which requests for other paths need.
    if (requests === 0) return this.#waitForPaths(options)
    do await this.#waitForPaths(options)
    while (!(await this.#take(requests, options)))
  }

  observe(status: number, headers: Parameters<Budget['observe']>[1], origin: ResponseOrigin): void {
    const clock = this.#time.clock()
    if (clock >= this.#stated.until) this.#stated = { ...UNLIMITED }
    const { remaining, wait } = limitsOf(status, headers, { ...origin, now: this.#now() })
    if (remaining && remaining.requests < this.#stated.requests)
      this.#stated = { requests: remaining.requests, until: clock + remaining.ms, source: remaining.source }
    if (wait) this.#waits.add(wait, clock)
  }

  sleep(ms: number, options: { readonly signal: AbortSignal }): Promise<void> {
    return this.#time.sleep(ms, options)
  }

  async #waitForPaths(options: AcquireOptions): Promise<void> {
    for (let wait = this.#pathWait(options); wait; wait = this.#pathWait(options)) await this.#wait(wait, options)
  }

  /** Takes requests when they are free. Returns false if a path of the request has to wait. */
  async #take(requests: number, options: AcquireOptions): Promise<boolean> {
    using _turn = await this.#turn.acquire(options)
    for (let wait = this.#nextWait(requests); wait; wait = this.#nextWait(requests)) await this.#wait(wait, options)
    if (this.#pathWait(options)) return false
    if (this.#rate) this.#takenAt.push(...Array.from({ length: requests }, () => this.#time.clock()))
    this.#stated.requests -= requests
    return true
  }

  async #wait(wait: RateWait, { signal, onWait }: AcquireOptions): Promise<void> {
    throwIfTooLong(wait, { origin: this.#origin, now: this.#now() })
    onWait?.(wait.reason, wait.ms)
    await this.#time.sleep(wait.ms, { signal })
  }

  #pathWait({ paths = [] }: AcquireOptions): RateWait | undefined {
    return this.#waits.next(paths, this.#time.clock())
  }

  #nextWait(requests: number): RateWait | undefined {
    const clock = this.#time.clock()
    const wait = this.#waits.next([WHOLE_API], clock)
    if (wait) return wait
    const { requests: left, until: resetAt, source } = this.#stated
    if (left < requests && resetAt > clock)
      return { reason: 'rate limit', ms: Math.ceil(resetAt - clock), isDemanded: true, source }
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
