// Requests, credentials and paging of an API: plain data, with functions of the user in a few places.
import type { InCondition } from './condition-types.ts'
import type { Bound, BoundText, Range } from './bound.ts'
import type { ApiLimits, RateLimits } from './rate-limit.ts'
import type { Sign } from './signature.ts'
import type { FileParts } from './file-part.ts'
import type { Duration } from '../value/duration.ts'
import type { Size } from '../value/size.ts'
import type { JsonValue } from './json.ts'
import type { JwtAuth } from './jwt.ts'
import type { Format } from './format.ts'
import type { GraphqlErrors, PersistedQuery } from './graphql.ts'
import type { RuleData } from './response-rule.ts'
import type { SessionAuth } from './session.ts'

export type { Bound, BoundText, ClockFormat, Range } from './bound.ts'
export type { Duration } from '../value/duration.ts'
export type { Size } from '../value/size.ts'

export type { LimitHeaders, Rate, RateLimit, RateLimits } from './rate-limit.ts'

/** The name of a secret. Its value is read when a request is sent, and is never printed. */
export interface Secret {
  readonly secret: string
}

/** Credentials of one kind, as `bearer()` and its like return them. */
export type Auth =
  | { readonly type: 'bearer'; readonly token: Secret }
  | { readonly type: 'basic'; readonly user: string; readonly password: Secret }
  /** `scheme` is the word before the value, such as `Token`. @default none */
  | { readonly type: 'header'; readonly name: string; readonly value: Secret; readonly scheme?: string }
  | { readonly type: 'query'; readonly name: string; readonly value: Secret }
  | {
      readonly type: 'client certificate'
      /** In PEM, as the key. */
      readonly certificate: Secret
      readonly key: Secret
      readonly passphrase?: Secret
    }
  | {
      readonly type: 'aws signature'
      readonly service: string
      readonly region: string
      readonly accessKeyId: Secret
      readonly secretAccessKey: Secret
      readonly sessionToken?: Secret
    }
  | { readonly type: 'signed'; readonly secrets: readonly Secret[]; readonly sign: Sign }
  | {
      readonly type: 'client credentials'
      /** The URL that returns the token: absolute, or a path below the API's base. */
      readonly tokenUrl: string
      readonly clientId: string | Secret
      readonly clientSecret: Secret
      readonly clientSecretIn?: ClientSecretIn
      readonly scope?: string
      readonly fields?: Readonly<Record<string, string>>
    }
  | {
      readonly type: 'refresh token'
      readonly tokenUrl: string
      readonly clientId: string | Secret
      readonly clientSecret?: Secret
      readonly clientSecretIn?: ClientSecretIn
      /** The first token. The server may give others in its place. */
      readonly refreshToken: Secret
      readonly scope?: string
      readonly fields?: Readonly<Record<string, string>>
      readonly authorizationUrl?: string
      readonly deviceUrl?: string
    }
  | SessionAuth
  | JwtAuth

/** Where a token request has the client's name and secret: the form, or the header of HTTP's basic authentication. */
export type ClientSecretIn = 'form' | 'header'

/** The credentials of a request: one kind, or several together. An empty list means none. */
export type Credentials = Auth | readonly Auth[]

export interface Api extends ApiLimits {
  /** Scheme, host and the beginning of every path. */
  readonly base: string
  readonly auth?: Credentials
  readonly headers?: Readonly<Record<string, string>>
  /** Requests that run at the same time. @default 8 */
  readonly concurrency?: number
  /** The time limit of one try of one request, from sending to the last byte. @default '60s' */
  readonly timeout?: Duration
  /** Tries of one request, including the first. @default 5 */
  readonly attempts?: number
  /** The largest decoded body that is accepted. @default '64MB' */
  readonly maxPageSize?: Size
  /** Other origins that a link or a redirect may lead to. Credentials are never sent there. @default none */
  readonly allowedOrigins?: readonly string[]
  /** Rules for the responses to all requests, after the rules of the request. @default none */
  readonly responseRules?: readonly RuleData[]
}

export type QueryValue =
  | string
  | number
  | bigint
  | boolean
  | Bound
  | BoundText
  | readonly (string | number)[]
  | undefined
/** The parameters of a URL or of a form. `undefined` is left out. */
export type Query = { readonly [name: string]: QueryValue }
/** JSON to send. It may contain bounds at any depth. */
export type Sent = { readonly [name: string]: SentValue | undefined }
export type SentValue =
  | JsonValue
  | Bound
  | BoundText
  | readonly SentValue[]
  | { readonly [name: string]: SentValue | undefined }
/**
 * The methods that a request may have. A request only reads, whatever its method is: it may be sent again. PATCH and
 * DELETE only end a job.
 */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type Given<T> = T | ((range: Range) => T)

/** A path with values. Each value is encoded as one segment when the request is made. */
export interface PathTemplate {
  readonly texts: readonly string[]
  readonly values: readonly (string | number | bigint)[]
}

