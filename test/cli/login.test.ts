// `sluice login` against a real authorization server, with a person at a browser.
import { expect, jest, test } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { apiServer } from '../support/api-server.ts'
import { COMPILE_CACHE } from '../support/compile-cache.ts'
import { testDatabase } from '../support/database.ts'
import { CLIENT, oidcServer } from '../support/oidc-server.ts'
import { webBrowser } from '../support/web-browser.ts'
import { project, ROOT, type Ended } from './support/command.ts'

jest.setTimeout(60_000)

const PIPELINE = `
import { http, onePage, pipeline, refreshToken, secret } from 'SLUICE'

const auth = refreshToken({
  tokenUrl: process.env.OIDC + '/token',
  authorizationUrl: process.env.OIDC + '/auth?prompt=consent',
  deviceUrl: process.env.OIDC + '/device/auth',
  clientId: 'sluice',
  clientSecret: secret('CLIENT_SECRET'),
  refreshToken: secret('CRM_TOKEN'),
  scope: 'openid read',
})
const api = http(process.env.API, { auth })
export default pipeline('crm', {
  streams: { rows: api.get('/rows').pages(onePage()).records('').into('t.rows', { key: 'id' }) },
})
`

/** A command that runs, and what it has printed so far. */
interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Waits until it has printed something that matches. */
  readonly printed: (pattern: RegExp) => Promise<string>
}

async function openFixture(more: Readonly<Record<string, string>> = {}) {
  await using opened = new AsyncDisposableStack()
  const oidc = opened.use(await oidcServer())
  const api = opened.use(
    await apiServer(async ({ headers }) =>
      (await oidc.accepts(headers.authorization)) ? { json: [{ id: 1 }] } : { status: 401 },
    ),
  )
  const store = opened.use(await testDatabase())
  const here = opened.use(await project({ 'pipelines/crm.ts': PIPELINE }))
  const env = {
    PATH: process.env['PATH'] ?? '',
    OIDC: oidc.origin,
    API: api.origin,
    DATABASE_URL: store.url,
    CLIENT_SECRET: CLIENT.client_secret,
    SLUICE_KEY: randomBytes(32).toString('base64'),
    ...more,
  }
  const login = (...options: string[]): Running => {
    const child = spawn(process.execPath, [join(ROOT, 'src/cli/main.ts'), 'login', 'crm', ...options], {
      cwd: here.cwd,
      env: { ...COMPILE_CACHE, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    opened2.defer(() => void child.kill('SIGKILL'))
    let stdout = ''
    const more = new EventTarget()
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
      more.dispatchEvent(new Event('more'))
    })
    const exited = once(child, 'close') as Promise<[number | null]>
    const stderr = text(child.stderr)
    return {
      child,
      ended: exited.then(async ([code]) => ({ code, stdout, stderr: await stderr })),
      printed: async (pattern) => {
        for (;;) {
          const [found] = pattern.exec(stdout) ?? []
          if (found !== undefined) return found
          await Promise.race([
            once(more, 'more'),
            exited.then(async () => Promise.reject(new Error(`It has ended: ${await stderr}`))),
          ])
        }
      },
    }
  }
  const opened2 = opened.move()
  return {
    oidc,
    store,
    env,
    login,
    sluice: (...words: string[]) => here.sluice(words, env),
    run: () => here.sluice(['run', 'crm'], env),
    [Symbol.asyncDispose]: () => opened2.disposeAsync(),
  }
}

/** No token and no secret may be printed. */
const SECRETS = new RegExp(`${CLIENT.client_secret}|access_token|refresh_token|code_verifier`)

test('a person logs in with a browser, and the runs use the tokens', async () => {
  await using it = await openFixture()
  const running = it.login()
  const url = await running.printed(/http:\S+\/auth\S+/)
  expect(Object.fromEntries(new URL(url).searchParams)).toEqual({
    prompt: 'consent',
    response_type: 'code',
    client_id: 'sluice',
    redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback$/),
    scope: 'openid read',
    state: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 'S256',
  })
  // An answer of another page changes nothing.
  const redirectUri = new URL(url).searchParams.get('redirect_uri')!
  expect((await fetch(`${redirectUri}?code=stolen&state=guessed`)).status).toBe(400)
  expect((await fetch(`${redirectUri}?code=stolen`)).status).toBe(400)
  expect((await fetch(redirectUri.replace('callback', 'other'))).status).toBe(404)

  const page = await webBrowser().open(url)
  expect(page).toMatchObject({ status: 200, text: expect.stringContaining('You may close this page.') })
  const { code, stdout, stderr } = await running.ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('encrypted. Runs use them from now on.')
  expect(stdout + page.text).not.toMatch(SECRETS)
  expect(stdout).not.toContain(new URL(page.url).searchParams.get('code'))

  // The variable is not set: the ledger has the token.
  expect(await it.run()).toMatchObject({ code: 0 })
  expect(it.oidc.requests.map(({ grant, error }) => [grant, error])).toEqual([['authorization_code', undefined]])
  expect(await it.sluice('check', 'crm')).toMatchObject({ code: 0 })
  expect(await it.sluice('preview', 'crm.rows')).toMatchObject({ code: 0 })
  // The tokens are in the database that was given.
  const other = ['--database', Object.assign(new URL(it.store.url), { pathname: '/none' }).href]
  expect(await it.sluice('preview', 'crm.rows', ...other)).not.toMatchObject({ code: 0 })
  expect(it.oidc.requests).toHaveLength(1)
  await it.store.database.query('update sluice.credentials set usable_until = clock_timestamp()')
  expect(await it.run()).toMatchObject({ code: 0 })
  expect(it.oidc.requests.map(({ grant, error }) => [grant, error])).toEqual([
    ['authorization_code', undefined],
    ['refresh_token', undefined],
  ])
})

