import type { Attributes, Context } from '@opentelemetry/api'
import type { Counts } from '../../model/batch.ts'
import type { RequestFinished } from '../../model/event.ts'

type Api = typeof import('@opentelemetry/api')

/** The span that is active in the user's program, or the one that the environment names, as a CI system does. */
export function parentOf({ context, propagation, trace, ROOT_CONTEXT }: Api): Context {
  if (trace.getActiveSpan()) return context.active()
  const { TRACEPARENT: traceparent, TRACESTATE: tracestate } = process.env
  if (traceparent === undefined) return ROOT_CONTEXT
  return propagation.extract(ROOT_CONTEXT, { traceparent, ...(tracestate !== undefined && { tracestate }) })
}

/** Returns true if a request had no response, or one that is a failure. */
export const isRefused = ({ status }: RequestFinished): boolean => status === 0 || status >= 400

/** What is known of the path of a request from the definition. */
export interface DefinedPath {
  /** The base of the API. */
  readonly base: string
  /** The path of the endpoint, `{}` in place of its values. Undefined if it is not known. */
  readonly endpoint: string | undefined
  /** The path of the stream's own request, if it has no values. */
  readonly own: string | undefined
}

/** Returns the attributes of a request, by the semantic conventions of HTTP clients where there are some. */
export const requestAttributes = (event: RequestFinished, sentBefore: number, path: DefinedPath): Attributes => ({
  'http.request.method': event.method,
  ...addressOf(event.url, path),
  ...(event.status !== 0 && { 'http.response.status_code': event.status }),
  ...(isRefused(event) && { 'error.type': event.status === 0 ? '_OTHER' : String(event.status) }),
  ...(sentBefore > 0 && { 'http.request.resend_count': sentBefore }),
  'sluice.bytes': event.bytes,
})

/** Returns the server and the path of a URL, without its query. */
function addressOf(url: string, path: DefinedPath): Attributes {
  const parsed = URL.parse(url)
  if (!parsed) return {}
  const { protocol, hostname, port, pathname } = parsed
  const scheme = protocol.slice(0, -1)
  return {
    'url.scheme': scheme,
    'server.address': hostname,
    'server.port': port === '' ? DEFAULT_PORTS[scheme] : Number(port),
    ...pathAttributes(pathname, path),
  }
}

/**
 * Returns the path of a request as the definition has it: a path with values is its template. A path that the
 * definition does not have is left out. It is that of a child, of a link or of a redirect, and may hold values of
 * records.
 */
function pathAttributes(pathname: string, { base, endpoint, own }: DefinedPath): Attributes {
  const before = URL.parse(base)?.pathname.replace(/\/$/, '') ?? ''
  const path = before + (endpoint?.split('?', 1)[0] ?? '')
  if (endpoint === undefined) return {}
  if (!endpoint.includes('{}')) return endpoint === own && pathname === path ? { 'url.path': pathname } : {}
  const pattern = path
    .split('{}')
    .map((text) => RegExp.escape(text))
    .join('[^/]+')
  return new RegExp(`^${pattern}$`).test(pathname) ? { 'url.template': path } : {}
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 }

/** Returns counts that are not zero, as attributes. */
export const countsOf = (counts: Counts): Attributes =>
  Object.fromEntries(
    Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [[`sluice.records.${name}`, count]] : [])),
  )
