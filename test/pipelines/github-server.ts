import type { ApiAnswer, ApiHandler, ApiRequest } from '../support/api-server.ts'

/** An issue with the fields of GitHub's documentation that a pipeline may need. The data is invented. */
export interface GithubIssue {
  id: number
  node_id: string
  url: string
  repository_url: string
  comments_url: string
  html_url: string
  number: number
  state: 'open' | 'closed'
  state_reason: string | null
  title: string
  body: string | null
  user: GithubUser | null
  labels: (
    | string
    | {
        id: number
        node_id: string
        url: string
        name: string
        description: string | null
        color: string
        default: boolean
      }
  )[]
  assignee: GithubUser | null
  assignees: GithubUser[]
  milestone: { id: number; number: number; title: string; state: string; due_on: string | null } | null
  locked: boolean
  active_lock_reason: string | null
  comments: number
  pull_request?: { url: string; html_url: string; diff_url: string; patch_url: string; merged_at: string | null }
  closed_at: string | null
  created_at: string
  updated_at: string
  author_association: string
  reactions: { url: string; total_count: number; '+1': number; '-1': number }
}

export interface GithubUser {
  login: string
  id: number
  node_id: string
  avatar_url: string
  type: string
  site_admin: boolean
}

export interface GithubComment {
  id: number
  node_id: string
  url: string
  html_url: string
  issue_url: string
  body: string
  user: GithubUser | null
  created_at: string
  updated_at: string
  author_association: string
}

const API = 'https://api.github.com'
const WEB = 'https://github.com'
const instant = (minute: number): string => new Date(Date.UTC(2025, 2, 1, 0, minute)).toISOString().replace('.000', '')

const user = (login: string): GithubUser => ({
  login,
  id: login.length * 1_001,
  node_id: `U_${login}`,
  avatar_url: `https://avatars.example/${login}`,
  type: 'User',
  site_admin: false,
})

/** Returns the n-th issue of `owner/repo`, from 1. Every third is a pull request; every seventh has no author. */
export function githubIssue(number: number, change: Partial<GithubIssue> = {}): GithubIssue {
  const repository = `${API}/repos/nodejs/undici`
  const pull = number % 3 === 0
  const web = `${WEB}/nodejs/undici/${pull ? 'pull' : 'issues'}/${number}`
  const closed = number % 2 === 0
  return {
    id: 2_000_000_000 + number,
    node_id: `I_${number}`,
    url: `${repository}/issues/${number}`,
    repository_url: repository,
    comments_url: `${repository}/issues/${number}/comments`,
    html_url: web,
    number,
    state: closed ? 'closed' : 'open',
    state_reason: closed ? 'completed' : null,
    title: `Keep-alive and 流 ${number}`,
    body: number % 5 === 0 ? null : `It hangs.\r\n\r\n\`await ${number}\` 🐢`,
    user: number % 7 === 0 ? null : user(`octo${number % 11}`),
    labels: [
      {
        id: 1,
        node_id: 'L_1',
        url: `${repository}/labels/bug`,
        name: 'bug',
        description: null,
        color: 'f29513',
        default: true,
      },
      ...(number % 4 === 0 ? ['old'] : []),
    ],
    assignee: null,
    assignees: number % 6 === 0 ? [user('ana'), user('ben')] : [],
    milestone: number % 10 === 0 ? { id: 9, number: 1, title: 'v8', state: 'open', due_on: null } : null,
    locked: false,
    active_lock_reason: null,
    comments: number % 4,
    ...(pull && {
      pull_request: {
        url: `${repository}/pulls/${number}`,
        html_url: web,
        diff_url: `${web}.diff`,
        patch_url: `${web}.patch`,
        merged_at: closed ? instant(number + 40) : null,
      },
    }),
    closed_at: closed ? instant(number + 40) : null,
    created_at: instant(number),
    updated_at: instant(number + 60),
    author_association: 'CONTRIBUTOR',
    reactions: { url: `${repository}/issues/${number}/reactions`, total_count: 0, '+1': 0, '-1': 0 },
    ...change,
  }
}

