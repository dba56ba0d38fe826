import { atLeastOne } from './at-least-one.ts'

/** A latency counts as rising from this multiple of the usual one on, and from this many milliseconds above it. */
const RISE_FACTOR = 1.5
const RISE_MS = 25
/** Weight of one answer in the average latency. */
const WEIGHT = 0.3
/** Rounds of answers at the limit that last failed, before a greater one is tried. */
const ROUNDS_BEFORE_PROBE = 16

/**
 * The number of requests in flight that an API takes well. It grows by one for each round of answers. It halves if the
 * API refuses a request or its latency rises, at most once for the requests that were in flight then. Afterwards it
 * grows fast to just below the number that failed, and slowly beyond.
 */
export class AdaptiveLimit {
  readonly #max: number
  #limit: number
  /** One less than the limit that last failed. */
  #ceiling: number | undefined
  /** The latency of an API that is not busy, in milliseconds. */
  #usualMs = Infinity
  #averageMs: number | undefined
  /** The average latency when the limit last halved for it, until an average is lower again. */
  #halvedAtMs: number | undefined
  /** Answers of requests that were sent before the limit halved. */
  #toIgnore = 0

  constructor({ start, max }: { readonly start: number; readonly max: number }) {
    this.#max = atLeastOne('max', max)
    this.#limit = Math.min(atLeastOne('start', start), max)
  }

  /** A whole number from 1 to `max`. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** An answer came. `inFlight` is the number of requests in flight before it came. */
  succeeded(ms: number, inFlight: number): void {
    if (this.#toIgnore > 0) {
      this.#toIgnore--
      return
    }
    this.#averageMs = this.#averageMs === undefined ? ms : this.#averageMs + WEIGHT * (ms - this.#averageMs)
    this.#usualMs = Math.min(this.#usualMs, ms)
    if (this.#averageMs > this.#usualMs * RISE_FACTOR && this.#averageMs > this.#usualMs + RISE_MS) {
      this.#slowDown(this.#averageMs, inFlight)
      return
    }
    this.#halvedAtMs = undefined
    // Requests that were not in flight prove nothing.
    if (inFlight < this.limit) return
    this.#limit = Math.min(this.#max, this.#limit + this.#growth())
    if (this.#ceiling !== undefined && this.limit > this.#ceiling) this.#ceiling = this.limit
  }

  /** The API refused a request, by status 429 or 503, or did not answer. */
  failed(inFlight: number): void {
    if (this.#toIgnore > 0) this.#toIgnore--
    else this.#halve(inFlight)
  }

  /** If the last halving did not help, the latency is the API's own pace, whatever is in flight. */
  #slowDown(averageMs: number, inFlight: number): void {
    if (this.limit === 1 || (this.#halvedAtMs !== undefined && averageMs > this.#halvedAtMs * 0.8)) {
      this.#usualMs = averageMs
      this.#halvedAtMs = undefined
      this.#ceiling = undefined
      return
    }
    this.#halvedAtMs = averageMs
    this.#halve(inFlight)
  }

  /** One for each round of answers; faster back to the ceiling, slower beyond it. */
  #growth(): number {
    if (this.#ceiling === undefined) return 1 / this.#limit
    return this.#limit + 1 <= this.#ceiling ? 1 : 1 / (this.#limit * ROUNDS_BEFORE_PROBE)
  }

  #halve(inFlight: number): void {
    this.#ceiling = Math.max(1, this.limit - 1)
    this.#limit = Math.max(1, this.#limit / 2)
    this.#toIgnore = Math.max(0, inFlight - 1)
    this.#averageMs = undefined
  }
}
