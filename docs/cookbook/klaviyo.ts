// Klaviyo: profiles.
//
// Docs:      developers.klaviyo.com (get_profiles, rate limits and errors, JSON:API); looked up 2026-11-27
// Secrets:   KLAVIYO_KEY, a private key with profiles:read
// Limits:    75 requests a second and 700 a minute for profiles; 429 with Retry-After
// Paging:    JSON:API, `links.next` with a cursor; up to 100 profiles
// Increment: a filter on `updated`, which knows only greater and less
// Deletions: a deleted profile is not listed any more
import { apiKey, baseUrl, byNextUrl, fromResources, http, pipeline, secret, since, text } from 'sluice'

interface Profile {
  id: string
  email: string | null
  phone_number: string | null
  external_id: string | null
  first_name: string | null
  last_name: string | null
  organization: string | null
  location: object | null
  properties: object
  created: string
  updated: string
  last_event_date: string | null
}

const api = http(baseUrl('KLAVIYO_API', 'https://a.klaviyo.com/api'), {
  auth: apiKey(secret('KLAVIYO_KEY'), { header: 'authorization', scheme: 'Klaviyo-API-Key' }),
  headers: { accept: 'application/vnd.api+json', revision: '2025-01-15' },
  rate: ['75/s', '700/m'],
})

const profiles = api
  .get<unknown>('/profiles', {
    sort: 'updated',
    filter: text`greater-than(updated,${since})`,
    'page[size]': 100,
  })
  .pages(byNextUrl('links.next'))
  .records(fromResources<Profile>())
  .incremental('updated')
  .pick(
    'id',
    'email',
    'phone_number',
    'external_id',
    'first_name',
    'last_name',
    'organization',
    'location',
    'properties',
    'created',
    'updated',
    'last_event_date',
  )

export default pipeline('klaviyo', {
  streams: { profiles: profiles.into('klaviyo.profiles', { key: 'id' }) },
})
