import type { PageRequest } from '../model/request.ts'
import type { Secrets } from '../model/scope.ts'
import { isOwnOrigin, requestLabel, urlOf, type Addresses } from './address.ts'
import { jsonBody } from './graphql.ts'

/** Where a URL may hold a secret's place, however it is encoded. */
const SECRET_PLACEHOLDER = /secret(?::|%3a)/i

/** A request as it is sent, but for its credentials. */
export interface PreparedRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  /** It goes to the API's own origin. */
  readonly own: boolean
  readonly body: string | undefined
  readonly isGraphql: boolean
  /** How it is called in messages. */
  readonly label: string
}

/**
 * Make a request of what is asked. Secrets that stand in it as `{secret:NAME}` are put in only where it goes to the
 * API's own origin, and only those which that API uses: the text may come from a link that the API gave, and must not
 * fetch other APIs' secrets.
 */
export function prepareRequest(
  request: PageRequest,
  { addresses, secrets, names }: { addresses: Addresses; secrets: Secrets; names: readonly string[] },
): PreparedRequest {
  const isGraphql = request.graphql !== undefined
  const method = isGraphql ? 'POST' : request.method
  const hidden = urlOf(addresses, request)
  const label = requestLabel(addresses, method, hidden)
  const own = isOwnOrigin(addresses, hidden, label)
  const reveal = <T>(value: T): T => (own ? secrets.reveal(value, names) : value)
  // Most requests mention none: theirs need not be made twice.
  const url = SECRET_PLACEHOLDER.test(hidden.href)
    ? urlOf(addresses, { url: inUrl(request.url, reveal), query: reveal(request.query) })
    : hidden
  const sent = reveal(jsonBody(request))
  return { method, url, own, body: sent === undefined ? undefined : JSON.stringify(sent), isGraphql, label }
}

/** Secrets put into a URL: encoded, since they end up between characters that have a meaning there. */
function inUrl(url: string, reveal: (text: string) => string): string {
  return url.replace(/\{secret:[^{}]+\}/g, (mark) => {
    const value = reveal(mark)
    return value === mark ? mark : encodeURIComponent(value)
  })
}
