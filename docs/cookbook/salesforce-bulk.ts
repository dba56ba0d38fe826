// Salesforce, large tables: opportunities by the Bulk API 2.0, with those in the recycle bin.
//
// Docs:      developer.salesforce.com (Bulk API 2.0: create a query job, get information, get results, limits);
//            looked up 2026-11-27
// Secrets:   SALESFORCE_SECRET of a connected app that may use the client credentials flow; SALESFORCE_DOMAIN and
//            SALESFORCE_CLIENT
// Limits:    10,000 query jobs and 1 TB of results in 24 hours
// Paging:    the header Sforce-Locator of the results, the text "null" on the last page
// Increment: `SystemModstamp` in the query
// Deletions: the operation `queryAll` lists deleted records with `IsDeleted`
import {
  baseUrl,
  byCursor,
  clientCredentials,
  csv,
  http,
  inHeader,
  path,
  pipeline,
  secret,
  since,
  text,
  utc,
} from 'sluice'

/** All values of a CSV file are texts. */
interface Opportunity {
  Id: string
  IsDeleted: string
  SystemModstamp: string
  Name: string
  StageName: string
  Amount: string
  CloseDate: string
  AccountId: string
}
interface Job {
  state: string
  errorMessage?: string
  numberRecordsProcessed: number
}

const domain = process.env['SALESFORCE_DOMAIN'] ?? 'example'
const api = http(baseUrl('SALESFORCE_BULK_API', `https://${domain}.my.salesforce.com`), {
  auth: clientCredentials({
    tokenUrl: '/services/oauth2/token',
    clientId: process.env['SALESFORCE_CLIENT'] ?? '',
    clientSecret: secret('SALESFORCE_SECRET'),
  }),
})
const columns = 'Id, IsDeleted, SystemModstamp, Name, StageName, Amount, CloseDate, AccountId'
const jobs = '/services/data/v62.0/jobs/query'

const opportunities = api
  .post<{ id: string }>(jobs, {
    json: {
      operation: 'queryAll',
      query: text`select ${columns} from Opportunity${text` where SystemModstamp >= ${utc(since)}`}`,
    },
  })
  .job({
    id: 'id',
    poll: (id) => api.get<Job>(path`/services/data/v62.0/jobs/query/${id}`),
    state: 'state',
    done: 'JobComplete',
    failed: ['Failed', 'Aborted'],
    error: 'errorMessage',
    count: 'numberRecordsProcessed',
    cancel: (id) => api.patch(path`/services/data/v62.0/jobs/query/${id}`, { json: { state: 'Aborted' } }),
  })
  .results((_, id) =>
    api
      .get<Opportunity[]>(
        path`/services/data/v62.0/jobs/query/${id}/results`,
        { maxRecords: 50_000 },
        { format: csv() },
      )
      .pages(byCursor('locator', inHeader('sforce-locator')))
      .records(),
  )
  .incremental('SystemModstamp', { lookback: '10m' })

export default pipeline('salesforce-bulk', {
  streams: {
    opportunities: opportunities.into('salesforce.opportunities', {
      key: 'Id',
      emptyText: 'null',
      columns: { IsDeleted: 'boolean', Amount: 'numeric', CloseDate: 'date' },
    }),
  },
})
