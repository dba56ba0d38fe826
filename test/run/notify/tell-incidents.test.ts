import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { tmpdir } from 'node:os'
import { expect, test } from '@jest/globals'
import { SMTPServer } from 'smtp-server'
import { Webhook } from 'standardwebhooks'
import {
  http,
  onePage,
  pipeline,
  secret,
  toCommand,
  toEmail,
  toSlack,
  toWebhook,
  type Notice,
  type NotifyOption,
  type Pipeline,
} from '../../../src/index.ts'
import { noteIncidents, readIncidents } from '../../../src/ledger/incidents.ts'
import { readSecrets } from '../../../src/observe/secrets.ts'
import { ping } from '../../../src/run/notify/ping.ts'
import { tellIncidents } from '../../../src/run/notify/tell-incidents.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { apiServer, type ApiServer } from '../../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'
import { proxyServer } from '../../support/proxy-server.ts'

const KEY = `whsec_${Buffer.from('a key of thirty-two bytes, or so').toString('base64')}`

/** An API that can be broken and mended, and the pipeline that reads it. */
async function orders(notify?: NotifyOption) {
  const state = { isBroken: true }
  const api = await apiServer(() => (state.isBroken ? { status: 404 } : { json: [{ id: 1 }] }))
  const flow: Pipeline = pipeline('shop', {
    ...(notify !== undefined && { notify }),
    streams: {
      orders: http(api.origin as 'http://x')
        .get<{ id: number }[]>('/orders')
        .pages(onePage())
        .records()
        .into('shop.orders', { key: 'id' }),
    },
  })
  return { state, flow, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() }
}

interface Told {
  readonly database: TestDatabase
  readonly environment: Record<string, string>
}

async function tell(flow: Pipeline, { database: { database }, environment }: Told): Promise<string[]> {
  const problems: string[] = []
  await tellIncidents(database, [flow], {
    environment,
    secrets: readSecrets(environment),
    onProblem: (message) => problems.push(message),
    signal: AbortSignal.timeout(60_000),
  })
  return problems
}

const run = (flow: Pipeline, { url }: TestDatabase) => runPipeline(flow, { database: url })

const noticesOf = (receiver: ApiServer): Notice[] => receiver.requests.map(({ body }) => JSON.parse(body) as Notice)

const listed = ({ database }: TestDatabase) => readIncidents(database, { onlyOpen: false, limit: 10 })

