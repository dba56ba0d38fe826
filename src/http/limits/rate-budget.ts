import { parseRate, type RequestRate } from '../../model/rate.ts'
import type { Rate } from '../../model/request.ts'
import type { Budget } from '../../model/scope.ts'
import { Semaphore } from '../../flow/semaphore.ts'
import { limitsOf, throwIfTooLong, type RateWait } from './limits.ts'
import { realTime, type Time } from './time.ts'

/** The budget of one API within this process, by the rate that its definition names and by what its answers tell. */
export function rateBudget(
  rate: Rate | undefined,
  options: { readonly now: () => Date; readonly time?: Time; readonly name: string },
): Budget {
  return new RateBudget(rate, options)
}

type Take = Parameters<Budget['acquire']>
type Learn = Parameters<Budget['observe']>

/**
 * A bucket whose tokens come back one period after they were taken, so that no period ever sees more requests than the
 * rate names: a bucket that refills steadily admits twice as many in its first period, and strict APIs answer 429 to
 * that.
 */
class RateBudget implements Budget {
  readonly #rate: RequestRate | undefined
  readonly #now: () => Date
  readonly #time: Time
  readonly #name: string
  /** Who waits is served in turn. */
  readonly #turn = new Semaphore(1)
  /** When the tokens of the last period were taken, oldest first. */
  #taken: number[] = []
  /** What the API last said: so many requests are left until then. The tightest word stands until its time is over. */
  #window = { left: Number.POSITIVE_INFINITY, until: 0 }
  #blockedUntil = 0

  constructor(
    rate: Rate | undefined,
    { now, time = realTime, name }: { readonly now: () => Date; readonly time?: Time; readonly name: string },
  ) {
    this.#rate = rate === undefined ? undefined : parseRate(rate)
    this.#now = now
    this.#time = time
    this.#name = name
  }

  async acquire(requests: Take[0], { signal, onWait }: Take[1]): Promise<void> {
    using _turn = await this.#turn.acquire({ signal })
    for (let wait = this.#wait(requests); wait; wait = this.#wait(requests)) {
      throwIfTooLong(wait, { name: this.#name, now: this.#now() })
      onWait?.(wait.reason, wait.ms)
      await this.#time.sleep(wait.ms, { signal })
    }
    if (this.#rate) this.#taken.push(...Array.from({ length: requests }, () => this.#time.clock()))
    this.#window.left -= requests
  }

  observe(status: Learn[0], headers: Learn[1]): void {
    const clock = this.#time.clock()
    if (clock >= this.#window.until) this.#window = { left: Number.POSITIVE_INFINITY, until: 0 }
    const { left, blockedMs } = limitsOf(status, headers, this.#now())
    if (left && left.requests < this.#window.left) this.#window = { left: left.requests, until: clock + left.ms }
    if (blockedMs !== undefined) this.#blockedUntil = Math.max(this.#blockedUntil, clock + blockedMs)
  }

  #wait(requests: number): RateWait | undefined {
    const clock = this.#time.clock()
    if (this.#blockedUntil > clock)
      return { reason: 'retry-after', ms: Math.ceil(this.#blockedUntil - clock), asked: true }
    if (this.#window.left < requests && this.#window.until > clock)
      return { reason: 'rate limit', ms: Math.ceil(this.#window.until - clock), asked: true }
    const until = this.#rate ? this.#freeAt(requests, this.#rate, clock) : 0
    return until > clock ? { reason: 'rate limit', ms: Math.ceil(until - clock), asked: false } : undefined
  }

  /** When there are so many tokens again. */
  #freeAt(wanted: number, { requests, periodMs }: RequestRate, clock: number): number {
    const gone = this.#taken.findIndex((taken) => taken + periodMs > clock)
    this.#taken = gone === -1 ? [] : gone > 0 ? this.#taken.slice(gone) : this.#taken
    const missing = this.#taken.length + Math.min(wanted, requests) - requests
    return missing > 0 ? this.#taken[missing - 1]! + periodMs : 0
  }
}
