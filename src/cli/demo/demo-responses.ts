import { Faults, type Fault } from './demo-faults.ts'
import { customers, events, invoice, invoiceCount, type Timeline } from './demo-records.ts'
import { defineErrorName } from '../../value/error.ts'

export interface DemoSize {
  /** @default 2_000 */
  readonly customers?: number
  /** @default 80_000 */
  readonly events?: number
}

export interface DemoResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const PAGE = 100

/** A wrong request. It becomes a 400 that says what would be right. */
class BadRequest extends Error {
  static {
    defineErrorName(this)
  }
}

/** Returns a function from path and query to the response of the demo API. Needs no socket. */
export function demoResponses({ customers: customerCount = 2_000, events: eventCount = 80_000 }: DemoSize = {}): (
  url: string,
) => DemoResponse {
  const everyCustomer = customers(customerCount)
  const everyEvent = events(eventCount)
  const faults = new Faults()

  /** Customers that changed at or after `updated_since`, by page. The response says how many pages there are. */
  function customerPage(url: string, query: URLSearchParams): DemoResponse {
    const { from, to } = bounds(everyCustomer, query, 'updated_since', 'updated_before')
    const limit = whole(query, 'limit', PAGE, 1, 500)
    const page = whole(query, 'page', 1, 1)
    return (
      faults.next('customers', page, url) ??
      ok(
        `{"customers":[${list(from + (page - 1) * limit, Math.min(to, from + page * limit), everyCustomer.json)}],` +
          `"page":${page},"pages":${Math.ceil((to - from) / limit)},"total":${to - from}}`,
      )
    )
  }

  /** One customer's invoices, by offset. The response says how many there are. */
  function invoicePage(url: string, query: URLSearchParams, customer: number): DemoResponse {
    if (everyCustomer.find(customer) === undefined) return failed(404, 'not_found', `There is no customer ${customer}`)
    const limit = whole(query, 'limit', 50, 1, 500)
    const offset = whole(query, 'offset', 0, 0)
    const total = invoiceCount(customer)
    return (
      (offset === 0 ? faults.next('invoices', customer, url) : undefined) ??
      ok(
        `{"invoices":[${list(offset, Math.min(total, offset + limit), (index) => invoice(customer, index))}],` +
          `"offset":${offset},"total":${total}}`,
      )
    )
  }

  /** Events at or after `since`, oldest first. The response has the cursor of the next page. */
  function eventPage(url: string, query: URLSearchParams): DemoResponse {
    const { from, to } = bounds(everyEvent, query, 'since', 'until')
    const limit = whole(query, 'limit', PAGE, 1, 1_000)
    const start = Math.max(from, cursorIndex(query.get('cursor')))
    const end = Math.min(to, start + limit)
    return (
      faults.next('events', Math.floor(start / limit), url) ??
      ok(
        `{"events":[${list(start, end, everyEvent.json)}],"next_cursor":${end < to ? `"${cursorText(end)}"` : 'null'}}`,
      )
    )
  }

  return (url) => {
    const { pathname, searchParams } = new URL(url, 'http://demo.invalid')
    const [, customer] = /^\/customers\/(\d{1,9})\/invoices$/.exec(pathname) ?? []
    try {
      if (customer !== undefined) return invoicePage(url, searchParams, Number(customer))
      if (pathname === '/customers') return customerPage(url, searchParams)
      if (pathname === '/events') return eventPage(url, searchParams)
      if (pathname === '/')
        return ok(
          '{"endpoints":["/customers?updated_since=&page=&limit=",' +
            '"/customers/{id}/invoices?offset=&limit=","/events?since=&cursor=&limit="]}',
        )
    } catch (error) {
      if (error instanceof BadRequest) return failed(400, 'bad_request', error.message)
      throw error
    }
    return failed(404, 'not_found', `There is nothing at ${pathname}: see /`)
  }
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' }
const ok = (body: string): DemoResponse => ({ status: 200, headers: JSON_TYPE, body })
const failed = (status: number, code: string, message: string): DemoResponse | Fault => ({
  status,
  headers: JSON_TYPE,
  body: JSON.stringify({ error: { code, message } }),
})

function list(start: number, end: number, json: (index: number) => string): string {
  let text = ''
  for (let index = start; index < end; index += 1) text += (index === start ? '' : ',') + json(index)
  return text
}

function whole(
  query: URLSearchParams,
  name: string,
  otherwise: number,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const text = query.get(name)
  if (text === null) return otherwise
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least && value <= most))
    throw new BadRequest(
      `${name} must be a whole number, at least ${least}${most < Number.MAX_SAFE_INTEGER ? `, at most ${most}` : ''}`,
    )
  return value
}

/** The half-open range of records between two instants. */
function bounds(line: Timeline, query: URLSearchParams, lower: string, upper: string): { from: number; to: number } {
  const index = (name: string, otherwise: number): number => {
    const text = query.get(name)
    const found = text === null ? otherwise : line.indexAt(text)
    if (Number.isNaN(found)) throw new BadRequest(`${name} must be a time, as 2025-01-31T12:00:00Z`)
    return found
  }
  const from = index(lower, 0)
  return { from, to: Math.max(from, index(upper, line.count)) }
}

/** Clients cannot read a cursor. */
const cursorText = (index: number): string => Buffer.from(`event:${index}`).toString('base64url')

function cursorIndex(cursor: string | null): number {
  if (cursor === null) return 0
  const [, index] = /^event:(\d{1,12})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (index === undefined) throw new BadRequest('cursor must come from a response')
  return Number(index)
}
