import type { Grant } from '../../model/grant.ts'
import type { Auth } from '../../model/request.ts'
import type { RequestToSign, Signature } from '../../model/signature.ts'
import type { AcquireOptions, Secrets } from '../../model/scope.ts'
import { secretsOf } from '../../model/secrets-of.ts'
import type { SessionCookies } from './session-cookies.ts'

/** Headers and query parameters that authenticate a request. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  /** Returns what is added to one request, which has everything else already. Called for each try and redirect. */
  readonly sign?: (request: RequestToSign) => Signature
  /** What the answer that they came with says of them. Of credentials that are fetched only. */
  readonly grant?: Grant
  /** Cookies of a session. */
  readonly cookies?: SessionCookies
}

export interface CredentialsOptions extends Pick<AcquireOptions, 'signal' | 'onWait'> {
  /** The stream that needs the credentials. */
  readonly stream: string
}

/** Source of the credentials of one API. */
export interface Authorization {
  /** Names of its secrets. No other secret is revealed in requests to its API. */
  readonly secrets: readonly string[]
  /** Users that the definition names: a refusal may mean them as well as a secret. @default none */
  readonly users?: readonly string[]
  /** Names of the query parameters that it sets. */
  readonly parameters: readonly string[]
  readonly credentials: (options: CredentialsOptions) => Promise<Credentials>
  /** Called when the API has refused credentials. Returns true if the next `credentials` may be accepted. */
  readonly renew: (refused: Credentials) => boolean
}

type StaticAuth = Exclude<
  Auth,
  { type: 'client credentials' | 'refresh token' | 'signed' | 'aws signature' | 'session' | 'jwt' }
>

/** Returns credentials that never change: none, a token, a user with a password, or a key. */
export function authorizationOf(auth: StaticAuth | undefined, secrets: Secrets): Authorization {
  return {
    secrets: secretsOf(auth),
    users: auth?.type === 'basic' ? [auth.user] : [],
    parameters: auth?.type === 'query' ? [auth.name] : [],
    credentials: async () => credentialsOf(auth, secrets),
    renew: () => false,
  }
}

/** Reads the secrets only now, when a request is sent. */
function credentialsOf(auth: StaticAuth | undefined, secrets: Secrets): Credentials {
  switch (auth?.type) {
    case undefined:
    case 'client certificate': // The connections present it.
      return { headers: {}, query: {} }
    case 'bearer':
      return { headers: { authorization: `Bearer ${secrets.value(auth.token.secret)}` }, query: {} }
    case 'header':
      return {
        headers: { [auth.name.toLowerCase()]: withScheme(auth.scheme, secrets.value(auth.value.secret)) },
        query: {},
      }
    case 'query':
      return { headers: {}, query: { [auth.name]: secrets.value(auth.value.secret) } }
    case 'basic': {
      const encoded = Buffer.from(`${auth.user}:${secrets.value(auth.password.secret)}`).toString('base64')
      secrets.register?.(auth.password.secret, encoded)
      return { headers: { authorization: `Basic ${encoded}` }, query: {} }
    }
  }
}

const withScheme = (scheme: string | undefined, value: string): string =>
  scheme === undefined ? value : `${scheme} ${value}`
