// The points of an API within this process: a query waits until the bucket has the points that it will need.
import { Semaphore } from '../../flow/semaphore.ts'
import type { AcquireOptions } from '../../model/scope.ts'
import { Sleepers } from '../limits/sleepers.ts'
import type { Time } from '../limits/time.ts'
import type { Throttle } from './cost.ts'

interface Bucket extends Omit<Throttle, 'cost'> {
  /** When it had the available points. */
  readonly at: number
}

/**
 * Counts what the API has stated, what has been restored since, and what queries under way may cost. So queries that
 * run at once do not spend the same points. Until the API has stated its points, nothing waits.
 *
 * Points are taken last, when memory and slot are there: points of a query that waits for those would be missing for
 * the queries that free them.
 */
export class CostBudget {
  readonly #time: Time
  readonly #sleepers: Sleepers
  /** Serves waiting queries in their order. */
  readonly #turn = new Semaphore(1)
  readonly #underWay = new Set<{ readonly cost: number }>()
  /** The cost of each document, as the API stated it last. */
  readonly #costs = new Map<string, number>()
  #bucket: Bucket | undefined

  constructor(time: Time) {
    this.#time = time
    this.#sleepers = new Sleepers(time)
  }

  /** Takes the points of a query, and waits for them. Dispose the result when the query has ended. */
  async acquire(
    document: string | undefined,
    { signal, onWait }: Pick<AcquireOptions, 'signal' | 'onWait'>,
  ): Promise<Disposable | undefined> {
    if (document === undefined) return undefined
    using _turn = await this.#turn.acquire({ signal })
    for (let ms = this.#waitMs(document); ms > 0; ms = this.#waitMs(document)) {
      onWait?.('rate limit', ms)
      await this.#sleepers.sleep(ms, { signal })
    }
    const query = { cost: this.#costOf(document) }
    if (this.#bucket)
      this.#bucket = { ...this.#bucket, available: this.#available(this.#bucket) - query.cost, at: this.#time.clock() }
    this.#underWay.add(query)
    return { [Symbol.dispose]: () => void this.#underWay.delete(query) }
  }

  /** Learns the points that a response states. It does not know of the queries that are still on their way. */
  observe(document: string, { cost, available, ...bucket }: Throttle): void {
    this.#costs.set(document, cost)
    const spent = [...this.#underWay].reduce((sum, query) => sum + query.cost, 0)
    this.#bucket = { ...bucket, available: available - spent, at: this.#time.clock() }
    this.#sleepers.wake()
  }

  /** A query whose cost is not known may cost as much as any other one. */
  #costOf(document: string): number {
    return this.#costs.get(document) ?? Math.max(0, ...this.#costs.values())
  }

  #available({ available, maximum, restorePerSecond, at }: Bucket): number {
    return Math.min(maximum, available + ((this.#time.clock() - at) / 1_000) * restorePerSecond)
  }

  #waitMs(document: string): number {
    if (!this.#bucket) return 0
    const { maximum, restorePerSecond } = this.#bucket
    const missing = Math.min(this.#costOf(document), maximum) - this.#available(this.#bucket)
    return missing > 0 ? Math.ceil((missing / restorePerSecond) * 1_000) : 0
  }
}
