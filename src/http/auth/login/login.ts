// What a login needs: the first tokens of a chain, given by a person.
import { DecodeError } from '../../../model/errors.ts'
import type { Api } from '../../../model/request.ts'
import type { Secrets } from '../../../model/scope.ts'
import type { TokenChain, TokenStore } from '../../../model/tokens.ts'
import { openClientConnections } from '../../connections.ts'
import { budgetOf } from '../../limits/budget-of.ts'
import { realTime } from '../../limits/time.ts'
import { withRetry } from '../../retry.ts'
import { readSettings } from '../../settings.ts'
import { usableMs, type TokenOptions } from '../credential-request.ts'
import { newTokens, purposeOf, tokenChain, type RefreshTokenAuth } from '../refresh-token.ts'
import { TokenEndpoint, type TokenResponse } from '../token-request.ts'

export interface LoginOptions {
  readonly auth: RefreshTokenAuth
  readonly options: TokenOptions
  readonly signal: AbortSignal
}

const now = (): Date => new Date()

/** The connections of a login. They are closed when it is disposed. */
export function openLogin(
  api: Api,
  { secrets, tokens }: { readonly secrets: Secrets; readonly tokens: TokenStore },
): { readonly options: TokenOptions } & AsyncDisposable {
  const settings = readSettings(api)
  const { addresses, timeoutMs } = settings
  const connections = openClientConnections(settings, api.auth, secrets)
  const budget = budgetOf(api, addresses.origin, { now, emit: () => {} })
  const { agent } = connections
  return {
    options: { addresses, agent, secrets, budget, timeoutMs, time: realTime, now, tokens },
    [Symbol.asyncDispose]: () => connections[Symbol.asyncDispose](),
  }
}

/** Stores the tokens of a login, which begin the chain anew. Throws if there is no refresh token among them. */
export async function storeLogin(response: TokenResponse, { auth, options, signal }: LoginOptions): Promise<void> {
  const endpoint = new TokenEndpoint(auth.tokenUrl, options, auth.clientSecretIn)
  const chain: TokenChain = tokenChain(auth, endpoint, options)
  const tokens = newTokens(response, purposeOf(auth), usableMs(response.lifetimeMs))
  if (tokens.refreshToken === undefined)
    throw new DecodeError(
      `${endpoint.label} gave no refresh token, so nothing was stored. Ask for one as the API's documentation says: ` +
        "often by scope: 'offline_access', or by a parameter of authorizationUrl",
    )
  await chain.begin(tokens, { signal })
}

/** Sends a request of a login once: a code can be used only once. */
export const once = <T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> =>
  withRetry(work, { attempts: 1, sleep: realTime.sleep, onRetry: () => {}, signal })
