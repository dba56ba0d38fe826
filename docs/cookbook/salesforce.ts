// Salesforce: accounts and contacts, with those in the recycle bin.
//
// Docs:      developer.salesforce.com (REST API: query, queryAll, nextRecordsUrl, errors; client credentials flow);
//            looked up 2026-11-27
// Secrets:   SALESFORCE_SECRET of a connected app that may use the client credentials flow; SALESFORCE_DOMAIN and
//            SALESFORCE_CLIENT
// Limits:    requests of 24 hours, by edition and licenses; 403 with the code REQUEST_LIMIT_EXCEEDED
// Paging:    `nextRecordsUrl`, a path, until `done` is true; up to 2,000 records. `totalSize` counts them all
// Increment: `SystemModstamp` in the query
// Deletions: `queryAll` lists deleted records with `IsDeleted`, for 15 days or until the bin is emptied
import { baseUrl, byNextUrl, clientCredentials, http, pipeline, secret, since, text, utc } from 'sluice'

interface Found<Item> {
  totalSize: number
  done: boolean
  nextRecordsUrl?: string
  records: (Item & { attributes: object; Id: string; IsDeleted: boolean; SystemModstamp: string })[]
}
interface Account {
  Name: string
  Type: string | null
  Industry: string | null
  AnnualRevenue: number | null
  OwnerId: string
  CreatedDate: string
}
interface Contact {
  AccountId: string | null
  FirstName: string | null
  LastName: string
  Email: string | null
  CreatedDate: string
}

const api = http(
  baseUrl('SALESFORCE_API', `https://${process.env['SALESFORCE_DOMAIN'] ?? 'example'}.my.salesforce.com`),
  {
    auth: clientCredentials({
      tokenUrl: '/services/oauth2/token',
      clientId: process.env['SALESFORCE_CLIENT'] ?? '',
      clientSecret: secret('SALESFORCE_SECRET'),
    }),
    responseRules: [{ status: 403, body: { errorCode: 'REQUEST_LIMIT_EXCEEDED' }, action: 'retry', wait: '1h' }],
  },
)

/** A time comes as `2026-01-31T10:00:00.000+0000`; a query wants `2026-01-31T10:00:00.000Z`. */
const from = text` where SystemModstamp >= ${utc(since)}`

const changed = <Item>(name: string, fields: string) =>
  api
    .get<Found<Item>>('/services/data/v62.0/queryAll', {
      q: text`select Id, IsDeleted, SystemModstamp, ${fields} from ${name}${from} order by SystemModstamp, Id`,
    })
    .pages(byNextUrl('nextRecordsUrl', { total: 'totalSize', done: 'done' }))
    .records('records')
    .incremental(({ SystemModstamp }) => SystemModstamp, { lookback: '10m' })
    .omit('attributes')

const accounts = changed<Account>('Account', 'Name, Type, Industry, AnnualRevenue, OwnerId, CreatedDate')
const contacts = changed<Contact>('Contact', 'AccountId, FirstName, LastName, Email, CreatedDate')

export default pipeline('salesforce', {
  streams: {
    accounts: accounts.into('salesforce.accounts', { key: 'Id', versionBy: 'SystemModstamp' }),
    contacts: contacts.into('salesforce.contacts', { key: 'Id', versionBy: 'SystemModstamp' }),
  },
})
