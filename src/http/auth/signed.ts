import { UsageError } from '../../model/errors.ts'
import type { Auth } from '../../model/request.ts'
import type { RequestToSign, Signature } from '../../model/signature.ts'
import type { Secrets } from '../../model/scope.ts'
import { secretsOf } from '../../model/secrets-of.ts'
import { messageOf } from '../../value/error.ts'
import { withoutParameters } from '../address.ts'
import type { Authorization } from './authorization.ts'

export type SignedAuth = Extract<Auth, { type: 'signed' }>

/** Returns credentials that a function of the user makes for each request, such as an HMAC of its body. */
export function signedAuthorization(auth: SignedAuth, secrets: Secrets): Authorization {
  /** Known only from its results. They must not stand in events and positions. */
  const parameters: string[] = []
  const sign = (request: RequestToSign): Signature => {
    const values = auth.secrets.map(({ secret }) => secrets.value(secret))
    // A copy: a function that changes the URL must not change what is sent. A link may hold an earlier signature.
    const url = new URL(withoutParameters(request.url, parameters))
    const { headers = {}, query = {} } = called(auth.sign, withUrl(request, url), values)
    const added = { headers: textsOf('headers', headers), query: textsOf('query', query) }
    parameters.push(...Object.keys(added.query).filter((name) => !parameters.includes(name)))
    return added
  }
  return {
    secrets: secretsOf(auth),
    parameters,
    credentials: async () => ({ headers: {}, query: {}, sign }),
    renew: () => false,
  }
}

/** Copies without reading the body, which may be no text. */
const withUrl = (request: RequestToSign, url: URL): RequestToSign => ({
  method: request.method,
  url,
  headers: request.headers,
  get body() {
    return request.body
  },
  get bytes() {
    return request.bytes
  },
})

function called(sign: SignedAuth['sign'], request: RequestToSign, values: readonly string[]): Signature {
  const location = `${request.method} ${request.url.pathname}`
  let signature: unknown
  try {
    signature = sign(request, values)
  } catch (error) {
    throw new UsageError(`signed(): its function threw for ${location}: ${messageOf(error)}`, { cause: error })
  }
  if (typeof signature !== 'object' || signature === null || signature instanceof Promise)
    throw new UsageError(
      `signed(): its function must return { headers } or { query } at once, not a promise or nothing`,
    )
  return signature
}

/** Refuses all but text: `undefined` would be sent as that word, and be refused for a reason nobody sees. */
function textsOf(place: string, values: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== 'string')
      throw new UsageError(`signed(): its function returned ${place} of which '${name}' is not text`)
    texts[place === 'headers' ? name.toLowerCase() : name] = value
  }
  return texts
}
