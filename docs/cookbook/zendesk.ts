// Zendesk Support: tickets, each with its last state, also deleted ones.
//
// Docs:      developer.zendesk.com, "Incremental Exports" and "Using the Incremental Export API"; looked up 2026-11-27
// Secrets:   ZENDESK_TOKEN, an API token of an administrator; ZENDESK_SUBDOMAIN and ZENDESK_EMAIL are no secrets
// Limits:    10 export requests a minute; 429 with Retry-After
// Paging:    `after_url`, until `end_of_stream` is true; up to 1,000 tickets a page
// Increment: the last page has a cursor too. What changed within the last minute comes with the next request
// Deletions: a deleted ticket is exported once more, with the status `deleted`; later its texts are scrubbed
import { basic, baseUrl, byNextUrl, http, pipeline, secret } from 'sluice'

interface Ticket {
  id: number
  subject: string | null
  status: 'new' | 'open' | 'pending' | 'hold' | 'solved' | 'closed' | 'deleted'
  priority: string | null
  type: string | null
  requester_id: number
  assignee_id: number | null
  group_id: number | null
  organization_id: number | null
  tags: string[]
  created_at: string
  updated_at: string
}

interface Tickets {
  tickets: Ticket[]
  after_url: string | null
  end_of_stream: boolean
}

const { ZENDESK_SUBDOMAIN = 'example', ZENDESK_EMAIL = '' } = process.env

const api = http(baseUrl('ZENDESK_API', `https://${ZENDESK_SUBDOMAIN}.zendesk.com/api/v2`), {
  auth: basic(`${ZENDESK_EMAIL}/token`, secret('ZENDESK_TOKEN')),
  rate: '10/m',
})

const tickets = api
  .get<Tickets>('/incremental/tickets/cursor.json', { start_time: 0, per_page: 1_000 })
  .pages(byNextUrl('after_url', { done: 'end_of_stream' }), { delta: { at: 'after_url' } })
  .records('tickets')
  .flag('is_deleted', { field: 'status', is: 'deleted' })
  .pick(
    'id',
    'subject',
    'status',
    'is_deleted',
    'priority',
    'type',
    'requester_id',
    'assignee_id',
    'group_id',
    'organization_id',
    'tags',
    'created_at',
    'updated_at',
  )

export default pipeline('zendesk', {
  streams: { tickets: tickets.into('zendesk.tickets', { key: 'id', versionBy: 'updated_at' }) },
})
