import type { Auth, Secret } from '../../model/request.ts'
import type { Secrets } from '../../model/scope.ts'

/** What goes with a request to prove who sends it. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
}

/** Proves who sends a request. */
export interface Authorization {
  /** Names of the secrets that it knows; no other is revealed in its API's requests. */
  readonly secrets: readonly string[]
  /** Parameters of a URL that it sets. */
  readonly parameters: readonly string[]
  readonly credentials: (options: { readonly signal: AbortSignal }) => Promise<Credentials>
  /** These were refused: whether it is worth asking for others. */
  readonly renew: (refused: Credentials) => boolean
}

/**
 * Credentials that stay as they are: none, a token, a user with a password, a key. Their secrets are read when a
 * request is sent.
 */
export function authorizationOf(
  auth: Exclude<Auth, { type: 'client credentials' }> | undefined,
  secrets: Secrets,
): Authorization {
  return {
    secrets: secretsOf(auth),
    parameters: auth?.type === 'query' ? [auth.name] : [],
    credentials: async () => credentialsOf(auth, secrets),
    renew: () => false,
  }
}

function credentialsOf(auth: Exclude<Auth, { type: 'client credentials' }> | undefined, secrets: Secrets): Credentials {
  if (!auth) return { headers: {}, query: {} }
  if (auth.type === 'bearer')
    return { headers: { authorization: `Bearer ${secrets.value(auth.token.secret)}` }, query: {} }
  if (auth.type === 'header')
    return { headers: { [auth.name.toLowerCase()]: secrets.value(auth.value.secret) }, query: {} }
  if (auth.type === 'query') return { headers: {}, query: { [auth.name]: secrets.value(auth.value.secret) } }
  const encoded = Buffer.from(`${auth.user}:${secrets.value(auth.password.secret)}`).toString('base64')
  secrets.register?.(auth.password.secret, encoded)
  return { headers: { authorization: `Basic ${encoded}` }, query: {} }
}

/** Names of the secrets that an API's credentials are made of. */
export function secretsOf(auth: Auth | undefined): string[] {
  return Object.values(auth ?? {})
    .filter(isSecret)
    .map(({ secret }) => secret)
}

function isSecret(part: unknown): part is Secret {
  return typeof part === 'object' && part !== null && 'secret' in part && typeof part.secret === 'string'
}
