// A real authorization server verifies the JWT by which a client proves who it is.
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { openClient } from '../../../src/http/client.ts'
import { jwt, secret, type JwtOptions } from '../../../src/index.ts'
import type { Grant } from '../../../src/model/grant.ts'
import { readSecrets } from '../../../src/observe/secrets.ts'
import { freeMemory } from '../../support/free-memory.ts'
import { failure } from '../../support/http-client.ts'

const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const environment = {
  KEY: JSON.stringify(own.privateKey.export({ format: 'jwk' })),
  OTHER_KEY: JSON.stringify(other.privateKey.export({ format: 'jwk' })),
}

let server: ChildProcess
let origin = ''
beforeAll(async () => {
  const program = join(import.meta.dirname, 'oidc-process.ts')
  server = spawn(process.execPath, [program, JSON.stringify(own.publicKey.export({ format: 'jwk' }))], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [line] = (await once(server.stdout!, 'data')) as [Buffer]
  origin = line.toString().trim()
}, 30_000)
afterAll(async () => {
  const ended = once(server, 'exit')
  server.kill()
  await ended
})

/** Requests what the server knows of the token that it gave, and what its answer says of the token. */
async function ask(changes: Partial<JwtOptions> = {}): Promise<{ body: unknown; grant: Grant | undefined }> {
  const auth = jwt({
    key: secret('KEY'),
    algorithm: 'ES256',
    issuer: 'sluice',
    audience: origin,
    tokenUrl: '/token',
    grant: 'client-credentials',
    scope: 'read',
    ...changes,
  })
  await using client = openClient(
    { base: origin, auth, attempts: 1 },
    { secrets: readSecrets(environment), emit: () => {}, now: () => new Date() },
  )
  let grant: Grant | undefined
  const { signal } = new AbortController()
  const { body } = await client.send(
    { method: 'GET', url: '/items', query: {} },
    {
      signal,
      memory: freeMemory(),
      onGrant: (given) => {
        grant = given
      },
    },
  )
  return { body, grant }
}

test('a client that signs with its key gets a token', async () => {
  const { body, grant } = await ask()
  expect(body).toEqual({ client: 'sluice', scope: 'read' })
  expect(grant).toMatchObject({ scope: 'read', isRenewed: true })
  expect(Math.abs((grant?.endsAt?.getTime() ?? 0) - Date.now() - 600_000)).toBeLessThan(30_000)
})

test.each<[string, Partial<JwtOptions>]>([
  ['another key', { key: secret('OTHER_KEY') }],
  ['another issuer', { issuer: 'somebody' }],
  ['another audience', { audience: 'https://elsewhere.example' }],
])('one with %s is refused', async (_, changes) => {
  expect((await failure(ask(changes))).message).toMatch(
    /\/token answered 401: the signed assertion was refused \(invalid_client\)/,
  )
})
