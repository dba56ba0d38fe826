import { DecodeError, HttpError, RateLimitedError } from '../../model/errors.ts'
import { valueAt } from '../../model/path.ts'
import type { Secret } from '../../model/request.ts'
import { secretsOf } from '../../model/secrets-of.ts'
import type { Lifetime, SessionAuth } from '../../model/session.ts'
import { Decimal } from '../../value/decimal.ts'
import { duration } from '../../value/duration.ts'
import { lowered } from '../lowered.ts'
import type { RequestBody } from '../prepare-request.ts'
import { TransientError } from '../request-error.ts'
import { ResponseRules } from '../rules/response-rules.ts'
import { waitIn } from '../rules/apply-rule.ts'
import type { Authorization, Credentials } from './authorization.ts'
import { CookieJar } from './cookie-jar.ts'
import {
  CredentialEndpoint,
  MAX_LIFETIME_MS,
  usableMs,
  type CredentialResponse,
  type TokenOptions,
} from './credential-request.ts'
import { FetchedToken, type FetchOptions, type Token } from './fetched-token.ts'
import { revealed } from './revealed.ts'
import { SessionCookies } from './session-cookies.ts'

export interface SessionOptions extends TokenOptions {
  /** The credentials of the login itself. */
  readonly login: Authorization
}

/** Returns credentials by a login: the token and the cookies of its answer. */
export function sessionAuthorization(auth: SessionAuth, options: SessionOptions): FetchedToken {
  const login = new Login(auth, options)
  let failure: Error | undefined
  return new FetchedToken({
    secrets: secretsOf(auth),
    parameters: auth.sendAs && 'query' in auth.sendAs ? [auth.sendAs.query] : [],
    time: options.time,
    fetch: async (asked) => {
      // A wrong password that is sent again for each stream could lock the user out.
      if (failure) throw failure
      try {
        return await login.fetch(asked)
      } catch (error) {
        const thrown = error instanceof TransientError && error.final ? error.final : error
        if (isLasting(thrown)) failure = thrown
        throw thrown
      }
    },
  })
}

const LASTING: readonly string[] = ['credentials', 'status', 'redirect']
const isLasting = (error: unknown): error is Error =>
  error instanceof DecodeError ||
  (error instanceof HttpError && !(error instanceof RateLimitedError) && LASTING.includes(error.kind))

class Login {
  readonly #auth: SessionAuth
  readonly #options: SessionOptions
  readonly #endpoint: CredentialEndpoint
  readonly #names: readonly string[]

  constructor(auth: SessionAuth, options: SessionOptions) {
    const { loginUrl: url, method } = auth
    this.#auth = auth
    this.#options = options
    this.#endpoint = new CredentialEndpoint({ method, url, purpose: 'the login' }, options)
    this.#names = secretsOf(auth)
  }

  async fetch({ signal, stream, onWait }: FetchOptions): Promise<Token> {
    const { token, lifetime, headers, query, expect } = this.#auth
    const { secrets, login } = this.#options
    const needsBody = [token, typeof lifetime === 'object' && lifetime.at].some((place) => typeof place === 'string')
    const credentials = await login.credentials({ signal, stream, ...(onWait && { onWait }) })
    const isCookie = typeof token === 'object' && 'cookie' in token
    const response = await this.#endpoint.send(
      {
        query: this.#texts(query),
        headers: lowered(this.#texts(headers)),
        body: this.#body(),
        credentials,
        needsBody,
        needsText: expect ? expect.text !== undefined : isCookie,
        // A form in a browser is answered by a redirect to the next page. It is not followed.
        isAccepted: (status) => (status >= 200 && status <= 299) || (!needsBody && (status === 302 || status === 303)),
      },
      {
        signal,
        stream,
        ...(onWait && { onWait }),
        refusal: `the login was refused; check ${this.#names.join(' and ') || 'what it sends'}`,
      },
    )
    this.#checkExpected(response, isCookie)
    const jar = new CookieJar({
      host: this.#options.addresses.host.name,
      clock: this.#options.time.clock,
      now: this.#options.now,
    })
    if (this.#endpoint.isOnOwnHost) jar.store(response)
    const value = this.#tokenIn(response, jar)
    const name = isCookie ? token.cookie : undefined
    secrets.register?.(name === undefined ? 'session token' : 'session cookie', value)
    const lifetimeMs = this.#lifetimeIn(response)
    return {
      accessToken: value,
      credentials: {
        ...this.#sent(value),
        cookies: new SessionCookies({ jar, name, names: this.#names, secrets }),
      },
      grant: this.#grant(lifetimeMs),
      get usableUntil() {
        const end = response.requestedAt + usableMs(lifetimeMs)
        return name === undefined ? end : Math.min(end, jar.usableUntil(name))
      },
    }
  }

  /** Throws if the answer is that of a login that was refused: many servers give it a cookie of a session, too. */
  #checkExpected(response: CredentialResponse, isCookie: boolean): void {
    const { label, href } = this.#endpoint
    const { expect } = this.#auth
    const { status } = response
    const signOf = expect ? isUnlike(expect, label) : isCookie && signOfRefusal(href)
    const problem = signOf ? signOf(response) : undefined
    if (problem === undefined) return
    const remedy = `check ${this.#names.join(' and ') || 'what it sends'}, or say by \`expect\` what a success is like`
    throw new HttpError(`${label} answered ${status}, ${problem}: the login was refused; ${remedy}`, {
      kind: 'credentials',
      status,
      location: label,
    })
  }

  #tokenIn({ status, headers, body, setCookies }: CredentialResponse, jar: CookieJar): string {
    const { token } = this.#auth
    if (typeof token === 'object' && 'cookie' in token) {
      const cookie = jar.find(token.cookie)
      if (cookie) return cookie.value
      throw this.#missing(status, `the cookie '${token.cookie}'`, this.#cookiesText(setCookies))
    }
    const value = typeof token === 'object' ? headers[token.header] : valueAt(body, token)
    const text = isNumber(value) ? String(value) : value
    if (typeof text === 'string' && text !== '') return text
    throw typeof token === 'object'
      ? this.#missing(status, `the header '${token.header}'`, '')
      : this.#missing(status, `a token at '${token}'`, fieldsText(body))
  }

  #cookiesText(setCookies: readonly string[]): string {
    if (!this.#endpoint.isOnOwnHost)
      return `: only cookies of the API's own host, ${this.#options.addresses.host.name}, can be its session`
    const names = setCookies.map((text) => text.split('=', 1)[0])
    return names.length === 0 ? '' : `, but with ${names.join(', ')}`
  }

  #missing(status: number, what: string, but: string): DecodeError {
    const { label } = this.#endpoint
    const remedy = `check ${[...this.#names, 'the place of the token'].join(' and ')}`
    return new DecodeError(`${label} answered ${status} without ${what}${but}. The login may be refused; ${remedy}`)
  }

