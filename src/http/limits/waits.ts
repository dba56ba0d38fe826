import type { LimitSource, Wait } from '../../model/rate.ts'
import type { RateWait } from './limits.ts'

/** A wait with its end on a monotonic clock. */
export interface KnownWait {
  readonly path: string
  readonly until: number
  readonly source: LimitSource | undefined
}

/** The waits that an API has asked for: the latest of each path. */
export class Waits {
  readonly #byPath = new Map<string, KnownWait>()

  get all(): KnownWait[] {
    return [...this.#byPath.values()]
  }

  /** Stores a wait. Returns false if it ends no later than a known one of its path. */
  add({ path, ms, source }: Wait, clock: number): boolean {
    for (const [other, { until }] of this.#byPath) if (until <= clock) this.#byPath.delete(other)
    const until = clock + ms
    if (until <= (this.#byPath.get(path)?.until ?? clock)) return false
    this.#byPath.set(path, { path, until, source })
    return true
  }

  remove(path: string): void {
    this.#byPath.delete(path)
  }

  /** Returns the latest wait of the paths. */
  next(paths: readonly string[], clock: number): RateWait | undefined {
    let last: KnownWait | undefined
    for (const path of paths) {
      const wait = this.#byPath.get(path)
      if (wait && wait.until > (last?.until ?? clock)) last = wait
    }
    if (!last) return undefined
    const { path, until, source } = last
    return { reason: 'retry-after', ms: Math.ceil(until - clock), isDemanded: true, path, source }
  }
}
