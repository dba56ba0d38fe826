import { Semaphore } from '../../flow/semaphore.ts'
import {
  canonicalLimits,
  capacityOf,
  WHOLE_API,
  type LeaseUsage,
  type Limits,
  type RequestRate,
  type SharedRate,
} from '../../model/rate.ts'
import type { LimitHeaders, RateLimits } from '../../model/request.ts'
import type { AcquireOptions, Budget, ResponseOrigin } from '../../model/scope.ts'
import { LimitsExchange } from './limits-exchange.ts'
import { limitsOf, throwIfTooLong, type RateWait } from './limits.ts'
import { Sleepers } from './sleepers.ts'
import { StatedLimits } from './stated-limits.ts'
import { realTime, type Time } from './time.ts'

export interface SharedBudgetOptions {
  readonly shared: SharedRate
  readonly now: () => Date
  readonly time?: Time
  /** Names the API in messages. */
  readonly origin: string
  /** Headers of budgets that the definition names. */
  readonly limitHeaders?: readonly LimitHeaders[] | undefined
  /** Called once, if other processes cannot be informed of the API's limits. */
  readonly warn: (message: string) => void
}

/** Lease at most a quarter of the rate, so other processes get a share and a crash loses little. */
const LEASE_FRACTION = 4
const MAX_LEASED_REQUESTS = 256
/** A wait for other processes is checked again after this time, because one that ended may have released requests. */
const MAX_SLEEP_MS = 30_000
/** Time limit of reporting the last lease when the budget is closed. */
const FINAL_FLUSH_MS = 1_000

/** Requests granted by the ledger. */
interface Lease {
  readonly id: string | undefined
  readonly until: number
  /** Taken from the requests that the API stated as remaining; unused ones are released to them. */
  readonly isCounted: boolean
  left: number
  used: number
  usedAt: number
}

/** Pads the period: the API counts arrivals, we count departures. The ledger does it for buckets. */
const padded = (rate: RequestRate): RequestRate =>
  rate.burst === undefined ? { ...rate, periodMs: rate.periodMs + Math.min(50, rate.periodMs / 20) } : rate

/** Opens the budget of one API that all processes with the same ledger share. */
export function sharedBudget(rate: RateLimits | undefined, options: SharedBudgetOptions): Budget & AsyncDisposable {
  return new SharedBudget(rate, options)
}

/**
 * | known of the API | cost of a request |
 * |---|---|
 * | no declared rate; no stated limit, or many requests remain | none; one query first, and one every 15 s |
 * | a declared rate, or few requests remain | one query for a lease of several requests |
 * | the API sent Retry-After to any process | a wait |
 *
 * A lease lasts 1 s or a tenth of the period, counted from before it was requested. Requests that are not sent by then
 * are not sent on it. So the ledger may count a lease from its end at the latest, even if its process has died. The
 * next query reports how many requests were sent, and when. Leases that are used up grow to a quarter of the rate.
 */
class SharedBudget implements Budget, AsyncDisposable {
  readonly #rates: readonly RequestRate[]
  /** The most requests that may be sent at once. */
  readonly #capacity: number
  readonly #options: SharedBudgetOptions
  readonly #time: Time
  /** Serves waiting requests in their order. */
  readonly #turn = new Semaphore(1)
  readonly #stop = new AbortController()
  readonly #stated = new StatedLimits()
  readonly #sleepers: Sleepers
  readonly #exchange: LimitsExchange
  #lease: Lease | undefined
  #wanted = 1
  #validMs: number

