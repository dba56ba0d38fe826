import { Semaphore } from '../../flow/semaphore.ts'
import { parseLimits, WHOLE_API, type LimitSource } from '../../model/rate.ts'
import type { LimitHeaders, RateLimits } from '../../model/request.ts'
import type { AcquireOptions, Budget, ResponseOrigin } from '../../model/scope.ts'
import { limitMeter, type LimitMeter } from './limit-meter.ts'
import { limitsOf, throwIfTooLong, type RateWait } from './limits.ts'
import { realTime, type Time } from './time.ts'
import { Waits } from './waits.ts'

export interface RateBudgetOptions {
  readonly now: () => Date
  readonly time?: Time
  /** Names the API in messages. */
  readonly origin: string
  /** Headers of budgets that the definition names. */
  readonly limitHeaders?: readonly LimitHeaders[] | undefined
}

/** Opens the budget of one API within this process, by the rate of its definition and the limits that it states. */
export function rateBudget(rate: RateLimits | undefined, options: RateBudgetOptions): Budget {
  return new RateBudget(rate, options)
}

interface StatedRemaining {
  requests: number
  readonly until: number
  readonly source?: LimitSource | undefined
}

/** The API has stated no limit. */
const UNLIMITED: StatedRemaining = { requests: Number.POSITIVE_INFINITY, until: 0 }

/** The declared limits, and those that the API states. */
class RateBudget implements Budget {
  readonly #meters: readonly LimitMeter[]
  readonly #now: () => Date
  readonly #time: Time
  readonly #origin: string
  /** Serves waiting requests in their order. */
  readonly #turn = new Semaphore(1)
  /** The requests that the API admits until its reset. Within that time only a stricter statement replaces it. */
  #stated: StatedRemaining = { ...UNLIMITED }
  readonly #waits = new Waits()

  readonly #limitHeaders: readonly LimitHeaders[] | undefined

  constructor(rate: RateLimits | undefined, { now, time = realTime, origin, limitHeaders }: RateBudgetOptions) {
    this.#limitHeaders = limitHeaders
    this.#meters = parseLimits(rate).map(limitMeter)
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
    const { remaining, wait } = limitsOf(status, headers, { ...origin, now: this.#now(), named: this.#limitHeaders })
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
    for (const meter of this.#meters) meter.take(requests, this.#time.clock())
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
    const until = Math.max(0, ...this.#meters.map((meter) => meter.freeAt(requests, clock)))
    return until > clock ? { reason: 'rate limit', ms: Math.ceil(until - clock), isDemanded: false } : undefined
  }
}