export interface Request {
  readonly method: Method
  readonly path: string | PathTemplate
  readonly query?: Given<Query>
  readonly json?: Given<Sent>
  /** Fields of a form, sent as `application/x-www-form-urlencoded`. */
  readonly form?: Given<Query>
  /** The form is sent as `multipart/form-data`. */
  readonly multipart?: true
  /** Files of the form. They are in no position: each request gets them from here. */
  readonly files?: FileParts
  /** A header with a bound is left out where the range has no such end. */
  readonly headers?: Readonly<Record<string, string | Bound | BoundText>>
  /** Its limits instead of those of the API. */
  readonly rate?: RateLimits
  /** Its credentials instead of those of the API. */
  readonly auth?: Credentials
  /** The time limit of one try. @default that of the API */
  readonly timeout?: Duration
  /** A GraphQL document. `json` holds its variables, and the body is the `data` of the response. */
  readonly graphql?: string
  /** What errors beside data mean. @default 'fail' */
  readonly errors?: GraphqlErrors
  /** Names the document instead of sending it. @default its text is sent */
  readonly persisted?: PersistedQuery
  /**
   * Statuses that mean "no records": the page is empty and the request does not fail. The short form of a rule.
   * @default none
   */
  readonly emptyOn?: readonly number[]
  readonly responseRules?: readonly RuleData[]
  /**
   * The URL of a file, from a record. It may be signed and expire, so it is in no position and no name; the path stands
   * for it there.
   */
  readonly file?: string
  /** The form of its bodies. @default by the content type of each response, else JSON */
  readonly format?: Format
}

/** A request as JSON, and the position at which a run resumes. A secret in it is written as `{secret:NAME}`. */
export interface PageRequest {
  readonly method: Method
  /** A path below the API's base, or a whole URL. */
  readonly url: string
  readonly query: Readonly<Record<string, string | readonly string[]>>
  readonly json?: Readonly<Record<string, JsonValue | undefined>> | undefined
  readonly form?: PageRequest['query'] | undefined
  readonly multipart?: true | undefined
  readonly graphql?: string | undefined
  /** Headers of the paginator, in lower case. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The parameters that a continuation has set, each with the value of the first request, if it had one. */
  readonly continued?: Readonly<Record<string, readonly JsonValue[]>> | undefined
}

/** A decoded response. */
export interface ApiResponse<Body> {
  readonly body: Body
  readonly status: number
  /** Names are in lower case. Several headers of one name are joined by a comma. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The URL of the request, after redirects. */
  readonly url: string
  /** The records that `.records()` selected. */
  readonly records: readonly unknown[]
}

/** A value in the body: its path, or a function that returns it. */
export type From<Body, Value> = string | ((body: Body) => Value | null | undefined)

/** A header of a response or of a request, in lower case, made by `inHeader`. */
export interface InHeader {
  readonly header: string
  /** The header holds JSON: the path of numbers in it, with `*` for every member. The greatest counts. */
  readonly json?: string
}

/** A value in a response: a path of the body, a function of the body, or a header. */
export type InResponse<Body, Value> = From<Body, Value> | InHeader

/** A parameter that a paginator sends: its name, or a header. */
export type Parameter = string | InHeader

/** A custom paginator. Returns the next request, or undefined after the last page. */
export type NextRequest<Body> = (response: ApiResponse<Body>, request: PageRequest) => PageRequest | undefined

/** The value at `more` is false while more pages follow, as that of `done`. @default true */
export type MoreIs = false

/** The way from one page to the next, as `byCursor()` and its like return it, or a function. */
export type Paging<Body> =
  /** `atMost` is the largest number of records that the API returns. */
  | { readonly type: 'one page'; readonly atMost?: number }
  | {
      readonly type: 'page'
      readonly parameter: Parameter
      readonly start: number
      readonly pages?: InResponse<Body, number | string>
      readonly total?: InResponse<Body, number | string>
      readonly more?: InResponse<Body, boolean> | InCondition<Body>
      readonly moreIs?: MoreIs
      readonly max?: number
    }
  | {
      readonly type: 'offset'
      readonly parameter: Parameter
      readonly start: number
      readonly total?: InResponse<Body, number | string>
      readonly more?: InResponse<Body, boolean> | InCondition<Body>
      readonly moreIs?: MoreIs
      /** The parameter that holds the page size. */
      readonly limit?: string
      readonly max?: number
      /** False: pages do not begin with the last record before them. @default true */
      readonly overlap?: boolean
    }
  | {
      readonly type: 'cursor' | 'last record'
      readonly parameter: Parameter
      readonly at: InResponse<Body, string | number>
      readonly total?: InResponse<Body, number | string>
      readonly more?: InResponse<Body, boolean> | InCondition<Body>
    }
  | {
      readonly type: 'next url'
      readonly at: InResponse<Body, string>
      readonly total?: InResponse<Body, number | string>
      readonly more?: InResponse<Body, boolean> | InCondition<Body>
      readonly moreIs?: MoreIs
    }
  /** All members of an object become parameters of the first request. */
  | {
      readonly type: 'continue'
      readonly at: InResponse<Body, object>
    }
  | { readonly type: 'link header'; readonly rel: string }
  | { readonly type: 'header'; readonly parameter: Parameter; readonly header: string }
  | { readonly type: 'relay'; readonly at: From<Body, unknown>; readonly variable: string }
  | SincePaging<Body>
  | NextRequest<Body>

/** The token in the last response of a reading is the stream's cursor: the next run sends it and gets the changes. */
export interface Delta<Body> {
  readonly at: InResponse<Body, string | number>
  /** The parameter that holds the token. @default the token is a URL */
  readonly parameter?: Parameter
  /** Parameters of the first request that are not sent with a token. @default none */
  readonly without?: readonly string[]
  /** Statuses that mean that the token is no longer known. Everything is read again then. @default 410 */
  readonly expiredOn?: readonly number[]
}

/** A list in ascending order of a value. The next request is the first page again, from the last record's value on. */
export interface SincePaging<Body> {
  readonly type: 'since'
  /** The paginator of the pages whose records all have one value. */
  readonly within?: Paging<Body>
  /** The field of the value. @default the cursor's field */
  readonly field?: string
  /** True if the API leaves out records with exactly the value of `since`. */
  readonly exclusive?: true
  /** The parameter that holds the page size. */
  readonly limit?: string
}
