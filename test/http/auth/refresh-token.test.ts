// Refresh tokens against a real authorization server and a real ledger.
import { describe, expect, jest, test } from '@jest/globals'
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
import { failure } from '../../support/http-client.ts'
import { CLIENT, oidcServer, type OidcServer } from '../../support/oidc-server.ts'

jest.setTimeout(30_000)

const KEY = randomBytes(32).toString('base64')

interface Process extends AsyncDisposable {
  readonly get: () => Promise<DecodedResponse>
  readonly events: readonly unknown[]
}

interface Fixture {
  readonly oidc: OidcServer
  readonly api: ApiServer
  readonly store: TestDatabase
  readonly first: string
  /** What one process has: connections, secrets and a client of its own. */
  readonly open: (
    environment?: Readonly<Record<string, string>>,
    more?: Partial<RefreshTokenOptions>,
  ) => Promise<Process>
}

/** Calls the test with a server of tokens, an API that wants them, and a ledger. */
async function withFixture(work: (fixture: Fixture) => Promise<void>, more: Parameters<typeof oidcServer>[0] = {}) {
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
): Promise<Process> {
  await using opened = new AsyncDisposableStack()
  const database = opened.use(await openDatabase({ url: store.url, max: 2 }))
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

const row = ({ store }: Pick<Fixture, 'store'>) => store.database.one('select * from sluice.credentials')

describe('a refresh token', () => {
  test('is replaced by that of the server, and its access token is used until it expires', () =>
    withFixture(async (fixture) => {
      const { oidc, first, open } = fixture
      await using one = await open()
      const token = (await one.get()).body
      expect((await one.get()).body).toBe(token)
      expect(oidc.requests).toEqual([{ grant: 'refresh_token', refreshToken: first, error: undefined }])
      // A later process uses the same token.
      await using later = await open()
      expect((await later.get()).body).toBe(token)
      expect(oidc.requests).toHaveLength(1)
      // Nothing readable is stored.
      const { refresh_token: sealed, ...rest } = await row(fixture)
      expect(Buffer.from(sealed as Uint8Array).length).toBeGreaterThan(40)
      expect(JSON.stringify(rest)).not.toContain(first)
      expect(rest).toMatchObject({ generation: '1', holder: null, lost_answers: '0', variable: 'FIRST' })
    }))

  test('is used again after a 401, each time the newest one', () =>
    withFixture(async ({ oidc, open }) => {
      await using one = await open()
      for (const times of [1, 2, 3]) {
        const { body } = await one.get()
        expect(oidc.requests).toHaveLength(times)
        const token = await oidc.provider.AccessToken.find(String(body).replace('Bearer ', ''))
        await token?.destroy()
      }
      const used = oidc.requests.map(({ refreshToken }) => refreshToken)
      expect(new Set(used).size).toBe(3)
      expect(oidc.requests.map(({ error }) => error)).toEqual([undefined, undefined, undefined])
    }))

  test('is used by one process at a time, and the others use its tokens', () =>
    withFixture(async ({ oidc, open }) => {
      oidc.hooks.after = () => new Promise((resolve) => setTimeout(resolve, 100))
      const processes = await Promise.all(Array.from({ length: 5 }, () => open()))
      const bodies = async () => (await Promise.all(processes.map(async (one) => (await one.get()).body))) as string[]
      const tokens = await bodies()
      expect(new Set(tokens).size).toBe(1)
      expect(oidc.requests).toHaveLength(1)
      // The API refuses it to all of them at the same time.
      await (await oidc.provider.AccessToken.find(tokens[0]!.replace('Bearer ', '')))?.destroy()
      expect(new Set(await bodies()).size).toBe(1)
      expect(oidc.requests.map(({ error }) => error)).toEqual([undefined, undefined])
      for (const one of processes) await one[Symbol.asyncDispose]()
    }))

  test('is used shortly before the access token expires', () =>
    withFixture(
      async ({ oidc, open }) => {
        await using one = await open()
        await one.get()
        await new Promise((resolve) => setTimeout(resolve, 2_000))
        // 2 s, less a tenth of them.
        await one.get()
        expect(oidc.requests).toHaveLength(2)
      },
      { ttl: { AccessToken: 2 } },
    ))

  test('stays if the server does not replace it', () =>
    withFixture(
      async (fixture) => {
        const { oidc, first, open } = fixture
        await using one = await open()
        const { body } = await one.get()
        await (await oidc.provider.AccessToken.find(String(body).replace('Bearer ', '')))?.destroy()
        await one.get()
        expect(oidc.requests.map(({ refreshToken }) => refreshToken)).toEqual([first, first])
      },
      { rotateRefreshToken: false },
    ))

  test('that is new in the environment begins a new chain, and the former one is kept', () =>
    withFixture(async ({ oidc, open }) => {
      await using one = await open()
      const { body } = await one.get()
      const second = await oidc.newRefreshToken()
      await using other = await open({ FIRST: second })
      expect((await other.get()).body).not.toBe(body)
      expect(oidc.requests[1]).toMatchObject({ refreshToken: second, error: undefined })
      await using former = await open()
      expect((await former.get()).body).toBe(body)
    }))

  test('is shared by definitions with another scope, and their access tokens are not', () =>
    withFixture(async ({ oidc, open }) => {
      await using all = await open()
      await using some = await open({}, { scope: 'openid' })
      const { body } = await all.get()
      expect((await some.get()).body).not.toBe(body)
      expect(oidc.requests.map(({ error }) => error)).toEqual([undefined, undefined])
      expect(new Set(oidc.requests.map(({ refreshToken }) => refreshToken)).size).toBe(2)
    }))

  test('that is refused is named with the remedy, and no secret is shown', () =>
    withFixture(async ({ oidc, open }) => {
      await using one = await open({ FIRST: 'not-a-token' }, { authorizationUrl: `${oidc.origin}/auth` })
      const error = await failure(one.get())
      expect(error.message).toBe(
        `POST ${oidc.tokenUrl} answered 400: the refresh token was refused (invalid_grant). It has expired, ` +
          'was revoked, or was used by another program. Begin anew by sluice login for its pipeline, ' +
          'or by a new token in FIRST',
      )
      expect(error).toMatchObject({ code: 'HTTP', kind: 'credentials', status: 400 })
      expect(oidc.requests).toHaveLength(1)
    }))

  test.each([
    ['a wrong secret', { CLIENT_SECRET: 'wrong' }, {}, 'the client was refused (invalid_client); check CLIENT_SECRET'],
    ['a wrong scope', {}, { scope: 'openid other' }, 'the scope was refused (invalid_scope); check scope'],
  ])('with %s leads to an error that says so', (_, environment, more, message) =>
    withFixture(async ({ open }) => {
      await using one = await open(environment, more)
      expect((await failure(one.get())).message).toContain(message)
    }),
  )
})

describe('an answer that was lost', () => {
  test('lets the token be sent once more; if the server refuses it then, the error says what happened', () =>
    withFixture(async (fixture) => {
      const { oidc, first, open } = fixture
      await using one = await open()
      // The server replaces the token, and never answers.
      oidc.hooks.after = () => new Promise(() => {})
      const waiting = failure(one.get())
      while (oidc.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
      oidc.hooks = {}
      expect((await waiting).message).toContain(
        'the refresh token was refused (invalid_grant). An earlier refresh was interrupted: the server has probably ' +
          'replaced the token, and its answer was lost. Begin anew by a new token in FIRST',
      )
      expect(oidc.requests).toEqual([
        { grant: 'refresh_token', refreshToken: first, error: undefined },
        { grant: 'refresh_token', refreshToken: first, error: 'invalid_grant' },
      ])
      expect(await row(fixture)).toMatchObject({ lost_answers: '1', holder: null, refresh_token: null })
    }))

  test('is not assumed if the server could not be reached or refused for another reason', () =>
    withFixture(async (fixture) => {
      await using one = await fixture.open({ CLIENT_SECRET: 'wrong' })
      await failure(one.get())
      expect(await row(fixture)).toMatchObject({ lost_answers: '0', holder: null })
    }))
})

describe('what the ledger keeps', () => {
  test('is of no use with another key, and the error names both', () =>
    withFixture(async ({ oidc, open }) => {
      await using one = await open()
      await one.get()
      await using other = await open({ SLUICE_KEY: randomBytes(32).toString('hex') })
      const error = await failure(other.get())
      expect(error.message).toMatch(
        /^the tokens of FIRST were encrypted with another SLUICE_KEY: its id is \w{8}, and the one that is set has/,
      )
      expect(error).toMatchObject({ code: 'USAGE' })
      expect(oidc.requests).toHaveLength(1)
    }))

  test.each(['refresh_token', 'access_token'])('is not believed if it was changed: %s', (column) =>
    withFixture(async ({ oidc, store, open }) => {
      await using one = await open()
      await one.get()
      await store.database.query(
        `update sluice.credentials set ${column} = set_byte(${column}, 40, get_byte(${column}, 40) # 1)`,
      )
      await using other = await open()
      const name = column.replace('_', ' ')
      expect((await failure(other.get())).message).toContain(
        `the tokens of FIRST: the stored ${name} was changed in the database, so it cannot be decrypted`,
      )
      expect(oidc.requests).toHaveLength(1)
    }),
  )

  test('is not believed in the place of another', () =>
    withFixture(async ({ store, open }) => {
      await using one = await open()
      await one.get()
      await store.database.query('update sluice.credentials set access_token = refresh_token')
      await using other = await open()
      expect((await failure(other.get())).message).toContain('the stored access token was changed')
    }))

  test.each([
    ['is missing', '', 'SLUICE_KEY is not set'],
    ['is too short', 'c2hvcnQ=', 'SLUICE_KEY is not a key: it must be 32 random bytes in base64 or hex'],
    ['is not base64', `${'!'.repeat(43)}=`, 'SLUICE_KEY is not a key'],
  ])('needs a key before anything is sent: one that %s', (_, key, message) =>
    withFixture(async ({ oidc, api, open }) => {
      await using one = await open({ SLUICE_KEY: key })
      expect((await failure(one.get())).message).toContain(message)
      expect([oidc.requests, api.requests]).toEqual([[], []])
    }),
  )

  test('is looked for if the variable is not set, and without it nothing is sent', () =>
    withFixture(async ({ oidc, open }) => {
      await using one = await open({ FIRST: '' })
      expect((await failure(one.get())).message).toBe(
        'FIRST is not set, and the database keeps no token for it. Set FIRST',
      )
      expect(oidc.requests).toEqual([])
    }))
})
