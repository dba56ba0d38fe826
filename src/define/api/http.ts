import { UsageError } from '../../model/errors.ts'
import { parseLimits } from '../../model/rate.ts'
import type { JobRequest } from '../../model/job.ts'
import type { Api, Given, LimitHeaders, Query, Request, Sent } from '../../model/request.ts'
import { rejectUnknownOptions } from '../../model/unknown-option.ts'
import { checkAuth } from './auth.ts'
import { multipartOf } from './file-part.ts'
import { Endpoint } from './endpoint.ts'
import { defined } from '../../value/defined.ts'
import { portProblem } from '../../value/port.ts'
import { duration } from '../../value/duration.ts'
import { parseSize } from '../../value/size.ts'
import { checkValue } from '../check-value.ts'
import { checkFormat } from './formats.ts'
import { checkGraphql, GRAPHQL_OPTIONS, type GraphqlOptions } from './graphql.ts'
import {
  HINTS_OF_GET,
  HINTS_OF_HTTP,
  HINTS_OF_POST,
  HTTP_OPTIONS,
  POST_OPTIONS,
  REQUEST_OPTIONS,
  type HttpOptions,
  type PostOptions,
  type RequestOptions,
} from './http-options.ts'
import type { Path } from './path.ts'
import { rejectRenamedWords } from '../renamed-words.ts'
import { checkEmptyOn, readResponseRules } from './response-rules.ts'

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
    rejectUnknownOptions(placeOf('GET', path, this.api), options, REQUEST_OPTIONS, HINTS_OF_GET)
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
  graphql<Data>(document: string, variables: Given<Sent> = {}, given: GraphqlOptions = {}): Endpoint<Data> {
    rejectUnknownOptions(`POST ${this.api.base}`, given, GRAPHQL_OPTIONS)
    const { errors, persisted, ...options } = given
    checkGraphql(`POST ${this.api.base}`, { errors, persisted })
    return this.#endpoint(
      { method: 'POST', path: '', json: variables, graphql: document, ...defined({ errors, persisted }) },
      options,
    )
  }

  #endpoint<Body>(request: Request, given: PostOptions): Endpoint<Body> {
    const { auth } = this.api
    const place = placeOf(request.method, request.path, this.api)
    rejectUnknownOptions(place, given, POST_OPTIONS, HINTS_OF_POST)
    const { responseRules: rules, multipart, ...options } = given
    const { timeout, json, form, rate } = options
    if (rate !== undefined) checkValue(`${place}: rate`, () => parseLimits(rate))
    if (timeout !== undefined) checkValue(`${place}: timeout`, () => duration(timeout))
    if ([json, form, multipart].filter((body) => body !== undefined).length > 1)
      throw new UsageError(`${place}: a request has one body. Give one of json, form and multipart`)
    checkAuth(place, options.auth)
    if ([options.auth ?? []].flat().some(({ type }) => type === 'client certificate'))
      throw new UsageError(`${place}: a client certificate belongs to the whole API. Give it to http()`)
    checkEmptyOn(place, options.emptyOn)
    if (options.format !== undefined) checkFormat(`${place}: format`, options.format)
    const responseRules = rules && readResponseRules(place, rules, options.auth ?? auth)
    const body = multipart && multipartOf(place, multipart)
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
    throw new UsageError(
      `${place}: this is not a URL${portProblem(base)}. Write scheme and host, as in 'https://api.example/v1'`,
    )
  const { username, password, search, hash } = new URL(base)
  if (username || password)
    throw new UsageError(`http(): the base contains credentials. Give them as auth: basic(user, secret('PASSWORD'))`)
  if (search || hash)
    throw new UsageError(`${place}: a base has no query and no fragment. Put parameters into the request`)
  rejectRenamedWords(place, options, { allow: 'allowedOrigins', pageBytes: 'maxPageSize' })
  rejectUnknownOptions(place, options, HTTP_OPTIONS, HINTS_OF_HTTP)
  checkAuth(place, options.auth)
  const { rate, ratePer, timeout, concurrency, attempts, maxPageSize, allowedOrigins } = options
  if (rate !== undefined) checkValue(`${place}: rate`, () => parseLimits(rate))
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
  const { responseRules: rules, limitHeaders: budgets, ...others } = options
  const limitHeaders = budgets && checkLimitHeaders(place, budgets)
  const responseRules = rules && readResponseRules(place, rules, options.auth)
  return new HttpApi({ base: base.replace(/\/+$/, ''), ...others, ...defined({ responseRules, limitHeaders }) })
}

const placeOf = (method: string, path: Request['path'], { base }: Api): string =>
  `${method} ${base}${typeof path === 'object' ? path.texts.join('…') : path}`

/** Returns the headers in lower case. Throws a UsageError for budgets without their names. */
function checkLimitHeaders(place: string, budgets: readonly LimitHeaders[]): readonly LimitHeaders[] {
  if (!Array.isArray(budgets))
    throw new UsageError(`${place}: limitHeaders is a list, as in [{ remaining: 'x-left', reset: 'x-reset' }]`)
  return budgets.map((budget: LimitHeaders) => {
    rejectUnknownOptions(`${place}: limitHeaders`, budget, { remaining: true, reset: true, cost: true })
    const { remaining, reset, cost } = budget
    for (const name of [remaining, reset, cost ?? 'none'])
      if (typeof name !== 'string' || name === '')
        throw new UsageError(`${place}: limitHeaders names the headers remaining and reset of each budget`)
    return lowered({ remaining, reset, ...defined({ cost }) })
  })
}

const lowered = ({ remaining, reset, cost }: LimitHeaders): LimitHeaders => ({
  remaining: remaining.toLowerCase(),
  reset: reset.toLowerCase(),
  ...defined({ cost: cost?.toLowerCase() }),
})

function provenPath(path: Path, { base }: Api): Path {
  const [begin] = typeof path === 'string' ? [path] : path.texts
  if (begin?.startsWith('/')) return path
  throw new UsageError(`${base}: the path ${JSON.stringify(begin)} must begin with a slash`)
}
