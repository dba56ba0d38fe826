import { baseUrl, bearer, byLinkHeader, http, path, pipeline, secret, since } from 'sluice'

interface User {
  login: string
}

/** https://docs.github.com/rest/issues/issues: of the documented fields those that are kept. */
interface Issue {
  id: number
  number: number
  title: string
  body: string | null
  state: 'open' | 'closed'
  state_reason: string | null
  locked: boolean
  /** Null where the account is gone. */
  user: User | null
  /** A label is an object, or in old answers only its name. */
  labels: ({ name: string | null } | string)[]
  assignees: User[]
  milestone: { title: string } | null
  comments: number
  /** Pull requests are issues too, and carry this. */
  pull_request?: { merged_at: string | null }
  author_association: string
  html_url: string
  created_at: string
  updated_at: string
  closed_at: string | null
}

/** https://docs.github.com/rest/issues/comments */
interface Comment {
  id: number
  /** `…/repos/{owner}/{repo}/issues/{number}`: the only word on the issue it belongs to. */
  issue_url: string
  body: string
  user: User | null
  author_association: string
  html_url: string
  created_at: string
  updated_at: string
}

/**
 * Write your own here. (Another one in the same file would go on from this one's cursor: after a change, `sluice cursor
 * reset github`.)
 */
const [owner, repo] = ['nodejs', 'undici']

const api = http(baseUrl('GITHUB_API', 'https://api.github.com'), {
  auth: bearer(secret('GITHUB_TOKEN')),
  headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
  // 900 a minute and 5,000 an hour are admitted; the answers' headers tell how many are left of the latter.
  rate: '15/s',
  concurrency: 4,
})

// In the order of creation, not of change: an issue that is changed while pages are read then keeps its place. In the
// order of change it would go to the end, all others would move up by one, and one of them past the page that is read
// next. The next run finds the change, since a cursor never passes the moment when its run began. GitHub's clock is not
// ours, hence the lookback.
const oldestFirst = { sort: 'created', direction: 'asc', per_page: 100, since }

/** Issues and pull requests that changed since the last run. */
const issues = api
  .get<Issue[]>(path`/repos/${owner}/${repo}/issues`, { state: 'all', ...oldestFirst })
  .pages(byLinkHeader())
  .records()
  .incremental('updated_at', { lookback: '5m' })
  .map(({ user, labels, assignees, milestone, pull_request, ...issue }) => ({
    id: issue.id,
    repository: `${owner}/${repo}`,
    number: issue.number,
    is_pull_request: pull_request !== undefined,
    title: issue.title,
    body: issue.body,
    state: issue.state,
    state_reason: issue.state_reason,
    locked: issue.locked,
    author: user?.login,
    author_association: issue.author_association,
    labels: labels.map((label) => (typeof label === 'string' ? label : label.name)),
    assignees: assignees.map(({ login }) => login),
    milestone: milestone?.title,
    comments: issue.comments,
    html_url: issue.html_url,
    created_at: issue.created_at,
    updated_at: issue.updated_at,
    closed_at: issue.closed_at,
    merged_at: pull_request?.merged_at,
  }))

/**
 * Comments of all of them: a hundred for a request, edited ones too, where asking issue by issue would cost a request
 * for each.
 */
const comments = api
  .get<Comment[]>(path`/repos/${owner}/${repo}/issues/comments`, oldestFirst)
  .pages(byLinkHeader())
  .records()
  .incremental('updated_at', { lookback: '5m' })
  .map(({ issue_url, user, ...comment }) => ({
    id: comment.id,
    repository: `${owner}/${repo}`,
    issue_number: Number(issue_url.slice(issue_url.lastIndexOf('/') + 1)),
    author: user?.login,
    author_association: comment.author_association,
    body: comment.body,
    html_url: comment.html_url,
    created_at: comment.created_at,
    updated_at: comment.updated_at,
  }))

export default pipeline('github', {
  schedule: '*/10 * * * *',
  streams: {
    issues: issues.into('github.issues', { key: 'id' }),
    comments: comments.into('github.comments', { key: 'id' }),
  },
})
