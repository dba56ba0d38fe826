import { DecodeError } from '../../model/errors.ts'
import type { Grant } from '../../model/grant.ts'
import type { ClientSecretIn, Secret } from '../../model/request.ts'
import type { Secrets } from '../../model/scope.ts'
import {
  CredentialEndpoint,
  MAX_LIFETIME_MS,
  type CredentialRequestOptions,
  type TokenOptions,
} from './credential-request.ts'
import { scopeIn } from './grant.ts'

/** An answer with a token. */
export interface TokenResponse {
  readonly accessToken: string
  /** By `expires_in`, counted from the request on. @default 3_600_000 */
  readonly lifetimeMs: number
  /** On the clock of `Time`. */
  readonly requestedAt: number
  /** What the answer says of the token. */
  readonly grant: Omit<Grant, 'isRenewed'>
  /** All fields of the answer, such as `refresh_token`. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Lifetime of a token whose server states none. */
const DEFAULT_LIFETIME_S = 3_600

/** Returns the fields by which a client names itself, and proves that with its secret if it has one. */
export const clientForm = (
  { clientId, clientSecret }: { readonly clientId: string | Secret; readonly clientSecret?: Secret },
  secrets: Secrets,
): Readonly<Record<string, string>> => ({
  client_id: typeof clientId === 'string' ? clientId : secrets.value(clientId.secret),
  ...(clientSecret && { client_secret: secrets.value(clientSecret.secret) }),
})

/** The endpoint that answers with tokens, as OAuth 2 says. */
export class TokenEndpoint {
  readonly #endpoint: CredentialEndpoint
  readonly #options: TokenOptions
  readonly #secretIn: ClientSecretIn

  /** `tokenUrl` is absolute, or a path below the API's base. */
  constructor(tokenUrl: string, options: TokenOptions, secretIn: ClientSecretIn = 'form') {
    this.#options = options
    this.#secretIn = secretIn
    this.#endpoint = new CredentialEndpoint({ method: 'POST', url: tokenUrl, purpose: 'the token endpoint' }, options)
  }

  /** The absolute URL. */
  get href(): string {
    return this.#endpoint.href
  }

  /** Waits until a request may be sent. */
  admit(options: Pick<CredentialRequestOptions, 'signal' | 'onWait'>): Promise<void> {
    return this.#endpoint.admit(options)
  }

  /** Names its requests in messages. */
  get label(): string {
    return this.#endpoint.label
  }

  /**
   * Sends one token request, the fields as a form, and hides the token that it returns. Throws `HttpError` if the
   * server refuses, `TransientError` if the next try may succeed, and `DecodeError` for an answer without a token.
   */
  async request(form: Readonly<Record<string, string>>, options: CredentialRequestOptions): Promise<TokenResponse> {
    const { headers, fields: sent } = this.#placed(form)
    const body = { type: 'application/x-www-form-urlencoded', content: new URLSearchParams(sent).toString() }
    const { body: answer, requestedAt } = await this.#endpoint.send({ body, headers }, options)
    const fields = (typeof answer === 'object' && answer !== null ? answer : {}) as TokenResponse['fields']
    const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn, scope } = fields
    if (typeof refreshToken === 'string') this.#options.secrets.register?.('refresh token', refreshToken)
    if (typeof accessToken !== 'string' || accessToken === '')
      throw new DecodeError(`${this.label} answered without an access_token: is this the token endpoint?`)
    this.#options.secrets.register?.('access token', accessToken)
    const lifetimeMs = Math.min(lifetimeOf(expiresIn) * 1_000, MAX_LIFETIME_MS)
    const endsAt = statesNone(expiresIn) ? undefined : new Date(this.#options.now().getTime() + lifetimeMs)
    return { accessToken, lifetimeMs, requestedAt, grant: { scope: scopeIn(scope), endsAt }, fields }
  }

  /** Moves the client's name and secret into the header, if they belong there. */
  #placed(form: Readonly<Record<string, string>>): {
    readonly headers: Readonly<Record<string, string>>
    readonly fields: Readonly<Record<string, string>>
  } {
    const { client_id: id, client_secret: secret, ...others } = form
    if (this.#secretIn === 'form' || id === undefined || secret === undefined) return { headers: {}, fields: form }
    const encoded = Buffer.from(`${inForm(id)}:${inForm(secret)}`).toString('base64')
    this.#options.secrets.register?.('client secret', encoded)
    return { headers: { authorization: `Basic ${encoded}` }, fields: others }
  }
}

const statesNone = (expiresIn: unknown): boolean => expiresIn === undefined || expiresIn === null

/** Encodes a text as a form does, as OAuth 2 wants both parts of the header. */
const inForm = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)

/** Reads the `expires_in` of a token, in seconds. */
function lifetimeOf(expiresIn: unknown): number {
  const seconds = statesNone(expiresIn) ? DEFAULT_LIFETIME_S : Number(expiresIn)
  return Number.isFinite(seconds) ? seconds : DEFAULT_LIFETIME_S
}
