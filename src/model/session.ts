// A session: credentials that a login request returns.
import type { JsonValue } from './json.ts'
import type { Credentials, Duration, InHeader, Method, Secret } from './request.ts'
import type { RuleData, WaitUnit } from './response-rule.ts'

/** A cookie of a response, made by `inCookie`. */
export interface InCookie {
  readonly cookie: string
}

/** A value of a login: JSON, with secrets at any depth. */
export type LoginValue = Secret | JsonValue | readonly LoginValue[] | { readonly [name: string]: LoginValue }

/** How a request sends the token of its session: a header, after the scheme if there is one, or a parameter. */
export type SendAs = { readonly header: string; readonly scheme?: string } | { readonly query: string }

/** How long a session lasts: a duration, or its place in the answer. A date in text is a moment, whatever the unit. */
export type Lifetime = Duration | { readonly at: string | InHeader; readonly unit?: WaitUnit }

export interface SessionAuth {
  readonly type: 'session'
  /** The URL of the login: absolute, or a path below the API's base. */
  readonly loginUrl: string
  readonly method: Method
  readonly query?: Readonly<Record<string, string | Secret>>
  readonly json?: Readonly<Record<string, LoginValue>>
  readonly form?: Readonly<Record<string, string | Secret>>
  readonly headers?: Readonly<Record<string, string | Secret>>
  /** The credentials of the login request. */
  readonly auth?: Credentials
  /** The place of the token in the answer: a path, a header or a cookie. */
  readonly token: string | InHeader | InCookie
  /** What the answer of a login that succeeded is like. @default no sign of a form that was refused */
  readonly expect?: Pick<RuleData, 'status' | 'header' | 'text'>
  /** Absent if the token is a cookie, and sent as a cookie only. */
  readonly sendAs?: SendAs
  /** @default until the API refuses it */
  readonly lifetime?: Lifetime
}