  /** In milliseconds. A place that holds null states no end. */
  #lifetimeIn({ headers, body, status }: CredentialResponse): number {
    const lifetime: Lifetime | undefined = this.#auth.lifetime
    if (lifetime === undefined) return Infinity
    if (typeof lifetime === 'string') return duration(lifetime)
    const { at } = lifetime
    const ms = waitIn(lifetime, { headers, body }, this.#options.now())
    if (ms !== undefined) return Math.min(ms, MAX_LIFETIME_MS)
    if (typeof at === 'string' && valueAt(body, at) === null) return Infinity
    throw new DecodeError(
      `${this.#endpoint.label} answered ${status} without a number or a date at ` +
        `${typeof at === 'string' ? `'${at}'${fieldsText(body)}` : `the header '${at.header}'`}: ` +
        'look at the lifetime of session()',
    )
  }

  /** Only an answer says when the session ends; the definition says it for itself. */
  #grant(lifetimeMs: number): Token['grant'] & {} {
    const isStated = typeof this.#auth.lifetime === 'object' && lifetimeMs < Infinity
    return isStated ? { endsAt: new Date(this.#options.now().getTime() + lifetimeMs) } : {}
  }

  #sent(value: string): Pick<Credentials, 'headers' | 'query'> {
    const { sendAs } = this.#auth
    if (!sendAs) return { headers: {}, query: {} }
    if ('query' in sendAs) return { headers: {}, query: { [sendAs.query]: value } }
    const text = sendAs.scheme === undefined ? value : `${sendAs.scheme} ${value}`
    return { headers: { [sendAs.header.toLowerCase()]: text }, query: {} }
  }

  #body(): RequestBody | undefined {
    const { json, form } = this.#auth
    if (json !== undefined)
      return { type: 'application/json', content: JSON.stringify(revealed(json, this.#options.secrets)) }
    if (form === undefined) return undefined
    const content = new URLSearchParams(this.#texts(form)).toString()
    return { type: 'application/x-www-form-urlencoded', content }
  }

  #texts(fields: Readonly<Record<string, string | Secret>> = {}): Record<string, string> {
    return Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, revealed(value, this.#options.secrets) as string]),
    )
  }
}

/** A field for a password in a page. */
const PASSWORD_FIELD = /<input\b[^>]*\btype\s*=\s*["']?password\b/i

type SignOf = (response: CredentialResponse) => string | undefined

/** Tells whether an answer is another one than a success is said to be. */
const isUnlike =
  (expect: NonNullable<SessionAuth['expect']>, label: string): SignOf =>
  (response) => {
    const fitting = new ResponseRules([{ ...expect, action: 'fail' }]).fitting(
      { ...response, url: response.url.href },
      label,
    )
    return fitting ? undefined : 'not as `expect` of session() says'
  }

/** Tells what shows that a form was refused; undefined if nothing does. */
const signOfRefusal =
  (href: string): SignOf =>
  ({ headers, text }) => {
    if (PASSWORD_FIELD.test(text)) return 'with a form that asks for the password'
    const { location } = headers
    const target = location === undefined ? null : URL.parse(location, href)
    if (!target) return undefined
    const login = new URL(href)
    if (target.origin === login.origin && target.pathname === login.pathname) return 'a redirect to the login itself'
    const isError = [...target.searchParams.keys()].some((name) => /(?:^|[_-])error$/i.test(name))
    return isError ? 'a redirect to an address with a parameter for an error' : undefined
  }

const isNumber = (value: unknown): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof Decimal

/** The names of the fields that the answer has, without their values. */
function fieldsText(body: unknown): string {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return ''
  const names = Object.keys(body).slice(0, 12)
  return names.length === 0 ? '' : `, but with ${names.join(', ')}`
}
