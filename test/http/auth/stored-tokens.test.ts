// Tokens that the ledger keeps: what is read, and what is not believed.
import { describe, expect, jest, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { failure } from '../../support/http-client.ts'
import { PgProxy } from '../../support/pg-proxy.ts'
import { withFixture } from './refreshing.ts'

jest.setTimeout(30_000)

describe('the connection that stores new tokens', () => {
  test.each<['before' | 'after']>([['before'], ['after']])(
    'may be lost %s the ledger has got them: they are stored once, and not used before',
    (when) =>
      withFixture(async ({ oidc, api, store, open }) => {
        const seen: string[] = []
        let isLost = false
        await using proxy = await PgProxy.open({
          port: Number(new URL(store.url).port),
          watchers: [
            {
              before: ({ from, name, text, link }) => {
                if (from === 'client' && name === 'Parse' && text?.includes('generation = generation + 1'))
                  seen.push(`store, ${api.requests.length} requests`)
                const isIt = when === 'before' ? from === 'client' : from === 'server' && name === 'CommandComplete'
                if (isLost || seen.length === 0 || !isIt) return undefined
                isLost = true
                link.cut()
                return 'drop'
              },
            },
          ],
        })
        await using one = await open({}, {}, proxy.through(store.url))
        const { body } = await one.get()
        expect(isLost).toBe(true)
        expect(seen).toEqual(['store, 0 requests', 'store, 0 requests'])
        expect(oidc.requests).toHaveLength(1)
        await using other = await open()
        expect((await other.get()).body).toBe(body)
        expect(await store.database.one('select generation from sluice.credentials')).toEqual({ generation: '1' })
      }),
  )
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
