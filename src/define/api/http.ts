import { UsageError } from '../../model/errors.ts'
import { parseRate } from '../../model/rate.ts'
import type { Format } from '../../model/format.ts'
import type { JobRequest } from '../../model/job.ts'
import type { Api, Bound, Credentials, Duration, Given, Query, Rate, Request, Sent } from '../../model/request.ts'
import { checkAuth } from './auth.ts'
import { Endpoint } from './endpoint.ts'
import { defined } from '../../value/defined.ts'
import { duration } from '../../value/duration.ts'
import { parseSize, type Size } from '../../value/size.ts'
import { checkValue } from '../check-value.ts'
import { checkFormat } from './formats.ts'
import { checkGraphql, type GraphqlOptions } from './graphql.ts'
import type { Path } from './path.ts'
import { rejectRenamedWords } from '../renamed-words.ts'
import { checkEmptyOn, readResponseRules, type ResponseRule } from './response-rules.ts'

export interface HttpOptions {
  /**
   * The credentials of requests, such as `bearer(secret('API_TOKEN'))`, or a list of several that are sent together.
   * @default none
   */
  auth?: Credentials
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>>
  /**
   * The most requests in a period, such as `'10/s'`, `'600/m'` or `'0.5/s'`. All streams and processes share it.
   * @default no limit
   */
  rate?: Rate
  /**
   * In a pipeline of several accounts: `'account'` if the API limits each account by itself, `'app'` if it limits all
   * of them together. @default 'account'
   */
  ratePer?: 'account' | 'app'
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

export interface RequestOptions {
  /** The credentials of this request, instead of those of the API; `[]` sends none. */
  auth?: Credentials
  /** Sent with this request. A header of the API with the same name is replaced. A value may be `since` or `until`. */
  headers?: Readonly<Record<string, string | Bound>>
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

export interface PostOptions extends RequestOptions {
  /** A body of JSON. It may contain `since` and `until` at any depth, and a paginator's parameter: `'page.after'`. */
  json?: Given<Sent>
  /** A form instead, as `application/x-www-form-urlencoded`. */
  form?: Given<Query>
  /** A form as `multipart/form-data` instead. A list sends a field several times. */
  multipart?: Given<Query>
  query?: Given<Query>
}

/**
 * Endpoints of one API: what `http()` returns. Nothing is requested before a run reads a stream.
 *
 * @example
 * const orders = api.get<Order[]>('/orders', { limit: 100 }).pages(byLinkHeader()).records()
 */
export class HttpApi {
  readonly api: Api

  constructor(api: Api) {
    this.api = Object.freeze(api)
    Object.freeze(this)
  }

  /**
   * A GET request. `Body` is the type that the API documents; `.validate()` checks it at run time.
   *
   * @example
   * api.get<{ data: Order[] }>('/orders', { limit: 100, updated_since: since })
   */
  get<Body>(path: Path, query?: Given<Query>, options: RequestOptions = {}): Endpoint<Body> {
    return this.#endpoint({ method: 'GET', path: provenPath(path, this.api), ...defined({ query }) }, options)
  }

  /**
   * A POST request, with JSON, a form or a query.
   *
   * @example
   * api.post<{ hits: Order[] }>('/orders/search', { json: { changed_after: since, size: 500 } })
   */
  post<Body>(path: Path, options: PostOptions = {}): Endpoint<Body> {
    return this.#endpoint({ method: 'POST', path: provenPath(path, this.api) }, options)
  }

  /**
   * A PUT request, for an API that reads by it. It may be sent again after a failure, so it must not change anything.
   *
   * @example
   * api.put<{ hits: Order[] }>('/search', { json: { changed_after: since } })
   */
  put<Body>(path: Path, options: PostOptions = {}): Endpoint<Body> {
    return this.#endpoint({ method: 'PUT', path: provenPath(path, this.api) }, options)
  }

  /**
   * A PATCH request. Only `cancel` of a job sends one.
   *
   * @example
   * cancel: (id) => api.patch(path`/jobs/query/${id}`, { json: { state: 'Aborted' } })
   */
  patch(path: Path, options: PostOptions = {}): JobRequest {
    return this.#endpoint({ method: 'PATCH', path: provenPath(path, this.api) }, options)
  }

  /**
   * A DELETE request. Only `cancel` of a job sends one.
   *
   * @example
   * cancel: (id) => api.delete(path`/jobs/${id}`)
   */
  delete(path: Path, options: PostOptions = {}): JobRequest {
    return this.#endpoint({ method: 'DELETE', path: provenPath(path, this.api) }, options)
  }

