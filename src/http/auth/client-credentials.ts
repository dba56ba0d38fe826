import type { Auth } from '../../model/request.ts'
import { secretsOf } from '../../model/secrets-of.ts'
import { FetchedToken } from './fetched-token.ts'
import { usableMs, type TokenOptions } from './credential-request.ts'
import { clientForm, TokenEndpoint } from './token-request.ts'

type ClientCredentialsAuth = Extract<Auth, { type: 'client credentials' }>

/** Returns credentials by a token that OAuth 2 gives for the client's own secret. */
export function clientCredentialsAuthorization(auth: ClientCredentialsAuth, options: TokenOptions): FetchedToken {
  const { scope, fields } = auth
  const { secrets, time } = options
  const endpoint = new TokenEndpoint(auth.tokenUrl, options, auth.clientSecretIn)
  const names = secretsOf(auth)
  // Written in the definition, it may be the wrong one as well.
  const client = typeof auth.clientId === 'string' ? [`the client ID ${JSON.stringify(auth.clientId)}`] : []
  return new FetchedToken({
    secrets: names,
    time,
    fetch: async (asked) => {
      const form = {
        grant_type: 'client_credentials',
        ...clientForm(auth, secrets),
        ...(scope === undefined ? {} : { scope }),
        ...fields,
      }
      const { accessToken, lifetimeMs, requestedAt, grant } = await endpoint.request(form, {
        ...asked,
        refusal: `the client credentials were refused; check ${[...client, ...names].join(', ')} and the scope`,
      })
      return { accessToken, usableUntil: requestedAt + usableMs(lifetimeMs), grant }
    },
  })
}
