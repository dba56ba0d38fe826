/** A response of an API that is too busy, or of its gateway. */
export interface Fault {
  readonly status: 429 | 503
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const BUSY: Fault = {
  status: 429,
  headers: { 'content-type': 'application/json', 'retry-after': '1' },
  body: '{"error":{"code":"rate_limited","message":"Too many requests: try again in a second"}}',
}
/** Gateways send HTML, also to clients that want JSON. */
const AWAY: Fault = {
  status: 503,
  headers: { 'content-type': 'text/html' },
  body: '<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>',
}

const busyIf = (isBusy: boolean): Fault | undefined => (isBusy ? BUSY : undefined)

const FAULTS = {
  customers: (turn: number) => (turn % 20 === 4 ? AWAY : undefined),
  invoices: (turn: number) => (turn % 500 === 7 ? AWAY : busyIf(turn % 1_000 === 13)),
  events: (turn: number) => (turn % 200 === 60 ? AWAY : busyIf(turn % 250 === 120)),
}

/** Fails certain requests the first time they are made. The same requests fail in every run, and a retry succeeds. */
export class Faults {
  readonly #seen = new Set<string>()

  /** `turn` is the page of a request, or its customer. */
  next(listing: keyof typeof FAULTS, turn: number, url: string): Fault | undefined {
    const fault = FAULTS[listing](turn)
    if (fault === undefined || this.#seen.has(url)) return undefined
    if (this.#seen.size >= 10_000) this.#seen.clear()
    this.#seen.add(url)
    return fault
  }
}
