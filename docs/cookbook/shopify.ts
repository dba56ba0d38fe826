// Shopify: orders.
//
// Docs:      shopify.dev (GraphQL Admin API: orders, pagination, rate limits by cost); looked up 2026-11-27
// Secrets:   SHOPIFY_TOKEN of a custom app with read_orders, and read_all_orders beyond the last 60 days; SHOPIFY_SHOP
// Limits:    100 points a second, more in larger plans. Beyond: status 200 with the error code THROTTLED; each answer
//            says in `extensions.cost` what it has cost and what is left
// Paging:    Relay: `pageInfo { hasNextPage endCursor }`, up to 250 nodes
// Increment: a search by `updated_at`, sorted by it
// Deletions: a deleted order is not found any more
import { apiKey, baseUrl, byRelay, http, pipeline, secret, since, text } from 'sluice'

interface Orders {
  orders: {
    pageInfo: { hasNextPage: boolean; endCursor: string | null }
    nodes: {
      id: string
      name: string
      email: string | null
      displayFinancialStatus: string | null
      displayFulfillmentStatus: string
      totalPriceSet: { shopMoney: { amount: string; currencyCode: string } }
      customer: { id: string } | null
      createdAt: string
      updatedAt: string
      cancelledAt: string | null
    }[]
  }
}

const query = `
  query Orders($search: String, $after: String) {
    orders(first: 100, after: $after, query: $search, sortKey: UPDATED_AT) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id name email displayFinancialStatus displayFulfillmentStatus createdAt updatedAt cancelledAt
        totalPriceSet { shopMoney { amount currencyCode } }
        customer { id }
      }
    }
  }`

const shop = `https://${process.env['SHOPIFY_SHOP'] ?? 'example'}.myshopify.com`
const api = http(baseUrl('SHOPIFY_API', `${shop}/admin/api/2025-10/graphql.json`), {
  auth: apiKey(secret('SHOPIFY_TOKEN'), { header: 'x-shopify-access-token' }),
})

const orders = api
  .graphql<Orders>(query, { search: text`updated_at:>='${since}'` })
  .pages(byRelay('orders'))
  .records('orders.nodes')
  .incremental('updatedAt')
  .map(({ totalPriceSet: { shopMoney }, customer, ...order }) => ({
    ...order,
    total: shopMoney.amount,
    currency: shopMoney.currencyCode,
    customer_id: customer?.id,
  }))

export default pipeline('shopify', {
  streams: { orders: orders.into('shopify.orders', { key: 'id', columns: { total: 'numeric' } }) },
})
