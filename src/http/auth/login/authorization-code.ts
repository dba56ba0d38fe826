import { createHash, randomBytes } from 'node:crypto'
import { UsageError } from '../../../model/errors.ts'
import { urlOf } from '../../address.ts'
import { clientForm, TokenEndpoint, type TokenResponse } from '../token-request.ts'
import { once, type LoginOptions } from './login.ts'

/** A login in a browser: the address that a person opens, and what its answer must contain. */
export interface CodeRequest {
  readonly url: string
  /** Comes back with the answer, and shows that it belongs to this request. */
  readonly state: string
  /** Exchanges the code of the answer for tokens. */
  readonly exchange: (code: string) => Promise<TokenResponse>
}

/** 256 bits, as text of a URL. */
const randomText = (): string => randomBytes(32).toString('base64url')

const refusal = (reason = ''): string =>
  `the code of the login was refused${reason && ` (${reason})`}; check the client and its redirect URI`

/** Begins a login by authorization code with PKCE (S256). `redirectUri` is where the browser brings the code. */
export function requestCode(redirectUri: string, { auth, options, signal }: LoginOptions): CodeRequest {
  const { authorizationUrl, scope } = auth
  if (authorizationUrl === undefined)
    throw new UsageError(
      'refreshToken() has no authorizationUrl: give the address where a person lets the client in, ' +
        'or deviceUrl for sluice login --device',
    )
  const { secrets, addresses } = options
  const { client_id: clientId = '' } = clientForm({ clientId: auth.clientId }, secrets)
  const [state, verifier] = [randomText(), randomText()]
  const url = urlOf(addresses, { url: authorizationUrl, query: {} })
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    ...(scope === undefined ? {} : { scope }),
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  const endpoint = new TokenEndpoint(auth.tokenUrl, options, auth.clientSecretIn)
  return {
    url: url.href,
    state,
    exchange: (code) => {
      secrets.register?.('code', code)
      const form = {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
        ...clientForm(auth, secrets),
        ...auth.fields,
      }
      return once(() => endpoint.request(form, { signal, stream: '', refusal }), signal)
    },
  }
}
