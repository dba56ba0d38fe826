// Stripe: customers, balance transactions, and the log of events.
//
// Docs:      docs.stripe.com/api (pagination, customers, balance_transactions, events), docs.stripe.com/rate-limits;
//            looked up 2026-11-27
// Secrets:   STRIPE_KEY, a restricted key that may read these three
// Limits:    100 requests a second in live mode, 25 for each endpoint and in a sandbox; 429 beyond
// Paging:    newest first, after the id of the last record, until `has_more` is false
// Increment: lists can be asked by time of creation, not of change. Changes are told by events, kept for 30 days
// Deletions: a deleted customer is not listed any more, and there is an event `customer.deleted`
import { baseUrl, bearer, byLastRecord, http, pipeline, secret, since, time, unix } from 'sluice'

interface List<Item> {
  data: Item[]
  has_more: boolean
}

interface Customer {
  id: string
  created: number
  name: string | null
  email: string | null
  currency: string | null
  delinquent: boolean | null
  metadata: Record<string, string>
}

interface BalanceTransaction {
  id: string
  created: number
  available_on: number
  /** In the smallest unit of the currency, as `fee` and `net`. */
  amount: number
  fee: number
  net: number
  currency: string
  type: string
  status: 'available' | 'pending'
  /** The id of the charge, refund or payout that moved the money. */
  source: string | null
}

interface Event {
  id: string
  created: number
  type: string
  api_version: string | null
  /** The whole object as it was then; of an update also what it was before. */
  data: { object: { id?: string; object: string }; previous_attributes?: object }
}

const api = http(baseUrl('STRIPE_API', 'https://api.stripe.com/v1'), {
  auth: bearer(secret('STRIPE_KEY')),
  headers: { 'stripe-version': '2025-07-30.basil' },
  rate: '25/s',
})
const byId = byLastRecord('starting_after', 'data.id', { more: 'has_more' })
const created = time('unix')

/** All customers, since an edit is not seen by the time of creation. */
const customers = api.get<List<Customer>>('/customers', { limit: 100 }).pages(byId).records('data')

/** What moved the balance. A transaction is pending for some days, then its status changes: hence the lookback. */
const transactions = api
  .get<List<BalanceTransaction>>('/balance_transactions', { limit: 100, 'created[gte]': unix(since) })
  .pages(byId)
  .records('data')
  .incremental('created', { time: created, lookback: '14d' })

/** All events of the last 30 days, then each new one. Run it at least every 30 days. */
const events = api
  .get<List<Event>>('/events', { limit: 100, 'created[gte]': unix(since) })
  .pages(byId)
  .records('data')
  .incremental('created', { time: created, lookback: '1h' })
  .map(({ id, created, type, api_version, data }) => ({
    id,
    created,
    type,
    api_version,
    object_id: data.object.id,
    object: data.object,
    previous: data.previous_attributes,
  }))

export default pipeline('stripe', {
  streams: {
    customers: customers.into('stripe.customers', { key: 'id', write: 'replace', columns: { created } }),
    transactions: transactions.into('stripe.balance_transactions', {
      key: 'id',
      columns: { available_on: time('unix') },
    }),
    events: events.into('stripe.events', { key: 'id', columns: { created } }),
  },
})
