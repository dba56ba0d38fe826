import type { Dispatcher } from 'undici'
import { HttpError } from '../model/errors.ts'
import type { ApiResponse } from '../model/request.ts'
import { redactUrl } from '../observe/redact.ts'
import { receive, type RawResponse, type BodyLimit } from './body/receive.ts'

const MAX_REDIRECTS = 10
const REDIRECTS = new Set([301, 302, 303, 307, 308])

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly body: string | undefined
  readonly label: string
  /** Statuses that are answers, even though they would lead elsewhere. */
  readonly emptyOn: readonly number[]
  /**
   * What is sent to a URL: with credentials to the API's own origin, without to another, and it throws where nothing
   * may be sent.
   */
  readonly prepare: (url: URL, label: string) => PreparedHop
  /** A redirect was answered: one more request. */
  readonly onRedirect: (url: URL, status: number) => void
  /** The last answer has begun: how much of its body is wanted, or undefined where none is. */
  readonly onAnswer: (url: URL, status: number, headers: ApiResponse<unknown>['headers']) => BodyLimit | undefined
  readonly signal: AbortSignal
}

export interface PreparedHop {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** The API's own origin. */
  readonly own: boolean
}

export interface FinalResponse extends RawResponse {
  readonly url: URL
  readonly own: boolean
}

/** Send a request and follow its redirects to the last answer; every hop is looked at before anything is sent to it. */
export async function exchange(
  agent: Dispatcher,
  { method, url, body, label, emptyOn, prepare, onRedirect, onAnswer, signal }: ExchangeRequest,
): Promise<FinalResponse> {
  let next = { method, url, body, label }
  const isRedirect = (status: number): boolean => REDIRECTS.has(status) && !emptyOn.includes(status)
  for (let redirects = 0; ; redirects += 1) {
    const { url, headers, own } = prepare(next.url, next.label)
    const answer = await receive(
      agent,
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: next.method,
        headers: next.body === undefined ? headers : { 'content-type': 'application/json', ...headers },
        ...(next.body === undefined ? {} : { body: next.body }),
      },
      { signal, wants: (status, headers) => (isRedirect(status) ? undefined : onAnswer(url, status, headers)) },
    )
    const { status } = answer
    if (!isRedirect(status)) return { ...answer, url, own }
    onRedirect(url, status)
    if (redirects === MAX_REDIRECTS)
      throw new HttpError(`${label} was redirected ${redirects + 1} times: it seems to run in a circle`, {
        kind: 'redirect',
        status,
        location: label,
      })
    const to = locationOf(answer.headers['location'], url)
    if (!to)
      throw new HttpError(`${label} answered ${status} without a location to go to`, {
        kind: 'redirect',
        status,
        location: label,
      })
    // As browsers do: 307 and 308 repeat the request as it was, the others fetch what it made.
    const keeps = status === 307 || status === 308 || next.method === 'GET'
    const redirected = `${label} is redirected to ${redactUrl(to.origin + to.pathname)}`
    next = keeps
      ? { ...next, url: to, label: redirected }
      : { method: 'GET', url: to, body: undefined, label: redirected }
  }
}

function locationOf(location: string | undefined, from: URL): URL | undefined {
  if (location === undefined || !URL.canParse(location, from.href)) return undefined
  const url = new URL(location, from)
  url.hash = ''
  url.username = ''
  url.password = ''
  return /^https?:$/.test(url.protocol) ? url : undefined
}
