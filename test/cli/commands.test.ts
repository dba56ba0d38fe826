import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Report } from '../../src/model/report.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { project, type Ended, type Project } from './support/command.ts'

// Each test starts several processes, which a busy machine may take its time for.
jest.setTimeout(30_000)

const shop = `
import { byPage, http, pipeline, since } from 'SLUICE'

const api = http(process.env.SHOP_API)
const orders = api.get('/orders', { since }).pages(byPage('page', { pages: 'pages' })).records('orders').incremental('updated', { order: 'ascending' })

export default pipeline('shop', {
  schedule: '0 4 * * *',
  streams: {
    orders: orders.map((order) => {
      if (order.total < 0) throw new Error('a negative total')
      return order
    }).into('shop.orders', { key: 'id' }),
    lines: orders.flatMap((order) => [{ order: order.id, line: 1 }, { order: order.id, line: 2 }]).into('shop.lines', { key: ['order', 'line'] }),
  },
})
`

const orders = [1, 2, 3, 4, 5].map((id) => ({
  id,
  total: id === 4 ? -1 : id * 10,
  updated: `2024-01-0${id}T00:00:00Z`,
}))

describe('commands', () => {
  let api: ApiServer
  let database: TestDatabase
  let here: Project
  const sluice = (...args: string[]): Promise<Ended> =>
    here.sluice(args, { SHOP_API: api.origin, DATABASE_URL: database.url, NO_COLOR: '1' })

  beforeAll(async () => {
    api = await apiServer(({ query }) => {
      const fitting = orders.filter(({ updated }) => updated >= (query.get('since') ?? ''))
      const page = Number(query.get('page'))
      return { json: { orders: fitting.slice(page * 2 - 2, page * 2), pages: Math.ceil(fitting.length / 2) } }
    })
    database = await testDatabase()
    here = await project({
      'pipelines/shop.ts': shop,
      'broken/broken.ts': 'export default pipeline(',
      '.env': 'LOUD=yes\nSHOP_API=http://127.0.0.1:1\n',
    })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await here[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
  })

  test('help comes at once, with examples; what is wrong ends with 2', async () => {
    const help = await sluice('--help')
    expect(help).toMatchObject({ code: 0, stderr: '' })
    for (const name of [
      'run',
      'schedule',
      'list',
      'check',
      'preview',
      'runs',
      'rejects',
      'cursor',
      'migrate',
      'sql',
      'demo',
    ])
      expect(help.stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'))
    for (const words of [['run'], ['check'], ['rejects', 'replay'], ['cursor', 'set'], ['sql']])
      expect((await sluice(...words, '--help')).stdout).toContain(`Examples:\n  sluice ${words.join(' ')}`)
    for (const wrong of [
      ['nonsense'],
      ['run', '--nonsense'],
      ['run', '--batch-rows', '0'],
      ['run', '--overlap', 'perhaps'],
      ['run', '--limit', '5'],
      ['run', '--timeout', 'long'],
      ['cursor', 'set', 'shop.orders'],
      ['sql'],
    ]) {
      const ended = await sluice(...wrong)
      expect({ wrong, ...ended }).toMatchObject({ wrong, code: 2, stdout: '' })
      expect(ended.stderr).not.toBe('')
    }
  }, 30_000)

  test('list shows what there is, and what a stream would do; a file that does not load is named beside it', async () => {
    const listed = await sluice('list')
    expect(listed).toMatchObject({ code: 0 })
    expect(listed.stdout).toMatch(/^shop\.orders +shop\.orders +merge +id +0 4 \* \* \* +pipelines\/shop\.ts$/m)
    expect((await sluice('list', '--verbose')).stdout).toContain('cursor   updated, ascending')
    const both = await sluice('list', 'shop', 'broken/broken.ts')
    expect(both.code).toBe(2)
    expect(both.stdout).toContain('shop.lines')
    expect(both.stderr).toMatch(/^broken\/broken\.ts(?::1)? could not be loaded: .+\. Mend it/)
  })

  test('preview shows rows and needs no database', async () => {
    const ended = await here.sluice(['preview', 'shop.orders', '--limit', '2', '--json'], {
      SHOP_API: api.origin,
      DATABASE_URL: 'postgres://127.0.0.1:1/none',
    })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(
      ended.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(orders.slice(0, 2))
    expect((await sluice('preview', 'shop')).stderr).toContain(
      'shop has several streams: give one, as in sluice preview shop.orders',
    )
  })

  test('check asks each stream once and writes nothing', async () => {
    const asked = api.requests.length
    const ended = await sluice('check')
    expect(ended).toMatchObject({ code: 0 })
    expect(ended.stdout).toMatch(
      /^ok {7}shop\.orders: GET 127\.0\.0\.1:\d+\/orders answered 2 records on its first page$/m,
    )
    expect(ended.stdout).toMatch(
      /^ok {7}shop\.orders -> shop\.orders: not there yet; made by the first run that reads a record$/m,
    )
    expect(api.requests.length - asked).toBe(2)
    const down = await here.sluice(['check', 'shop', './nothing.ts', '--json'], {
      SHOP_API: 'http://127.0.0.1:1',
      DATABASE_URL: 'postgres://127.0.0.1:1/none?connect_timeout=1',
    })
    expect(down.code).toBe(1)
    const faults = (JSON.parse(down.stdout) as { location: string; ok: boolean; text: string }[]).filter(
      ({ ok }) => !ok,
    )
    expect(faults.map(({ location }) => location)).toEqual(['pipelines', 'shop.orders', 'shop.lines', 'database'])
    expect(await database.database.query(`select nspname from pg_namespace where nspname = 'shop'`)).toEqual([])
  })

  test('a dry run reads, shows and writes nothing', async () => {
    const ended = await sluice('run', '--dry-run', '--limit', '3')
    expect(ended).toMatchObject({ code: 0 })
    expect(ended.stdout).toMatch(
      /^shop\.orders: from the start, only the first pages: 4 fetched, 1 rejected; 3 rows for shop\.orders$/m,
    )
    expect(ended.stdout).toContain('rejected by map: a negative total: {"id":4')
    expect(ended.stdout).toContain('Nothing was written.')
    expect(await database.database.query('select id from sluice.runs')).toEqual([])
  })

  test('run tells each event as a line of JSON, the report last; .env does not win over the environment', async () => {
    const ended = await sluice('run', 'shop')
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const lines = ended.stdout
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as { level: string; pipeline: string; type: string; stream?: string; report?: Report },
      )
    expect(new Set(lines.map(({ type }) => type))).toEqual(
      new Set([
        'run.started',
        'slice.started',
        'pages.total',
        'table.altered',
        'batch.committed',
        'slice.finished',
        'run.finished',
        'report',
      ]),
    )
    expect(lines.every(({ level, pipeline }) => level === 'info' && pipeline === 'shop')).toBe(true)
    expect(lines.at(-1)!.report).toMatchObject({
      status: 'done',
      streams: {
        orders: { counts: { fetched: 5, inserted: 4, rejected: 1 } },
        lines: { counts: { fetched: 5, expanded: 5, inserted: 10 } },
      },
    })
    const verbose = await sluice('run', 'shop', '--verbose')
    expect(verbose.stdout).toMatch(/^\{"level":"debug","time":"[^"]+","pipeline":"shop","type":"request",/m)
  })

  test('a stream is named by NAME.STREAM, several by --stream, and --json prints the report alone', async () => {
    expect(Object.keys(report(await sluice('run', 'shop.lines', '--json')).streams)).toEqual(['lines'])
    expect(Object.keys(report(await sluice('run', 'shop', '--stream', 'orders', 'lines', '--json')).streams)).toEqual([
      'orders',
      'lines',
    ])
    const full = report(await sluice('run', 'shop.orders', '--full', '--json'))
    expect(full.streams['orders']).toMatchObject({ counts: { fetched: 5, inserted: 0, unchanged: 4, rejected: 1 } })
    expect(full.streams['orders']!.since).toBeUndefined()
  })

  test('runs, one of them, and the database can be looked at', async () => {
    const runs = await sluice('runs', 'shop')
    expect(runs.stdout).toMatch(/^ *1 +shop +sync +done /m)
    expect((await sluice('runs', '1')).stdout).toMatch(/^orders +5 +4 +0 +0 +0 +0 +1$/m)
    expect(await sluice('runs', '99')).toMatchObject({ code: 2, stderr: 'There is no run 99. See: sluice runs\n' })
    expect((await sluice('sql', 'select id, total from shop.orders order by id limit 1; select 1 as one')).stdout).toBe(
      'id  total\n--  -----\n 1     10\n(1 row)\none\n---\n  1\n(1 row)\n',
    )
    expect((await sluice('sql', '--json', 'select id, total from shop.orders order by id limit 1')).stdout).toBe(
      '{"id":"1","total":"10"}\n',
    )
    expect((await sluice('sql', 'select count(*), count(distinct id) from shop.orders')).stderr).toContain(
      'two columns are called count, and only one of them could be shown: rename one, as in count as count_2',
    )
    const refused = await sluice('sql', 'delete from shop.orders')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('add --write to allow it')
    expect((await sluice('sql', '--write', 'delete from shop.orders where id = 5')).stdout).toBe('DELETE 1\n')
    expect((await sluice('sql', 'selec')).stderr).toContain('syntax error at or near "selec"')
    expect((await sluice('migrate')).stdout).toMatch(/: schema sluice is up to date$/m)
  }, 20_000)

  test('cursors are shown, set and reset', async () => {
    expect((await sluice('cursor', 'show')).stdout).toMatch(/^shop\.orders +2024-01-05T00:00:00Z/m)
    expect((await sluice('cursor', 'set', 'shop.orders', '2024-01-03T00:00:00Z')).stdout).toBe(
      'shop.orders: the next run reads from 2024-01-03T00:00:00Z (it was 2024-01-05T00:00:00Z)\n',
    )
    expect(report(await sluice('run', 'shop.orders', '--json')).streams['orders']).toMatchObject({
      since: '2024-01-03T00:00:00Z',
      counts: { fetched: 3 },
    })
    expect(await sluice('cursor', 'set', 'shop.orders', 'soon')).toMatchObject({
      code: 2,
      stderr: 'shop.orders: the cursor is a time (2024-01-05T00:00:00Z), and soon is text: write it as the API does\n',
    })
    expect((await sluice('cursor', 'set', 'shop.nothing', '1')).stderr).toContain("shop has no stream 'nothing'")
    expect((await sluice('cursor', 'reset', 'shop')).stdout.trim().split('\n')).toHaveLength(2)
    expect(await sluice('cursor', 'reset', 'shop.orders')).toMatchObject({ code: 2 })
    expect(report(await sluice('run', 'shop.orders', '--json')).streams['orders']).toMatchObject({
      counts: { fetched: 5 },
    })
  }, 20_000)

  test('rejects are listed and replayed', async () => {
    const listed = await sluice('rejects', 'list', 'shop.orders')
    expect(listed.stdout).toMatch(/shop\.orders +map +a negative total +\{"id":4,"total":-1/)
    const [first] = (await sluice('rejects', 'list', '--json')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; record: unknown })
    expect(first!.record).toEqual(orders[3])
    const replayed = report(await sluice('rejects', 'replay', 'shop.orders', '--id', first!.id, '--json'))
    expect(replayed).toMatchObject({
      kind: 'replay',
      status: 'done',
      streams: { orders: { counts: { fetched: 1, rejected: 1 } } },
    })
    expect((await sluice('rejects', 'list', '--all', '--json')).stdout.trim().split('\n').length).toBeGreaterThan(1)
    expect(await sluice('rejects', 'replay', 'shop', '--id', first!.id)).toMatchObject({ code: 2 })
  })

  test('--timeout ends a run with 1, what is whole committed', async () => {
    await using slow = await apiServer(({ query }) =>
      query.get('page') === '2' ? { hang: true } : { json: { orders: orders.slice(0, 2), pages: 3 } },
    )
    await using other = await testDatabase()
    const ended = await here.sluice(['run', 'shop.orders', '--timeout', '1500ms', '--json'], {
      SHOP_API: slow.origin,
      DATABASE_URL: other.url,
    })
    expect(ended).toMatchObject({ code: 1 })
    expect(ended.stderr).toContain('--timeout 1500ms stopped the run')
    expect(report(ended).streams['orders']).toMatchObject({ status: 'interrupted', counts: { inserted: 2 } })
  })

  test('a stack is shown with --verbose only', async () => {
    const words = ['run', 'broken/broken.ts']
    expect((await sluice(...words)).stderr.trim().split('\n')).toHaveLength(1)
    expect((await sluice(...words, '--verbose')).stderr).toMatch(/^ +at /m)
  })
})

const report = ({ stdout }: Ended): Report => JSON.parse(stdout) as Report