  /**
   * A GraphQL query. `Data` is the type of `data` in the response. A response with `errors` fails, unless the option
   * `errors` says otherwise.
   *
   * @example
   * api.graphql<{ orders: Connection }>('query ($after: String) { orders(first: 100, after: $after) { … } }')
   */
  graphql<Data>(
    document: string,
    variables: Given<Sent> = {},
    { errors, persisted, ...options }: GraphqlOptions = {},
  ): Endpoint<Data> {
    checkGraphql(`POST ${this.api.base}`, { errors, persisted })
    return this.#endpoint(
      { method: 'POST', path: '', json: variables, graphql: document, ...defined({ errors, persisted }) },
      options,
    )
  }

  #endpoint<Body>(request: Request, { responseRules: rules, multipart, ...options }: PostOptions): Endpoint<Body> {
    const { base, auth } = this.api
    const { method, path } = request
    const place = `${method} ${base}${typeof path === 'string' ? path : path.texts.join('…')}`
    const { timeout, json, form } = options
    if (timeout !== undefined) checkValue(`${place}: timeout`, () => duration(timeout))
    if ([json, form, multipart].filter((body) => body !== undefined).length > 1)
      throw new UsageError(`${place}: a request has one body. Give one of json, form and multipart`)
    checkAuth(place, options.auth)
    if ([options.auth ?? []].flat().some(({ type }) => type === 'client certificate'))
      throw new UsageError(`${place}: a client certificate belongs to the whole API. Give it to http()`)
    checkEmptyOn(place, options.emptyOn)
    if (options.format !== undefined) checkFormat(`${place}: format`, options.format)
    const responseRules = rules && readResponseRules(place, rules, options.auth ?? auth)
    const body = multipart && { form: multipart, multipart: true as const }
    return new Endpoint(this.api, Object.freeze({ ...request, ...options, ...body, ...defined({ responseRules }) }))
  }
}

/**
 * An API: its base URL, credentials and limits. All streams that are made from it share the limits.
 *
 * @example
 * const api = http('https://api.example/v1', { auth: bearer(secret('API_TOKEN')), rate: '10/s' })
 */
export function http(base: string, options: HttpOptions = {}): HttpApi {
  const place = `http(${JSON.stringify(base)})`
  if (!URL.canParse(base) || !/^https?:/.test(base))
    throw new UsageError(`${place}: this is not a URL. Write scheme and host, as in 'https://api.example/v1'`)
  const { username, password, search, hash } = new URL(base)
  if (username || password)
    throw new UsageError(`http(): the base contains credentials. Give them as auth: basic(user, secret('PASSWORD'))`)
  if (search || hash)
    throw new UsageError(`${place}: a base has no query and no fragment. Put parameters into the request`)
  rejectRenamedWords(place, options, { allow: 'allowedOrigins', pageBytes: 'maxPageSize' })
  checkAuth(place, options.auth)
  const { rate, ratePer, timeout, concurrency, attempts, maxPageSize, allowedOrigins } = options
  if (rate !== undefined) checkValue(`${place}: rate`, () => parseRate(rate))
  if (ratePer !== undefined && ratePer !== 'account' && ratePer !== 'app')
    throw new UsageError(`${place}: ratePer is 'account' or 'app', not ${JSON.stringify(ratePer)}`)
  if (timeout !== undefined) checkValue(`${place}: timeout`, () => duration(timeout))
  if (maxPageSize !== undefined) checkValue(`${place}: maxPageSize`, () => parseSize(maxPageSize))
  for (const [name, value] of Object.entries({ concurrency, attempts })) {
    if (value !== undefined && (!Number.isInteger(value) || value < 1))
      throw new UsageError(`${place}: ${name} must be a whole number from 1, not ${value}`)
  }
  for (const origin of allowedOrigins ?? []) {
    if (!URL.canParse(origin))
      throw new UsageError(
        `${place}: ${JSON.stringify(origin)} in allowedOrigins is not an origin. Write it like 'https://files.example'`,
      )
  }
  const { responseRules: rules, ...others } = options
  const responseRules = rules && readResponseRules(place, rules, options.auth)
  return new HttpApi({ base: base.replace(/\/+$/, ''), ...others, ...defined({ responseRules }) })
}

function provenPath(path: Path, { base }: Api): Path {
  const [begin] = typeof path === 'string' ? [path] : path.texts
  if (begin?.startsWith('/')) return path
  throw new UsageError(`${base}: the path ${JSON.stringify(begin)} must begin with a slash`)
}
