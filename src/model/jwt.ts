// A JSON Web Token that Sluice signs: an assertion that is exchanged for a token, or the token itself.
import type { Duration, Secret } from './request.ts'
import type { LoginValue } from './session.ts'

/** How a JWT is signed. */
export type JwtAlgorithm = 'RS256' | 'ES256' | 'HS256'

/** What an assertion is exchanged as: the grant itself, or what proves who the client is. */
export type JwtGrant = 'jwt-bearer' | 'client-credentials'

export interface JwtAuth {
  readonly type: 'jwt'
  /** A private key in PEM or as a JWK, the JSON of a service account of Google, or the secret of HS256. */
  readonly key: Secret
  readonly algorithm: JwtAlgorithm
  /** @default that of the key, if it names one */
  readonly keyId?: string | Secret
  /** @default that of the key, if it names one */
  readonly issuer?: string | Secret
  readonly subject?: string | Secret
  readonly audience?: string
  readonly scope?: string
  readonly claims?: Readonly<Record<string, LoginValue>>
  /** From `iat` to `exp`. */
  readonly lifetime: Duration
  /** The URL that exchanges the assertion for a token. Absent if the JWT is the token. */
  readonly tokenUrl?: string
  readonly grant: JwtGrant
  /** Further fields of the form. */
  readonly fields?: Readonly<Record<string, string | Secret>>
}
