import { UsageError } from '../../model/errors.ts'
import type { Auth, ClientSecretIn, Credentials, Secret } from '../../model/request.ts'
import type { Sign } from '../../model/signature.ts'
import type { SendAs } from '../../model/session.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'
import { rejectRenamedWords } from '../renamed-words.ts'

/**
 * Names a secret. Its value is read from the environment when a request is sent. It is never printed or stored.
 *
 * @example
 * http('https://api.example', { auth: bearer(secret('API_TOKEN')) })
 */
export function secret(name: string): Secret {
  if (typeof name !== 'string' || !/^[A-Za-z_]\w*$/.test(name))
    throw new UsageError(
      'secret(): this is not the name of an environment variable. ' +
        'Put the value into the environment, and its name here',
    )
  return Object.freeze({ secret: name })
}

/**
 * Sends `authorization: Bearer …`.
 *
 * @example
 * http('https://api.example', { auth: bearer(secret('API_TOKEN')) })
 */
export const bearer = (token: Secret): Auth => Object.freeze({ type: 'bearer', token: proven('bearer', token) })

/**
 * Sends `authorization: Basic …` with a user and a password.
 *
 * @example
 * http('https://api.example', { auth: basic('reporting', secret('API_PASSWORD')) })
 */
export const basic = (user: string, password: Secret): Auth =>
  Object.freeze({ type: 'basic', user, password: proven('basic', password) })

/**
 * Sends a key in a query parameter or in a header, there after a `scheme` if one is given.
 *
 * @example
 * apiKey(secret('KEY'), { query: 'api_key' })
 * apiKey(secret('KEY'), { header: 'x-api-key' })
 * apiKey(secret('KEY'), { header: 'authorization', scheme: 'Token' })
 */
export function apiKey(
  value: Secret,
  place: { readonly query: string } | { readonly header: string; readonly scheme?: string },
): Auth {
  rejectUnknownOptions('apiKey()', place, { header: true, scheme: true, query: true })
  if ('query' in place) {
    if ('scheme' in place) throw new UsageError('apiKey(): a scheme belongs to a header. Remove it')
    return Object.freeze({ type: 'query', name: place.query, value: proven('apiKey', value) })
  }
  const { header, scheme } = place
  if (scheme !== undefined && (typeof scheme !== 'string' || !/^[\w.~+/-]+$/.test(scheme)))
    throw new UsageError("apiKey(): a scheme is one word, as in { header: 'authorization', scheme: 'Token' }")
  const auth = { type: 'header', name: header.toLowerCase(), value: proven('apiKey', value) } as const
  return Object.freeze(scheme === undefined ? auth : { ...auth, scheme })
}

/**
 * Presents a client certificate when a TLS connection is opened (mutual TLS), to the API's own origin only. Certificate
 * and key are in PEM; the environment may name their files: `API_KEY_FILE=/run/secrets/key.pem`.
 *
 * @example
 * http('https://bank.example', {
 *   auth: clientCertificate({ certificate: secret('BANK_CERTIFICATE'), key: secret('BANK_KEY') }),
 * })
 */
export function clientCertificate(options: {
  readonly certificate: Secret
  readonly key: Secret
  /** Of an encrypted key. @default none */
  readonly passphrase?: Secret
}): Auth {
  rejectUnknownOptions('clientCertificate()', options, { certificate: true, key: true, passphrase: true })
  const { certificate, key, passphrase } = options
  return Object.freeze({
    type: 'client certificate',
    certificate: proven('clientCertificate', certificate),
    key: proven('clientCertificate', key),
    ...(passphrase && { passphrase: proven('clientCertificate', passphrase) }),
  })
}

/**
 * Signs each request by a function, for APIs that want an HMAC or a scheme of their own. The function is called again
 * for each try and each redirect, so that a time or a nonce is new. It gets the request as it goes out and the values
 * of the secrets, and returns headers or parameters to add. It must not be asynchronous.
 *
 * @example
 * signed([secret('KEY'), secret('SIGNING_KEY')], ({ method, url, body }, [key = '', signingKey = '']) => {
 *   const text = method + url.pathname + url.search + body
 *   return { headers: { 'x-key': key, 'x-signature': createHmac('sha256', signingKey).update(text).digest('hex') } }
 * })
 */
export function signed(secrets: readonly Secret[], sign: Sign): Auth {
  if (!Array.isArray(secrets)) throw new UsageError("signed(): give its secrets as a list, as in [secret('API_KEY')]")
  if (typeof sign !== 'function') throw new UsageError('signed(): give a function that returns headers or parameters')
  return Object.freeze({ type: 'signed', secrets: secrets.map((one: Secret) => proven('signed', one)), sign })
}

/**
 * Signs each request as AWS asks for it (Signature Version 4). The session token is that of temporary credentials.
 *
 * @example
 * http('https://monitoring.eu-west-1.amazonaws.com', {
 *   auth: awsSignature({
 *     service: 'monitoring',
 *     region: 'eu-west-1',
 *     accessKeyId: secret('AWS_ACCESS_KEY_ID'),
 *     secretAccessKey: secret('AWS_SECRET_ACCESS_KEY'),
 *   }),
 * })
 */
