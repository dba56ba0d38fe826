import type { PersistedQuery } from '../model/graphql.ts'
import type { Method, PageRequest } from '../model/request.ts'
import type { Secrets } from '../model/scope.ts'
import type { FilledForm } from './body/file-contents.ts'
import { multipartBody } from './body/multipart-body.ts'
import { isOwnOrigin, requestLabel, secureUrl, urlOf, type Addresses } from './address.ts'
import { jsonBody, type QueryForm } from './graphql/persisted.ts'
import { limitedPath, limitedPathOf } from './limits/limited-path.ts'

/** Matches a URL that may contain the placeholder of a secret, in any encoding. */
const SECRET_PLACEHOLDER = /secret(?::|%3a)/i

/** A body with its content type. */
export interface RequestBody {
  readonly type: string
  /** Bytes if it is no text. */
  readonly content: string | Buffer
}

/** A request that can be sent, except for its credentials. */
export interface PreparedRequest {
  readonly method: Method
  readonly url: URL
  /** It goes to the API's own origin. */
  readonly isOwn: boolean
  readonly body: RequestBody | undefined
  readonly isGraphql: boolean
  /** The text of a GraphQL query. */
  readonly document: string | undefined
  /** Headers of the paginator. */
  readonly pageHeaders: Readonly<Record<string, string>>
  /** Names the request in messages. */
  readonly label: string
  /** The path that a long wait holds for. */
  readonly path: string
  /** Paths whose waits concern the request: its own, and its endpoint's, such as `GET /users`. */
  readonly paths: readonly string[]
}

/**
 * Prepares a request. Placeholders `{secret:NAME}` are replaced only in a request to the API's own origin, and only by
 * secrets that this API uses: a placeholder may come from a link in a response, and must not send another API's secret.
 */
export function prepareRequest(
  request: PageRequest,
  {
    addresses,
    secrets,
    names,
    endpoint,
    persisted,
    form,
    filled = { form: request.form, files: [] },
  }: {
    readonly addresses: Addresses
    readonly secrets: Secrets
    /** Secrets of the API. */
    readonly names: readonly string[]
    readonly endpoint?: string | undefined
    readonly persisted?: PersistedQuery | undefined
    /** Of a persisted query. @default 'named' */
    readonly form?: QueryForm
    /** The fields and the files of its form. @default its fields */
    readonly filled?: FilledForm
  },
): PreparedRequest {
  const isGraphql = request.graphql !== undefined
  const method = isGraphql ? 'POST' : request.method
  const hidden = secureUrl(addresses, urlOf(addresses, request))
  const label = requestLabel(addresses, method, hidden)
  const isOwn = isOwnOrigin(addresses, hidden, label)
  const reveal = <T>(value: T): T => (isOwn ? secrets.reveal(value, names) : value)
  // Most URLs have no placeholder, and are not built twice.
  const url = SECRET_PLACEHOLDER.test(hidden.href)
    ? secureUrl(addresses, urlOf(addresses, { url: revealInUrl(request.url, reveal), query: reveal(request.query) }))
    : hidden
  const json = reveal(jsonBody(request, persisted, form))
  const pageHeaders = reveal(request.headers ?? {})
  const path = secrets.hide(
    isOwn && endpoint !== undefined ? limitedPath(addresses, endpoint) : limitedPathOf(hidden, isOwn),
  )
  return {
    method,
    url,
    isOwn,
    pageHeaders,
    body: bodyOf(json, { ...filled, form: reveal(filled.form) }, request.multipart),
    isGraphql,
    document: request.graphql,
    label,
    path,
    paths: [path, `${method} ${path}`],
  }
}

/** Replaces placeholders in a URL by encoded values, because some characters have a meaning there. */
function revealInUrl(url: string, reveal: (text: string) => string): string {
  return url.replace(/\{secret:[^{}]+\}/g, (placeholder) => {
    const value = reveal(placeholder)
    return value === placeholder ? placeholder : encodeURIComponent(value)
  })
}

function bodyOf(
  json: unknown,
  { form, files }: FilledForm,
  isMultipart: PageRequest['multipart'],
): RequestBody | undefined {
  if (json !== undefined) return { type: 'application/json', content: JSON.stringify(json) }
  if (!form) return undefined
  const fields = Object.entries(form).flatMap(([name, value]) =>
    [value].flat().map((text): [string, string] => [name, text]),
  )
  if (isMultipart) return multipartBody(fields, files)
  return { type: 'application/x-www-form-urlencoded', content: new URLSearchParams(fields).toString() }
}
