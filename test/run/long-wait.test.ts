import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Report, StatusReport } from '../../src/index.ts'
import { project, type Ended, type Project } from '../cli/support/command.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

jest.setTimeout(60_000)

// An API with an endpoint that asks to wait for a day, as the API of some report or export does.

const pipelineOf = (name: string): string => `
import { bearer, http, onePage, path, pipeline, secret } from 'SLUICE'

const api = http(process.env.API + '/v1', { auth: bearer(secret('TOKEN')) })
const rows = (path) => api.get(path).pages(onePage()).records('items')
export default pipeline('${name}', {
  streams: {
    slow: rows('/long-wait').into('t.slow', { key: 'id' }),
    fine: rows('/no-limit').into('t.fine', { key: 'id' }),
    items: rows('/orders').flatMap((order) => rows(path\`/orders/\${order.id}/items\`)).into('t.items', { key: 'id' }),
  },
})
`

let here: Project
let database: TestDatabase
let api: ApiServer
let isBusy = true
const opened = new AsyncDisposableStack()

beforeAll(async () => {
  api = opened.use(
    await apiServer(({ path }) => {
      if (isBusy && (path === '/v1/long-wait' || path === '/v1/orders/2/items'))
        return { status: 429, headers: { 'retry-after': '86400' } }
      const [, , , order = '', items] = path.split('/')
      if (items !== undefined) return { json: { items: [{ id: Number(order) * 10 }, { id: Number(order) * 10 + 1 }] } }
      return { json: { items: [1, 2, 3].map((id) => ({ id })) } }
    }),
  )
  database = opened.use(await testDatabase())
  here = opened.use(await project({ 'pipelines/one.ts': pipelineOf('one'), 'pipelines/two.ts': pipelineOf('two') }))
})
afterAll(() => opened.disposeAsync())

const sluice = async (...args: string[]): Promise<Ended> =>
  here.sluice(args, { API: api.origin, TOKEN: 'never-to-be-seen', DATABASE_URL: database.url })
const asked = (): string[] =>
  api.requests
    .map(({ path }) => path)
    .filter((path) => path === '/v1/long-wait' || path.endsWith('/items'))
    .toSorted()

describe('an endpoint that asks to wait for a day', () => {
  test('ends its stream with a text that names path and time, and no other stream', async () => {
    const ended = await sluice('run', 'one', '--json')
    expect(ended.code).toBe(1)
    const { streams } = JSON.parse(ended.stdout) as Report
    expect(streams).toMatchObject({
      slow: {
        status: 'failed',
        error: expect.stringMatching(
          /GET \/long-wait answered 429 \(retry after \S+Z\)\. Until then no request is sent to \S+\/v1\/long-wait\. /,
        ),
      },
      fine: { status: 'done', counts: { inserted: 3 } },
      items: { status: 'failed', error: expect.stringContaining('/v1/orders/{}/items. A run waits') },
    })
    expect(asked()).toEqual(expect.arrayContaining(['/v1/long-wait', '/v1/orders/1/items', '/v1/orders/2/items']))
  })

  test('is asked by no other process, for no parent, while other endpoints are', async () => {
    const before = asked().length
    const ended = await sluice('run', 'two', '--json')
    expect(ended.code).toBe(1)
    expect((JSON.parse(ended.stdout) as Report).streams).toMatchObject({
      slow: { status: 'failed', error: expect.stringMatching(/\/v1\/long-wait admits no request until \S+Z \(GET /) },
      fine: { status: 'done', counts: { fetched: 3 } },
      items: { status: 'failed', error: expect.stringContaining('/v1/orders/{}/items admits no request until') },
    })
    expect(asked().length).toBe(before)
  })

  test('is shown by sluice limits, with run, stream and header', async () => {
    const { code, stdout } = await sluice('limits', '--json')
    expect(code).toBe(0)
    const source = { pipeline: 'one', run: '1', status: 429, header: 'retry-after: 86400' }
    expect(JSON.parse(stdout)).toEqual(
      expect.arrayContaining([
        {
          api: api.origin,
          path: '/v1/long-wait',
          until: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          source: { ...source, stream: 'slow', request: 'GET /long-wait' },
        },
        {
          api: api.origin,
          path: '/v1/orders/{}/items',
          until: expect.any(String),
          source: { ...source, stream: 'items', request: 'GET /orders/2/items' },
        },
      ]),
    )
    const table = await sluice('limits')
    expect(table.stdout).toMatch(
      /^http:\S+ +\/v1\/long-wait +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\S+Z +one\.slow +1 +GET /m,
    )
    expect(table.stdout).not.toContain('never-to-be-seen')
  })

  test('is named by sluice status as a note, and in its JSON', async () => {
    const { stdout } = await sluice('status')
    expect(stdout.replaceAll(/\n {9}/g, ' ')).toMatch(
      /^note {5}one\.slow: no request is sent to \S+\/v1\/long-wait until \S+Z: GET \/long-wait answered 429 with /m,
    )
    const report = JSON.parse((await sluice('status', 'two.fine', '--json')).stdout) as StatusReport
    expect(report).toMatchObject({ ok: true, findings: [] })
    expect(new Set(report.waits.map(({ path }) => path))).toEqual(new Set(['/v1/long-wait', '/v1/orders/{}/items']))
  })

  test('is asked again after sluice limits clear, and the stream reads on', async () => {
    expect(await sluice('limits', 'clear', '/v1/no-limit')).toMatchObject({
      code: 2,
      stderr: '/v1/no-limit: no request waits there. The waits are listed by: sluice limits\n',
    })
    expect((await sluice('limits', 'clear', '/v1/orders')).stdout).toMatch(
      /^http:\S+\/v1\/orders\/\{\}\/items: the wait until \d{4}-\S+ \S+ was lifted\n$/,
    )
    expect((await sluice('limits', 'clear', `${api.origin}/`)).stdout).toMatch(/^http:\S+\/v1\/long-wait: the wait/)
    for (const method of ['GET', 'POST'])
      await database.database.query(
        `select sluice.report_limits(sluice.open_rate($1, '{}', $2), '', 6e6, null, null, null, null)`,
        [api.origin, `5/m of ${method} /v1/users`],
      )
    expect((await sluice('limits', 'clear', 'GET /v1/users')).stdout).toMatch(
      /^GET http:\S+\/v1\/users: the wait until \S+ \S+ was lifted\n$/,
    )
    expect((await sluice('limits', 'clear', '/v1/users')).stdout).toMatch(/^POST http:\S+\/v1\/users: the wait/)
    expect((await sluice('limits')).stdout).toBe('No API has asked to wait.\n')
    expect((await sluice('limits', 'clear')).stdout).toBe('No API has asked to wait.\n')
    isBusy = false
    const ended = await sluice('run', 'one', '--json')
    expect((JSON.parse(ended.stdout) as Report).streams).toMatchObject({
      slow: { status: 'done', counts: { fetched: 3 } },
      items: { status: 'done' },
    })
    expect(await database.database.query('select count(*)::int as n from t.items')).toEqual([{ n: 6 }])
  })
})