export function awsSignature(options: {
  /** As it stands in the signature, such as `execute-api` or `s3`. */
  readonly service: string
  /** Such as `eu-west-1`; `us-east-1` for services without regions. */
  readonly region: string
  readonly accessKeyId: Secret
  readonly secretAccessKey: Secret
  /** @default none */
  readonly sessionToken?: Secret
}): Auth {
  rejectUnknownOptions('awsSignature()', options, AWS_OPTIONS)
  const { service, region, accessKeyId, secretAccessKey, sessionToken } = options
  for (const [name, value] of Object.entries({ service, region }))
    if (typeof value !== 'string' || value === '')
      throw new UsageError(`awsSignature(): give the ${name} as text, as in ${name}: '${EXAMPLES_OF_AWS[name]}'`)
  return Object.freeze({
    type: 'aws signature',
    service,
    region,
    accessKeyId: proven('awsSignature', accessKeyId),
    secretAccessKey: proven('awsSignature', secretAccessKey),
    ...(sessionToken && { sessionToken: proven('awsSignature', sessionToken) }),
  })
}

const AWS_OPTIONS: OptionNames<Parameters<typeof awsSignature>[0]> = {
  service: true,
  region: true,
  accessKeyId: true,
  secretAccessKey: true,
  sessionToken: true,
}
const EXAMPLES_OF_AWS: Readonly<Record<string, string>> = { service: 'execute-api', region: 'eu-west-1' }

/** Options of `clientCredentials()`. */
export interface ClientCredentialsOptions {
  /** The URL that returns the token: absolute, or a path below the API's base. */
  readonly tokenUrl: string
  readonly clientId: string | Secret
  readonly clientSecret: Secret
  /** `'header'` sends `authorization: Basic …`, as Xero and QuickBooks want it. @default 'form' */
  readonly clientSecretIn?: ClientSecretIn
  readonly scope?: string
  /** Further fields of the form, such as `audience`. */
  readonly fields?: Readonly<Record<string, string>>
}

/**
 * OAuth 2 client credentials. A token is fetched when it is needed, and again before it expires.
 *
 * @example
 * clientCredentials({ tokenUrl: '/oauth/token', clientId: 'sluice', clientSecret: secret('CLIENT_SECRET') })
 */
export function clientCredentials(options: ClientCredentialsOptions): Auth {
  rejectUnknownOptions('clientCredentials()', options, CLIENT_CREDENTIALS_OPTIONS)
  const { clientSecret, clientSecretIn } = options
  checkClientSecretIn('clientCredentials', clientSecretIn)
  return Object.freeze({
    type: 'client credentials',
    ...options,
    clientSecret: proven('clientCredentials', clientSecret),
  })
}

const CLIENT_CREDENTIALS_OPTIONS: OptionNames<ClientCredentialsOptions> = {
  tokenUrl: true,
  clientId: true,
  clientSecret: true,
  clientSecretIn: true,
  scope: true,
  fields: true,
}

/** Throws for a place that a client's secret is not sent in. */
export function checkClientSecretIn(where: string, given: ClientSecretIn | undefined): void {
  if (given !== undefined && given !== 'form' && given !== 'header')
    throw new UsageError(`${where}(): clientSecretIn is 'form' or 'header', not ${JSON.stringify(given)}`)
}

/** Throws unless the value is a named secret. The message leaves the value out: it may be the secret itself. */
export function proven(where: string, value: Secret): Secret {
  if (typeof value === 'object' && value !== null && typeof value.secret === 'string') return value
  throw new UsageError(
    `${where}(): give a secret by its name, as in ${where}(… secret('API_TOKEN')). Its value stays in the environment`,
  )
}

/** Throws for credentials of which one would replace another. */
export function checkAuth(place: string, auth: Credentials | undefined): void {
  const all = [auth ?? []].flat()
  for (const one of all) rejectRenamedWords(`${place}: auth`, one, { by: 'type' })
  const places = all.flatMap(placesOf)
  const twice = places.find((name, index) => places.indexOf(name) !== index)
  if (twice !== undefined)
    throw new UsageError(`${place}: two of its credentials are sent in ${twice}. Keep one of them`)
}

function placesOf(auth: Auth): string | string[] {
  switch (auth.type) {
    case 'query':
      return sentIn({ query: auth.name })
    case 'header':
      return sentIn({ header: auth.name })
    case 'client certificate':
      return 'the TLS connection'
    case 'signed':
      return 'a signature'
    case 'bearer':
    case 'basic':
    case 'client credentials':
    case 'refresh token':
    case 'jwt':
      return "the header 'authorization'"
    case 'session':
      return ['the cookies of a session', ...(auth.sendAs ? [sentIn(auth.sendAs)] : [])]
    case 'aws signature':
      return ["the header 'authorization'", 'a signature']
  }
}

const sentIn = (place: SendAs): string =>
  'query' in place ? `the parameter '${place.query}'` : `the header '${place.header.toLowerCase()}'`