export function githubComment(id: number, issue: number, change: Partial<GithubComment> = {}): GithubComment {
  return {
    id,
    node_id: `IC_${id}`,
    url: `${API}/repos/nodejs/undici/issues/comments/${id}`,
    html_url: `${WEB}/nodejs/undici/issues/${issue}#issuecomment-${id}`,
    issue_url: `${API}/repos/nodejs/undici/issues/${issue}`,
    body: `Me too, ${id}`,
    user: user(`octo${id % 5}`),
    created_at: instant(id),
    updated_at: instant(id + 5),
    author_association: 'NONE',
    ...change,
  }
}

/** Responds like `api.github.com`: pages by Link header, errors and rate-limit headers as documented. */
export class Github {
  issues: GithubIssue[] = []
  comments: GithubComment[] = []
  token = 'ghp_invented'
  remaining = 5_000
  /** Responses to send instead, by the index of the request from now on, from 0. */
  readonly instead = new Map<number, ApiAnswer>()
  readonly asked: ApiRequest[] = []

  readonly handler: ApiHandler = (request) => {
    const instead = this.instead.get(this.asked.length)
    this.asked.push(request)
    this.remaining -= 1
    const headers = this.#headers(request)
    if (request.headers.authorization !== `Bearer ${this.token}`)
      return {
        status: 401,
        json: { message: 'Bad credentials', documentation_url: 'https://docs.github.com/rest', status: '401' },
        headers,
      }
    if (!request.headers['user-agent'])
      return {
        status: 403,
        body: 'Request forbidden by administrative rules. Please make sure your request has a User-Agent header',
        headers,
      }
    if (instead) return { ...instead, headers: { ...headers, ...instead.headers } }
    // A link leads to the repository by its id, not by its name.
    const [, listing] =
      /^\/(?:repos\/nodejs\/undici|repositories\/132006681)\/(issues|issues\/comments)$/.exec(request.path) ?? []
    if (listing === 'issues') return this.#page(request, this.issues, headers)
    if (listing === 'issues/comments') return this.#page(request, this.comments, headers)
    return {
      status: 404,
      json: {
        message: 'Not Found',
        documentation_url: 'https://docs.github.com/rest/issues/issues#list-repository-issues',
        status: '404',
      },
      headers,
    }
  }

  #page(
    { query, headers: { host }, path }: ApiRequest,
    all: readonly { updated_at: string; created_at: string }[],
    headers: Record<string, string>,
  ): ApiAnswer {
    const perPage = Math.min(100, Number(query.get('per_page') ?? 30))
    const page = Number(query.get('page') ?? 1)
    const since = query.get('since')
    const [sort, direction] = [query.get('sort') ?? 'created', query.get('direction') ?? 'desc']
    const found = all
      .filter((one) => since === null || Date.parse(one.updated_at) >= Date.parse(since))
      .filter(
        (one) => !('state' in one) || query.get('state') === 'all' || one.state === (query.get('state') ?? 'open'),
      )
      .toSorted(
        (a, b) =>
          (direction === 'asc' ? 1 : -1) *
          (sort === 'updated' ? a.updated_at.localeCompare(b.updated_at) : a.created_at.localeCompare(b.created_at)),
      )
    const last = Math.max(1, Math.ceil(found.length / perPage))
    const to = (number: number, rel: string): string => {
      const url = new URL(path.replace('/repos/nodejs/undici', '/repositories/132006681'), `http://${host}`)
      for (const [name, value] of query) url.searchParams.set(name, value)
      url.searchParams.set('page', String(number))
      return `<${url.href}>; rel="${rel}"`
    }
    const links = [
      ...(page > 1 ? [to(page - 1, 'prev')] : []),
      ...(page < last ? [to(page + 1, 'next'), to(last, 'last')] : []),
      ...(page > 1 ? [to(1, 'first')] : []),
    ]
    return {
      json: found.slice((page - 1) * perPage, page * perPage),
      headers: { ...headers, ...(links.length > 0 && { link: links.join(', ') }) },
    }
  }

  #headers(request: ApiRequest): Record<string, string> {
    return {
      'x-github-media-type': 'github.v3; format=json',
      'x-github-api-version-selected': String(request.headers['x-github-api-version'] ?? '2022-11-28'),
      'x-ratelimit-limit': '5000',
      'x-ratelimit-remaining': String(this.remaining),
      'x-ratelimit-used': String(5_000 - this.remaining),
      'x-ratelimit-resource': 'core',
      'x-ratelimit-reset': String(Math.ceil(Date.now() / 1_000) + 3_000),
    }
  }
}
