// An authorization server in a process of its own, with a client that proves who it is by a signed JWT, and an API that
// admits the server's tokens. In Jest's contexts, the server takes a key of a client for no plain object.
import { generateKeyPairSync } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

const [key = ''] = process.argv.slice(2)
const server = createServer((request, response) => {
  if (request.url === '/items') void answer(request.headers.authorization, response)
  else void handle(request, response)
})
async function answer(authorization: string | undefined, response: ServerResponse): Promise<void> {
  const found = await provider.ClientCredentials.find(authorization?.replace('Bearer ', '') ?? '')
  response.writeHead(found ? 200 : 401, { 'content-type': 'application/json' })
  response.end(JSON.stringify(found ? { client: found.clientId, scope: found.scope } : {}))
}
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const provider = new Provider(origin, {
  clients: [
    {
      client_id: 'sluice',
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      id_token_signed_response_alg: 'ES256',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      jwks: { keys: [JSON.parse(key)] },
    },
  ],
  cookies: { keys: ['a key of the tests'] },
  scopes: ['read'],
  ttl: { ClientCredentials: 600 },
  jwks: { keys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })] },
  features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true } },
})
const handle = provider.callback()
process.stdout.write(`${origin}\n`)
