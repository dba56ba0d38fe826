import type { Auth, Secret } from '../model/request.ts'
import { UsageError } from '../model/errors.ts'

/** A value of the environment, read when a request is sent and never printed. */
export function secret(name: string): Secret {
  if (typeof name !== 'string' || !/^[A-Za-z_]\w*$/.test(name))
    throw new UsageError(
      'secret(): this is no name of an environment variable: put the value into the environment, and its name here',
    )
  return Object.freeze({ secret: name })
}

/** `authorization: Bearer …`. */
export const bearer = (token: Secret): Auth => Object.freeze({ type: 'bearer', token: proven('bearer', token) })

/** `authorization: Basic …`, of a user and a password. */
export const basic = (user: string, password: Secret): Auth =>
  Object.freeze({ type: 'basic', user, password: proven('basic', password) })

/** A key in the query or in a header: `apiKey(secret('KEY'), { query: 'api_key' })`. */
export const apiKey = (value: Secret, place: { readonly query: string } | { readonly header: string }): Auth =>
  'query' in place
    ? Object.freeze({ type: 'query', name: place.query, value: proven('apiKey', value) })
    : Object.freeze({ type: 'header', name: place.header.toLowerCase(), value: proven('apiKey', value) })

export interface ClientCredentialsOptions {
  /** Where the token is fetched: a whole URL, or a path below the API's base. */
  readonly tokenUrl: string
  readonly clientId: string | Secret
  readonly clientSecret: Secret
  readonly scope?: string
  /** Further fields of the form, as `audience`. */
  readonly fields?: Readonly<Record<string, string>>
}

/** OAuth 2 client credentials: a token is fetched when it is needed, and again before it expires. */
export const clientCredentials = (options: ClientCredentialsOptions): Auth =>
  Object.freeze({
    type: 'client credentials',
    ...options,
    clientSecret: proven('clientCredentials', options.clientSecret),
  })

/** The message must not hold what was given: it may be the secret itself. */
function proven(where: string, value: Secret): Secret {
  if (typeof value === 'object' && value !== null && typeof value.secret === 'string') return value
  throw new UsageError(
    `${where}(): a secret is given by its name, as in ${where}(… secret('API_TOKEN')), so that its value stays in the environment`,
  )
}
