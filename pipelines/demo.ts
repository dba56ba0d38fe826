import { baseUrl, byCursor, byOffset, byPage, http, path, pipeline, since } from 'sluice'

interface Customer {
  id: number
  /** Beyond 2^53, so it arrives as what holds it exactly. */
  account_number: bigint
  name: string
  email: string | null
  plan: 'free' | 'team' | 'business'
  address: { city: string; country: string }
  created_at: string
  updated_at: string
}

interface Invoice {
  id: string
  amount: number
  currency: string
  status: 'paid' | 'open' | 'void'
  issued_on: string
  paid_at: string | null
}

interface Event {
  id: string
  type: string
  customer_id: number
  at: string
  context: { page: string; ms: number }
}

/** `sluice demo` starts it, or `npm start`: an API on this machine, a bit slow, and now and then too busy to answer. */
const api = http(baseUrl('SLUICE_DEMO_API', 'http://127.0.0.1:47470'))

/**
 * Customers that changed since the last run. The first answer tells how many pages there are, so the others are asked
 * at once.
 */
const changed = api
  .get<{ customers: Customer[]; pages: number }>('/customers', { limit: 100, updated_since: since })
  .pages(byPage('page', { pages: 'pages' }))
  .records('customers')
  .incremental('updated_at')

const customers = changed.map(({ address, ...customer }) => ({
  ...customer,
  city: address.city,
  country: address.country,
}))

/** Their invoices, since here a new invoice touches its customer: pages of pages, eight customers at a time. */
const invoices = changed.flatMap(
  (customer) =>
    api
      .get<{ invoices: Invoice[]; total: number }>(path`/customers/${customer.id}/invoices`, { limit: 50 })
      .pages(byOffset('offset', { total: 'total' }))
      .records('invoices')
      .map((invoice) => ({ ...invoice, customer_id: customer.id })),
  { concurrency: 8 },
)

/** Events of customers: a log that only grows. Each page has the cursor of the next one. */
const events = api
  .get<{ events: Event[]; next_cursor: string | null }>('/events', { limit: 200, since })
  .pages(byCursor('cursor', 'next_cursor'))
  .records('events')
  .incremental('at', { order: 'ascending' })
  .filter((event) => event.type !== 'heartbeat')
  .map(({ context, ...event }) => ({ ...event, page: context.page, took_ms: context.ms }))

export default pipeline('demo', {
  streams: {
    customers: customers.into('demo.customers', { key: 'id', columns: { account_number: 'bigint' } }),
    invoices: invoices.into('demo.invoices', { key: 'id', columns: { amount: 'numeric(12,2)', issued_on: 'date' } }),
    events: events.into('demo.events', { write: 'append' }),
  },
})
