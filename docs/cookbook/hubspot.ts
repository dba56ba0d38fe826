// HubSpot: contacts, and those in the recycling bin.
//
// Docs:      developers.hubspot.com (CRM search: filters, paging, limits; list contacts, usage limits);
//            looked up 2026-11-27
// Secrets:   HUBSPOT_TOKEN, the token of a private app with crm.objects.contacts.read
// Limits:    5 searches a second; other requests by the plan; 429 beyond
// Paging:    `paging.next.after`; 200 records of a search, 10,000 results of a query: hence by the last change
// Increment: a search by `lastmodifieddate`, in milliseconds. A change appears in the search some moments later
// Deletions: a deleted contact is listed with `archived=true` for 90 days
import { baseUrl, bearer, byCursor, bySince, http, pipeline, secret, since, unixMs } from 'sluice'

interface Contact {
  id: string
  /** Texts, null or empty where there is no value. */
  properties: Record<string, string | null>
  createdAt: string
  updatedAt: string
  archivedAt?: string
}
interface Found {
  results: Contact[]
  paging?: { next?: { after: string } }
}

const properties = ['email', 'firstname', 'lastname', 'phone', 'company', 'lifecyclestage', 'hubspot_owner_id']

const api = http(baseUrl('HUBSPOT_API', 'https://api.hubapi.com'), {
  auth: bearer(secret('HUBSPOT_TOKEN')),
  rate: { requests: 100, per: '10s' },
})

const contacts = api
  .post<Found & { total: number }>('/crm/v3/objects/contacts/search', {
    rate: '5/s',
    json: {
      filterGroups: [{ filters: [{ propertyName: 'lastmodifieddate', operator: 'GTE', value: unixMs(since) }] }],
      sorts: [{ propertyName: 'lastmodifieddate', direction: 'ASCENDING' }],
      properties,
      limit: 200,
    },
  })
  .pages(bySince(byCursor('after', 'paging.next.after')))
  .records('results')
  .incremental('updatedAt', { startFrom: '2006-01-01T00:00:00.000Z', lookback: '5m' })
  .map(({ id, createdAt, updatedAt, properties }) => ({ id, ...properties, createdAt, updatedAt }))

const archived = api
  .get<Found>('/crm/v3/objects/contacts', { archived: true, limit: 100 })
  .pages(byCursor('after', 'paging.next.after'))
  .records('results')
  .pick('id', 'archivedAt')

export default pipeline('hubspot', {
  streams: {
    contacts: contacts.into('hubspot.contacts', { key: 'id', emptyText: 'null' }),
    archived: archived.into('hubspot.archived_contacts', { key: 'id' }),
  },
})
