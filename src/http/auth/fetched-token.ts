import { abortable } from '../../flow/signals/abortable.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import type { Grant } from '../../model/grant.ts'
import type { Time } from '../limits/time.ts'
import type { Authorization, Credentials, CredentialsOptions } from './authorization.ts'

/** A token that was fetched, and how long to use it. */
export interface Token {
  readonly accessToken: string
  /** On the clock of `Time`. */
  readonly usableUntil: number
  /** How requests send it. @default in the header `authorization`, after `Bearer` */
  readonly credentials?: Credentials
  /** What its answer says of it. */
  readonly grant?: Omit<Grant, 'isRenewed'>
}

export interface FetchOptions extends CredentialsOptions {
  /** Aborts when the client is closed, and not when one of those who wait is cancelled. */
  readonly signal: AbortSignal
  /** The access token that the API has refused, if that is why another one is wanted. */
  readonly refused: string | undefined
}

export interface FetchedTokenOptions {
  /** Names of the secrets that fetching needs. */
  readonly secrets: readonly string[]
  /** Names of the query parameters that the token is sent in. @default none */
  readonly parameters?: readonly string[]
  readonly time: Time
  readonly fetch: (options: FetchOptions) => Promise<Token>
  /** Ends what must not be left half done, once the client is closed. @default nothing */
  readonly close?: () => Promise<void>
}

interface TokenCredentials extends Credentials {
  readonly token: Token
}

/**
 * Credentials by a token that is fetched when it is needed, kept until shortly before its expiry, and fetched again
 * after a 401. Requests that need it at the same time share one fetch. It has its own time limit, and goes on if one of
 * them is cancelled.
 */
export class FetchedToken implements Authorization, AsyncDisposable {
  readonly secrets: readonly string[]
  readonly parameters: readonly string[]
  readonly #options: FetchedTokenOptions
  readonly #lifetime = new LinkedSignal()
  #current: TokenCredentials | undefined
  #refused: string | undefined
  #pending: Promise<TokenCredentials> | undefined

  constructor(options: FetchedTokenOptions) {
    this.#options = options
    this.secrets = options.secrets
    this.parameters = options.parameters ?? []
  }

  async credentials(options: CredentialsOptions): Promise<Credentials> {
    if (this.#current && this.#options.time.clock() < this.#current.token.usableUntil) return this.#current
    return abortable(this.#sharedFetch(options), options.signal)
  }

  /** Drops a token that was refused, unless it has been replaced already. */
  renew(refused: Credentials): boolean {
    if (this.#current === refused) {
      this.#refused = this.#current.token.accessToken
      this.#current = undefined
    }
    return true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetime.abort(new Error('The client of this API was closed'))
    await this.#options.close?.()
  }

  #sharedFetch(options: CredentialsOptions): Promise<TokenCredentials> {
    if (this.#pending) return this.#pending
    const pending = this.#fetch(options).finally(() => {
      this.#pending = undefined
    })
    // If every caller was cancelled, a failure has no other handler.
    pending.catch(() => {})
    this.#pending = pending
    return pending
  }

  async #fetch(options: CredentialsOptions): Promise<TokenCredentials> {
    const token = await this.#options.fetch({ ...options, signal: this.#lifetime.signal, refused: this.#refused })
    this.#refused = undefined
    const { credentials = { headers: { authorization: `Bearer ${token.accessToken}` }, query: {} } } = token
    this.#current = { ...credentials, grant: { ...token.grant, isRenewed: true }, token }
    return this.#current
  }
}
