// Refresh tokens against a real authorization server and a real ledger.
import { describe, expect, jest, test } from '@jest/globals'
import { failure } from '../../support/http-client.ts'
import { REGISTERED } from '../../support/oidc-server.ts'
import { row, withFixture } from './refreshing.ts'

jest.setTimeout(30_000)

test('the client may name itself in the header of basic authentication', async () => {
  const clients = [{ ...REGISTERED, token_endpoint_auth_method: 'client_secret_basic' as const }]
  await withFixture(
    async ({ open }) => {
      await using refused = await open({ CLIENT_SECRET: 'another one' }, { clientSecretIn: 'header' })
      expect((await failure(refused.get())).message).toContain('check CLIENT_SECRET')
      await using process = await open({}, { clientSecretIn: 'header' })
      expect((await process.get()).status).toBe(200)
    },
    { clients },
  )
})

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

describe('a refresh that was interrupted', () => {
  test('is waited for until it counts as such, which an event shows', () =>
    withFixture(async (fixture) => {
      const { oidc, store, open } = fixture
      await using one = await open()
      const { body } = await one.get()
      await store.database.query(
        `update sluice.credentials set usable_until = clock_timestamp(), holder = 'a killed process',
                held_until = clock_timestamp() + interval '4 s'`,
      )
      await using next = await open()
      const startedAt = performance.now()
      expect((await next.get()).body).not.toBe(body)
      expect(performance.now() - startedAt).toBeGreaterThan(3_500)
      expect(next.events).toContainEqual({ type: 'waiting', stream: '', for: 'token', ms: expect.any(Number) })
      expect(oidc.requests.map(({ error }) => error)).toEqual([undefined, undefined])
      expect(await row(fixture)).toMatchObject({ lost_answers: '0', holder: null, generation: '2' })
    }))

  test('is not begun again while it may still end: its tokens are used', () =>
    withFixture(async ({ oidc, store, open }) => {
      await using one = await open()
      const { body } = await one.get()
      await using next = await open()
      await store.database.query(
        `update sluice.credentials set usable_until = clock_timestamp(), holder = 'another process',
                held_until = clock_timestamp() + interval '1 min'`,
      )
      const waiting = next.get()
      await store.database.query(
        `update sluice.credentials
            set usable_until = clock_timestamp() + interval '1 min', holder = null, held_until = null`,
      )
      expect((await waiting).body).toBe(body)
      expect(oidc.requests).toHaveLength(1)
    }))
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
