// A process that is killed at any step of a refresh: no refresh token is lost in silence, and only one whose answer was
// lost is used twice.
import { expect, jest, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { project, ROOT, type Ended } from '../cli/support/command.ts'
import { apiServer } from '../support/api-server.ts'
import { COMPILE_CACHE } from '../support/compile-cache.ts'
import { testDatabase } from '../support/database.ts'
import { CLIENT, oidcServer } from '../support/oidc-server.ts'
import { PgProxy, type Message } from '../support/pg-proxy.ts'

jest.setTimeout(120_000)

const PIPELINE = `
import { http, onePage, pipeline, refreshToken, secret } from 'SLUICE'

const auth = refreshToken({
  tokenUrl: process.env.TOKEN_URL,
  clientId: 'sluice',
  clientSecret: secret('CLIENT_SECRET'),
  refreshToken: secret('FIRST'),
})
const api = http(process.env.API, { auth, timeout: '2s' })
export default pipeline('crm', {
  streams: { rows: api.get('/rows').pages(onePage()).records('').into('t.rows', { key: 'id' }) },
})
`

const isClaim = ({ from, name, text = '' }: Message): boolean =>
  from === 'client' && name === 'Parse' && text.includes('set lost_answers = ')
const isStore = ({ from, name, text = '' }: Message): boolean =>
  from === 'client' && name === 'Parse' && text.includes('set generation = generation + 1')

interface Step {
  /** What the next process gets. */
  readonly outcome: 'rows' | 'refused'
  /** The errors of all token requests that the server has ended. */
  readonly requests: readonly (string | undefined)[]
  /** When the process is killed. */
  readonly at: 'claim' | 'request' | 'answer' | 'store' | 'stored' | 'use'
}

test.each<Step>([
  { at: 'claim', outcome: 'rows', requests: [undefined] },
  { at: 'request', outcome: 'rows', requests: [undefined] },
  // The server has replaced the token, and nobody knows the new one: the one retry shows it.
  { at: 'answer', outcome: 'refused', requests: [undefined, 'invalid_grant'] },
  { at: 'store', outcome: 'refused', requests: [undefined, 'invalid_grant'] },
  { at: 'stored', outcome: 'rows', requests: [undefined] },
  { at: 'use', outcome: 'rows', requests: [undefined] },
])('a process that is killed at its $at: the next one gets $outcome', async ({ at, outcome, requests }) => {
  await using oidc = await oidcServer()
  let kill: (() => Promise<void>) | undefined
  const killAt = async (step: Step['at']): Promise<void> => {
    if (step === at) await kill?.()
  }
  await using api = await apiServer(async ({ headers }) => {
    await killAt('use')
    return (await oidc.accepts(headers.authorization)) ? { json: [{ id: 1 }] } : { status: 401 }
  })
  await using store = await testDatabase()
  let isStoring = false
  await using proxy = await PgProxy.open({
    port: Number(new URL(store.url).port),
    watchers: [
      {
        before: async (message) => {
          if (isClaim(message)) await killAt('claim')
          if (isStore(message)) {
            await killAt('store')
            isStoring = true
          }
          // The reply of the store.
          if (isStoring && message.from === 'server' && message.name === 'CommandComplete') await killAt('stored')
        },
      },
    ],
  })
  await using here = await project({ 'pipelines/crm.ts': PIPELINE })
  const env = {
    PATH: process.env['PATH'] ?? '',
    SLUICE_KEY: randomBytes(32).toString('hex'),
    TOKEN_URL: oidc.tokenUrl,
    API: api.origin,
    CLIENT_SECRET: CLIENT.client_secret,
    FIRST: await oidc.newRefreshToken(),
  }
  let isAtRequest = false
  oidc.hooks = {
    before: async () => {
      isAtRequest = at === 'request' && kill !== undefined
      await killAt('request')
      // The request has arrived, and the server has not looked at it.
      if (isAtRequest) await new Promise(() => {})
    },
    after: () => killAt('answer'),
  }

  const child = spawn(process.execPath, [join(ROOT, 'src/cli/main.ts'), 'run', 'crm', '--json'], {
    cwd: here.cwd,
    env: { ...COMPILE_CACHE, ...env, DATABASE_URL: proxy.through(store.url) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'exit')
  kill = async () => {
    proxy.freeze()
    child.kill('SIGKILL')
    await ended
  }
  const [, signal] = (await Promise.all([ended, text(child.stderr)]))[0] as [number | null, string | null]
  expect(signal).toBe('SIGKILL')
  kill = undefined
  proxy.thaw()
  // The next process waits until the mark of the refresh has expired: that time passes here at once.
  await store.database.query(
    "update sluice.credentials set held_until = clock_timestamp() + interval '1 s' where holder is not null",
  )

  const next = await here.sluice(['run', 'crm'], { ...env, DATABASE_URL: store.url })
  expect(oidc.requests.map(({ error }) => error)).toEqual(requests)
  expect(outcomeOf(next)).toBe(outcome)
  const used = oidc.requests.filter(({ error }) => error === undefined).map(({ refreshToken }) => refreshToken)
  expect(used).toEqual([env.FIRST])
  // A run after that goes on with what the ledger keeps, and with a new token where the former one is lost.
  if (outcome === 'refused') env.FIRST = await oidc.newRefreshToken()
  expect(await here.sluice(['run', 'crm'], { ...env, DATABASE_URL: store.url })).toMatchObject({ code: 0 })
  const { text: stored } = await store.database.one<{ text: string }>(
    `select (select string_agg(c::text, ' ') from sluice.credentials as c) || (select string_agg(e::text, ' ')
       from sluice.events as e) as text`,
  )
  expect(stored).not.toContain(env.FIRST)
})

const outcomeOf = ({ code, stdout, stderr }: Ended): string => {
  const output = (stdout + stderr).replaceAll(/\s+/g, ' ')
  if (code === 0) return 'rows'
  return code === 1 && output.includes('An earlier refresh was interrupted') ? 'refused' : output
}

test('two runs at once need one refresh', async () => {
  await using oidc = await oidcServer()
  oidc.hooks.after = () => sleep(300)
  await using api = await apiServer(async ({ headers }) =>
    (await oidc.accepts(headers.authorization)) ? { json: [{ id: 1 }] } : { status: 401 },
  )
  await using store = await testDatabase()
  const other = PIPELINE.replace("pipeline('crm'", "pipeline('other'").replace('t.rows', 't.others')
  await using here = await project({ 'pipelines/crm.ts': PIPELINE, 'pipelines/other.ts': other })
  const env = {
    SLUICE_KEY: randomBytes(32).toString('base64'),
    TOKEN_URL: oidc.tokenUrl,
    API: api.origin,
    CLIENT_SECRET: CLIENT.client_secret,
    FIRST: await oidc.newRefreshToken(),
    DATABASE_URL: store.url,
  }
  const ended = await Promise.all(['crm', 'other'].map((name) => here.sluice(['run', name], env)))
  expect(ended.map(({ code }) => code)).toEqual([0, 0])
  expect(oidc.requests.map(({ error }) => error)).toEqual([undefined])
})
