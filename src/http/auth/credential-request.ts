// Requests whose answers are credentials: token requests and logins. Each is sent to the URL of the definition only.
import type { Dispatcher } from 'undici'
import { deadline, TimeoutError } from '../../flow/signals/timeout.ts'
import { DecodeError, HttpError, type HttpErrorOptions } from '../../model/errors.ts'
import type { ApiResponse, Method } from '../../model/request.ts'
import type { Budget, Secrets } from '../../model/scope.ts'
import type { TokenStore } from '../../model/tokens.ts'
import { redactUrl } from '../../observe/redact.ts'
import { defined } from '../../value/defined.ts'
import { defineErrorName } from '../../value/error.ts'
import { isOnOwnHost, urlOf, withParameters, type Addresses } from '../address.ts'
import { decodeJson, wholeBody } from '../body/decode.ts'
import { ACCEPT_ENCODING, decompress } from '../body/decompress.ts'
import { receive, type RawResponse } from '../body/receive.ts'
import { limitedPathOf } from '../limits/limited-path.ts'
import type { Time } from '../limits/time.ts'
import type { RequestBody } from '../prepare-request.ts'
import { toSign } from './to-sign.ts'
import { connectionError, statusError, TransientError } from '../request-error.ts'
import type { Credentials, CredentialsOptions } from './authorization.ts'

/** What fetching credentials needs from the client of the API. */
export interface TokenOptions {
  readonly addresses: Addresses
  readonly agent: Dispatcher
  readonly secrets: Secrets
  /** Of the API: a token request to its host counts in it. */
  readonly budget: Budget
  readonly timeoutMs: number
  readonly time: Time
  readonly now: () => Date
  /** Keeps refresh tokens for all processes. @default none: they cannot be used */
  readonly tokens?: TokenStore | undefined
}

export interface CredentialRequest {
  readonly query?: Readonly<Record<string, string>>
  /** In lower case. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody | undefined
  /** The credentials of the request itself. */
  readonly credentials?: Credentials
  /** False: the body of the answer is not read. @default true */
  readonly needsBody?: boolean
  /** True: the beginning of the answer is read as text, too. @default false */
  readonly needsText?: boolean
  /** Statuses of an answer with credentials. @default 200 to 299 */
  readonly isAccepted?: (status: number) => boolean
}

export interface CredentialRequestOptions extends Pick<CredentialsOptions, 'stream' | 'onWait'> {
  /** Ends the request, whoever waits for its answer. */
  readonly signal: AbortSignal
  /** Says which credentials were refused, and the remedy. The reason is an error code of OAuth 2. */
  readonly refusal: string | ((reason: string | undefined) => string)
  /** True: `admit` was awaited before. @default false */
  readonly isAdmitted?: boolean
}

/** An endpoint has refused the credentials. */
export class RefusedError extends HttpError {
  static {
    defineErrorName(this)
  }
  /** The error code of OAuth 2, such as `invalid_grant`. Undefined if the server gave none. */
  readonly reason: string | undefined

  constructor(message: string, reason: string | undefined, { status, location }: Omit<HttpErrorOptions, 'kind'>) {
    super(message, { kind: 'credentials', status, location })
    this.reason = reason
  }
}

export interface CredentialResponse extends Pick<RawResponse, 'status' | 'headers' | 'setCookies'> {
  readonly url: URL
  /** Decoded JSON; undefined if it was not needed. */
  readonly body: unknown
  /** The beginning of the body; '' if it was not asked for, or cannot be read. */
  readonly text: string
  /** On the clock of `Time`. */
  readonly requestedAt: number
}

/** Refresh credentials this long before their expiry, so that they never expire in flight. The shorter of the two. */
const REFRESH_EARLY = { fraction: 0.1, ms: 60_000 }
const MAX_RESPONSE_BYTES = 1_048_576
/** A page for people, which says why there are no credentials. Anything else may be the credentials themselves. */
const HTML = /^\s*<(?:!doctype\s+)?html\b/i
const NOT_SHOWN = 'not shown: it may hold credentials'
/** Statuses by which an endpoint refuses the credentials. */
const REFUSALS = [400, 401, 403]
/** Of a refusal this much is read, for its error code. */
const MAX_REFUSAL_BYTES = 16_384

