import { HttpError } from '../../model/errors.ts'
import type { Secrets } from '../../model/scope.ts'
import { defineErrorName } from '../../value/error.ts'
import type { BodySource } from '../parts/body-source.ts'
import type { CookieJar, CookieResponse } from './cookie-jar.ts'

/** The cookie of the session is gone: a response has deleted it, or it has expired before a request was sent. */
export class SessionEndedError extends HttpError {
  static {
    defineErrorName(this)
  }
}

export interface SessionCookiesOptions {
  readonly jar: CookieJar
  /** The cookie that is the session. Undefined if its token is no cookie. */
  readonly name: string | undefined
  /** The names of the secrets of the login. */
  readonly names: readonly string[]
  readonly secrets: Pick<Secrets, 'register'>
}

/** The cookies of a session, for requests to the API's own origin. */
export class SessionCookies {
  readonly #options: SessionCookiesOptions

  constructor(options: SessionCookiesOptions) {
    this.#options = options
  }

  /**
   * Returns the header `cookie` for a URL, after the cookies that are `given`; undefined if there are none. Throws if
   * the session itself would not be sent with the first hop of a request: an API may answer with less to requests
   * without it, and nobody would notice.
   */
  headerFor(
    url: URL,
    {
      label,
      isFirst,
      given,
    }: { readonly label: string; readonly isFirst: boolean; readonly given?: string | undefined },
  ): string | undefined {
    const { jar, name } = this.#options
    const cookies = jar.cookiesFor(url)
    if (isFirst && name !== undefined && !cookies.some((cookie) => cookie.name === name))
      throw jar.find(name) ? notForUrl(label, name) : this.#ended(`${label} was not requested`, label, 0)
    const pairs = [given ?? [], cookies.map((cookie) => `${cookie.name}=${cookie.value}`)].flat()
    return pairs.length === 0 ? undefined : pairs.join('; ')
  }

  /** Keeps the cookies of a response. Throws, and drops its body, if it has deleted the session itself. */
  keep(
    response: CookieResponse & { readonly status: number },
    { label, source }: { readonly label: string; readonly source?: Pick<BodySource, 'fail'> | undefined },
  ): void {
    if (response.setCookies.length === 0) return
    const { jar, name, secrets } = this.#options
    const names = jar.store(response)
    if (name === undefined || !names.includes(name)) return
    const session = jar.find(name)
    if (session) secrets.register?.('session cookie', session.value)
    // Status 401 says so itself.
    if (session || response.status === 401) return
    const error = this.#ended(`${label} answered ${response.status}`, label, response.status)
    source?.fail(error)
    throw error
  }

  #ended(what: string, location: string, status: number): SessionEndedError {
    const { name, names } = this.#options
    return new SessionEndedError(
      `${what}: the session has ended, its cookie '${name}' is no longer valid. ` +
        `Check ${names.join(' and ')}, and what else the API wants of a session`,
      { kind: 'credentials', status, location },
    )
  }
}

const notForUrl = (label: string, name: string): HttpError =>
  new HttpError(
    `${label} was not requested: the cookie '${name}' of the session is not for this URL. ` +
      "Look at its Path, and at its Secure, which needs 'https://' in the API's base",
    { kind: 'not sent', location: label },
  )
