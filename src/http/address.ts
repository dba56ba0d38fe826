import { UsageError, HttpError } from '../model/errors.ts'
import type { Api, PageRequest } from '../model/request.ts'
import { redactUrl } from '../observe/redact.ts'

/** The origins that an API's requests may go to: its own, with credentials, and others without. */
export interface Addresses {
  readonly base: string
  readonly origin: string
  readonly host: { readonly name: string; readonly port: string }
  readonly allowed: ReadonlySet<string>
}

/** Reads the base and the allowed origins of an API. Throws `UsageError` for an invalid one. */
export function readAddresses({ base, allowedOrigins = [] }: Pick<Api, 'base' | 'allowedOrigins'>): Addresses {
  const url = webUrl(base)
  if (!url)
    throw new UsageError(
      `${JSON.stringify(base)} is not the base of an API: write a whole URL that starts with https:// or http://`,
    )
  if (url.username || url.password)
    throw new UsageError(
      `${redactUrl(base)}: credentials do not belong in the base: write auth: basic(user, secret('NAME'))`,
    )
  if (url.search || url.hash)
    throw new UsageError(`${redactUrl(base)}: the base has a query or a fragment: give parameters with each request`)
  const allowed = new Set(
    allowedOrigins.map((other) => {
      const allowedUrl = webUrl(other)
      if (!allowedUrl)
        throw new UsageError(
          `${JSON.stringify(other)} in allowedOrigins is not an origin: write it like https://files.example`,
        )
      return allowedUrl.origin
    }),
  )
  const host = { name: url.hostname, port: url.port || (url.protocol === 'https:' ? '443' : '80') }
  return { base: url.href.replace(/\/+$/, ''), origin: url.origin, host, allowed }
}

/**
 * Returns the URL of a request. A path is appended to the base unchanged, a whole URL is taken unchanged. Parameters
 * replace those of the same name.
 */
export function urlOf({ base }: Addresses, { url, query }: Pick<PageRequest, 'url' | 'query'>): URL {
  const whole = wholeUrl(base, url)
  const parsed = URL.parse(whole)
  if (!parsed)
    throw new HttpError(
      `${redactUrl(whole)} is not a URL, so nothing was sent: look at the link to the next page in the API's response`,
      { kind: 'not sent' },
    )
  // Each assignment serializes the URL again, and this runs for every request.
  if (parsed.href.includes('#')) parsed.hash = ''
  if (parsed.username !== '') parsed.username = ''
  if (parsed.password !== '') parsed.password = ''
  const search = searchWith(parsed, query)
  if (search !== undefined) parsed.search = search
  return parsed
}

/** Returns a URL as it is, and a path below a base that ends without a slash. */
export function wholeUrl(base: string, url: string): string {
  if (/^https?:\/\//i.test(url)) return url
  return url === '' || /^[/?]/.test(url) ? base + url : `${base}/${url}`
}

/** Sets parameters in a URL. All other parameters keep every byte, because some APIs sign them. */
export function withParameters(url: URL, parameters: PageRequest['query']): URL {
  const search = searchWith(url, parameters)
  return search === undefined ? url : withSearch(url, search)
}

/** Returns undefined if the query does not change. */
function searchWith(url: URL, parameters: PageRequest['query']): string | undefined {
  const entries = Object.entries(parameters)
  if (entries.length === 0) return undefined
  const set = entries.flatMap(([name, values]) =>
    [values].flat().map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`),
  )
  const names = entries.map(([name]) => name)
  return [...parametersWithout(url, names), ...set].join('&')
}

/** Removes parameters from a URL. */
export function withoutParameters(url: URL, names: readonly string[]): URL {
  return names.length === 0 ? url : withSearch(url, parametersWithout(url, names).join('&'))
}

function parametersWithout(url: URL, names: readonly string[]): string[] {
  const { search } = url
  if (search === '') return []
  return search
    .slice(1)
    .split('&')
    .filter((one) => one !== '' && !names.includes(new URLSearchParams(one).keys().next().value ?? ''))
}

function withSearch(url: URL, search: string): URL {
  const changed = new URL(url)
  changed.search = search
  return changed
}

/**
 * Returns true if a URL is on the API's own origin, or on its host by `https://` instead of `http://`: only these get
 * credentials. Throws `HttpError` if the origin is not allowed at all. `label` names the request in the message.
 */
export function isOwnOrigin(addresses: Addresses, url: URL, label: string): boolean {
  const { origin, allowed } = addresses
  if (url.origin === origin) return true
  if (origin.startsWith('http:') && url.protocol === 'https:' && isOnOwnHost(addresses, url)) return true
  if (allowed.has(url.origin)) return false
  throw new HttpError(
    `${label} was not requested: it is not on ${origin}. ` +
      `To follow it without credentials, add ${url.origin} to the API's allowedOrigins.`,
    { kind: 'not sent', location: label },
  )
}

/**
 * Returns the URL to request in place of one that would leave `https://`. APIs behind a proxy often name themselves by
 * `http://`. Such a URL goes to the API's own origin if that has `https://`, else to that of `from`, the last hop.
 */
export function secureUrl(addresses: Addresses, url: URL, from?: URL): URL {
  if (url.protocol !== 'http:' || !isOnOwnHost(addresses, url)) return url
  const secure = [addresses.origin, from?.origin].find((origin) => origin?.startsWith('https:'))
  return secure === undefined ? url : new URL(url.pathname + url.search, secure)
}

/** True if a URL has the host of the API, and its port or the default one of either scheme. */
export function isOnOwnHost({ host }: Addresses, url: URL): boolean {
  return url.hostname === host.name && (url.port === '' || url.port === host.port)
}

/** Returns the name of a request in messages, its method and its path below the base: `GET /topics`. */
export function requestLabel({ base, origin }: Addresses, method: string, url: URL): string {
  const bare = url.origin + url.pathname
  if (bare.startsWith(`${base}/`)) return `${method} ${bare.slice(base.length)}`
  return `${method} ${url.origin === origin ? url.pathname : bare}`
}

function webUrl(text: string): URL | undefined {
  const url = URL.parse(text)
  return url && /^https?:$/.test(url.protocol) ? url : undefined
}
