import type { ApiResponse } from '../../model/request.ts'
import { untilDate } from '../limits/retry-after.ts'
import { usableMs } from './credential-request.ts'

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
  readonly isSecure: boolean
  readonly setAt: number
  /** On the clock of `Time`. Infinity for one that lasts as long as the session. */
  readonly expiresAt: number
}

/** The response that sets cookies. */
export interface CookieResponse {
  readonly url: URL
  readonly headers: ApiResponse<unknown>['headers']
  readonly setCookies: readonly string[]
}

export interface CookieJarOptions {
  /** The host of the API, whose cookies these are. */
  readonly host: string
  /** Returns milliseconds, as `Time` does. */
  readonly clock: () => number
  readonly now: () => Date
}

/** Characters that no header may have. */
const CONTROL = /\p{Cc}/u

/** An API that names its cookies anew each time must not fill the memory. The oldest are dropped. */
const MAX_COOKIES = 100

/**
 * The cookies of one session with an API: name and value, path, `Secure` and expiry. They belong to the API's own host,
 * so a `Domain` only excludes other hosts. Callers ask for the API's own origin only.
 */
export class CookieJar {
  readonly #options: CookieJarOptions
  /** By name and path, in the order in which they were set. */
  readonly #cookies = new Map<string, Cookie>()

  constructor(options: CookieJarOptions) {
    this.#options = options
  }

  /** Keeps the cookies that a response sets, and drops those that it deletes. Returns the names of both. */
  store({ url, headers, setCookies }: CookieResponse): readonly string[] {
    const names: string[] = []
    for (const text of setCookies) {
      const cookie = this.#read(text, url, headers)
      if (!cookie) continue
      const key = `${cookie.name};${cookie.path}`
      names.push(cookie.name)
      this.#cookies.delete(key)
      if (cookie.expiresAt > this.#options.clock()) this.#cookies.set(key, cookie)
    }
    for (const oldest of this.#cookies.keys()) {
      if (this.#cookies.size <= MAX_COOKIES) break
      this.#cookies.delete(oldest)
    }
    return names
  }

  /** Returns a cookie that has not expired. */
  find(name: string): Pick<Cookie, 'value'> | undefined {
    return this.#valid.findLast((cookie) => cookie.name === name && cookie.value !== '')
  }

  /** Returns how long to use a session that is this cookie, on the clock. */
  usableUntil(name: string): number {
    const cookie = this.#valid.findLast((one) => one.name === name && one.value !== '')
    return cookie ? cookie.setAt + usableMs(cookie.expiresAt - cookie.setAt) : -Infinity
  }

  /** Returns the cookies for a URL, those of longer paths first, as servers expect them. */
  cookiesFor({ protocol, pathname }: URL): readonly Pick<Cookie, 'name' | 'value'>[] {
    return this.#valid
      .filter(({ path, isSecure }) => (!isSecure || protocol === 'https:') && isBelow(pathname, path))
      .toSorted((a, b) => b.path.length - a.path.length)
  }

  get #valid(): Cookie[] {
    const now = this.#options.clock()
    return [...this.#cookies.values()].filter(({ expiresAt }) => expiresAt > now)
  }

  /** Reads a `set-cookie` as RFC 6265 says; undefined for one that is invalid or of another host. */
  #read(text: string, { pathname }: URL, headers: CookieResponse['headers']): Cookie | undefined {
    const [pair = '', ...attributes] = text.split(';')
    const equals = pair.indexOf('=')
    const name = pair.slice(0, Math.max(equals, 0)).trim()
    if (name === '' || CONTROL.test(pair)) return undefined
    const given = new Map(
      attributes.map((attribute) => {
        const [key = '', ...value] = attribute.split('=')
        return [key.trim().toLowerCase(), value.join('=').trim()]
      }),
    )
    const domain = given.get('domain')?.replace(/^\./, '').toLowerCase()
    const { host } = this.#options
    if (domain && domain !== host && !host.endsWith(`.${domain}`)) return undefined
    const path = given.get('path')
    return {
      name,
      value: pair.slice(equals + 1).trim(),
      path: path?.startsWith('/') ? path : directoryOf(pathname),
      isSecure: given.has('secure'),
      setAt: this.#options.clock(),
      expiresAt: this.#expiry(given, headers),
    }
  }

  /** `Max-Age` wins over `Expires`. A date counts by the server's own clock. An invalid one counts as none. */
  #expiry(given: ReadonlyMap<string, string>, headers: CookieResponse['headers']): number {
    const { clock, now } = this.#options
    const maxAge = given.get('max-age') ?? ''
    if (/^-?\d+$/.test(maxAge)) return clock() + Number(maxAge) * 1_000
    // Old servers write dashes, which `Date` reads in no zone.
    const date = (given.get('expires') ?? '').replace(/(\d)-(\w{3})-(\d)/, '$1 $2 $3')
    const ms = untilDate(date, headers, now())
    return ms === undefined ? Infinity : clock() + ms
  }
}

/** The path of a cookie without one: that of the request, up to its last slash. */
function directoryOf(pathname: string): string {
  const end = pathname.lastIndexOf('/')
  return end <= 0 ? '/' : pathname.slice(0, end)
}

const isBelow = (pathname: string, path: string): boolean =>
  pathname === path || (pathname.startsWith(path) && (path.endsWith('/') || pathname[path.length] === '/'))
