// GitHub: issues (with pull requests) and comments of a repository. pipelines/github.ts keeps more of their fields.
//
// Docs:      docs.github.com/rest (issues, comments, pagination, rate limits); looked up 2026-11-27
// Secrets:   GITHUB_TOKEN, a fine-grained token that may read issues
// Limits:    5,000 requests an hour, 900 points a minute; 403 or 429 with Retry-After or x-ratelimit-reset
// Paging:    `Link` header; issues can be sorted by their last change, so that a list that moves is read by its values
// Increment: `since`, by the time of the last change
// Deletions: a deleted issue or comment is not listed any more
import { baseUrl, bearer, byLinkHeader, bySince, http, path, pipeline, secret, since } from 'sluice'

interface Issue {
  id: number
  number: number
  title: string
  body: string | null
  state: 'open' | 'closed'
  user: { login: string } | null
  labels: ({ name: string | null } | string)[]
  comments: number
  pull_request?: { merged_at: string | null }
  created_at: string
  updated_at: string
  closed_at: string | null
}

interface Comment {
  id: number
  issue_url: string
  body: string
  user: { login: string } | null
  created_at: string
  updated_at: string
}

const [owner, repository] = ['nodejs', 'undici']

const api = http(baseUrl('GITHUB_API', 'https://api.github.com'), {
  auth: bearer(secret('GITHUB_TOKEN')),
  headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
  rate: '15/s',
})
const oldestChangeFirst = { sort: 'updated', direction: 'asc', per_page: 100, since }

const issues = api
  .get<Issue[]>(path`/repos/${owner}/${repository}/issues`, { state: 'all', ...oldestChangeFirst })
  .pages(bySince(byLinkHeader()))
  .records()
  .incremental('updated_at', { lookback: '5m' })
  .map(({ id, number, title, body, state, user, labels, comments, pull_request, ...times }) => ({
    id,
    number,
    is_pull_request: pull_request !== undefined,
    title,
    body,
    state,
    author: user?.login,
    labels: labels.map((label) => (typeof label === 'string' ? label : label.name)),
    comments,
    created_at: times.created_at,
    updated_at: times.updated_at,
    closed_at: times.closed_at,
    merged_at: pull_request?.merged_at,
  }))

const comments = api
  .get<Comment[]>(path`/repos/${owner}/${repository}/issues/comments`, oldestChangeFirst)
  .pages(bySince(byLinkHeader()))
  .records()
  .incremental('updated_at', { lookback: '5m' })
  .map(({ id, issue_url, body, user, created_at, updated_at }) => ({
    id,
    issue_number: Number(issue_url.split('/').at(-1)),
    author: user?.login,
    body,
    created_at,
    updated_at,
  }))

export default pipeline('github', {
  streams: {
    issues: issues.into('github.issues', { key: 'id' }),
    comments: comments.into('github.comments', { key: 'id' }),
  },
})