/** Some servers write the greatest number there is for "never". No date and no interval of a database goes so far. */
export const MAX_LIFETIME_MS = 100 * 365 * 86_400_000

/** How long to use credentials that last `lifetimeMs`, in milliseconds. */
export const usableMs = (lifetimeMs: number): number =>
  lifetimeMs - Math.min(lifetimeMs * REFRESH_EARLY.fraction, REFRESH_EARLY.ms)

/** An endpoint that answers with credentials. The definition names it, so it may be on any origin. */
export class CredentialEndpoint {
  /** Names its requests in messages. */
  readonly label: string
  /** It is on the host of the API. */
  readonly isOnOwnHost: boolean
  readonly #options: TokenOptions
  readonly #method: Method
  readonly #url: URL
  /** What it is for, in messages. */
  readonly #purpose: string
  /** The path that a long wait of the endpoint holds for. */
  readonly #path: string

  /** `url` is absolute, or a path below the API's base. */
  constructor(
    { method, url, purpose }: { readonly method: Method; readonly url: string; readonly purpose: string },
    options: TokenOptions,
  ) {
    this.#options = options
    this.#method = method
    this.#url = urlOf(options.addresses, { url, query: {} })
    this.#purpose = purpose
    this.label = `${method} ${redactUrl(this.#url.origin + this.#url.pathname)}`
    this.isOnOwnHost = isOnOwnHost(options.addresses, this.#url)
    this.#path = limitedPathOf(this.#url, this.isOnOwnHost)
  }

  /** The absolute URL. */
  get href(): string {
    return this.#url.href
  }

  /**
   * Waits until a request may be sent. Takes no slot: the request that needs the credentials holds one, and sends
   * nothing meanwhile.
   */
  async admit({ signal, onWait }: Pick<CredentialRequestOptions, 'signal' | 'onWait'>): Promise<void> {
    const requests = this.isOnOwnHost ? 1 : 0
    await this.#options.budget.acquire(requests, { signal, paths: [this.#path], ...defined({ onWait }) })
  }

  /**
   * Sends one request and returns its answer. A redirect is not followed. Throws `HttpError` if the server refuses,
   * `TransientError` if the next try may succeed, and `DecodeError` for an answer that is no JSON.
   */
  async send(
    request: CredentialRequest,
    { signal, onWait, stream, refusal, isAdmitted = false }: CredentialRequestOptions,
  ): Promise<CredentialResponse> {
    const { agent, budget, timeoutMs, time } = this.#options
    const { needsBody = true, needsText = false, isAccepted = (status) => status >= 200 && status <= 299 } = request
    if (!isAdmitted) await this.admit({ signal, ...defined({ onWait }) })
    const requestedAt = time.clock()
    const { url, headers } = this.#prepared(request)
    using limit = deadline(signal, timeoutMs, this.label)
    try {
      const response = await receive(
        agent,
        {
          origin: url.origin,
          path: url.pathname + url.search,
          method: this.#method,
          headers,
          ...(request.body && { body: request.body.content }),
        },
        {
          signal: limit.signal,
          limitOf: (status, headers) => {
            budget.observe(status, headers, { ...this.#asked, request: this.label, stream })
            if (!isAccepted(status) && REFUSALS.includes(status)) return { bytes: MAX_REFUSAL_BYTES }
            if (!isAccepted(status) || !(needsBody || needsText)) return undefined
            return { bytes: MAX_RESPONSE_BYTES, ...(needsBody && { tooLarge: () => this.#tooLarge() }) }
          },
        },
      )
      const { status, headers: responseHeaders, setCookies } = response
      if (!isAccepted(status)) throw await this.#refused(response, refusal)
      const body = needsBody ? await this.#read(response) : undefined
      const text = needsText ? await this.#textOf(response) : ''
      return { status, headers: responseHeaders, setCookies, url, body, text, requestedAt }
    } catch (error) {
      if (error instanceof HttpError || error instanceof DecodeError || error instanceof TransientError) throw error
      signal.throwIfAborted()
      if (error instanceof TimeoutError) throw new TransientError(error.message, { location: this.label, cause: error })
      throw connectionError(error, this.label, this.#url)
    }
  }

  #prepared({ query = {}, headers = {}, body, credentials }: CredentialRequest): {
    readonly url: URL
    readonly headers: Readonly<Record<string, string>>
  } {
    const unsigned = {
      url: withParameters(this.#url, { ...query, ...credentials?.query }),
      headers: {
        accept: 'application/json',
        'accept-encoding': ACCEPT_ENCODING,
        'user-agent': 'sluice',
        ...(body && { 'content-type': body.type }),
        ...credentials?.headers,
        ...headers,
      },
    }
    const signature = credentials?.sign?.(toSign({ method: this.#method, ...unsigned }, body))
    if (!signature) return unsigned
    return {
      url: withParameters(unsigned.url, signature.query ?? {}),
      headers: { ...unsigned.headers, ...signature.headers },
    }
  }

  async #refused(response: RawResponse, refusal: CredentialRequestOptions['refusal']): Promise<Error> {
    const { addresses, now } = this.#options
    const { status, headers } = response
    if (status >= 300 && status <= 399) return this.#redirected(status, headers)
    const isRefusal = REFUSALS.includes(status)
    const reason = isRefusal ? reasonOf(await this.#read(response).catch(() => undefined)) : undefined
    const problem = typeof refusal === 'string' ? refusal : refusal(reason)
    const error = statusError(status, headers, {
      label: this.label,
      credentialsProblem: isRefusal ? problem : undefined,
      now: now(),
      origin: addresses.origin,
      ...this.#asked,
    })
    return error instanceof HttpError && error.kind === 'credentials'
      ? new RefusedError(error.message, reason, error)
      : error
  }

  #redirected(status: number, { location = '' }: ApiResponse<unknown>['headers']): HttpError {
    const target = URL.parse(location, this.#url.href)
    const to = target ? `, a redirect to ${redactUrl(target.origin + target.pathname)}` : ''
    return new HttpError(
      `${this.label} answered ${status}${to}: secrets are not sent on. ` +
        `Look at the answer, and give the URL of ${this.#purpose} itself`,
      { kind: 'redirect', status, location: this.label },
    )
  }

  async #read({ status, headers, bytes = Buffer.alloc(0) }: RawResponse): Promise<unknown> {
    const { label } = this
    const unpacked = await decompress(bytes, {
      encoding: headers['content-encoding'],
      limit: MAX_RESPONSE_BYTES,
      label,
      tooLarge: () => this.#tooLarge(),
    })
    return wholeBody(
      decodeJson(unpacked, {
        status,
        contentType: headers['content-type'],
        hasLength: true,
        label,
        hide: (text) => (HTML.test(text) ? this.#options.secrets.hide(text) : NOT_SHOWN),
      }),
    )
  }

  async #textOf({ headers, bytes = Buffer.alloc(0) }: RawResponse): Promise<string> {
    const { label } = this
    const encoding = headers['content-encoding']
    const options = { encoding, limit: MAX_RESPONSE_BYTES, label, tooLarge: () => this.#tooLarge() }
    return decompress(bytes, options).then(
      (unpacked) => Buffer.from(unpacked).toString('utf8'),
      () => '',
    )
  }

  get #asked(): { readonly path: string; readonly reach: 'path' | undefined } {
    return { path: this.#path, reach: this.isOnOwnHost ? undefined : 'path' }
  }

  #tooLarge(): DecodeError {
    return new DecodeError(`${this.label} answered more than ${MAX_RESPONSE_BYTES} bytes: is this ${this.#purpose}?`)
  }
}

/** Reads the error code of a refusal. What else it says is not repeated: a server may quote what it got. */
function reasonOf(body: unknown): string | undefined {
  const { error } = (typeof body === 'object' && body !== null ? body : {}) as Readonly<Record<string, unknown>>
  return typeof error === 'string' && /^\w{1,64}$/.test(error) ? error : undefined
}
