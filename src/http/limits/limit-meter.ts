// Counts the requests of this process within one declared limit.
import { capacityOf, type RequestRate } from '../../model/rate.ts'

/** One limit, and the requests that were sent within it. */
export interface LimitMeter {
  /** Returns the time at which so many requests are free. */
  readonly freeAt: (wanted: number, clock: number) => number
  readonly take: (requests: number, clock: number) => void
}

export const limitMeter = (rate: RequestRate): LimitMeter =>
  rate.burst === undefined ? new PeriodMeter(rate) : new BucketMeter(rate)

/**
 * Requests become free one period after they were sent, so that no period has more than the rate. A bucket that refills
 * steadily admits twice as many in its first period, which strict APIs answer with 429.
 */
class PeriodMeter implements LimitMeter {
  readonly #rate: RequestRate
  /** Times at which the requests of the last period were sent, oldest first. */
  #takenAt: number[] = []

  constructor(rate: RequestRate) {
    this.#rate = rate
  }

  freeAt(wanted: number, clock: number): number {
    const { requests, periodMs } = this.#rate
    const firstTaken = this.#takenAt.findIndex((takenAt) => takenAt + periodMs > clock)
    if (firstTaken === -1) this.#takenAt = []
    else if (firstTaken > 0) this.#takenAt.splice(0, firstTaken)
    const missing = this.#takenAt.length + Math.min(wanted, requests) - requests
    const lastMissing = this.#takenAt[missing - 1]
    return lastMissing === undefined ? 0 : lastMissing + periodMs
  }

  take(requests: number, clock: number): void {
    this.#takenAt.push(...Array.from({ length: requests }, () => clock))
  }
}

/** A bucket that each request fills by one, and that drains at the rate. The API counts arrivals, hence the margin. */
class BucketMeter implements LimitMeter {
  readonly #rate: RequestRate
  #fill = 0
  #filledAt = 0

  constructor(rate: RequestRate) {
    this.#rate = rate
  }

  freeAt(wanted: number, clock: number): number {
    const { requests, periodMs } = this.#rate
    const capacity = capacityOf(this.#rate)
    const over = this.#fillAt(clock) + Math.min(wanted, capacity) - capacity
    return over <= 1e-9 ? 0 : Math.max(clock, this.#filledAt) + (over * periodMs) / requests
  }

  take(requests: number, clock: number): void {
    this.#fill = this.#fillAt(clock) + requests
    this.#filledAt = Math.max(this.#filledAt, clock + MARGIN_MS)
  }

  #fillAt(clock: number): number {
    const { requests, periodMs } = this.#rate
    return Math.max(0, this.#fill - (Math.max(0, clock - this.#filledAt) * requests) / periodMs)
  }
}

const MARGIN_MS = 50
