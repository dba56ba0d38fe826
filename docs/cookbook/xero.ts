// Xero: invoices, also voided and deleted ones.
//
// Docs:      developer.xero.com (Accounting API: invoices, requests and responses; custom connections; limits);
//            looked up 2026-11-27
// Secrets:   XERO_SECRET of a custom connection with accounting.transactions.read; XERO_CLIENT is no secret
// Limits:    60 requests a minute, 5 at once and 5,000 a day for an organisation; 429 with Retry-After
// Paging:    page numbers, `pagination.pageCount`; up to 1,000 invoices
// Increment: by the header If-Modified-Since
// Deletions: an invoice is never gone: its status becomes DELETED or VOIDED
import { baseUrl, byPage, clientCredentials, http, pipeline, secret, since, time } from 'sluice'

interface Invoice {
  InvoiceID: string
  InvoiceNumber: string
  Type: 'ACCREC' | 'ACCPAY'
  Status: string
  Contact: { ContactID: string; Name: string }
  DateString: string
  DueDateString: string | null
  CurrencyCode: string
  Total: number
  AmountDue: number
  AmountPaid: number
  /** As `/Date(1764237600000+0000)/`. */
  UpdatedDateUTC: string
}
interface Invoices {
  Invoices: Invoice[]
  pagination: { page: number; pageSize: number; pageCount: number; itemCount: number }
}

const api = http(baseUrl('XERO_API', 'https://api.xero.com/api.xro/2.0'), {
  auth: clientCredentials({
    tokenUrl: `${baseUrl('XERO_LOGIN', 'https://identity.xero.com')}/connect/token`,
    clientId: process.env['XERO_CLIENT'] ?? '',
    clientSecret: secret('XERO_SECRET'),
    clientSecretIn: 'header',
    scope: 'accounting.transactions.read',
  }),
  headers: { accept: 'application/json' },
  rate: '60/m',
  concurrency: 4,
})

const day = time('YYYY-MM-DD[T00:00:00]')
const dotNet = time('/Date()/')

const invoices = api
  .get<Invoices>(
    '/Invoices',
    { order: 'UpdatedDateUTC ASC', pageSize: 1_000 },
    { headers: { 'if-modified-since': since } },
  )
  .pages(byPage('page', { pages: 'pagination.pageCount', total: 'pagination.itemCount' }))
  .records('Invoices')
  .incremental('UpdatedDateUTC', { time: dotNet, lookback: '5m' })
  .map((invoice) => ({
    id: invoice.InvoiceID,
    number: invoice.InvoiceNumber,
    type: invoice.Type,
    status: invoice.Status,
    contact_id: invoice.Contact.ContactID,
    contact: invoice.Contact.Name,
    date: invoice.DateString,
    due: invoice.DueDateString,
    currency: invoice.CurrencyCode,
    total: invoice.Total,
    due_amount: invoice.AmountDue,
    paid_amount: invoice.AmountPaid,
    updated_at: invoice.UpdatedDateUTC,
  }))

export default pipeline('xero', {
  streams: {
    invoices: invoices.into('xero.invoices', {
      key: 'id',
      versionBy: 'updated_at',
      columns: { date: day, due: day, updated_at: dotNet },
    }),
  },
})
