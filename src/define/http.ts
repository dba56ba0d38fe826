import { UsageError } from '../model/errors.ts'
import { parseRate } from '../model/rate.ts'
import type { Api, Auth, Duration, Given, Query, Rate, Request, Sent } from '../model/request.ts'
import { Endpoint } from './endpoint.ts'
import { duration } from '../value/duration.ts'
import { parseSize, type Size } from '../value/size.ts'
import { checkValue } from './check-value.ts'
import type { Path } from './path.ts'
import { rejectRenamedWords } from './renamed-words.ts'

export interface HttpOptions {
  /** @default none */
  auth?: Auth
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>>
  /** Shared by all streams of a run that ask this API. @default no limit */
  rate?: Rate
  /** Requests under way at once. @default 8 */
  concurrency?: number
  /** For one try of one request. @default '60s' */
  timeout?: Duration
  /** Tries of one request, the first included. @default 5 */
  attempts?: number
  /** The largest decoded body that is accepted, such as `'64MB'` or a number of bytes. @default '64MB' */
  maxPageSize?: Size
  /** Other origins that a link or a redirect may lead to. Credentials are never sent there. @default none */
  allowedOrigins?: readonly string[]
}

export interface RequestOptions {
  /** They win over those of the API. */
  headers?: Readonly<Record<string, string>>
  /**
   * Statuses that mean "there is nothing here", as a 404 for a customer without invoices: no records instead of a
   * failure. @default none
   */
  emptyOn?: readonly number[]
}

export interface PostOptions extends RequestOptions {
  json?: Given<Sent>
  query?: Given<Query>
}

/** Endpoints of one API. Nothing is requested before a run asks. */
export class HttpApi {
  readonly api: Api

  constructor(api: Api) {
    this.api = Object.freeze(api)
    Object.freeze(this)
  }

  /** `Body` is what the API promises; `.validate` proves it. */
  get<Body>(path: Path, query?: Given<Query>, options: RequestOptions = {}): Endpoint<Body> {
    return this.#endpoint({ method: 'GET', path: provenPath(path, this.api), ...(query && { query }), ...options })
  }

  post<Body>(path: Path, options: PostOptions = {}): Endpoint<Body> {
    return this.#endpoint({ method: 'POST', path: provenPath(path, this.api), ...options })
  }

  /** `Data` is what stands in `data` of the answer; an answer with `errors` fails. */
  graphql<Data>(
    document: string,
    variables: Given<Sent> = {},
    options: Pick<RequestOptions, 'headers'> = {},
  ): Endpoint<Data> {
    return this.#endpoint({ method: 'POST', path: '', json: variables, graphql: document, ...options })
  }

  #endpoint<Body>(request: Request): Endpoint<Body> {
    return new Endpoint(this.api, Object.freeze(request))
  }
}

/** An API to ask. */
export function http(base: string, options: HttpOptions = {}): HttpApi {
  const place = `http(${JSON.stringify(base)})`
  if (!URL.canParse(base) || !/^https?:/.test(base))
    throw new UsageError(`${place}: this is no URL: write scheme and host, as in 'https://api.example/v1'`)
  const { username, password, search, hash } = new URL(base)
  if (username || password)
    throw new UsageError(`http(): the base holds credentials: give them as auth, basic(user, secret('PASSWORD'))`)
  if (search || hash)
    throw new UsageError(`${place}: a base has no query and no fragment: put parameters into the request`)
  rejectRenamedWords(place, options, { allow: 'allowedOrigins', pageBytes: 'maxPageSize' })
  const { rate, timeout, concurrency, attempts, maxPageSize, allowedOrigins } = options
  if (rate !== undefined) checkValue(`${place}: rate`, () => parseRate(rate))
  if (timeout !== undefined) checkValue(`${place}: timeout`, () => duration(timeout))
  if (maxPageSize !== undefined) checkValue(`${place}: maxPageSize`, () => parseSize(maxPageSize))
  for (const [name, value] of Object.entries({ concurrency, attempts })) {
    if (value !== undefined && (!Number.isInteger(value) || value < 1))
      throw new UsageError(`${place}: ${name} must be a whole number from 1, not ${value}`)
  }
  for (const origin of allowedOrigins ?? []) {
    if (!URL.canParse(origin))
      throw new UsageError(
        `${place}: ${JSON.stringify(origin)} in allowedOrigins is no origin: write 'https://files.example'`,
      )
  }
  return new HttpApi({ base: base.replace(/\/+$/, ''), ...options })
}

function provenPath(path: Path, { base }: Api): Path {
  const [begin] = typeof path === 'string' ? [path] : path.texts
  if (begin?.startsWith('/')) return path
  throw new UsageError(`${base}: the path ${JSON.stringify(begin)} must begin with a slash`)
}
