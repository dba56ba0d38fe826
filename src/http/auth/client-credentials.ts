import type { Dispatcher } from 'undici'
import { abortable } from '../../flow/signals/abortable.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import { deadline, TimeoutError } from '../../flow/signals/timeout.ts'
import { DecodeError, HttpError } from '../../model/errors.ts'
import type { Auth } from '../../model/request.ts'
import type { Budget, Secrets } from '../../model/scope.ts'
import { secretsOf } from '../../model/secrets-of.ts'
import { redactUrl } from '../../observe/redact.ts'
import { defined } from '../../value/defined.ts'
import { isOnOwnHost, urlOf, type Addresses } from '../address.ts'
import { decodeJson, wholeBody } from '../body/decode.ts'
import { ACCEPT_ENCODING, decompress } from '../body/decompress.ts'
import { receive } from '../body/receive.ts'
import { limitedPathOf } from '../limits/limited-path.ts'
import type { Time } from '../limits/time.ts'
import { connectionError, statusError, TransientError } from '../request-error.ts'
import type { Authorization, Credentials, CredentialsOptions } from './authorization.ts'

type ClientCredentialsAuth = Extract<Auth, { type: 'client credentials' }>

interface Token extends Credentials {
  /** On the clock of `Time`. */
  readonly usableUntil: number
}

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

/** Lifetime of a token whose server states none. */
const DEFAULT_LIFETIME_S = 3_600
/** Refresh a token this long before its expiry, so that it never expires in flight. The shorter of the two. */
const REFRESH_EARLY = { fraction: 0.1, seconds: 60 }
const MAX_RESPONSE_BYTES = 1_048_576
/** Statuses by which a token endpoint refuses the credentials. */
const REFUSALS = [400, 401, 403]

/**
 * OAuth 2 client credentials. A token is kept until shortly before its expiry and fetched again after a 401. Requests
 * that need a token at the same time share one fetch. It has its own time limit, and goes on if one of them is
 * cancelled.
 */
export class ClientCredentialsAuthorization implements Authorization, Disposable {
  readonly secrets: readonly string[]
  readonly parameters = []
  readonly #auth: ClientCredentialsAuth
  readonly #options: TokenOptions
  /** Given by the definition, so it may be on any origin. */
  readonly #url: URL
  readonly #label: string
  readonly #isOnOwnHost: boolean
  /** The path that a long wait of the token endpoint holds for. */
  readonly #path: string
  readonly #lifetime = new LinkedSignal()
  #token: Token | undefined
  #pending: Promise<Token> | undefined

  constructor(auth: ClientCredentialsAuth, options: TokenOptions) {
    this.#auth = auth
    this.#options = options
    this.#url = urlOf(options.addresses, { url: auth.tokenUrl, query: {} })
    this.#label = `POST ${redactUrl(this.#url.origin + this.#url.pathname)}`
    this.#isOnOwnHost = isOnOwnHost(options.addresses, this.#url)
    this.#path = limitedPathOf(this.#url, this.#isOnOwnHost)
    this.secrets = secretsOf(auth)
  }

  async credentials(options: CredentialsOptions): Promise<Credentials> {
    if (this.#token && this.#options.time.clock() < this.#token.usableUntil) return this.#token
    return abortable(this.#sharedFetch(options), options.signal)
  }

  /** Drops a token that was refused, unless it has been replaced already. */
  renew(refused: Credentials): boolean {
    if (this.#token === refused) this.#token = undefined
    return true
  }

  [Symbol.dispose](): void {
    this.#lifetime.abort(new Error('The client of this API was closed'))
  }

  #sharedFetch(options: CredentialsOptions): Promise<Token> {
    if (this.#pending) return this.#pending
    const pending = this.#fetch(options).finally(() => {
      this.#pending = undefined
    })
    // If every caller was cancelled, a failure has no other handler.
    pending.catch(() => {})
    this.#pending = pending
    return pending
  }

  /** Takes no slot: the request that needs the token holds one, and sends nothing meanwhile. */
  async #fetch({ stream, onWait }: CredentialsOptions): Promise<Token> {
    const { time, secrets, budget } = this.#options
    const { signal } = this.#lifetime
    await budget.acquire(this.#isOnOwnHost ? 1 : 0, { signal, paths: [this.#path], ...defined({ onWait }) })
    const requestedAt = time.clock()
    const response = await this.#request(stream)
    const { access_token: token, expires_in: expiresIn } = (
      typeof response === 'object' && response !== null ? response : {}
    ) as Readonly<Record<string, unknown>>
    if (typeof token !== 'string' || token === '')
      throw new DecodeError(`${this.#label} answered without an access_token: is this the token endpoint?`)
    secrets.register?.('access token', token)
    const seconds = lifetimeOf(expiresIn)
    const early = Math.min(seconds * REFRESH_EARLY.fraction, REFRESH_EARLY.seconds)
    this.#token = {
      headers: { authorization: `Bearer ${token}` },
      query: {},
      usableUntil: requestedAt + (seconds - early) * 1_000,
    }
    return this.#token
  }

  async #request(stream: string): Promise<unknown> {
    const { addresses, agent, budget, timeoutMs, now, secrets } = this.#options
    const label = this.#label
    const tooLarge = (): DecodeError =>
      new DecodeError(`${label} answered more than ${MAX_RESPONSE_BYTES} bytes: is this the token endpoint?`)
    const body = this.#form()
    const asked = { path: this.#path, reach: this.#isOnOwnHost ? undefined : ('path' as const) }
    using limit = deadline(this.#lifetime.signal, timeoutMs, label)
    try {
      const { status, headers, bytes } = await receive(
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
            budget.observe(status, headers, { ...asked, request: label, stream })
            return status >= 200 && status <= 299 ? { bytes: MAX_RESPONSE_BYTES, tooLarge } : undefined
          },
        },
      )
      if (bytes === undefined)
        throw statusError(status, headers, {
          label,
          credentialsProblem: this.#refusal(status),
          now: now(),
          origin: addresses.origin,
          ...asked,
        })
      const unpacked = await decompress(bytes, {
        encoding: headers['content-encoding'],
        limit: MAX_RESPONSE_BYTES,
        label,
        tooLarge,
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
    } catch (error) {
      if (error instanceof HttpError || error instanceof DecodeError || error instanceof TransientError) throw error
      this.#lifetime.signal.throwIfAborted()
      if (error instanceof TimeoutError) throw new TransientError(error.message, { location: label, cause: error })
      throw connectionError(error, label)
    }
  }

  #refusal(status: number): string | undefined {
    return REFUSALS.includes(status)
      ? `the client credentials were refused; check ${this.secrets.join(' and ')} and the scope`
      : undefined
  }

  #form(): string {
    const { clientId, clientSecret, scope, fields } = this.#auth
    const { secrets } = this.#options
    return new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: typeof clientId === 'string' ? clientId : secrets.value(clientId.secret),
      client_secret: secrets.value(clientSecret.secret),
      ...(scope === undefined ? {} : { scope }),
      ...fields,
    }).toString()
  }
}

/** Reads the `expires_in` of a token, in seconds. */
function lifetimeOf(expiresIn: unknown): number {
  const seconds = expiresIn === undefined || expiresIn === null ? DEFAULT_LIFETIME_S : Number(expiresIn)
  return Number.isFinite(seconds) ? seconds : DEFAULT_LIFETIME_S
}