test('a person logs in on another device by a code', async () => {
  await using it = await openFixture()
  const running = it.login('--device')
  const code = (await running.printed(/type the code \S+:/)).slice('type the code '.length, -1)
  const url = await running.printed(/http:\S+\/device$/m)
  const browser = webBrowser()
  const { fields } = await browser.open(url)
  const confirm = await browser.open(url, { ...fields, user_code: code })
  const page = await browser.open(url, { ...confirm.fields, confirm: 'yes' })
  expect(page.text).toBe('You have let it in.')
  const { code: exit, stdout, stderr } = await running.ended
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
  expect(stdout).not.toMatch(SECRETS)
  expect(await it.run()).toMatchObject({ code: 0 })
})

test('a login stands in place of a token that no longer works', async () => {
  await using it = await openFixture({ CRM_TOKEN: 'a token that was revoked' })
  const before = await it.run()
  expect(before.code).toBe(1)
  expect(before.stdout + before.stderr).toContain('sluice login')
  const running = it.login()
  await webBrowser().open(await running.printed(/http:\S+\/auth\S+/))
  expect((await running.ended).stdout).toContain('They stand in place of the value that CRM_TOKEN has now')
  expect(await it.run()).toMatchObject({ code: 0 })
})

test('a login works with another key than the one that was lost', async () => {
  await using it = await openFixture({ CRM_TOKEN: 'any' })
  for (const key of [it.env.SLUICE_KEY, randomBytes(32).toString('hex')]) {
    it.env.SLUICE_KEY = key
    const running = it.login()
    await webBrowser().open(await running.printed(/http:\S+\/auth\S+/))
    expect(await running.ended).toMatchObject({ code: 0 })
    expect(await it.run()).toMatchObject({ code: 0 })
  }
})

test('a login that the person refuses stores nothing', async () => {
  await using it = await openFixture()
  it.oidc.denies = true
  const running = it.login()
  const page = await webBrowser().open(await running.printed(/http:\S+\/auth\S+/))
  expect(page.text).toContain('The login was refused (access_denied). You may close this page.')
  const { code, stderr } = await running.ended
  expect(code).toBe(1)
  expect(stderr).toContain('The login was refused (access_denied). Nothing was stored')
  expect(await it.store.database.query('select from sluice.credentials')).toEqual([])
})

test('a login needs a key, and ends if nobody comes', async () => {
  await using it = await openFixture()
  const { ended } = it.login('--timeout', '2s')
  expect((await ended).stderr).toContain('The login took longer than 2s')
  it.env.SLUICE_KEY = ''
  const without = await it.login().ended
  expect(without).toMatchObject({ code: 2, stdout: '' })
  expect(without.stderr).toContain('SLUICE_KEY is not set')
})
