// What the readings of one endpoint have shown, for those that follow: the children of other parents, or the next run.
import type { Request } from '../../model/request.ts'
import type { EndpointSeen } from '../../model/slice.ts'

/** Endpoints that are remembered. Paths that hold the id of a parent as text are too many. */
const MAX_ENDPOINTS = 100

export class SeenEndpoint {
  readonly #seen: EndpointSeen

  /** `fact`: what is remembered of the endpoint, if it is not that a response led to a next page. */
  constructor(
    request: Pick<Request, 'method' | 'path'>,
    endpoints: Map<string, EndpointSeen> | undefined,
    fact?: 'since is included',
  ) {
    const name = [endpointName(request), fact].filter(Boolean).join(', ')
    this.#seen = endpoints?.get(name) ?? { hasWayOn: false, largestPage: 0 }
    if (endpoints && endpoints.size < MAX_ENDPOINTS) endpoints.set(name, this.#seen)
  }

  /** True if a response led to a next page. */
  get hasWayOn(): boolean {
    return this.#seen.hasWayOn
  }

  /** Records of the largest page. */
  get largestPage(): number {
    return this.#seen.largestPage
  }

  add(records: number, { hasWayOn }: Pick<EndpointSeen, 'hasWayOn'>): void {
    this.#seen.largestPage = Math.max(this.#seen.largestPage, records)
    this.#seen.hasWayOn ||= hasWayOn
  }
}

/** Returns the same name for all parents, as in `GET /customers/{}/invoices`. */
const endpointName = ({ method, path }: Pick<Request, 'method' | 'path'>): string =>
  `${method} ${typeof path === 'string' ? path : path.texts.join('{}')}`
