// Options of `http()` and of its requests, and the names that each of them has.
import type { Format } from '../../model/format.ts'
import type {
  Bound,
  BoundText,
  Credentials,
  Duration,
  Given,
  LimitHeaders,
  Query,
  Range,
  RateLimits,
  Sent,
} from '../../model/request.ts'
import type { OptionNames } from '../../model/unknown-option.ts'
import type { Size } from '../../value/size.ts'
import type { MultipartFields } from './file-part.ts'
import type { ResponseRule } from './response-rules.ts'

/** Options of `http()`: credentials, limits and rules for all requests of an API. */
export interface HttpOptions {
  /**
   * The credentials of requests, such as `bearer(secret('API_TOKEN'))`, or a list of several that are sent together.
   * @default none
   */
  auth?: Credentials
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>>
  /**
   * The most requests in a period, such as `'10/s'`, `'600/m'` or `'0.5/s'`; or `{ requests: 100, per: '10s' }`, with
   * `burst: 20` a bucket; or a list of them, which all hold. All streams and processes share it. @default no limit
   */
  rate?: RateLimits
  /**
   * In a pipeline of several accounts: `'account'` if the API limits each account by itself, `'app'` if it limits all
   * of them together. @default 'account'
   */
  ratePer?: 'account' | 'app'
  /**
   * Headers that state budgets under names of their own: `{ remaining: 'x-left', reset: 'x-reset' }`, with `cost` the
   * header of what a request has cost. @default `ratelimit-…`, `x-ratelimit-…` and the like
   */
  limitHeaders?: readonly LimitHeaders[]
  /** Requests that run at the same time. @default 8 */
  concurrency?: number
  /** The time limit of one try of one request, to the last byte. @default '60s' */
  timeout?: Duration
  /** Tries of one request, including the first. @default 5 */
  attempts?: number
  /** The largest decoded body that is accepted, such as `'64MB'` or a number of bytes. @default '64MB' */
  maxPageSize?: Size
  /**
   * Further origins that a link or a redirect may lead to, such as `'https://files.example'`. Credentials are never
   * sent there. @default none
   */
  allowedOrigins?: readonly string[]
  /**
   * Rules that say what responses mean, for all requests of the API. Rules of a request come first. The first rule that
   * fits decides; a response that none fits is treated as it would be without rules. @default none
   */
  responseRules?: readonly ResponseRule[]
}

/** Options of one request: the third argument of `api.get()`. */
export interface RequestOptions {
  /** The credentials of this request, instead of those of the API; `[]` sends none. */
  auth?: Credentials
  /**
   * The limits of this endpoint instead of those of the API: it has a budget of its own. @default those of the API
   */
  rate?: RateLimits
  /** Sent with this request. A header of the API with the same name is replaced. A value may be `since` or `until`. */
  headers?: Readonly<Record<string, string | Bound | BoundText>>
  /**
   * Statuses that mean "no records", such as 404 for a customer without invoices. Other statuses fail. The short form
   * of a rule with the action `empty`, tried after `responseRules`. @default none
   */
  emptyOn?: readonly number[]
  /**
   * Rules that say what the responses to this request mean. The first one that fits decides. @default none
   *
   * @example
   * { responseRules: [{ status: 400, body: { code: 'invalid_page_number' }, action: 'empty' }] }
   */
  responseRules?: readonly ResponseRule[]
  /**
   * The form of the bodies, such as `csv({ delimiter: ';' })`. @default by the content type of each response, or the
   * ending of the path (`.csv.gz`); else JSON
   */
  format?: Format
  /** The time limit of one try of this request, to the last byte. @default that of the API */
  timeout?: Duration
}

/** Options of `api.post()` and `api.put()`: the body, the query, and those of every request. */
export interface PostOptions extends RequestOptions {
  /** A body of JSON. It may contain `since` and `until` at any depth, and a paginator's parameter: `'page.after'`. */
  json?: Given<Sent>
  /** A form instead, as `application/x-www-form-urlencoded`. */
  form?: Given<Query>
  /** A form as `multipart/form-data` instead, with files by `filePart()`. A list sends a field several times. */
  multipart?: MultipartFields | ((range: Range) => Query)
  query?: Given<Query>
}

export const HTTP_OPTIONS: OptionNames<HttpOptions> = {
  auth: true,
  headers: true,
  rate: true,
  ratePer: true,
  limitHeaders: true,
  concurrency: true,
  timeout: true,
  attempts: true,
  maxPageSize: true,
  allowedOrigins: true,
  responseRules: true,
}
export const REQUEST_OPTIONS: OptionNames<RequestOptions> = {
  auth: true,
  rate: true,
  headers: true,
  emptyOn: true,
  responseRules: true,
  format: true,
  timeout: true,
}
export const POST_OPTIONS: OptionNames<PostOptions> = {
  json: true,
  form: true,
  multipart: true,
  query: true,
  ...REQUEST_OPTIONS,
}

const IN_AUTH = "Credentials stand in auth, as in { auth: bearer(secret('API_TOKEN')) }."
/** Names that other libraries have for the same, or that belong elsewhere. */
export const HINTS_OF_HTTP: Readonly<Record<string, string>> = {
  baseUrl: 'The base is the first argument.',
  baseURL: 'The base is the first argument.',
  token: IN_AUTH,
  apiKey: IN_AUTH,
  bearer: IN_AUTH,
  retries: 'Did you mean "attempts"? It counts the first try too.',
  query: 'Parameters belong to each request, as in api.get(path, { limit: 100 }).',
}
const QUERY_OF_GET = 'The query is the second argument, as in api.get(path, { limit: 100 }, { … }).'
const BODY_OF_GET = 'A GET has no body. Use api.post() or api.put().'
export const HINTS_OF_GET: Readonly<Record<string, string>> = {
  query: QUERY_OF_GET,
  params: QUERY_OF_GET,
  json: BODY_OF_GET,
  form: BODY_OF_GET,
  multipart: BODY_OF_GET,
  body: BODY_OF_GET,
}
export const HINTS_OF_POST: Readonly<Record<string, string>> = {
  body: 'Did you mean "json" or "form"?',
  data: 'Did you mean "json" or "form"?',
  params: 'Did you mean "query"?',
}
