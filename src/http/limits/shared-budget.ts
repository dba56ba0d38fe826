import { Semaphore } from '../../flow/semaphore.ts'
import { parseRate, type LeaseUsage, type Limits, type RequestRate, type SharedRate } from '../../model/rate.ts'
import type { Rate } from '../../model/request.ts'
import type { Budget } from '../../model/scope.ts'
import { messageOf } from '../../value/error.ts'
import { limitsOf, throwIfTooLong, type RateWait } from './limits.ts'
import { realTime, type Time } from './time.ts'

export interface SharedBudgetOptions {
  readonly shared: SharedRate
  readonly now: () => Date
  readonly time?: Time
  /** The API, for messages. */
  readonly name: string
  /** Told once, where others cannot be told what the API answered. */
  readonly warn: (message: string) => void
}

type Take = Parameters<Budget['acquire']>
type Learn = Parameters<Budget['observe']>

/**
 * With no more than this many requests left by the API's own word, each is counted for all; with more, a few that are
 * under way do no harm.
 */
const MAX_COUNTED_REQUESTS = 50
/** At once, of those that a rate admits: the others get their share too, and what a killed process held is no loss. */
const LEASE_FRACTION = 4
const MAX_LEASED_REQUESTS = 256
/** A wait for requests is looked after so often: a process that ended may have given some back. */
const MAX_SLEEP_MS = 30_000
/** Where notifications do not come through, others are heard this late. */
const REFRESH_MS = 15_000
/** How long giving back may take in the end. */
const FINAL_FLUSH_MS = 1_000

/** The budget of one API that all processes with the same ledger share. */
export function sharedBudget(rate: Rate | undefined, options: SharedBudgetOptions): Budget & AsyncDisposable {
  return new SharedBudget(rate, options)
}

/**
 * | what is known of the API | what a request costs |
 * |---|---|
 * | no rate is declared, and many requests are left or nothing is said of it | nothing; one query when it is asked for the first time, one in 15 s after that |
 * | a rate is declared, or few requests are left | one query for several of them: a lease, which grows up to a quarter of what there is while it is used up in time |
 * | it has said Retry-After to any process | a wait, which its own answer, a notification or the next query tells of |
 *
 * A lease lasts a second or a tenth of the period, counted from before it was asked for. What has not been sent by then
 * is not sent on it, so that the ledger may count its requests from its end at the latest, without being told. The next
 * query tells it what was sent, and when.
 */
class SharedBudget implements Budget, AsyncDisposable {
  readonly #rate: RequestRate | undefined
  readonly #options: SharedBudgetOptions
  readonly #time: Time
  /** Who waits is served in turn. */
  readonly #turn = new Semaphore(1)
  readonly #stop = new AbortController()
  /** Counted: taken from what the API has left, by its own word, and given back to that. */
  #lease:
    | {
        readonly id: string | undefined
        readonly until: number
        readonly isCounted: boolean
        left: number
        used: number
        usedAt: number
      }
    | undefined
  #wanted = 1
  #validMs: number
  #few: { readonly left: number; readonly until: number } | undefined
  #blockedUntil = 0
  #heard: Disposable | undefined
  #readAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined
  #isToRead = false
  #telling: Promise<void> = Promise.resolve()
  #isWarned = false

  constructor(rate: Rate | undefined, options: SharedBudgetOptions) {
    const read = rate === undefined ? undefined : parseRate(rate)
    // What left late must not meet what comes early: the API counts when requests arrive, we when they leave.
    this.#rate = read && { requests: read.requests, periodMs: read.periodMs + Math.min(50, read.periodMs / 20) }
    this.#validMs = Math.min(30_000, Math.max(1_000, (read?.periodMs ?? 0) / 10))
    this.#options = options
    this.#time = options.time ?? realTime
  }

