// Pipelines as people write them, for the proofs beside this file: no lambda has an annotation.
import {
  apiKey,
  bearer,
  byCursor,
  byLastRecord,
  byLinkHeader,
  byPage,
  byRelay,
  byNextUrl,
  http,
  path,
  pipeline,
  secret,
  since,
  unix,
  until,
} from '../../src/index.ts'

interface Customer {
  id: string
  email: string | null
  created: number
  updated: number
}

const billingApi = http('https://api.billing.example/v1', { auth: bearer(secret('BILLING_TOKEN')), rate: '10/s' })
const everyCustomer = billingApi
  .get<{ data: Customer[]; has_more: boolean }>('/customers', { limit: 100, 'updated[gte]': unix(since) })
  .pages(byLastRecord('starting_after', 'data.id', { more: 'has_more' }))
  .records('data')

const customers = everyCustomer
  .incremental('updated', { unit: 's', startFrom: '2024-01-01', lookback: '5m' })
  .map((customer) => ({ ...customer, created: new Date(customer.created * 1_000) }))

const invoices = everyCustomer.flatMap(
  (customer) =>
    billingApi
      .get<{ id: string; total: number }[]>(path`/customers/${customer.id}/invoices`)
      .pages(byLinkHeader())
      .records(),
  { concurrency: 4 },
)

export const billing = pipeline('billing', {
  schedule: '*/15 * * * *',
  streams: {
    customers: customers.into('billing.customers', { key: 'id', versionBy: 'updated' }),
    invoices: invoices.into('billing.invoices', { key: 'id' }),
  },
})

type Item =
  | { kind: 'book'; sku: string; price: string; isbn: string }
  | { kind: 'voucher'; sku: string; price: string; expires: string }

const items = http('https://catalog.example', {
  auth: apiKey(secret('CATALOG_KEY'), { header: 'x-api-key' }),
  rate: '600/m',
})
  .post<{ hits: { items?: Item[] }; paging: { pageCount: number } }>('/search', { json: { size: 200, sort: 'sku' } })
  .pages(byPage('page', { start: 0, pages: 'paging.pageCount' }))
  .records('hits.items', { optional: true })

export const catalog = pipeline('catalog', {
  streams: {
    books: items
      .filter((item) => item.kind === 'book')
      .omit('kind')
      .into('catalog.books', { key: 'isbn', write: 'replace', columns: { price: 'numeric(12,2)' } }),
  },
})

const forumApi = http('https://forum.example/api')
const topics = forumApi
  .get<{
    topics: { id: number; title: string; updatedAt: string; tags: { name: string }[] }[]
    meta: { next: string | null }
  }>('/topics', { updated_after: since })
  .pages(byCursor('cursor', 'meta.next'))
  .records('topics')
  .incremental('updatedAt', { startFrom: '2024-01-01', lookback: '5m', order: 'ascending' })
const posts = topics.flatMap(
  (topic) =>
    forumApi
      .get<{ posts: { id: number; author: { id: number; name: string } | null; text: string }[] }>(
        path`/topics/${topic.id}/posts`,
      )
      .pages(byPage('page'))
      .records('posts')
      .map(({ author, ...post }) => ({ ...post, topicId: topic.id, authorId: author?.id })),
  { concurrency: 4 },
)
const reactions = posts.flatMap((post) =>
  forumApi
    .get<{ userId: number; emoji: string }[]>(path`/posts/${post.id}/reactions`)
    .pages(byLinkHeader())
    .records()
    .map((reaction) => ({ ...reaction, postId: post.id })),
)
const tags = topics.flatMap((topic) => topic.tags.map((tag) => ({ topicId: topic.id, tag: tag.name })))

export const forum = pipeline('forum', {
  streams: {
    topics: topics.omit('tags').into('forum.topics', { key: 'id' }),
    posts: posts.into('forum.posts', { key: 'id' }),
    reactions: reactions.into('forum.reactions', { key: ['postId', 'userId', 'emoji'] }),
    tags: tags.into('forum.tags', { key: ['topicId', 'tag'] }),
  },
})

const issues = http('https://api.github.example/graphql')
  .graphql<{
    repository: {
      issues: {
        nodes: { number: number; title: string; updatedAt: string; author: { login: string } | null }[]
        pageInfo: { hasNextPage: boolean; endCursor: string | null }
      }
    }
  }>('query ($since: DateTime, $after: String) { … }', { owner: 'nodejs', since })
  .pages(byRelay('repository.issues'))
  .records('repository.issues.nodes')
  .incremental('updatedAt', { lookback: '1h' })
  .map(({ author, ...issue }) => ({ ...issue, author: author?.login }))

const readings = http('https://weather.example')
  .get<{
    readings: { station: string; measuredAt: string; tempC: number; note?: string; raw: unknown }[]
    links?: { next?: string }
  }>('/readings', { from: since, to: until })
  .pages(byNextUrl('links.next'))
  .records('readings')
  .incremental('measuredAt', { startFrom: '2025-01-01', lookback: '2h' })
  .omit('raw')
  .rename('tempC', 'celsius')
  .dedupe('station', 'measuredAt', { last: 10_000 })

export const others = pipeline('others', {
  streams: {
    issues: issues.into('github.issues', { key: 'number' }),
    readings: readings.into('weather.readings', {
      key: ['station', 'measuredAt'],
      columns: {
        measuredAt: { type: 'timestamptz', zone: 'Europe/Berlin' },
        celsius: { type: 'numeric', round: true },
        note: false,
      },
      emptyText: 'null',
    }),
  },
})
