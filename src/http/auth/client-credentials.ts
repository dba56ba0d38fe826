import type { Dispatcher } from 'undici'
import { abortable } from '../../flow/signals/abortable.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import { deadline, TimeoutError } from '../../flow/signals/timeout.ts'
import { DecodeError, HttpError } from '../../model/errors.ts'
import type { Auth } from '../../model/request.ts'
import type { Secrets } from '../../model/scope.ts'
import { redactUrl } from '../../observe/redact.ts'
import { urlOf, type Addresses } from '../address.ts'
import { secretsOf, type Authorization, type Credentials } from './authorization.ts'
import { decodeJson } from '../body/decode.ts'
import { ACCEPT_ENCODING, decompress } from '../body/decompress.ts'
import { connectionError, statusError, TransientError } from '../request-error.ts'
import { receive } from '../body/receive.ts'
import type { Time } from '../limits/time.ts'

type ClientCredentialsAuth = Extract<Auth, { type: 'client credentials' }>

interface Token extends Credentials {
  readonly until: number
}

export interface TokenOptions {
  readonly addresses: Addresses
  readonly agent: Dispatcher
  readonly secrets: Secrets
  readonly timeoutMs: number
  readonly time: Time
  readonly now: () => Date
}

/** A token lives so long where its server does not say. */
const DEFAULT_LIFETIME_S = 3_600
/** It is not used for the last part of its life, in which it could end on its way. */
const REFRESH_EARLY = { part: 0.1, seconds: 60 }
const MAX_RESPONSE_BYTES = 1_048_576

/**
 * OAuth 2 client credentials. A token is kept until shortly before its end and fetched again after a 401; callers who
 * need one at the same time share one fetch, which has a time limit of its own and ends for none of them because
 * another one was cancelled.
 */
export class ClientCredentialsAuthorization implements Authorization, Disposable {
  readonly secrets: readonly string[]
  readonly parameters = []
  readonly #auth: ClientCredentialsAuth
  readonly #options: TokenOptions
  /** Named by the definition, so it may be of any origin. */
  readonly #url: URL
  readonly #life = new LinkedSignal()
  #token: Token | undefined
  #fetching: Promise<Token> | undefined

  constructor(auth: ClientCredentialsAuth, options: TokenOptions) {
    this.#auth = auth
    this.#options = options
    this.#url = urlOf(options.addresses, { url: auth.tokenUrl, query: {} })
    this.secrets = secretsOf(auth)
  }

  async credentials({ signal }: { readonly signal: AbortSignal }): Promise<Credentials> {
    if (this.#token && this.#options.time.clock() < this.#token.until) return this.#token
    return abortable(this.#shared(), signal)
  }

  /** Forget a token that was refused, unless somebody has fetched another one meanwhile. */
  renew(refused: Credentials): boolean {
    if (this.#token === refused) this.#token = undefined
    return true
  }

  [Symbol.dispose](): void {
    this.#life.abort(new Error('The client of this API was closed'))
  }

  #shared(): Promise<Token> {
    if (this.#fetching) return this.#fetching
    const fetching = this.#fetch().finally(() => {
      this.#fetching = undefined
    })
    // All who wait for it may have been cancelled by the time it fails.
    fetching.catch(() => {})
    this.#fetching = fetching
    return fetching
  }

  async #fetch(): Promise<Token> {
    const { time, secrets } = this.#options
    const asked = time.clock()
    const answer = await this.#ask()
    const { access_token: token, expires_in: expiresIn } = (
      typeof answer === 'object' && answer !== null ? answer : {}
    ) as Readonly<Record<string, unknown>>
    if (typeof token !== 'string' || token === '')
      throw new DecodeError(`${this.#label()} answered no access_token: is this the token endpoint?`)
    const told = expiresIn === undefined || expiresIn === null ? DEFAULT_LIFETIME_S : Number(expiresIn)
    const seconds = Number.isFinite(told) ? told : DEFAULT_LIFETIME_S
    secrets.register?.('access token', token)
    this.#token = {
      headers: { authorization: `Bearer ${token}` },
      query: {},
      until: asked + (seconds - Math.min(seconds * REFRESH_EARLY.part, REFRESH_EARLY.seconds)) * 1_000,
    }
    return this.#token
  }

  async #ask(): Promise<unknown> {
    const { agent, timeoutMs, now, secrets } = this.#options
    const label = this.#label()
    const body = this.#form()
    const tooLarge = (): DecodeError =>
      new DecodeError(`${label} answered more than ${MAX_RESPONSE_BYTES} bytes: is this the token endpoint?`)
    using limit = deadline(this.#life.signal, timeoutMs, label)
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
          wants: (status) => (status >= 200 && status <= 299 ? { bytes: MAX_RESPONSE_BYTES, tooLarge } : undefined),
        },
      )
      if (bytes === undefined) {
        const refused = status === 400 || status === 401 || status === 403
        throw statusError(status, headers, {
          label,
          remedy: refused
            ? `: the client credentials were refused; check ${this.secrets.join(' and ')} and the scope`
            : '',
          now: now(),
        })
      }
      const unpacked = await decompress(bytes, {
        encoding: headers['content-encoding'],
        limit: MAX_RESPONSE_BYTES,
        label,
        tooLarge,
      })
      return decodeJson(unpacked, {
        status,
        contentType: headers['content-type'],
        measured: true,
        label,
        hide: secrets.hide,
      })
    } catch (error) {
      if (error instanceof HttpError || error instanceof DecodeError || error instanceof TransientError) throw error
      this.#life.signal.throwIfAborted()
      if (error instanceof TimeoutError) throw new TransientError(error.message, { location: label, cause: error })
      throw connectionError(error, label)
    }
  }

  #label(): string {
    const { origin, pathname } = this.#url
    return `POST ${redactUrl(origin + pathname)}`
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
