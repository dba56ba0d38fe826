/** What goes wrong now and then with any API: too many requests, or a gateway in bad mood. */
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
/** Gateways answer HTML, whatever was asked for. */
const AWAY: Fault = {
  status: 503,
  headers: { 'content-type': 'text/html' },
  body: '<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>',
}

const FAULTS = {
  customers: (turn: number) => (turn % 20 === 4 ? AWAY : undefined),
  invoices: (turn: number) => (turn % 500 === 7 ? AWAY : turn % 1_000 === 13 ? BUSY : undefined),
  events: (turn: number) => (turn % 200 === 60 ? AWAY : turn % 250 === 120 ? BUSY : undefined),
}

/**
 * A fault for certain requests, each only when it is made for the first time: so the same requests fail in every run,
 * and a client that tries again always gets through.
 */
export class Faults {
  readonly #seen = new Set<string>()

  /** `turn` is the request's place in its listing: its page, or its customer. */
  next(listing: keyof typeof FAULTS, turn: number, url: string): Fault | undefined {
    const fault = FAULTS[listing](turn)
    if (fault === undefined || this.#seen.has(url)) return undefined
    if (this.#seen.size >= 10_000) this.#seen.clear()
    this.#seen.add(url)
    return fault
  }
}
