import { limitsKey, WHOLE_API } from '../../model/rate.ts'
import type { Api, PageRequest } from '../../model/request.ts'
import type { AcquireOptions, Budget, SendOptions } from '../../model/scope.ts'
import type { Addresses } from '../address.ts'
import { budgetOf, type BudgetOptions } from './budget-of.ts'
import { limitedPath } from './limited-path.ts'

/** The budgets of endpoints that have limits of their own. */
export class EndpointBudgets implements AsyncDisposable {
  readonly #api: Api
  readonly #addresses: Addresses
  readonly #options: BudgetOptions & { readonly whole: Budget }
  readonly #budgets = new Map<string, EndpointBudget>()

  /** `whole` is the budget of the API. */
  constructor(api: Api, addresses: Addresses, options: BudgetOptions & { readonly whole: Budget }) {
    this.#api = api
    this.#addresses = addresses
    this.#options = options
  }

  /** Returns the budget of the API, or that of an endpoint with limits of its own. */
  of({ method, url }: PageRequest, { rate, endpoint = url }: Pick<SendOptions, 'rate' | 'endpoint'>): Budget {
    const { whole, ...options } = this.#options
    if (rate === undefined) return whole
    const place = `${method} ${limitedPath(this.#addresses, endpoint)}`
    const key = `${limitsKey(rate)} ${place}`
    const known = this.#budgets.get(key)
    if (known) return known
    const own = budgetOf({ ...this.#api, rate }, this.#addresses.origin, { ...options, endpoint: place })
    const budget = new EndpointBudget(own, whole)
    this.#budgets.set(key, budget)
    return budget
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const budget of this.#budgets.values()) await budget[Symbol.asyncDispose]()
  }
}

/**
 * The budget of an endpoint with limits of its own. The rate of the API does not count for it, but a wait that closes
 * the whole API does. What the API says of this endpoint holds here, unless a rule says that it holds for the API.
 */
class EndpointBudget implements Budget, AsyncDisposable {
  readonly #own: Budget & Partial<AsyncDisposable>
  readonly #whole: Budget

  constructor(own: Budget & Partial<AsyncDisposable>, whole: Budget) {
    this.#own = own
    this.#whole = whole
  }

  async acquire(requests: number, options: AcquireOptions): Promise<void> {
    await this.#waitForApi(options)
    // Requests that were taken before a wait may be too old to be sent after it.
    do await this.#own.acquire(requests, options)
    while (await this.#waitForApi(options))
  }

  observe(...[status, headers, origin]: Parameters<Budget['observe']>): void {
    if (origin.reach === 'api') this.#whole.observe(status, headers, origin)
    this.#own.observe(status, headers, origin)
  }

  sleep(ms: number, options: { readonly signal: AbortSignal }): Promise<void> {
    return this.#own.sleep(ms, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#own[Symbol.asyncDispose]?.()
  }

  /** Takes no request of the API. Returns true if it has waited. */
  async #waitForApi(options: AcquireOptions): Promise<boolean> {
    let hasWaited = false
    await this.#whole.acquire(0, {
      ...options,
      paths: [WHOLE_API, ...(options.paths ?? [])],
      onWait: (...wait) => {
        hasWaited = true
        options.onWait?.(...wait)
      },
    })
    return hasWaited
  }
}
