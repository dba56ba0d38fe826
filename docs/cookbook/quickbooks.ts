// QuickBooks Online: invoices, and those that were deleted.
//
// Docs:      developer.intuit.com (query operations, change data capture, limits and throttles); looked up 2026-11-27
// Secrets:   QUICKBOOKS_SECRET of an app, QUICKBOOKS_REFRESH_TOKEN of the OAuth 2.0 Playground, and SLUICE_KEY,
//            because the token is replaced each day; QUICKBOOKS_CLIENT and QUICKBOOKS_COMPANY are no secrets
// Limits:    500 requests a minute and 10 a second for each company; 429, then wait 60 seconds
// Paging:    none but `startposition` in the text of the query; up to 1,000 records
// Increment: `MetaData.LastUpdatedTime` in the query
// Deletions: by the change data capture of the last 30 days, up to 1,000 objects an answer
import { baseUrl, bySince, fromLists, http, onePage, path, pipeline, refreshToken, secret, since, text } from 'sluice'

interface Invoice {
  Id: string
  SyncToken: string
  DocNumber?: string
  TxnDate: string
  DueDate?: string
  CustomerRef: { value: string; name?: string }
  CurrencyRef?: { value: string }
  TotalAmt: number
  Balance: number
  /** With an offset, as `2026-01-31T10:00:00-08:00`. */
  MetaData: { CreateTime: string; LastUpdatedTime: string }
}
interface Change {
  Id: string
  status?: 'Deleted'
  MetaData: { LastUpdatedTime: string }
}

const company = process.env['QUICKBOOKS_COMPANY'] ?? '1'

const api = http(baseUrl('QUICKBOOKS_API', 'https://quickbooks.api.intuit.com'), {
  auth: refreshToken({
    tokenUrl: baseUrl('QUICKBOOKS_TOKEN_URL', 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer'),
    clientId: process.env['QUICKBOOKS_CLIENT'] ?? '',
    clientSecret: secret('QUICKBOOKS_SECRET'),
    clientSecretIn: 'header',
    refreshToken: secret('QUICKBOOKS_REFRESH_TOKEN'),
  }),
  headers: { accept: 'application/json' },
  rate: '8/s',
  responseRules: [{ status: 429, action: 'retry', wait: '60s' }],
})

const page = 'orderby MetaData.LastUpdatedTime startposition 1 maxresults 1000'

/** A thousand at a time, each time from the last one's time on: so an invoice that changes meanwhile loses none. */
const invoices = api
  .get<{ QueryResponse: { Invoice?: Invoice[] } }>(path`/v3/company/${company}/query`, {
    query: text`select * from Invoice where MetaData.LastUpdatedTime >= '${since}' ${page}`,
    minorversion: 75,
  })
  .pages(bySince())
  .records('QueryResponse.Invoice', { optional: true })
  .incremental('MetaData.LastUpdatedTime', { startFrom: '2000-01-01T00:00:00Z' })
  .map(({ Id, SyncToken, CustomerRef, CurrencyRef, MetaData, ...invoice }) => ({
    id: Id,
    version: Number(SyncToken),
    number: invoice.DocNumber,
    date: invoice.TxnDate,
    due: invoice.DueDate,
    customer_id: CustomerRef.value,
    customer: CustomerRef.name,
    currency: CurrencyRef?.value,
    total: invoice.TotalAmt,
    balance: invoice.Balance,
    created_at: MetaData.CreateTime,
    updated_at: MetaData.LastUpdatedTime,
  }))

const deleted = api
  .get<{ CDCResponse: unknown[] }>(path`/v3/company/${company}/cdc`, { entities: 'Invoice', changedSince: since })
  .pages(onePage({ atMost: 1_000 }))
  .records(fromLists<Change>('CDCResponse.QueryResponse.Invoice'), { optional: true })
  .incremental('MetaData.LastUpdatedTime', {
    startFrom: new Date(Date.now() - 29 * 86_400_000).toISOString().slice(0, 10),
    lookback: '10m',
  })
  .filter(({ status }) => status === 'Deleted')
  .map(({ Id, MetaData }) => ({ id: Id, deleted_at: MetaData.LastUpdatedTime }))

export default pipeline('quickbooks', {
  streams: {
    invoices: invoices.into('quickbooks.invoices', { key: 'id', versionBy: 'version' }),
    deleted: deleted.into('quickbooks.deleted_invoices', { key: 'id', complete: 'required' }),
  },
})
