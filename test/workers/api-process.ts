// The API of the proof, as a process of its own: `node api-process.ts '{"records":2000000,…}'` prints its port. It
// counts the requests against the budget by its own clock, and refuses what exceeds it. `/seen` tells what it has seen.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { entriesOf, recordAt, itemsOf, timeOf, type Sizes } from './source.ts'

export interface ApiSettings extends Sizes {
  readonly host: string
  /** Milliseconds before each answer. */
  readonly latency: number
  /** Requests for entries, and as many for items, that it admits in each period; 0 admits all. */
  readonly budget: number
  readonly periodMs: number
  /** A request may be on its way for so long: the budget is counted in a period that is shorter by it. */
  readonly delayMs: number
}

/** What the API has seen. */
export interface Seen {
  readonly requests: number
  /** Most requests of one kind in any period, and in any that is shorter by the delay. */
  readonly mostInPeriod: number
  readonly most: number
  readonly refused: number
  /** Requests for a page that was answered before. */
  readonly again: number
  /** From the first request to the last answer. */
  readonly ms: number
  /** Requests by the address that they came from. */
  readonly hosts: Readonly<Record<string, number>>
}

/** The arrivals of the last so many milliseconds. */
class Arrivals {
  readonly #ms: number
  #times: number[] = []
  #first = 0
  most = 0

  constructor(ms: number) {
    this.#ms = ms
  }

  add(now: number): number {
    while (this.#first < this.#times.length && now - this.#times[this.#first]! >= this.#ms) this.#first += 1
    if (this.#first > 10_000) this.#times = this.#times.slice(this.#first)
    if (this.#first > 10_000) this.#first = 0
    this.#times.push(now)
    const count = this.#times.length - this.#first
    this.most = Math.max(this.most, count)
    return count
  }
}

const settings = JSON.parse(process.argv[2] ?? '{}') as ApiSettings
const { pageSize, budget, periodMs, delayMs, windows, latency } = settings
const arrivals = {
  entries: { inPeriod: new Arrivals(periodMs), inShorter: new Arrivals(periodMs - delayMs) },
  items: { inPeriod: new Arrivals(periodMs), inShorter: new Arrivals(periodMs - delayMs) },
}
const answered = new Set<string>()
const hosts: Record<string, number> = {}
let requests = 0
let refused = 0
let again = 0
let first: number | undefined
let last = 0

/** Bodies are put together by hand: the API must cost less than what asks it. */
function page(from: number, to: number, after: string | null, count: number): string {
  const begin = Math.max(from, after === null ? 0 : Number(after))
  const end = Math.min(to, begin + pageSize)
  let body = '{"records":['
  for (let id = begin; id < end; id += 1) {
    const time = timeOf(id, { count, windows })
    body += `${id === begin ? '' : ','}{"id":${id},"name":"record ${id}","updated_at":"${time}"}`
  }
  return `${body}],"next":${end < to ? `"${end}"` : 'null'}}`
}

function send(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers })
    .end(body)
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://api')
  const now = performance.now()
  if (pathname === '/seen') {
    const seen: Seen = {
      requests,
      refused,
      again,
      hosts,
      mostInPeriod: Math.max(...Object.values(arrivals).map(({ inPeriod }) => inPeriod.most)),
      most: Math.max(...Object.values(arrivals).map(({ inShorter }) => inShorter.most)),
      ms: last - (first ?? last),
    }
    return send(response, 200, JSON.stringify(seen))
  }
  requests += 1
  first ??= now
  const host = request.socket.remoteAddress ?? '?'
  hosts[host] = (hosts[host] ?? 0) + 1
  const kind = pathname.startsWith('/entries') ? 'entries' : 'items'
  const { inPeriod, inShorter } = arrivals[kind]
  inPeriod.add(now)
  if (inShorter.add(now) > budget && budget > 0) {
    refused += 1
    return send(response, 429, '{}', { 'retry-after': '1' })
  }
  const count = kind === 'entries' ? entriesOf(settings) : itemsOf(settings)
  const range = (name: string, otherwise: number): number => {
    const text = query.get(name)
    return text === null ? otherwise : recordAt(Date.parse(text), { count, windows })
  }
  setTimeout(() => {
    send(response, 200, page(range('since', 0), range('until', count), query.get('after'), count))
    // What was answered in vain, to a host that is gone, is asked again.
    if (answered.has(request.url!)) again += 1
    answered.add(request.url!)
    last = performance.now()
  }, latency)
})
server.listen(0, settings.host)
await once(server, 'listening')
console.log((server.address() as AddressInfo).port)
// It ends with the process that has started it.
process.stdin.resume().once('end', () => process.exit())
