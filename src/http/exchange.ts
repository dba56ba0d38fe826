import type { Dispatcher } from 'undici'
import { HttpError } from '../model/errors.ts'
import type { ApiResponse, Method } from '../model/request.ts'
import { redactUrl } from '../observe/redact.ts'
import { receive, type BodyLimit, type OpenBody, type RawResponse } from './body/receive.ts'
import type { RequestBody } from './prepare-request.ts'
import type { ResponseRules } from './rules/response-rules.ts'

type Headers = ApiResponse<unknown>['headers']

const MAX_REDIRECTS = 10
const REDIRECTS = new Set([301, 302, 303, 307, 308])

export interface ExchangeRequest {
  readonly method: Method
  readonly url: URL
  readonly body: RequestBody | undefined
  /** Names the request in messages. */
  readonly label: string
  /** Rules that may decide about a redirect, which then ends the exchange. */
  readonly rules: ResponseRules
  /** Returns the URL and the headers for one hop. Throws if nothing may be sent to its origin. */
  readonly prepare: (hop: Hop, from: PreparedHop | undefined) => PreparedHop
  /** Called for each redirect. */
  readonly onRedirect: (hop: PreparedHop, response: RawResponse) => void
  /** Called before each hop after the first. Resolves when it may be sent. */
  readonly admit: (hop: PreparedHop) => Promise<void>
  /** Called for the head of the last response. Returns undefined if its body is not wanted. */
  readonly onResponse: (hop: PreparedHop, status: number, headers: Headers) => BodyLimit | OpenBody | undefined
  readonly signal: AbortSignal
}

export interface PreparedHop {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** It goes to the API's own origin. */
  readonly isOwn: boolean
}

export interface FinalResponse extends RawResponse {
  readonly url: URL
  /** It came from the API's own origin. */
  readonly isOwn: boolean
}

/** Sends a request and follows its redirects to the last response. Each hop is checked before anything is sent. */
export async function exchange(
  agent: Dispatcher,
  { method, url, body, label, rules, prepare, onRedirect, admit, onResponse, signal }: ExchangeRequest,
): Promise<FinalResponse> {
  let next: Hop = { method, url, body, label }
  let from: PreparedHop | undefined
  const isRedirect = (status: number, headers: Headers): boolean =>
    REDIRECTS.has(status) && !rules.decidesRedirect(status, headers)
  for (let redirects = 0; ; redirects += 1) {
    const hop = prepare(next, from)
    if (from) await admit(hop)
    const response = await receive(agent, dispatchOptions(next, hop), {
      signal,
      limitOf: (status, headers) => (isRedirect(status, headers) ? undefined : onResponse(hop, status, headers)),
    })
    const { status } = response
    if (!isRedirect(status, response.headers)) return { ...response, url: hop.url, isOwn: hop.isOwn }
    onRedirect(hop, response)
    if (redirects === MAX_REDIRECTS)
      throw new HttpError(`${label} was redirected ${redirects + 1} times: its redirects seem to form a loop`, {
        kind: 'redirect',
        status,
        location: label,
      })
    const target = redirectTarget(response.headers['location'], hop.url)
    if (!target)
      throw new HttpError(`${label} answered ${status} without the location of another page`, {
        kind: 'redirect',
        status,
        location: label,
      })
    next = redirected(next, status, target, label)
    from = hop
  }
}

/** One of the requests that redirects make of one. */
export type Hop = Pick<ExchangeRequest, 'method' | 'url' | 'body' | 'label'>

/** Follows a redirect as browsers do: 307 and 308 repeat the request, all others become GET without a body. */
function redirected(hop: Hop, status: number, target: URL, label: string): Hop {
  const redirectLabel = `${label} (redirected to ${redactUrl(target.origin + target.pathname)})`
  return status === 307 || status === 308 || hop.method === 'GET'
    ? { ...hop, url: target, label: redirectLabel }
    : { method: 'GET', url: target, body: undefined, label: redirectLabel }
}

function dispatchOptions({ method, body }: Hop, { url, headers }: PreparedHop): Dispatcher.DispatchOptions {
  const target = { origin: url.origin, path: url.pathname + url.search, method }
  return body === undefined
    ? { ...target, headers }
    : { ...target, headers: { 'content-type': body.type, ...headers }, body: body.content }
}

function redirectTarget(location: string | undefined, from: URL): URL | undefined {
  const url = location === undefined ? null : URL.parse(location, from.href)
  if (!url || !/^https?:$/.test(url.protocol)) return undefined
  url.hash = ''
  url.username = ''
  url.password = ''
  return url
}