/** A mail server that keeps what it is given. */
async function mailServer() {
  const mails: string[] = []
  const keep = async (stream: Readable): Promise<void> => void mails.push(await text(stream))
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _, done) {
      stream.once('close', done)
      void keep(stream)
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  return {
    mails,
    url: `smtp://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(resolve)),
  }
}

test('each of them is told once of a problem, and once when it is over', async () => {
  await using receiver = await apiServer(() => ({}))
  await using mail = await mailServer()
  const file = join(tmpdir(), `sluice-alarm-${process.pid}.txt`)
  await using _ = { [Symbol.asyncDispose]: () => rm(file, { force: true }) }
  await using test = await testDatabase()
  const environment = {
    PATH: process.env['PATH'] ?? '',
    SLACK: `${receiver.origin}/slack`,
    HOOK: `${receiver.origin}/hook`,
    KEY,
    SMTP: mail.url,
  }
  await using shop = await orders([
    toSlack(secret('SLACK')),
    toWebhook(secret('HOOK'), { signWith: secret('KEY') }),
    toEmail('ops@example.com', { from: 'sluice@example.com', server: secret('SMTP') }),
    toCommand('sh', '-c', `printf '%s\\n--\\n' "$SLUICE_NOTICE" >> ${file}`),
  ])
  const told = { database: test, environment }
  await run(shop.flow, test)
  expect(await tell(shop.flow, told)).toEqual([])
  expect(await tell(shop.flow, told)).toEqual([])

  const hook = receiver.requests.find(({ path }) => path === '/hook')!
  const notice = new Webhook(KEY).verify(hook.body, hook.headers as Record<string, string>) as Notice
  expect(() => new Webhook(KEY).verify(`${hook.body} `, hook.headers as Record<string, string>)).toThrow('signature')
  const [incident] = notice.opened
  expect(notice.opened.map(({ pipeline, stream, kind }) => [pipeline, stream, kind])).toEqual([
    ['shop', 'orders', 'failed'],
  ])
  expect(incident!.message).toMatch(/^run 1 failed: .*404/)
  const slack = JSON.parse(receiver.requests.find(({ path }) => path === '/slack')!.body) as { text: string }
  expect(slack.text).toMatch(/^\*Sluice: shop\.orders: failed\*\nshop\.orders: failed, since 20.* UTC\. run 1 failed: /)
  expect(receiver.requests).toHaveLength(2)
  expect(mail.mails).toHaveLength(1)
  expect(mail.mails[0]).toMatch(/^Subject: Sluice: shop\.orders: failed\r$/m)
  expect(mail.mails[0]).toMatch(/^To: ops@example\.com\r$/m)
  expect((await readFile(file, 'utf8')).split('\n--\n')).toEqual([expect.stringContaining('run 1 failed'), ''])

  shop.state.isBroken = false
  await run(shop.flow, test)
  expect(await tell(shop.flow, told)).toEqual([])
  expect(await tell(shop.flow, told)).toEqual([])
  expect(noticesOf(receiver)).toHaveLength(4)
  const over = JSON.parse(receiver.requests.findLast(({ path }) => path === '/hook')!.body) as Notice
  expect(over).toMatchObject({
    subject: 'Sluice: shop.orders: no longer failed',
    opened: [],
    closed: [{ id: incident!.id, kind: 'failed', closedAt: expect.any(String) }],
  })
  expect(mail.mails).toHaveLength(2)
  expect((await readFile(file, 'utf8')).split('\n--\n')).toHaveLength(3)
  expect(await listed(test)).toMatchObject([{ told: [expect.any(String), '', '', ''].map(() => expect.any(String)) }])
})

test('of several processes that look at once, one sends', async () => {
  await using receiver = await apiServer(() => ({}))
  await using test = await testDatabase()
  await using shop = await orders()
  const told = { database: test, environment: { SLUICE_NOTIFY_WEBHOOK: receiver.origin } }
  await run(shop.flow, test)
  await Promise.all(Array.from({ length: 7 }, () => tell(shop.flow, told)))
  expect(noticesOf(receiver).map(({ opened }) => opened.length)).toEqual([1])
})

test('what could not be sent is sent again later; what is over before is never told', async () => {
  const receiving = { status: 500 }
  await using receiver = await apiServer(() => ({ status: receiving.status, body: 'no room' }))
  await using test = await testDatabase()
  await using shop = await orders()
  const told = { database: test, environment: { SLUICE_NOTIFY_WEBHOOK: `${receiver.origin}/secret-path` } }
  await run(shop.flow, test)
  const sentence =
    'an alarm could not be sent to webhook SLUICE_NOTIFY_WEBHOOK, and is sent again later: it answered 500: no room'
  expect(await tell(shop.flow, told)).toEqual([sentence])
  // It is not due yet.
  expect(await tell(shop.flow, told)).toEqual([])
  expect(await listed(test)).toMatchObject([
    { told: [], notTold: ['webhook SLUICE_NOTIFY_WEBHOOK: it answered 500: no room'] },
  ])
  const due = `update sluice.notices set due_at = clock_timestamp() where due_at > clock_timestamp()`
  await test.database.query(due)
  receiving.status = 200
  expect(await tell(shop.flow, told)).toEqual([])
  expect(noticesOf(receiver).map(({ id }) => id)).toEqual(['notice_1_1', 'notice_1_1'])
  expect(await listed(test)).toMatchObject([{ told: ['webhook SLUICE_NOTIFY_WEBHOOK'], notTold: [] }])

  shop.state.isBroken = false
  await run(shop.flow, test)
  await tell(shop.flow, told)
  shop.state.isBroken = true
  await run(shop.flow, test)
  receiving.status = 500
  expect(await tell(shop.flow, told)).toHaveLength(1)
  shop.state.isBroken = false
  await run(shop.flow, test)
  await test.database.query(due)
  receiving.status = 200
  expect(await tell(shop.flow, told)).toEqual([])
  expect(receiver.requests).toHaveLength(4)
  expect(await listed(test)).toMatchObject([{ told: [], notTold: [] }, { notTold: [] }])
})

test('a message of a process that died while it sent is sent by another one', async () => {
  await using receiver = await apiServer(() => ({}))
  await using test = await testDatabase()
  await using shop = await orders()
  const told = { database: test, environment: { SLUICE_NOTIFY_WEBHOOK: receiver.origin } }
  await run(shop.flow, test)
  await noteIncidents(test.database, {
    found: [{ pipeline: 'shop', stream: 'orders', kind: 'failed', message: 'it failed' }],
    targets: new Map([['shop', ['webhook SLUICE_NOTIFY_WEBHOOK']]]),
    undecided: [],
    signal: AbortSignal.timeout(60_000),
  })
  await test.database.query(`update sluice.notices set claimed_until = clock_timestamp() + interval '2 minutes'`)
  expect(await tell(shop.flow, told)).toEqual([])
  expect(receiver.requests).toEqual([])
  await test.database.query(`update sluice.notices set claimed_until = clock_timestamp()`)
  await tell(shop.flow, told)
  expect(noticesOf(receiver)).toMatchObject([{ opened: [{ kind: 'failed' }] }])
})

test('a problem stays open while its stream is being read', async () => {
  await using test = await testDatabase()
  const targets = new Map([['shop', ['webhook A']]])
  const signal = AbortSignal.timeout(60_000)
  const problem = { pipeline: 'shop', stream: 'orders', kind: 'failed', message: 'it failed' }
  const ofAll = { pipeline: 'shop', kind: 'tick failed', message: 'it could not start' }
  await noteIncidents(test.database, { found: [problem, ofAll], targets, undecided: [], signal })
  const open = async () =>
    (await readIncidents(test.database, { onlyOpen: true, limit: 10 })).map(({ kind }) => kind).toSorted()
  expect(await open()).toEqual(['failed', 'tick failed'])
  await noteIncidents(test.database, { found: [], targets: new Map([['other', ['webhook A']]]), undecided: [], signal })
  expect(await open()).toEqual(['failed', 'tick failed'])
  const undecided = [{ pipeline: 'shop', stream: 'orders' }]
  await noteIncidents(test.database, { found: [], targets, undecided, signal })
  expect(await open()).toEqual(['failed'])
  await noteIncidents(test.database, { found: [], targets, undecided: [], signal })
  expect(await open()).toEqual([])
})

test('messages and pings go through the proxy of the environment', async () => {
  await using receiver = await apiServer(() => ({ body: 'x'.repeat(100_000) }))
  await using proxy = await proxyServer()
  await using test = await testDatabase()
  await using shop = await orders()
  await run(shop.flow, test)
  const environment = {
    SLUICE_NOTIFY_WEBHOOK: `${receiver.origin}/alerts`,
    SLUICE_PING_URL: `${receiver.origin}/ping`,
    HTTP_PROXY: proxy.url,
  }
  expect(await tell(shop.flow, { database: test, environment })).toEqual([])
  await ping(environment, { secrets: readSecrets(environment), signal: AbortSignal.timeout(60_000) })
  expect(receiver.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /alerts', 'GET /ping'])
  expect(proxy.asked).toHaveLength(2)
})

test('more waiting rejects than allowed are a problem', async () => {
  await using receiver = await apiServer(() => ({}))
  await using api = await apiServer(() => ({
    json: [
      { id: 1, at: 'x' },
      { id: 2, at: 'y' },
      { id: 3, at: null },
    ],
  }))
  await using test = await testDatabase()
  const flow = pipeline('shop', {
    notify: { to: toWebhook(secret('HOOK')), rejects: 1 },
    streams: {
      orders: http(api.origin as 'http://x')
        .get<{ id: number; at: string }[]>('/orders')
        .pages(onePage())
        .records()
        .into('shop.orders', { key: 'id', columns: { at: 'timestamptz' } }),
    },
  })
  await run(flow, test)
  await tell(flow, { database: test, environment: { HOOK: receiver.origin } })
  expect(noticesOf(receiver)).toMatchObject([
    {
      opened: [
        {
          kind: 'rejects',
          message: expect.stringMatching(/^2 records could not be stored, and notify.rejects allows 1/),
        },
      ],
    },
  ])
})
