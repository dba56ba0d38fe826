// Google Sheets: the rows of a sheet, under the names in its first row.
//
// Docs:      developers.google.com/workspace/sheets/api (spreadsheets.values.get, usage limits); looked up 2026-11-27
// Secrets:   GOOGLE_KEY, the JSON key of a service account that the sheet is shared with, or GOOGLE_KEY_FILE with its
//            path; GOOGLE_SHEET and GOOGLE_RANGE are no secrets
// Limits:    300 requests a minute of a project; 429 beyond
// Paging:    none: one answer has all rows of the range
// Increment: none: all rows are read
// Deletions: a row that is gone is not in the answer: `replace` deletes it
import { baseUrl, fromRows, googleServiceAccount, http, onePage, path, pipeline, secret } from 'sluice'

interface Row {
  order: number
  customer: string
  total: number
  paid: boolean
}

const { GOOGLE_SHEET: sheet = 'sheet', GOOGLE_RANGE: range = 'Orders' } = process.env

const api = http(baseUrl('SHEETS_API', 'https://sheets.googleapis.com/v4'), {
  auth: googleServiceAccount({
    key: secret('GOOGLE_KEY'),
    scope: 'https://www.googleapis.com/auth/spreadsheets.readonly',
    tokenUrl: baseUrl('GOOGLE_TOKEN_URL', 'https://oauth2.googleapis.com/token'),
  }),
  rate: '60/m',
})

/** Cells at the end of a row that are empty are left out; numbers and truth values come as such. */
const rows = api
  .get<unknown>(path`/spreadsheets/${sheet}/values/${range}`, { valueRenderOption: 'UNFORMATTED_VALUE' })
  .pages(onePage())
  .records(fromRows<Row>('values'))
  .filter(({ order }) => order !== undefined && String(order) !== '')

export default pipeline('google-sheets', {
  streams: { rows: rows.into('google_sheets.orders', { key: 'order', write: 'replace' }) },
})
