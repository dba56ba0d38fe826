// GitLab: issues of a project, also of an installation of your own.
//
// Docs:      docs.gitlab.com/api (issues, REST: keyset pagination) and the rate limits of GitLab.com;
//            looked up 2026-11-27
// Secrets:   GITLAB_TOKEN, a token with read_api
// Limits:    2,000 requests a minute of a user; 429 with Retry-After and RateLimit-Reset
// Paging:    `Link` header. Keyset pagination goes by the values of the last record, and states no total
// Increment: `updated_after`
// Deletions: a deleted issue is not listed any more
import { apiKey, baseUrl, byLinkHeader, http, path, pipeline, secret, since } from 'sluice'

interface Issue {
  id: number
  iid: number
  project_id: number
  title: string
  description: string | null
  state: 'opened' | 'closed'
  issue_type: string
  labels: string[]
  author: { username: string }
  assignees: { username: string }[]
  milestone: { title: string } | null
  user_notes_count: number
  web_url: string
  created_at: string
  updated_at: string
  closed_at: string | null
}

const project = 'gitlab-org/gitlab-runner'

const api = http(baseUrl('GITLAB_API', 'https://gitlab.com/api/v4'), {
  auth: apiKey(secret('GITLAB_TOKEN'), { header: 'private-token' }),
  rate: '30/s',
})

const issues = api
  .get<Issue[]>(path`/projects/${project}/issues`, {
    scope: 'all',
    updated_after: since,
    pagination: 'keyset',
    order_by: 'updated_at',
    sort: 'asc',
    per_page: 100,
  })
  .pages(byLinkHeader())
  .records()
  .incremental('updated_at')
  .pick(
    'id',
    'iid',
    'project_id',
    'title',
    'description',
    'state',
    'issue_type',
    'labels',
    'author',
    'assignees',
    'milestone',
    'user_notes_count',
    'web_url',
    'created_at',
    'updated_at',
    'closed_at',
  )
  .map(({ author, assignees, milestone, ...issue }) => ({
    ...issue,
    author: author.username,
    assignees: assignees.map(({ username }) => username),
    milestone: milestone?.title,
  }))

export default pipeline('gitlab', {
  streams: { issues: issues.into('gitlab.issues', { key: 'id' }) },
})
