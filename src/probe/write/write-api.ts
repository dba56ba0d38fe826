// http(…): the base, the credentials and the limits of an API.
import type { Secret } from '../../model/request.ts'
import type { Found, FoundAuth } from '../found.ts'
import { call, objectLiteral, quoted } from './text.ts'

/** Returns `http(…)`. */
export function apiText({ base, baseVariable, auth = [], headers, rate }: Found): string {
  const options = {
    auth: authText(auth),
    headers: headers && Object.keys(headers).length > 0 ? headersText(headers) : undefined,
    rate: rate === undefined ? undefined : quoted(rate),
  }
  const from = baseVariable === undefined ? quoted(base) : `baseUrl(${quoted(baseVariable)}, ${quoted(base)})`
  return call('http', from, objectLiteral(options))
}

const headersText = (headers: Readonly<Record<string, string>>): string =>
  objectLiteral(Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, quoted(value)])))

function authText(auth: readonly FoundAuth[]): string | undefined {
  const [only, ...others] = auth.map(oneAuthText)
  return others.length === 0 ? only : `[${[only, ...others].join(', ')}]`
}

function oneAuthText(auth: FoundAuth): string {
  switch (auth.type) {
    case 'bearer':
      return `bearer(${secretText(auth.token)})`
    case 'basic':
      return `basic(${quoted(auth.user)}, ${secretText(auth.password)})`
    case 'header': {
      const scheme = auth.scheme === undefined ? undefined : quoted(auth.scheme)
      return `apiKey(${secretText(auth.value)}, ${objectLiteral({ header: quoted(auth.name), scheme })})`
    }
    case 'query':
      return `apiKey(${secretText(auth.value)}, ${objectLiteral({ query: quoted(auth.name) })})`
    case 'client credentials':
      return `clientCredentials(${objectLiteral({
        tokenUrl: quoted(auth.tokenUrl),
        clientId: typeof auth.clientId === 'string' ? quoted(auth.clientId) : secretText(auth.clientId),
        clientSecret: secretText(auth.clientSecret),
        clientSecretIn: auth.clientSecretIn === undefined ? undefined : quoted(auth.clientSecretIn),
        scope: auth.scope === undefined ? undefined : quoted(auth.scope),
        fields: auth.fields && headersText(auth.fields),
      })})`
  }
}

const secretText = ({ secret }: Secret): string => `secret(${quoted(secret)})`
