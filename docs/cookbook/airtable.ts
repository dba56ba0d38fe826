// Airtable: the records of a table.
//
// Docs:      airtable.com/developers/web/api (list records, rate limits) and support.airtable.com; looked up 2026-11-27
// Secrets:   AIRTABLE_TOKEN, a personal access token with data.records:read
// Limits:    5 requests a second for each base; 429, then 30 seconds without a request
// Paging:    a token in `offset`, missing on the last page; up to 100 records. It expires after some minutes
// Increment: only by a field of the table with the time of the last change, so all records are read
// Deletions: a deleted record is not listed any more: `replace` deletes its row
import { baseUrl, bearer, byCursor, http, path, pipeline, secret } from 'sluice'

interface Listed {
  records: { id: string; createdTime: string; fields: Record<string, unknown> }[]
  offset?: string
}

const { AIRTABLE_BASE = 'app00000000000000', AIRTABLE_TABLE = 'Table 1' } = process.env

const api = http(baseUrl('AIRTABLE_API', 'https://api.airtable.com/v0'), {
  auth: bearer(secret('AIRTABLE_TOKEN')),
  rate: '5/s',
  responseRules: [{ status: 429, action: 'retry', wait: '30s' }],
})

/** A field without a value is left out of its record. */
const records = api
  .get<Listed>(path`/${AIRTABLE_BASE}/${AIRTABLE_TABLE}`, { pageSize: 100 })
  .pages(byCursor('offset', 'offset'))
  .records('records')
  .map(({ id, createdTime, fields }) => ({ id, created_time: createdTime, fields }))

export default pipeline('airtable', {
  streams: { records: records.into('airtable.records', { key: 'id', write: 'replace' }) },
})
