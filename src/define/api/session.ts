import { UsageError } from '../../model/errors.ts'
import type { Auth, Credentials, InHeader, Method, Secret } from '../../model/request.ts'
import { isSecret } from '../../model/secrets-of.ts'
import type { InCookie, Lifetime, LoginValue, SendAs } from '../../model/session.ts'
import { defined } from '../../value/defined.ts'
import { duration } from '../../value/duration.ts'
import { checkValue } from '../check-value.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'
import { checkAuth } from './auth.ts'
import { readConditions, type RuleConditions } from './response-rules.ts'

/** Options of `session()`. */
export interface SessionOptions {
  /** The URL of the login: absolute, or a path below the API's base. */
  readonly loginUrl: string
  /** @default 'POST' */
  readonly method?: Method
  /** Parameters of the URL: texts and secrets. */
  readonly query?: Readonly<Record<string, string | Secret>>
  /** A body of JSON. It may contain secrets at any depth. */
  readonly json?: Readonly<Record<string, LoginValue>>
  /** A form instead, as `application/x-www-form-urlencoded`. */
  readonly form?: Readonly<Record<string, string | Secret>>
  readonly headers?: Readonly<Record<string, string | Secret>>
  /** The credentials of the login request, such as `basic(…)`. @default none */
  readonly auth?: Credentials
  /** The place of the token in the answer: a path of its JSON, `inHeader('x-token')` or `inCookie('sid')`. */
  readonly token: string | InHeader | InCookie
  /**
   * What the answer of a login that succeeded is like: its status, headers and text, with text or regular expressions.
   * Another answer is a login that was refused. @default for a cookie: neither the form of the login once more, which
   * has a field for a password, nor a redirect to the login's own path or to an address with a parameter `error`
   */
  readonly expect?: Pick<RuleConditions, 'status' | 'header' | 'text'>
  /**
   * Where requests send the token: a header, after a `scheme` if one is given, or a parameter.
   * @default `authorization: Bearer …`; a cookie is sent as a cookie
   */
  readonly sendAs?: SendAs
  /**
   * How long the session lasts: a duration, or its place in the answer. A number counts seconds unless `unit` says
   * otherwise, and a date is a moment. @default until the API refuses it, or its cookie expires
   */
  readonly lifetime?: Lifetime
}

/**
 * A cookie, as the place of the token of a session.
 *
 * @example
 * session({ loginUrl: '/login', form: { user: 'me', password: secret('PASSWORD') }, token: inCookie('JSESSIONID') })
 */
export function inCookie(name: string): InCookie {
  if (typeof name !== 'string' || !/^[^\s=;,]+$/.test(name))
    throw new UsageError("inCookie(): give the name of a cookie, as in inCookie('JSESSIONID')")
  return Object.freeze({ cookie: name })
}

/**
 * Logs in by a request, and sends the token or the cookies that it returns. Logs in again before the session ends, and
 * once after a 401. All requests of a run share one session. A login that was refused is not sent again in the run.
 *
 * @example
 * session({
 *   loginUrl: '/login',
 *   json: { user: 'reporting', password: secret('API_PASSWORD') },
 *   token: 'data.token',
 *   sendAs: { header: 'x-session' },
 *   lifetime: { at: 'data.expires_in' },
 * })
 */
export function session(options: SessionOptions): Auth {
  if (typeof options !== 'object' || options === null)
    throw new UsageError("session(): give its options, as in session({ loginUrl: '/login', …, token: 'token' })")
  rejectUnknownOptions('session()', options, OPTIONS)
  const { loginUrl, method = 'POST', query, json, form, headers, auth, token, expect, sendAs, lifetime } = options
  if (typeof loginUrl !== 'string' || loginUrl === '')
    throw new UsageError("session(): give the URL of the login as text, as in loginUrl: '/login'")
  if (!['GET', 'POST', 'PUT'].includes(method))
    throw new UsageError(`session(): method must be GET, POST or PUT, not ${JSON.stringify(method)}`)
  if (json !== undefined && form !== undefined)
    throw new UsageError('session(): a login has one body. Give either json or form')
  for (const [name, fields] of Object.entries({ query, json, form, headers }))
    if (fields !== undefined) checkFields(name, fields, { isText: name !== 'json' })
  checkLoginAuth(auth)
  checkToken(token)
  const expected = expect === undefined ? undefined : readConditions('session(): expect', expect)
  if (sendAs !== undefined) checkSendAs(sendAs)
  if (lifetime !== undefined) checkLifetime(lifetime)
  const isCookie = typeof token === 'object' && 'cookie' in token
  return Object.freeze({
    type: 'session',
    loginUrl,
    method,
    token,
    ...defined({ query, json, form, headers, auth, lifetime, expect: expected }),
    ...defined({ sendAs: sendAs ?? (isCookie ? undefined : BEARER) }),
  })
}

