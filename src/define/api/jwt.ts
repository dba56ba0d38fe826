import { UsageError } from '../../model/errors.ts'
import type { JwtAlgorithm, JwtGrant } from '../../model/jwt.ts'
import type { Auth, Duration, Secret } from '../../model/request.ts'
import { isSecret } from '../../model/secrets-of.ts'
import type { LoginValue } from '../../model/session.ts'
import { defined } from '../../value/defined.ts'
import { duration } from '../../value/duration.ts'
import { checkValue } from '../check-value.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'
import { proven } from './auth.ts'

/** Options of `jwt()`. */
export interface JwtOptions {
  /** The private key: PEM or a JWK as JSON. For `'HS256'` the shared secret. */
  readonly key: Secret
  /** @default 'RS256' */
  readonly algorithm?: JwtAlgorithm
  /** `kid`, the name of the key at the API. @default that of a JWK, else none */
  readonly keyId?: string | Secret
  /** `iss`, such as the id of the client or of the app. */
  readonly issuer?: string | Secret
  /** `sub`, such as the user to act for. @default none */
  readonly subject?: string | Secret
  /** `aud`. @default the token URL, if there is one */
  readonly audience?: string
  /** What the token may do: a claim of the JWT; with the grant `'client-credentials'` a field of the form. */
  readonly scope?: string
  /** Further claims. They may contain secrets. */
  readonly claims?: Readonly<Record<string, LoginValue>>
  /** From `iat`, one minute ago because clocks differ, to `exp`: `'2m'` to `'1h'`. @default '5m' */
  readonly lifetime?: Duration
  /**
   * The URL that exchanges the JWT for a token: absolute, or a path below the API's base.
   * @default the JWT itself is sent as the token
   */
  readonly tokenUrl?: string
  /** `'client-credentials'` sends the JWT in place of a client secret. @default 'jwt-bearer' */
  readonly grant?: JwtGrant
  /** Further fields of the form that exchanges it: texts and secrets. */
  readonly fields?: Readonly<Record<string, string | Secret>>
}

/**
 * Signs a JWT. With `tokenUrl` it is an assertion that is exchanged for a token (RFC 7523). Without, it is the token
 * itself: `authorization: Bearer …`. Both are made anew before they expire, and once after a 401.
 *
 * @example
 * jwt({ key: secret('PRIVATE_KEY'), issuer: 'my-client', subject: 'me@x.example', tokenUrl: '/oauth/token' })
 * jwt({ key: secret('APPLE_KEY'), algorithm: 'ES256', keyId: 'K', issuer: 'I', audience: 'appstoreconnect-v1' })
 */
export function jwt(options: JwtOptions): Auth {
  checkOptions('jwt', options, JWT_OPTIONS)
  const { key, algorithm = 'RS256', lifetime = '5m', grant = 'jwt-bearer', tokenUrl, fields } = options
  const { keyId, issuer, subject, audience, scope, claims } = options
  oneOf('algorithm', algorithm, ALGORITHMS)
  oneOf('grant', grant, GRANTS)
  for (const [name, value] of Object.entries({ keyId, issuer, subject }))
    if (value !== undefined && !isSecret(value)) text(name, value)
  for (const [name, value] of Object.entries({ audience, scope, tokenUrl })) if (value !== undefined) text(name, value)
  for (const [name, value] of Object.entries({ fields, claims }))
    if (value !== undefined && (typeof value !== 'object' || value === null || isSecret(value)))
      throw new UsageError(`jwt(): ${name} must be an object, as in ${name}: { name: 'value' }`)
  for (const [name, value] of Object.entries(fields ?? {})) if (!isSecret(value)) text(`fields.${name}`, value)
  const ms = checkValue('jwt(): lifetime', () => duration(lifetime))
  if (ms < 120_000 || ms > 3_600_000) throw new UsageError("jwt(): lifetime must be '2m' to '1h'")
  if (tokenUrl === undefined && (fields !== undefined || options.grant !== undefined))
    throw new UsageError('jwt(): fields and grant belong to the exchange of the JWT. Give its tokenUrl')
  return Object.freeze({
    type: 'jwt',
    key: proven('jwt', key),
    algorithm,
    lifetime,
    grant,
    ...defined({ keyId, issuer, subject, audience, scope, claims, tokenUrl, fields }),
  })
}

/** Options of `googleServiceAccount()`. */
export interface GoogleServiceAccountOptions {
  /** The content of the JSON file that Google gives out. `NAME_FILE` may name the file. */
  readonly key: Secret
  /** One scope or several. */
  readonly scope: string | readonly string[]
  /** The user to act for, with domain-wide delegation. @default the service account itself */
  readonly subject?: string | Secret
  /** @default 'https://oauth2.googleapis.com/token' */
  readonly tokenUrl?: string
}

/**
 * A service account of Google: the short form of `jwt()` for it. The JSON file names the account and the key.
 *
 * @example
 * googleServiceAccount({ key: secret('GOOGLE_KEY'), scope: 'https://www.googleapis.com/auth/analytics.readonly' })
 */
export function googleServiceAccount(options: GoogleServiceAccountOptions): Auth {
  checkOptions('googleServiceAccount', options, GOOGLE_OPTIONS)
  const { key, scope, subject, tokenUrl = 'https://oauth2.googleapis.com/token' } = options
  const scopes = [scope ?? []].flat()
  if (scopes.length === 0 || scopes.some((one: unknown) => typeof one !== 'string' || one === ''))
    throw new UsageError('googleServiceAccount(): give the scope as text or as a list of texts')
  return jwt({
    key: proven('googleServiceAccount', key),
    tokenUrl,
    scope: scopes.join(' '),
    lifetime: '1h',
    ...defined({ subject }),
  })
}

const ALGORITHMS: readonly JwtAlgorithm[] = ['RS256', 'ES256', 'HS256']
const GRANTS: readonly JwtGrant[] = ['jwt-bearer', 'client-credentials']
const JWT_OPTIONS: OptionNames<JwtOptions> = {
  key: true,
  algorithm: true,
  keyId: true,
  issuer: true,
  subject: true,
  audience: true,
  scope: true,
  claims: true,
  lifetime: true,
  tokenUrl: true,
  grant: true,
  fields: true,
}
const GOOGLE_OPTIONS: OptionNames<GoogleServiceAccountOptions> = {
  key: true,
  scope: true,
  subject: true,
  tokenUrl: true,
}

function checkOptions(word: string, options: object, known: Readonly<Record<string, true>>): void {
  if (typeof options !== 'object' || options === null)
    throw new UsageError(`${word}(): give its options, as in ${word}({ key: secret('PRIVATE_KEY'), … })`)
  rejectUnknownOptions(`${word}()`, options, known)
}

function text(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw new UsageError(`jwt(): ${name} must be text`)
}

function oneOf(name: string, value: string, values: readonly string[]): void {
  if (!values.includes(value))
    throw new UsageError(`jwt(): ${name} must be one of ${values.join(', ')}, not ${JSON.stringify(value)}`)
}
