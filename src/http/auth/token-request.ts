import type { Dispatcher } from 'undici'
import { deadline, TimeoutError } from '../../flow/signals/timeout.ts'
import { DecodeError, HttpError } from '../../model/errors.ts'
import type { Budget, Secrets } from '../../model/scope.ts'
import { redactUrl } from '../../observe/redact.ts'
import { defined } from '../../value/defined.ts'
import { isOnOwnHost, urlOf, type Addresses } from '../address.ts'
import { decodeJson, wholeBody } from '../body/decode.ts'
import { ACCEPT_ENCODING, decompress } from '../body/decompress.ts'
import { receive, type RawResponse } from '../body/receive.ts'
import { limitedPathOf } from '../limits/limited-path.ts'
import type { Time } from '../limits/time.ts'
import { connectionError, statusError, TransientError } from '../request-error.ts'
import type { CredentialsOptions } from './authorization.ts'

/** What fetching a token needs from the client of the API. */
export interface TokenOptions {
  readonly addresses: Addresses
  readonly agent: Dispatcher
  readonly secrets: Secrets
  /** Of the API: a token request to its host counts in it. */
  readonly budget: Budget
  readonly timeoutMs: number
  readonly time: Time
  readonly now: () => Date
}

export interface TokenRequestOptions extends Pick<CredentialsOptions, 'stream' | 'onWait'> {
  /** Ends the request, whoever waits for its token. */
  readonly signal: AbortSignal
  /** Says which credentials were refused, and the remedy. */
  readonly refusal: string
}

/** An answer with a token. */
export interface TokenResponse {
  readonly accessToken: string
  /** By `expires_in`, counted from the request on. @default 3_600_000 */
  readonly lifetimeMs: number
  /** On the clock of `Time`. */
  readonly requestedAt: number
  /** All fields of the answer, such as `refresh_token`. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Lifetime of a token whose server states none. */
const DEFAULT_LIFETIME_S = 3_600
/** Refresh a token this long before its expiry, so that it never expires in flight. The shorter of the two. */
const REFRESH_EARLY = { fraction: 0.1, ms: 60_000 }
const MAX_RESPONSE_BYTES = 1_048_576
/** Statuses by which a token endpoint refuses the credentials. */
const REFUSALS = [400, 401, 403]

/** How long to use a token that lasts `lifetimeMs`, in milliseconds. */
export const usableMs = (lifetimeMs: number): number =>
  lifetimeMs - Math.min(lifetimeMs * REFRESH_EARLY.fraction, REFRESH_EARLY.ms)

/** The endpoint that answers with tokens. The definition names it, so it may be on any origin. */
export class TokenEndpoint {
  /** Names its requests in messages. */
  readonly label: string
  readonly #options: TokenOptions
  readonly #url: URL
  readonly #isOnOwnHost: boolean
  /** The path that a long wait of the token endpoint holds for. */
  readonly #path: string

  /** `tokenUrl` is absolute, or a path below the API's base. */
  constructor(tokenUrl: string, options: TokenOptions) {
    this.#options = options
    this.#url = urlOf(options.addresses, { url: tokenUrl, query: {} })
    this.label = `POST ${redactUrl(this.#url.origin + this.#url.pathname)}`
    this.#isOnOwnHost = isOnOwnHost(options.addresses, this.#url)
    this.#path = limitedPathOf(this.#url, this.#isOnOwnHost)
  }

  /**
   * Sends one token request, the fields as a form, and hides the token that it returns. Takes no slot: the request that
   * needs the token holds one, and sends nothing meanwhile. Throws `HttpError` if the server refuses, `TransientError`
   * if the next try may succeed, and `DecodeError` for an answer without a token.
   */
  async request(
    form: Readonly<Record<string, string>>,
    { signal, onWait, ...options }: TokenRequestOptions,
  ): Promise<TokenResponse> {
    const { time, secrets, budget } = this.#options
    await budget.acquire(this.#isOnOwnHost ? 1 : 0, { signal, paths: [this.#path], ...defined({ onWait }) })
    const requestedAt = time.clock()
    const body = await this.#send(new URLSearchParams(form).toString(), { signal, ...options })
    const fields = (typeof body === 'object' && body !== null ? body : {}) as TokenResponse['fields']
    const { access_token: accessToken, expires_in: expiresIn } = fields
    if (typeof accessToken !== 'string' || accessToken === '')
      throw new DecodeError(`${this.label} answered without an access_token: is this the token endpoint?`)
    secrets.register?.('access token', accessToken)
    return { accessToken, lifetimeMs: lifetimeOf(expiresIn) * 1_000, requestedAt, fields }
  }

  async #send(body: string, { signal, stream, refusal }: Omit<TokenRequestOptions, 'onWait'>): Promise<unknown> {
    const { agent, budget, timeoutMs } = this.#options
    using limit = deadline(signal, timeoutMs, this.label)
    try {
      const response = await receive(
        agent,
        {
          origin: this.#url.origin,
          path: this.#url.pathname + this.#url.search,
          method: 'POST',
          body,
          headers: {
            accept: 'application/json',
            'accept-encoding': ACCEPT_ENCODING,
            'content-type': 'application/x-www-form-urlencoded',
          },
        },
        {
          signal: limit.signal,
          limitOf: (status, headers) => {
            budget.observe(status, headers, { ...this.#asked, request: this.label, stream })
            return status >= 200 && status <= 299
              ? { bytes: MAX_RESPONSE_BYTES, tooLarge: () => this.#tooLarge() }
              : undefined
          },
        },
      )
      return await this.#read(response, refusal)
    } catch (error) {
      if (error instanceof HttpError || error instanceof DecodeError || error instanceof TransientError) throw error
      signal.throwIfAborted()
      if (error instanceof TimeoutError) throw new TransientError(error.message, { location: this.label, cause: error })
      throw connectionError(error, this.label)
    }
  }

  async #read({ status, headers, bytes }: RawResponse, refusal: string): Promise<unknown> {
    const { label } = this
    const { addresses, now, secrets } = this.#options
    if (bytes === undefined)
      throw statusError(status, headers, {
        label,
        credentialsProblem: REFUSALS.includes(status) ? refusal : undefined,
        now: now(),
        origin: addresses.origin,
        ...this.#asked,
      })
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
        hide: secrets.hide,
      }),
    )
  }

  get #asked(): { readonly path: string; readonly reach: 'path' | undefined } {
    return { path: this.#path, reach: this.#isOnOwnHost ? undefined : 'path' }
  }

  #tooLarge(): DecodeError {
    return new DecodeError(`${this.label} answered more than ${MAX_RESPONSE_BYTES} bytes: is this the token endpoint?`)
  }
}

/** Reads the `expires_in` of a token, in seconds. */
function lifetimeOf(expiresIn: unknown): number {
  const seconds = expiresIn === undefined || expiresIn === null ? DEFAULT_LIFETIME_S : Number(expiresIn)
  return Number.isFinite(seconds) ? seconds : DEFAULT_LIFETIME_S
}
