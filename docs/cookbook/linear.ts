// Linear: issues, also archived ones and those in the trash.
//
// Docs:      linear.app/developers (GraphQL, pagination, filtering, rate limiting); looked up 2026-11-27
// Secrets:   LINEAR_KEY, a personal API key, sent as it is, without "Bearer"
// Limits:    2,500 requests and 3,000,000 points an hour. Beyond: status 400 with the code RATELIMITED, and the
//            headers x-ratelimit-…-reset in milliseconds since 1970. A query may cost 10,000 points
// Paging:    Relay: `pageInfo { hasNextPage endCursor }`, up to 250 nodes
// Increment: a filter on `updatedAt`
// Deletions: `trashed` is true for some weeks, then the issue is gone
import { apiKey, baseUrl, byRelay, http, inHeader, pipeline, secret, since } from 'sluice'

interface Issues {
  issues: {
    pageInfo: { hasNextPage: boolean; endCursor: string | null }
    nodes: {
      id: string
      identifier: string
      title: string
      priority: number
      estimate: number | null
      state: { name: string; type: string }
      team: { key: string }
      assignee: { name: string } | null
      labels: { nodes: { name: string }[] }
      trashed: boolean | null
      createdAt: string
      updatedAt: string
      completedAt: string | null
      canceledAt: string | null
      archivedAt: string | null
    }[]
  }
}

const query = `
  query Issues($since: DateTimeOrDuration!, $after: String) {
    issues(
      first: 100, after: $after, filter: { updatedAt: { gte: $since } }, orderBy: updatedAt, includeArchived: true
    ) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id identifier title priority estimate trashed createdAt updatedAt completedAt canceledAt archivedAt
        state { name type }
        team { key }
        assignee { name }
        labels(first: 20) { nodes { name } }
      }
    }
  }`

const api = http(baseUrl('LINEAR_API', 'https://api.linear.app/graphql'), {
  auth: apiKey(secret('LINEAR_KEY'), { header: 'authorization' }),
  rate: '2500/h',
  limitHeaders: [
    { remaining: 'x-ratelimit-requests-remaining', reset: 'x-ratelimit-requests-reset' },
    {
      remaining: 'x-ratelimit-complexity-remaining',
      reset: 'x-ratelimit-complexity-reset',
      cost: 'x-complexity',
    },
  ],
  responseRules: [
    {
      status: 400,
      body: { 'errors.extensions.code': 'RATELIMITED' },
      action: 'retry',
      wait: { at: inHeader('x-ratelimit-requests-reset'), unit: 'unix ms' },
    },
  ],
})

const issues = api
  .graphql<Issues>(query, { since })
  .pages(byRelay('issues'))
  .records('issues.nodes')
  .incremental('updatedAt', { startFrom: '2019-01-01T00:00:00.000Z' })
  .map(({ state, team, assignee, labels, trashed, ...issue }) => ({
    ...issue,
    state: state.name,
    state_type: state.type,
    team: team.key,
    assignee: assignee?.name,
    labels: labels.nodes.map(({ name }) => name),
    trashed: trashed === true,
  }))

export default pipeline('linear', {
  streams: { issues: issues.into('linear.issues', { key: 'id' }) },
})
