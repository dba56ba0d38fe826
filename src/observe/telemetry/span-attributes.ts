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

/** Returns the attributes of a request, by the semantic conventions of HTTP clients where there are some. */
export const requestAttributes = (event: RequestFinished, sentBefore: number): Attributes => ({
  'http.request.method': event.method,
  ...addressOf(event.url),
  ...(event.status !== 0 && { 'http.response.status_code': event.status }),
  ...(isRefused(event) && { 'error.type': event.status === 0 ? '_OTHER' : String(event.status) }),
  ...(sentBefore > 0 && { 'http.request.resend_count': sentBefore }),
  'sluice.bytes': event.bytes,
})

/** Returns the server and the path of a URL, without its query. */
function addressOf(url: string): Attributes {
  const parsed = URL.parse(url)
  if (!parsed) return {}
  const { protocol, hostname, port, pathname } = parsed
  const scheme = protocol.slice(0, -1)
  return {
    'url.scheme': scheme,
    'server.address': hostname,
    'server.port': port === '' ? DEFAULT_PORTS[scheme] : Number(port),
    'url.path': pathname,
  }
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 }

/** Returns counts that are not zero, as attributes. */
export const countsOf = (counts: Counts): Attributes =>
  Object.fromEntries(
    Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [[`sluice.records.${name}`, count]] : [])),
  )