  constructor(rate: RateLimits | undefined, options: SharedBudgetOptions) {
    const { shared, origin, warn, time = realTime } = options
    this.#rates = canonicalLimits(rate).map(padded)
    this.#capacity = Math.min(...this.#rates.map(capacityOf))
    const shortestMs = this.#rates.length === 0 ? 0 : Math.min(...this.#rates.map(({ periodMs }) => periodMs))
    this.#validMs = Math.min(30_000, Math.max(1_000, shortestMs / 10))
    this.#options = options
    this.#time = time
    this.#sleepers = new Sleepers(time)
    this.#exchange = new LimitsExchange({
      shared,
      time,
      origin,
      warn,
      startRead: () => this.#stated.startRead(),
      onLimits: (limits, startOfRead) => {
        if (this.#stated.replace(limits, startOfRead, this.#time.clock())) this.#sleepers.wake()
        this.#shrinkLease(limits)
      },
      onReported: (limits) => this.#stated.reported(limits),
      signal: this.#stop.signal,
    })
  }

  async acquire(requests: number, options: AcquireOptions): Promise<void> {
    // A wait of one path must not hold the turn, which requests for other paths need.
    if (requests === 0 && this.#exchange.isOpen) {
      // Without notifications, those that take no request learn of waits by this alone.
      await this.#exchange.refresh(options.signal)
      return this.#waitForPaths(options)
    }
    do await this.#waitForPaths(options)
    while (!(await this.#take(requests, options)))
  }

  observe(status: number, headers: Parameters<Budget['observe']>[1], origin: ResponseOrigin): void {
    const limits = limitsOf(status, headers, { ...origin, now: this.#options.now(), named: this.#options.limitHeaders })
    const news = this.#stated.observe(limits, this.#time.clock())
    if (!news) return
    this.#shrinkLease(news)
    this.#exchange.report(news)
  }

  sleep(ms: number, options: { readonly signal: AbortSignal }): Promise<void> {
    return this.#sleepers.sleep(ms, options)
  }

  /** Reports the last lease. If that fails, the ledger releases its requests later by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new DOMException('The budget was closed', 'AbortError')
    const timer = setTimeout(() => this.#stop.abort(closed), FINAL_FLUSH_MS)
    const { signal } = this.#stop
    await this.#exchange.reported
    const previous = this.#endLease(this.#time.clock())
    if (previous)
      await this.#options.shared
        .grant({ limits: this.#rates, wanted: 0, least: 0, validMs: 0, previous, signal })
        .catch(() => {})
    clearTimeout(timer)
    this.#stop.abort(closed)
    await this.#exchange[Symbol.asyncDispose]()
  }

  async #waitForPaths(options: AcquireOptions): Promise<void> {
    for (let wait = this.#pathWait(options); wait; wait = this.#pathWait(options)) await this.#wait(wait, options)
  }

  /** Takes requests when they are free. Returns false if a path of the request has to wait. */
  async #take(requests: number, options: AcquireOptions): Promise<boolean> {
    const { signal } = options
    using _turn = await this.#turn.acquire({ signal })
    await this.#exchange.refresh(signal)
    const least = Math.min(requests, this.#capacity)
    while (!this.#pathWait(options)) {
      if (requests === 0 || this.#use(least)) return true
      const wait = this.#stated.wait([WHOLE_API], this.#time.clock()) ?? (await this.#requestLease(least, signal))
      if (wait) await this.#wait(wait, options)
    }
    return false
  }

  #pathWait({ paths = [] }: AcquireOptions): RateWait | undefined {
    return this.#stated.wait(paths, this.#time.clock())
  }

  async #wait(wait: RateWait, { signal, onWait }: AcquireOptions): Promise<void> {
    const { origin, now } = this.#options
    throwIfTooLong(wait, { origin, now: now(), remedy: ' To ask earlier: sluice limits clear.' })
    const ms = wait.isDemanded ? wait.ms : Math.min(wait.ms, MAX_SLEEP_MS)
    onWait?.(wait.reason, ms)
    await this.#sleepers.sleep(ms, { signal })
  }

  /**
   * Drops leased requests that are not among those that the API states as remaining. If they were sent, the API would
   * refuse them.
   */
  #shrinkLease({ remaining }: Pick<Limits, 'remaining'>): void {
    if (remaining && this.#lease && (!this.#lease.isCounted || remaining.requests === 0)) this.#lease.left = 0
  }

  /** Takes requests from the lease. Returns false if they may not be sent now. */
  #use(requests: number): boolean {
    const clock = this.#time.clock()
    if (this.#stated.wait([WHOLE_API], clock)) return false
    if (this.#rates.length === 0 && this.#stated.remaining(clock) === undefined) return true
    const lease = this.#lease
    if (!lease || lease.until <= clock || lease.left < requests) return false
    lease.left -= requests
    lease.used += requests
    lease.usedAt = clock
    return true
  }

  /** Replaces the lease by a new one. Returns a wait if none was granted. */
  async #requestLease(least: number, signal: AbortSignal): Promise<RateWait | undefined> {
    await this.#exchange.reported
    const clock = this.#time.clock()
    const previous = this.#endLease(clock)
    const validMs = this.#validMs
    const { lease, requests, waitMs, isBlocked, remaining } = await this.#options.shared.grant({
      limits: this.#rates,
      wanted: Math.max(least, Math.min(this.#wanted, this.#maxLease(clock))),
      least,
      validMs,
      previous,
      signal,
    })
    if (remaining) this.#stated.storeRemaining(remaining, this.#time.clock())
    this.#shrinkLease({ remaining })
    if (requests === 0 && isBlocked) {
      // The read brings the wait, with the response that stated it.
      await this.#exchange.read(signal)
      return undefined
    }
    if (requests === 0)
      return {
        reason: 'rate limit',
        ms: Math.max(1, Math.ceil(waitMs)),
        isDemanded: remaining !== undefined && remaining.requests < least,
        source: this.#stated.remaining(this.#time.clock())?.source,
      }
    const isCounted = remaining !== undefined
    this.#lease = { id: lease, until: clock + validMs, isCounted, left: requests, used: 0, usedAt: clock }
    // If the database is so slow that a lease arrives expired, ask for longer ones.
    if (this.#time.clock() >= this.#lease.until) this.#validMs *= 2
    return undefined
  }

  #maxLease(clock: number): number {
    return Math.min(
      MAX_LEASED_REQUESTS,
      Math.ceil(this.#capacity / LEASE_FRACTION),
      Math.ceil((this.#stated.remaining(clock)?.requests ?? Infinity) / LEASE_FRACTION),
    )
  }

  /** Ends the lease and returns its use. The next lease is larger if this one was used up. */
  #endLease(clock: number): LeaseUsage | undefined {
    const lease = this.#lease
    if (!lease) return undefined
    this.#lease = undefined
    this.#wanted = lease.left === 0 ? Math.min(MAX_LEASED_REQUESTS, this.#wanted * 2) : Math.max(1, lease.used)
    return {
      lease: lease.id,
      used: lease.used,
      usedMsAgo: Math.floor(clock - lease.usedAt),
      unused: lease.isCounted ? lease.left : 0,
    }
  }
}