const BEARER: SendAs = Object.freeze({ header: 'authorization', scheme: 'Bearer' })
const OPTIONS: OptionNames<SessionOptions> = {
  loginUrl: true,
  method: true,
  query: true,
  json: true,
  form: true,
  headers: true,
  auth: true,
  token: true,
  expect: true,
  sendAs: true,
  lifetime: true,
}
const SEND_AS_OPTIONS = { header: true, scheme: true, query: true } as const
const LIFETIME_OPTIONS = { at: true, unit: true } as const

function checkFields(name: string, fields: object, { isText }: { readonly isText: boolean }): void {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields) || isSecret(fields))
    throw new UsageError(`session(): ${name} must be an object, as in ${name}: { password: secret('API_PASSWORD') }`)
  for (const [field, value] of Object.entries(fields) as [string, unknown][])
    if (typeof value === 'function' || (isText && typeof value !== 'string' && !isSecret(value)))
      throw new UsageError(`session(): ${name}.${field} must be ${isText ? 'text or' : 'a value of JSON or'} a secret`)
}

function checkLoginAuth(auth: Credentials | undefined): void {
  checkAuth('session(): auth', auth)
  const other = [auth ?? []].flat().find(({ type }) => type === 'session' || type === 'client certificate')
  if (other?.type === 'session') throw new UsageError('session(): its login cannot have a session as its auth')
  if (other) throw new UsageError('session(): a client certificate belongs to the whole API. Give it to http()')
}

function checkToken(token: SessionOptions['token']): void {
  const text: unknown = typeof token === 'object' && token !== null ? Object.values(token)[0] : token
  if (typeof text !== 'string' || text === '')
    throw new UsageError(
      "session(): give the place of the token in the answer: a path, as in token: 'data.token', " +
        "inHeader('x-token') or inCookie('sid')",
    )
}

function checkSendAs(sendAs: SendAs): void {
  rejectUnknownOptions('session(): sendAs', sendAs, SEND_AS_OPTIONS)
  const { header, query, scheme } = sendAs as Readonly<Record<string, unknown>>
  const name = header ?? query
  if ((header === undefined) === (query === undefined) || typeof name !== 'string' || name.trim() === '')
    throw new UsageError("session(): sendAs must be { header: 'x-token' } or { query: 'token' }")
  if (scheme !== undefined && (header === undefined || typeof scheme !== 'string' || scheme === ''))
    throw new UsageError("session(): a scheme belongs to a header, as in { header: 'authorization', scheme: 'Token' }")
}

function checkLifetime(lifetime: Lifetime): void {
  if (typeof lifetime === 'string') return void checkValue('session(): lifetime', () => duration(lifetime))
  if (typeof lifetime === 'object') rejectUnknownOptions('session(): lifetime', lifetime ?? {}, LIFETIME_OPTIONS)
  const at: unknown = typeof lifetime === 'object' ? lifetime?.at : undefined
  const unit = typeof lifetime === 'object' ? lifetime?.unit : undefined
  const isPlace = typeof at === 'string' ? at !== '' : typeof at === 'object' && at !== null && 'header' in at
  if (!isPlace)
    throw new UsageError("session(): lifetime must be a duration such as '30m', or { at: 'data.expires_in' }")
  if (unit !== undefined && !['s', 'ms', 'unix', 'unix ms'].includes(unit))
    throw new UsageError(`session(): lifetime.unit must be one of s, ms, unix, unix ms, not ${JSON.stringify(unit)}`)
}
