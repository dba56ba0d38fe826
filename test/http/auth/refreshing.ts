// Processes that use a refresh token, with a real authorization server and a real ledger.
import { randomBytes } from 'node:crypto'
import { openDatabase } from '../../../src/database/database.ts'
import { openClient } from '../../../src/http/client.ts'
import { refreshToken, secret, type RefreshTokenOptions } from '../../../src/index.ts'
import { storedTokens } from '../../../src/ledger/credentials.ts'
import type { DecodedResponse } from '../../../src/model/scope.ts'
import { readSecrets } from '../../../src/observe/secrets.ts'
import { apiServer, type ApiServer } from '../../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'
import { freeMemory } from '../../support/free-memory.ts'
import { CLIENT, oidcServer, type OidcServer } from '../../support/oidc-server.ts'

const KEY = randomBytes(32).toString('base64')

export interface Process extends AsyncDisposable {
  readonly get: () => Promise<DecodedResponse>
  readonly events: readonly unknown[]
}

export interface Fixture {
  readonly oidc: OidcServer
  readonly api: ApiServer
  readonly store: TestDatabase
  readonly first: string
  /** What one process has: connections, secrets and a client of its own. */
  readonly open: (
    environment?: Readonly<Record<string, string>>,
    more?: Partial<RefreshTokenOptions>,
    url?: string,
  ) => Promise<Process>
}

/** Calls the test with a server of tokens, an API that wants them, and a ledger. */
export async function withFixture(
  work: (fixture: Fixture) => Promise<void>,
  more: Parameters<typeof oidcServer>[0] = {},
) {
  await using oidc = await oidcServer(more)
  await using api = await apiServer(async ({ headers }) =>
    (await oidc.accepts(headers.authorization)) ? { json: headers.authorization } : { status: 401 },
  )
  await using store = await testDatabase()
  const first = await oidc.newRefreshToken()
  await work({ oidc, api, store, first, open: (...given) => openProcess({ oidc, api, store, first }, ...given) })
}

async function openProcess(
  { oidc, api, store, first }: Pick<Fixture, 'oidc' | 'api' | 'store' | 'first'>,
  environment: Readonly<Record<string, string>> = {},
  more: Partial<RefreshTokenOptions> = {},
  url = store.url,
): Promise<Process> {
  await using opened = new AsyncDisposableStack()
  const database = opened.use(await openDatabase({ url, max: 2 }))
  const secrets = readSecrets({ SLUICE_KEY: KEY, CLIENT_SECRET: CLIENT.client_secret, FIRST: first, ...environment })
  const auth = refreshToken({
    tokenUrl: oidc.tokenUrl,
    clientId: CLIENT.client_id,
    clientSecret: secret('CLIENT_SECRET'),
    refreshToken: secret('FIRST'),
    ...more,
  })
  const events: unknown[] = []
  const client = opened.use(
    openClient(
      { base: api.origin, auth, timeout: '1s' },
      {
        secrets,
        emit: (event) => events.push(event),
        now: () => new Date(),
        tokens: storedTokens({ database: async () => database, secrets }),
      },
    ),
  )
  const { signal } = new AbortController()
  const kept = opened.move()
  return {
    events,
    get: async () => client.send({ method: 'GET', url: '/x', query: {} }, { signal, memory: freeMemory() }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** The only chain of the ledger. */
export const row = ({ store }: Pick<Fixture, 'store'>) => store.database.one('select * from sluice.credentials')
