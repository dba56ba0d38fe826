// Amazon Selling Partner: orders of a marketplace.
//
// Docs:      developer-docs.amazon.com/sp-api (Orders API v0: getOrders; connecting by Login with Amazon; usage plans);
//            looked up 2026-11-27
// Secrets:   AMAZON_CLIENT_SECRET and AMAZON_REFRESH_TOKEN of an app with the role Inventory and Order Tracking;
//            AMAZON_CLIENT_ID and AMAZON_MARKETPLACE are no secrets
// Limits:    a bucket of 20 requests that gains one a minute; 429 beyond, without a time to wait
// Paging:    `payload.NextToken`, missing on the last page; it stands for all other parameters; up to 100 orders
// Increment: `LastUpdatedAfter`, which must be more than two minutes ago; orders show up after two minutes, too
// Deletions: an order is never deleted, its status becomes Canceled; orders of the last two years are listed
import { baseUrl, byCursor, http, pipeline, secret, session } from 'sluice'

interface Order {
  AmazonOrderId: string
  OrderStatus: string
  FulfillmentChannel: string
  SalesChannel?: string
  MarketplaceId: string
  NumberOfItemsShipped: number
  NumberOfItemsUnshipped: number
  /** Missing while the order is pending. */
  OrderTotal?: { CurrencyCode: string; Amount: string }
  PurchaseDate: string
  LastUpdateDate: string
}
interface Orders {
  payload: { Orders: Order[]; NextToken?: string }
}

const { AMAZON_MARKETPLACE: marketplace = 'A1PA6795UKMFR9', AMAZON_CLIENT_ID = '' } = process.env

const api = http(baseUrl('AMAZON_API', 'https://sellingpartnerapi-eu.amazon.com'), {
  auth: session({
    loginUrl: `${baseUrl('AMAZON_LOGIN', 'https://api.amazon.com')}/auth/o2/token`,
    form: {
      grant_type: 'refresh_token',
      refresh_token: secret('AMAZON_REFRESH_TOKEN'),
      client_id: AMAZON_CLIENT_ID,
      client_secret: secret('AMAZON_CLIENT_SECRET'),
    },
    token: 'access_token',
    sendAs: { header: 'x-amz-access-token' },
    lifetime: { at: 'expires_in' },
  }),
  rate: { burst: 20, requests: 1, per: 'minute' },
  responseRules: [{ status: 429, action: 'retry', wait: '60s' }],
})

const orders = api
  .get<Orders>('/orders/v0/orders', ({ since }) => ({
    MarketplaceIds: marketplace,
    LastUpdatedAfter: since,
    MaxResultsPerPage: 100,
  }))
  .pages(byCursor('NextToken', 'payload.NextToken'))
  .records('payload.Orders')
  .incremental('LastUpdateDate', { startFrom: '2025-01-01T00:00:00Z', lookback: '10m' })
  .map(({ OrderTotal, ...order }) => ({
    id: order.AmazonOrderId,
    status: order.OrderStatus,
    channel: order.FulfillmentChannel,
    sales_channel: order.SalesChannel,
    marketplace: order.MarketplaceId,
    shipped: order.NumberOfItemsShipped,
    unshipped: order.NumberOfItemsUnshipped,
    total: OrderTotal?.Amount,
    currency: OrderTotal?.CurrencyCode,
    purchased_at: order.PurchaseDate,
    updated_at: order.LastUpdateDate,
  }))

export default pipeline('amazon', {
  streams: {
    orders: orders.into('amazon.orders', { key: 'id', versionBy: 'updated_at', columns: { total: 'numeric' } }),
  },
})
