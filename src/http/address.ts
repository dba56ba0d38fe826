import { UsageError, HttpError } from '../model/errors.ts'
import type { Api, PageRequest } from '../model/request.ts'
import { redactUrl } from '../observe/redact.ts'

/** Which URLs belong to an API: its own origin, and the others that it may lead to. */
export interface Addresses {
  readonly base: string
  readonly origin: string
  readonly allowed: ReadonlySet<string>
}

/** Read an API's base and the origins that it allows; what is wrong with them is said before anything is sent. */
export function readAddresses({ base, allowedOrigins = [] }: Pick<Api, 'base' | 'allowedOrigins'>): Addresses {
  const url = webUrl(base)
  if (!url)
    throw new UsageError(
      `${JSON.stringify(base)} is no base for an API: give a whole URL that begins with https:// or http://`,
    )
  if (url.username || url.password)
    throw new UsageError(
      `${redactUrl(base)}: credentials do not belong in the base: give auth: basic(user, secret('NAME'))`,
    )
  if (url.search || url.hash)
    throw new UsageError(`${redactUrl(base)}: the base ends with its path: give parameters with each request`)
  const allowed = new Set(
    allowedOrigins.map((other) => {
      const allowedUrl = webUrl(other)
      if (!allowedUrl)
        throw new UsageError(
          `${JSON.stringify(other)} in allowedOrigins is no origin: write it like https://files.example`,
        )
      return allowedUrl.origin
    }),
  )
  return { base: url.href.replace(/\/+$/, ''), origin: url.origin, allowed }
}

/**
 * The URL of what is asked: a path is put behind the base as it is, a whole URL is taken as it is, parameters replace
 * those of the same name.
 */
export function urlOf({ base }: Addresses, { url, query }: Pick<PageRequest, 'url' | 'query'>): URL {
  const whole = /^https?:\/\//i.test(url) ? url : url === '' || /^[/?]/.test(url) ? base + url : `${base}/${url}`
  const made = URL.parse(whole)
  if (!made)
    throw new HttpError(
      `${redactUrl(whole)} is no URL, so nothing was sent: look at what the API gave as its next page`,
      { kind: 'not sent' },
    )
  // Each of these writes the URL anew, for every request.
  if (made.href.includes('#')) made.hash = ''
  if (made.username !== '') made.username = ''
  if (made.password !== '') made.password = ''
  const search = searchWith(made, query)
  if (search !== undefined) made.search = search
  return made
}

/** Parameters set in a URL; those that are not named keep every byte, since some APIs sign them. */
export function withParameters(url: URL, parameters: PageRequest['query']): URL {
  const search = searchWith(url, parameters)
  return search === undefined ? url : withSearch(url, search)
}

/** Undefined where it stays as it is. */
function searchWith(url: URL, parameters: PageRequest['query']): string | undefined {
  const names = Object.keys(parameters)
  if (names.length === 0) return undefined
  const set = names.flatMap((name) =>
    [parameters[name]!].flat().map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`),
  )
  return [...parametersWithout(url, names), ...set].join('&')
}

/** The URL without some parameters. */
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
  const made = new URL(url)
  made.search = search
  return made
}

/** Whether credentials may be sent there. Throws where nothing may be sent at all. */
export function isOwnOrigin({ origin, allowed }: Addresses, url: URL, label: string): boolean {
  if (url.origin === origin) return true
  if (allowed.has(url.origin)) return false
  const remedy = `list ${url.origin} in the API's allowedOrigins to have it followed, without credentials`
  throw new HttpError(`${label}: another origin than ${origin}, so nothing was sent there; ${remedy}`, {
    kind: 'not sent',
    location: label,
  })
}

/** How a request is called in messages: by its path below the base. */
export function requestLabel({ base, origin }: Addresses, method: string, url: URL): string {
  const bare = url.origin + url.pathname
  if (bare.startsWith(`${base}/`)) return `${method} ${bare.slice(base.length)}`
  return `${method} ${url.origin === origin ? url.pathname : bare}`
}

function webUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url && /^https?:$/.test(url.protocol) ? url : undefined
}
