// Square: locations, and the orders of each.
//
// Docs:      developer.squareup.com (list locations, search orders, pagination); looked up 2026-11-27
// Secrets:   SQUARE_TOKEN, an access token with MERCHANT_PROFILE_READ and ORDERS_READ
// Limits:    not published; 429 beyond
// Paging:    `cursor` in the body of the search, missing on the last page; up to 1,000 orders
// Increment: a filter and a sort by `updated_at`, of one to ten locations
// Deletions: an order is never deleted, its state becomes CANCELED
import { baseUrl, bearer, byCursor, http, inBatches, onePage, pipeline, secret, since } from 'sluice'

interface Location {
  id: string
  name: string
  status: 'ACTIVE' | 'INACTIVE'
  currency: string
  created_at: string
}
/** In the smallest unit of the currency. */
interface Money {
  amount: number
  currency: string
}
interface Order {
  id: string
  location_id: string
  customer_id?: string
  state: string
  version: number
  total_money?: Money
  total_tax_money?: Money
  total_discount_money?: Money
  created_at: string
  updated_at: string
  closed_at?: string
}

const api = http(baseUrl('SQUARE_API', 'https://connect.squareup.com/v2'), {
  auth: bearer(secret('SQUARE_TOKEN')),
  headers: { 'square-version': '2025-01-23' },
  rate: '10/s',
})

const locations = api
  .get<{ locations: Location[] }>('/locations')
  .pages(onePage())
  .records('locations', { optional: true })
  .pick('id', 'name', 'status', 'currency', 'created_at')

const orders = locations.flatMap(
  inBatches(10, (batch) =>
    api
      .post<{ orders?: Order[]; cursor?: string }>('/orders/search', {
        json: {
          location_ids: batch.map(({ id }) => id),
          query: {
            filter: { date_time_filter: { updated_at: { start_at: since } } },
            sort: { sort_field: 'UPDATED_AT', sort_order: 'ASC' },
          },
          limit: 1_000,
        },
      })
      .pages(byCursor('cursor', 'cursor'))
      .records('orders', { optional: true })
      .incremental('updated_at', { startFrom: '2009-01-01T00:00:00Z', lookback: '10m' })
      .map(({ total_money, total_tax_money, total_discount_money, ...order }) => ({
        id: order.id,
        location_id: order.location_id,
        customer_id: order.customer_id,
        state: order.state,
        version: order.version,
        currency: total_money?.currency,
        total: total_money?.amount,
        tax: total_tax_money?.amount,
        discount: total_discount_money?.amount,
        created_at: order.created_at,
        updated_at: order.updated_at,
        closed_at: order.closed_at,
      })),
  ),
)

export default pipeline('square', {
  streams: {
    locations: locations.into('square.locations', { key: 'id' }),
    orders: orders.into('square.orders', { key: 'id', versionBy: 'version' }),
  },
})
