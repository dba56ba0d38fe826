// Amazon Selling Partner, reports: all listings of a seller, as one file.
//
// Docs:      developer-docs.amazon.com/sp-api (Reports API 2021-06-30: createReport, getReport, getReportDocument);
//            looked up 2026-11-27
// Secrets:   AMAZON_CLIENT_SECRET and AMAZON_REFRESH_TOKEN of an app with the role Product Listing;
//            AMAZON_CLIENT_ID and AMAZON_MARKETPLACE are no secrets
// Limits:    createReport: a bucket of 15 requests that gains one a minute; 429 beyond, without a time to wait
// Paging:    none: a file of tab-separated values, often packed with gzip, whose URL is good for five minutes
// Increment: none: a report has all listings
// Deletions: a deleted listing is not in the report: `replace` deletes its row
import { baseUrl, csv, http, onePage, path, pipeline, secret, session, time } from 'sluice'

interface Listing {
  'seller-sku': string
  'item-name': string
  asin1: string
  price: string
  quantity: string
  status: string
  'open-date': string
}

const { AMAZON_MARKETPLACE: marketplace = 'A1PA6795UKMFR9', AMAZON_CLIENT_ID = '' } = process.env

const api = http(baseUrl('AMAZON_REPORTS_API', 'https://sellingpartnerapi-eu.amazon.com'), {
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
  allowedOrigins: [baseUrl('AMAZON_FILES', 'https://tortuga-prod-eu.s3-eu-west-1.amazonaws.com')],
  responseRules: [{ status: 429, action: 'retry', wait: '60s' }],
})

const listings = api
  .post<{ reportId: string }>('/reports/2021-06-30/reports', {
    rate: { burst: 15, requests: 1, per: 'minute' },
    json: { reportType: 'GET_MERCHANT_LISTINGS_ALL_DATA', marketplaceIds: [marketplace] },
  })
  .job({
    id: 'reportId',
    poll: (id) =>
      api.get<{ processingStatus: string; reportDocumentId: string }>(path`/reports/2021-06-30/reports/${id}`),
    state: 'processingStatus',
    done: 'DONE',
    // So it says that there is nothing to report.
    empty: 'CANCELLED',
    failed: 'FATAL',
  })
  .results(({ reportDocumentId }) =>
    api
      .get<{ url: string }>(path`/reports/2021-06-30/documents/${reportDocumentId}`)
      .pages(onePage())
      .download<Listing>('url', { format: csv({ delimiter: '\t', quote: false }) }),
  )
  .pick('seller-sku', 'item-name', 'asin1', 'price', 'quantity', 'status', 'open-date')

export default pipeline('amazon-reports', {
  streams: {
    listings: listings.into('amazon.listings', {
      key: 'seller-sku',
      write: 'replace',
      emptyText: 'null',
      columns: { price: 'numeric', quantity: 'bigint', 'open-date': time('YYYY-MM-DD HH:mm:ss z') },
    }),
  },
})
