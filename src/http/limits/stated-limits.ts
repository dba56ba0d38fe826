import type { KnownLimits, Limits, LimitSource, Remaining } from '../../model/rate.ts'
import type { RateWait } from './limits.ts'
import { Waits } from './waits.ts'

/**
 * If the API admits no more than this many requests, each one is counted across all processes. With more, a few that
 * are in flight do no harm.
 */
const MAX_COUNTED_REQUESTS = 50

/** The limits that an API has stated, to this process or to another one. Times are on one monotonic clock. */
export class StatedLimits {
  readonly #waits = new Waits()
  #remaining:
    | { readonly requests: number; readonly until: number; readonly source: LimitSource | undefined }
    | undefined
  /** Sources of limits that the ledger holds, each with the number of the event since which it does. */
  readonly #inLedger = new WeakMap<LimitSource, number>()
  #events = 0

  /** Stores the limits of a response. Returns those that are new to other processes, or undefined. */
  observe({ remaining, wait }: Limits, clock: number): Limits | undefined {
    const isBlocked = wait !== undefined && this.#waits.add(wait, clock)
    const left = this.remaining(clock)?.requests
    const isCounted =
      remaining !== undefined &&
      remaining.requests <= MAX_COUNTED_REQUESTS &&
      remaining.ms > 0 &&
      (left === undefined || remaining.requests < left)
    if (isCounted) this.storeRemaining(remaining, clock)
    return isBlocked || isCounted ? { ...(isBlocked && { wait }), ...(isCounted && { remaining }) } : undefined
  }

  /** Call it when the ledger has stored the limits of a response. */
  reported({ wait, remaining }: Limits): void {
    this.#events += 1
    for (const limit of [wait, remaining]) if (limit?.source) this.#inLedger.set(limit.source, this.#events)
  }

  /** Call it before a read of the ledger. `replace` needs the result. */
  startRead(): number {
    return ++this.#events
  }

  /**
   * Replaces the limits that the ledger had before the read started. Limits that are not reported yet stay. Returns
   * true if a wait was lifted.
   */
  replace({ waits, remaining }: KnownLimits, startOfRead: number, clock: number): boolean {
    const wasInLedger = ({ source }: { readonly source?: LimitSource | undefined }): boolean =>
      source === undefined || (this.#inLedger.get(source) ?? Infinity) < startOfRead
    const replaced = this.#waits.all.filter(wasInLedger)
    for (const { path } of replaced) this.#waits.remove(path)
    for (const wait of waits) this.#waits.add(wait, clock)
    for (const limit of [...waits, remaining]) if (limit?.source) this.#inLedger.set(limit.source, startOfRead)
    const hadNoneLeft = this.remaining(clock)?.requests === 0
    if (this.#remaining && wasInLedger(this.#remaining)) this.#remaining = undefined
    if (remaining) this.storeRemaining(remaining, clock)
    return (
      (hadNoneLeft && this.remaining(clock)?.requests !== 0) ||
      replaced.some(({ path }) => this.#waits.next([path], clock) === undefined)
    )
  }

  /** Stores the number of requests that the ledger has counted. */
  storeRemaining({ requests, ms, source = this.#remaining?.source }: Remaining, clock: number): void {
    this.#remaining = { requests, until: clock + ms, source }
  }

  /** Returns the latest wait of the paths. */
  wait(paths: readonly string[], clock: number): RateWait | undefined {
    return this.#waits.next(paths, clock)
  }

  /** Returns the requests that the API admits until its reset, or undefined if they need not be counted. */
  remaining(clock: number): { readonly requests: number; readonly source: LimitSource | undefined } | undefined {
    return this.#remaining && this.#remaining.until > clock ? this.#remaining : undefined
  }
}
