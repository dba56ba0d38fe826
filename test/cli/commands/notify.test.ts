import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { Notice } from '../../../src/model/notify.ts'
import { runScheduler } from '../../../src/run/schedule/schedule.ts'
import { findPipelines } from '../../../src/run/find-pipelines.ts'
import type { ScheduleEvent } from '../../../src/run/schedule/schedule-event.ts'
import { apiServer, type ApiServer } from '../../support/api-server.ts'
import { callSluice } from '../support/call.ts'
import { openShop, type Shop } from '../support/shop.ts'

let shop: Shop
let receiver: ApiServer
const answer = { status: 200 }
const pinged = Promise.withResolvers<void>()

beforeAll(async () => {
  shop = await openShop()
  receiver = await apiServer(({ path }) => {
    if (path === '/ping') pinged.resolve()
    return { status: answer.status }
  })
})
afterAll(async () => {
  await receiver[Symbol.asyncDispose]()
  await shop[Symbol.asyncDispose]()
})
beforeEach(() => {
  answer.status = 200
})

const call = (environment: Readonly<Record<string, string>>, ...args: readonly string[]) =>
  callSluice(args, { cwd: shop.here.cwd, env: { DATABASE_URL: shop.database.url, ...environment } })

/** Nobody listens there, so that runs fail. A pipeline file reads it once. */
const DOWN = 'http://127.0.0.1:1'

const broken = (): Record<string, string> => ({
  SHOP_API: DOWN,
  SLUICE_NOTIFY_WEBHOOK: `${receiver.origin}/alerts`,
})

test('notify test says who was told, and what went wrong', async () => {
  expect(await call({ SHOP_API: DOWN }, 'notify', 'test')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Nobody is told of problems. Set SLUICE_NOTIFY_SLACK'),
  })
  const environment = { ...broken(), SLUICE_NOTIFY_COMMAND: '/no/such/program' }
  expect(await call(environment, 'notify', 'test')).toMatchObject({
    code: 1,
    stdout: 'webhook SLUICE_NOTIFY_WEBHOOK: sent (shop)\n',
    stderr: 'command /no/such/program: not sent: spawn /no/such/program ENOENT\n',
  })
  expect(JSON.parse(receiver.requests.at(-1)!.body)).toMatchObject({ isTest: true, opened: [] })
})

test('a run tells of its failure at its end, also if nobody can be told', async () => {
  answer.status = 503
  const before = receiver.requests.length
  expect(await call(broken(), 'run', 'shop', '--quiet', '--timeout', '2s')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('an alarm could not be sent to webhook SLUICE_NOTIFY_WEBHOOK'),
  })
  expect(receiver.requests).toHaveLength(before + 1)
  expect((await call({}, 'notify', 'list')).stdout).toMatch(/shop\.orders +(?:failed|never succeeded) .*answered 503/)
})

test('a scheduler tells too, and calls the address of a dead man’s switch', async () => {
  await shop.database.database.query('update sluice.notices set due_at = clock_timestamp()')
  const [found] = await findPipelines([`${shop.here.cwd}/pipelines/shop.ts`])
  const stop = new AbortController()
  const events: ScheduleEvent[] = []
  const running = runScheduler([found!.pipeline], {
    database: shop.database.url,
    environment: { ...broken(), SLUICE_PING_URL: `${receiver.origin}/ping` },
    signal: stop.signal,
    onEvent: (event) => events.push(event),
  })
  await pinged.promise
  stop.abort(new Error('enough'))
  await running
  expect(receiver.requests.slice(-2).map(({ path }) => path)).toEqual(['/alerts', '/ping'])
  const told = JSON.parse(receiver.requests.at(-2)!.body) as Notice
  expect(told.opened.map(({ stream }) => stream ?? '').toSorted()).toEqual(['lines', 'orders'])
  expect(events.filter(({ type }) => type === 'alarm.failed')).toEqual([])
})
