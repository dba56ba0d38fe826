import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { generateKeyPairSync } from 'node:crypto'
import { Provider, type Adapter, type ClientMetadata, type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
// @ts-expect-error It has no types.
import MemoryAdapter from 'oidc-provider/lib/adapters/memory_adapter.js'

/** A token request that the server has answered. */
export interface TokenRequest {
  readonly grant: string
  readonly refreshToken: string | undefined
  /** The error code; undefined if it got tokens. */
  readonly error: string | undefined
}

export interface OidcServer extends AsyncDisposable {
  readonly origin: string
  readonly tokenUrl: string
  readonly provider: Provider
  /** All token requests, in the order of their ends. */
  readonly requests: readonly TokenRequest[]
  /** Called when a token request has arrived, and when its answer is ready. The server waits for it. */
  hooks: { before?: () => Promise<void> | void; after?: () => Promise<void> | void }
  /** The person lets nobody in. */
  denies: boolean
  /** Returns a new refresh token, as a login gives it. */
  readonly newRefreshToken: (scope?: string) => Promise<string>
  /** Returns true for an access token that is valid. */
  readonly accepts: (authorization: string | undefined) => Promise<boolean>
}

export const CLIENT = { client_id: 'sluice', client_secret: 'the-secret-of-the-client' } as const

/** The client as the server knows it. */
export const REGISTERED: ClientMetadata = {
  ...CLIENT,
  application_type: 'native',
  token_endpoint_auth_method: 'client_secret_post',
  id_token_signed_response_alg: 'ES256',
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  redirect_uris: ['http://127.0.0.1/callback'],
}

/** In seconds. Without one of them, the server prints a notice. */
const LIFETIMES = Object.fromEntries(
  ['AccessToken', 'AuthorizationCode', 'DeviceCode', 'Grant', 'IdToken', 'Interaction', 'RefreshToken', 'Session'].map(
    (name) => [name, 3_600],
  ),
)

/** Starts a real authorization server. It replaces a refresh token at each use, and revokes all of a reused one. */
export async function oidcServer(more: Configuration = {}): Promise<OidcServer> {
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/interaction/')) return void interact(request, response)
    if (request.url !== '/token') return void handle(request, response)
    // The answer is held back until `after` has ended.
    const end = response.end.bind(response) as (...given: unknown[]) => typeof response
    response.end = ((...given: unknown[]) => {
      void Promise.resolve(self.hooks.after?.()).then(() => end(...given))
      return response
    }) as typeof response.end
    void Promise.resolve(self.hooks.before?.()).then(() => handle(request, response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(origin, {
    clients: [{ ...REGISTERED }],
    // The server's own, by another way: it prints a warning for the default.
    adapter: (name) => new MemoryAdapter(name) as Adapter,
    cookies: { keys: ['a key of the tests'] },
    rotateRefreshToken: true,
    scopes: ['openid', 'offline_access', 'read'],
    jwks: { keys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    ...more,
    ttl: { ...LIFETIMES, ...more.ttl },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    // A scope `offline_access` would be needed, and the parameter `prompt`.
    issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
    features: {
      devInteractions: { enabled: false },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: (context, form) => void (context.body = form),
        userCodeConfirmSource: (context, form) => void (context.body = form),
        successSource: (context) => void (context.body = 'You have let it in.'),
      },
      ...more.features,
    },
  })
  const handle = provider.callback()
  /** Lets the client in, as the person does. */
  const interact = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { prompt, params } = await provider.interactionDetails(request, response)
    if (self.denies)
      return provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'no' })
    if (prompt.name === 'login') return provider.interactionFinished(request, response, { login: { accountId: 'me' } })
    const grant = new provider.Grant({ clientId: CLIENT.client_id, accountId: 'me' })
    if (typeof params['scope'] === 'string') grant.addOIDCScope(params['scope'])
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } })
  }
  const requests: TokenRequest[] = []
  const note = (context: KoaContextWithOIDC, error?: string): void => {
    const { grant_type: grant, refresh_token: refreshToken } = context.oidc.params ?? {}
    requests.push({ grant: String(grant), refreshToken: refreshToken as string | undefined, error })
  }
  provider.on('grant.success', (context) => note(context))
  provider.on('grant.error', (context, error) => note(context, error.error))
  const self: OidcServer = {
    origin,
    tokenUrl: `${origin}/token`,
    provider,
    requests,
    hooks: {},
    denies: false,
    newRefreshToken: async (scope = 'openid offline_access read') => {
      const client = await provider.Client.find(CLIENT.client_id)
      if (!client) throw new Error('There is no client')
      const grant = new provider.Grant({ clientId: CLIENT.client_id, accountId: 'me' })
      grant.addOIDCScope(scope)
      const grantId = await grant.save()
      const token = new provider.RefreshToken({ client, accountId: 'me', grantId, scope, gty: 'authorization_code' })
      return token.save()
    },
    accepts: async (authorization) => {
      const token = await provider.AccessToken.find(authorization?.replace('Bearer ', '') ?? '')
      return token !== undefined && !token.isExpired
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
  return self
}