  async acquire(requests: Take[0], { signal, onWait }: Take[1]): Promise<void> {
    using _turn = await this.#turn.acquire({ signal })
    await this.#begin(signal)
    const least = Math.min(requests, this.#rate?.requests ?? requests)
    while (!this.#use(least)) {
      const wait = this.#blocked() ?? (await this.#ask(least, signal))
      if (!wait) continue
      throwIfTooLong(wait, { name: this.#options.name, now: this.#options.now() })
      const ms = wait.asked ? wait.ms : Math.min(wait.ms, MAX_SLEEP_MS)
      onWait?.(wait.reason, ms)
      await this.#time.sleep(ms, { signal })
    }
  }

  observe(status: Learn[0], headers: Learn[1]): void {
    const clock = this.#time.clock()
    const { left, blockedMs = 0 } = limitsOf(status, headers, this.#options.now())
    const few = this.#fewAt(clock)
    const isBlocked = clock + blockedMs > this.#blockedUntil && blockedMs > 0
    const isFew =
      left !== undefined && left.requests <= MAX_COUNTED_REQUESTS && left.ms > 0 && (!few || left.requests < few.left)
    if (isBlocked) this.#blockedUntil = clock + blockedMs
    if (isFew) this.#fewAreLeft(left, clock)
    if (isBlocked || isFew) this.#tell({ ...(isBlocked && { blockedMs }), ...(isFew && { left }) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#heard?.[Symbol.dispose]()
    const patience = setTimeout(
      () => this.#stop.abort(new DOMException('The budget was closed', 'AbortError')),
      FINAL_FLUSH_MS,
    )
    const { signal } = this.#stop
    await this.#telling
    const before = this.#settle(this.#time.clock())
    // What is not given back comes back by itself, only later.
    if (before)
      await this.#options.shared
        .grant({ limit: this.#rate, wanted: 0, least: 0, validMs: 0, previous: before, signal })
        .catch(() => {})
    clearTimeout(patience)
    this.#stop.abort(new DOMException('The budget was closed', 'AbortError'))
    await this.#reading
  }

  /** What others have learned, maybe runs ago, comes before the first request. */
  async #begin(signal: AbortSignal): Promise<void> {
    if (!this.#heard) {
      const limits = await this.#options.shared.read({ signal })
      this.#heard = this.#options.shared.subscribe(() => this.#read())
      this.#readAt = this.#time.clock()
      this.#know(limits)
    } else if (this.#time.clock() - this.#readAt > REFRESH_MS) this.#read()
  }

  /**
   * Not waited for: what it answers holds for the requests after this one. Many words in a row are read once: one
   * reading at a time, and one after it.
   */
  #read(): void {
    this.#readAt = this.#time.clock()
    if (this.#isToRead) return
    this.#isToRead = true
    const { signal } = this.#stop
    this.#reading = (this.#reading ?? Promise.resolve())
      .then(() => {
        this.#isToRead = false
        return signal.aborted ? {} : this.#options.shared.read({ signal })
      })
      .then(
        (limits) => this.#know(limits),
        () => {},
      )
  }

  #know({ blockedMs = 0, left }: Limits): void {
    const clock = this.#time.clock()
    if (blockedMs > 0) this.#blockedUntil = Math.max(this.#blockedUntil, clock + blockedMs)
    if (left) this.#fewAreLeft(left, clock)
  }

  /**
   * What was lent before this was known is not among these few: sent all the same, it would come when the API has said
   * that it admits none.
   */
  #fewAreLeft({ requests, ms }: NonNullable<Limits['left']>, clock: number): void {
    this.#few = { left: requests, until: clock + ms }
    if (this.#lease && (!this.#lease.isCounted || requests === 0)) this.#lease.left = 0
  }

  #tell(limits: Limits): void {
    const { signal } = this.#stop
    this.#telling = this.#telling
      .then(() => this.#options.shared.report(limits, { signal }))
      .catch((error: unknown) => {
        if (this.#isWarned || signal.aborted) return
        this.#isWarned = true
        this.#options.warn(
          `other processes could not be told what ${this.#options.name} says of its limits: ${messageOf(error)}`,
        )
      })
  }

  #blocked(): RateWait | undefined {
    const ms = Math.ceil(this.#blockedUntil - this.#time.clock())
    return ms > 0 ? { reason: 'retry-after', ms, asked: true } : undefined
  }

  #fewAt(clock: number): { readonly left: number } | undefined {
    return this.#few && this.#few.until > clock ? this.#few : undefined
  }

  /** Whether so many may be sent now. */
  #use(requests: number): boolean {
    const clock = this.#time.clock()
    if (this.#blockedUntil > clock) return false
    if (!this.#rate && !this.#fewAt(clock)) return true
    const lease = this.#lease
    if (!lease || lease.until <= clock || lease.left < requests) return false
    lease.left -= requests
    lease.used += requests
    lease.usedAt = clock
    return true
  }

  async #ask(least: number, signal: AbortSignal): Promise<RateWait | undefined> {
    await this.#telling
    const clock = this.#time.clock()
    const before = this.#settle(clock)
    const most = Math.min(
      MAX_LEASED_REQUESTS,
      Math.ceil((this.#rate?.requests ?? Infinity) / LEASE_FRACTION),
      Math.ceil((this.#fewAt(clock)?.left ?? Infinity) / LEASE_FRACTION),
    )
    const validMs = this.#validMs
    const { lease, requests, waitMs, ...limits } = await this.#options.shared.grant({
      limit: this.#rate,
      wanted: Math.max(least, Math.min(this.#wanted, most)),
      least,
      validMs,
      previous: before,
      signal,
    })
    this.#know(limits)
    if (requests === 0)
      return {
        reason: limits.blockedMs ? 'retry-after' : 'rate limit',
        ms: Math.max(1, Math.ceil(waitMs)),
        asked: (limits.blockedMs ?? 0) > 0 || (limits.left !== undefined && limits.left.requests < least),
      }
    this.#lease = {
      id: lease,
      until: clock + validMs,
      isCounted: limits.left !== undefined,
      left: requests,
      used: 0,
      usedAt: clock,
    }
    // A database so slow that the lease is over when it comes would have us ask for ever.
    if (this.#time.clock() >= this.#lease.until) this.#validMs *= 2
    return undefined
  }

  #settle(clock: number): LeaseUsage | undefined {
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
