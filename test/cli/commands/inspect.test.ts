import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { callSluice } from '../support/call.ts'
import { openShop, orders, shopProject, type Shop } from '../support/shop.ts'

let shop: Shop
const sluice: Shop['sluice'] = (...args) => shop.sluice(...args)

beforeAll(async () => {
  shop = await openShop({ 'broken/broken.ts': 'export default pipeline(' })
})
afterAll(async () => shop[Symbol.asyncDispose]())

describe('sluice list', () => {
  test('shows the table, the key and the schedule of each stream', async () => {
    const listed = await sluice('list')
    expect(listed).toMatchObject({ code: 0, stderr: '' })
    expect(listed.stdout).toMatch(/^shop\.orders +shop\.orders +merge +id +0 4 \* \* \* +pipelines\/shop\.ts$/m)
  })

  test('with --verbose describes what each stream requests and stores', async () => {
    expect((await sluice('list', '--verbose')).stdout).toContain(
      'cursor   updated, 1m again if it is a time, ascending',
    )
  })

  test('shows the other pipelines if a file does not load, and exits with 2', async () => {
    const listed = await sluice('list', 'shop', 'broken/broken.ts')
    expect(listed).toMatchObject({ code: 2, stdout: expect.stringContaining('shop.lines') })
    expect(listed.stderr).toMatch(/^broken\/broken\.ts(?::1)? could not be loaded: /)
  })

  test('prints a stack only with --verbose', async () => {
    expect((await sluice('list', 'broken/broken.ts')).stderr).not.toMatch(/^ +at /m)
    expect((await sluice('list', 'broken/broken.ts', '--verbose')).stderr).toMatch(/^ +at /m)
  })
})

test('sluice diff shows what the next run would change, and writes nothing', async () => {
  await using differing = await openShop()
  const ended = await differing.sluice('diff', 'shop')
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  for (const line of [
    'shop.orders -> shop.orders\n  from the start: 4 rows read (ended)\n  4 to insert',
    '1 rejected: no row could be made of these records',
    'the table would be altered: created with id bigint, total bigint, updated timestamptz',
    'shop.lines -> shop.lines\n  from the start: 10 rows read (ended)\n  10 to insert',
    'Nothing was written.',
  ])
    expect(ended.stdout).toContain(line)
  expect(await differing.database.database.query(`select to_regclass('shop.orders') as found`)).toEqual([
    { found: null },
  ])
  await differing.sluice('run', 'shop')
  await differing.database.database.query('update shop.orders set total = 7 where id = 5')
  const changed = await differing.sluice('diff', 'shop.orders', '--json')
  expect(JSON.parse(changed.stdout)).toMatchObject({
    ok: true,
    streams: [{ since: '2024-01-05T00:00:00Z', read: 1, update: 1, columns: { total: 1 }, alterations: [] }],
  })
})

describe('sluice preview', () => {
  test('shows rows without a database', async () => {
    const { cwd } = shop.here
    const env = { SHOP_API: shop.api.origin, DATABASE_URL: 'postgres://127.0.0.1:1/none' }
    const ended = await callSluice(['preview', 'shop.orders', '--limit', '2', '--json'], { cwd, env })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const rows = ended.stdout.trim().split('\n')
    expect(rows.map((line) => JSON.parse(line) as unknown)).toEqual(orders.slice(0, 2))
  })

  test('counts one row and one record in the singular', async () => {
    // The database is for tokens and accounts in it only.
    const elsewhere = ['--database', 'postgres://nobody@127.0.0.1:1/none']
    expect(await sluice('preview', 'shop.orders', ...elsewhere)).toMatchObject({ code: 0 })
    const { stdout } = await sluice('preview', 'shop.orders', '--since', '2024-01-05T00:00:00Z')
    expect(stdout).toMatch(/\n1 row \(all shop\.orders has\); 1 record was fetched, nothing was stored\n$/)
  })

  test('leaves out the records that a run would reject, and counts them after the rows', async () => {
    const records = [
      { id: 1, at: '2024-01-01T00:00:00Z' },
      { id: 2, at: 'tomorrow' },
      { id: null, at: null },
      { id: 4, at: '2024-02-30T00:00:00Z' },
      { id: 5, at: 'never' },
      { id: 6, at: '2024-01-06T00:00:00Z', later: 'a column that the first record does not show' },
      'no object',
    ]
    await using other = await shopProject({ 'pipelines/times.ts': TIMES.replace('RECORDS', JSON.stringify(records)) })
    const env = { ...shopEnv(), DATABASE_URL: 'postgres://127.0.0.1:1/none' }
    const previewed = await callSluice(['preview', 'times', '--json'], { cwd: other.cwd, env })
    expect(previewed.code).toBe(0)
    const rows = previewed.stdout.trim().split('\n')
    expect(rows.map((line) => (JSON.parse(line) as { id: number }).id)).toEqual([1, 6])
    expect(previewed.stderr).toMatch(
      new RegExp(
        String.raw`^5 records would be rejected\. The first 3:\n` +
          String.raw` {2}encode: .*tomorrow.*\n {2}encode: .*id.*\n {2}encode: .*2024-02-30.*\n$`,
      ),
    )
    const one = await callSluice(['preview', 'times', '--limit', '1'], { cwd: other.cwd, env })
    expect(one.stdout).toMatch(/\n1 row; 7 records were fetched, nothing was stored\n$/)
  })

  test('shows the columns that a run would store, not the fields', async () => {
    const records = [
      { id: 1, updatedAt: 5, note: null, hidden: 1 },
      { id: 2, 'Total €': 7, note: null },
    ]
    const fields = TIMES.replace('RECORDS', JSON.stringify(records)).replace("at: 'timestamptz'", 'hidden: false')
    await using other = await shopProject({ 'pipelines/times.ts': fields })
    const { stdout } = await callSluice(['preview', 'times'], { cwd: other.cwd, env: shopEnv() })
    expect(stdout).toMatch(/^id {2}updated_at +total_$/m)
    expect(stdout).toMatch(/^No column yet, because no record has a value: note$/m)
    const json = await callSluice(['preview', 'times', '--json'], { cwd: other.cwd, env: shopEnv() })
    expect(json.stdout).toBe('{"id":1,"updated_at":5,"total_":null}\n{"id":2,"updated_at":null,"total_":7}\n')
  })

  test('prints the type of the records as they arrive with --type', async () => {
    const { cwd } = shop.here
    const env = { SHOP_API: shop.api.origin, DATABASE_URL: 'postgres://127.0.0.1:1/none' }
    const ended = await callSluice(['preview', 'shop.orders', '--type', '--limit', '1'], { cwd, env })
    expect(ended).toMatchObject({
      code: 0,
      stdout: 'interface Order {\n  id: number\n  total: number\n  updated: string\n}\n',
    })
    // All five, with the one that a stage would reject.
    expect(ended.stderr).toMatch(/^The type of 5 records, /)
    const lines = await callSluice(['preview', 'shop.lines', '--type'], { cwd, env })
    expect(lines.stdout).toBe('interface Line {\n  order: number\n  line: number\n}\n')
  })

  test('names the stage and the reason of a single reject', async () => {
    const shown = await sluice('preview', 'shop.orders', '--limit', '5', '--json')
    expect(shown.stdout.trim().split('\n')).toHaveLength(4)
    expect(shown.stderr).toBe('1 record would be rejected:\n  map: a negative total\n')
  })

  test('says that a reading is not proven complete, and not that it showed all', async () => {
    const cut = TIMES.replace(
      'records: RECORDS',
      "records: [{ id: 1, at: null }], complete: { open: 'it was cut off' }",
    )
    await using other = await shopProject({ 'pipelines/times.ts': cut })
    const env = { ...shopEnv(), DATABASE_URL: 'postgres://127.0.0.1:1/none' }
    const previewed = await callSluice(['preview', 'times'], { cwd: other.cwd, env })
    expect(previewed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/\n1 row; 1 record was fetched, nothing was stored\n$/),
      stderr: 'It is not proven that everything was read: it was cut off\n',
    })
    const dry = await callSluice(['run', 'times', '--dry-run'], { cwd: other.cwd, env: shopEnv() })
    expect(dry.stdout).toMatch(/^it is not proven that everything was read: it was cut off$/m)
  })

  test('asks for a stream if the pipeline has several', async () => {
    expect(await sluice('preview', 'shop')).toMatchObject({
      code: 2,
      stderr: 'shop has several streams: give one, as in sluice preview shop.orders\n',
    })
  })
})

describe('sluice check', () => {
  test('sends one request for each stream and writes nothing', async () => {
    const before = shop.api.requests.length
    const ended = await sluice('check')
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toMatch(
      /^ok {7}shop\.orders: GET http:\/\/127\.0\.0\.1:\d+\/orders answered 2 records on its first page$/m,
    )
    expect(ended.stdout).toMatch(/^ok {7}shop\.orders -> shop\.orders: does not exist; the first run/m)
    expect(ended.stdout).toMatch(/\nNo problems found\.\n$/)
    expect(shop.api.requests.length - before).toBe(2)
    const { database } = shop.database
    expect(await database.query(`select nspname from pg_namespace where nspname = 'shop'`)).toEqual([])
  })

  test('marks advice, which is no problem, in text and in JSON', async () => {
    const { code, stdout } = await sluice('check', 'shop.orders')
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^advice {3}shop\.orders: a record that changes while .* so use bySince\(byPage\('page'\)\)$/m,
    )
    expect(stdout).toMatch(/\nNo problems found\.\n$/)
    const findings = JSON.parse((await sluice('check', 'shop.orders', '--json')).stdout) as object[]
    expect(findings).toContainEqual({
      location: 'shop.orders',
      ok: true,
      advice: true,
      text: expect.stringMatching(/^a record that changes while /),
    })
  })

  test('finds what the first page shows of later runs, with exit code 1', async () => {
    await using other = await shopProject({ 'pipelines/cut.ts': CUT })
    const ended = await callSluice(['check', 'cut'], { cwd: other.cwd, env: shopEnv() })
    expect(ended).toMatchObject({ code: 1, stderr: '' })
    expect(ended.stdout).toMatch(
      /^ok {7}cut\.orders: GET http:\/\/127\.0\.0\.1:\d+\/orders answered 2 records on its first page$/m,
    )
    expect(ended.stdout).toMatch(
      /^problem {2}cut\.orders: a run could not prove .*only one page was read, which seems to be full/m,
    )
    expect(ended.stdout).toMatch(/^problem {2}cut\.orders: \.incremental\('at'\): none of 2 records has this field\. /m)
    expect(ended.stdout).toMatch(/\n2 problems\.\n$/)
    const asJson = await callSluice(['check', 'cut', '--json'], { cwd: other.cwd, env: shopEnv() })
    expect(asJson.code).toBe(1)
    const findings = JSON.parse(asJson.stdout) as { location: string; ok: boolean }[]
    expect(findings.filter(({ location, ok }) => location === 'cut.orders' && !ok)).toHaveLength(2)
  })

  test('finds each problem of files, APIs and the database at once', async () => {
    await using here = await shopProject()
    const env = { SHOP_API: 'http://127.0.0.1:1', DATABASE_URL: 'postgres://127.0.0.1:1/none?connect_timeout=1' }
    const ended = await callSluice(['check', 'shop', './nothing.ts', '--json'], { cwd: here.cwd, env })
    expect(ended.code).toBe(1)
    const findings = JSON.parse(ended.stdout) as { location: string; ok: boolean; text: string }[]
    expect(findings.filter(({ ok }) => !ok).map(({ location }) => location)).toEqual([
      'pipelines',
      'shop.orders',
      'shop.lines',
      'database',
    ])
    expect(findings.find(({ location, ok }) => location === 'shop.orders' && !ok)?.text).toMatch(
      /^GET http:\/\/127\.0\.0\.1:1\/orders got no complete response: /,
    )
  })

  test('names both files that define a pipeline of the same name', async () => {
    await using other = await shopProject({ 'pipelines/a.ts': TWICE, 'pipelines/b.ts': TWICE })
    const { code, stdout } = await callSluice(['check', 'twice', '--offline'], { cwd: other.cwd, env: shopEnv() })
    expect(code).toBe(1)
    expect(stdout).toContain('pipelines/a.ts')
    expect(stdout).toContain('pipelines/b.ts')
    expect(stdout).not.toContain('There is no pipeline')
  })
})

const shopEnv = (): Record<string, string> => ({ SHOP_API: shop.api.origin, DATABASE_URL: shop.database.url })

const TWICE = `
import { http, onePage, pipeline } from 'SLUICE'
const rows = http('http://127.0.0.1:1').get('/rows').pages(onePage()).records()
export default pipeline('twice', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
`

const CUT = `
import { http, onePage, pipeline } from 'SLUICE'
const orders = http(process.env.SHOP_API).get('/orders?page=1&per_page=2').pages(onePage()).records('orders')
export default pipeline('cut', { streams: { orders: orders.incremental('at').into('t.orders', { key: 'id' }) } })
`

const TIMES = `
import { pipeline, source } from 'SLUICE'
const records = source(async function* () { yield { records: RECORDS } })
export default pipeline('times', {
  streams: { times: records.into('t.times', { key: 'id', columns: { at: 'timestamptz' } }) },
})
`

describe('sluice runs', () => {
  beforeAll(async () => {
    await sluice('run', 'shop', '--json')
  })

  test('lists runs, newest first', async () => {
    expect((await sluice('runs', 'shop')).stdout).toMatch(/^ *1 +shop +sync +done /m)
  })

  test('with a number shows the report of that run', async () => {
    expect((await sluice('runs', '1')).stdout).toMatch(/^orders +5 +4 +0 +0 +0 +0 +1$/m)
    expect(await sluice('runs', '99')).toMatchObject({ code: 2, stderr: 'There is no run 99. See: sluice runs\n' })
  })

  test('refuses a pipeline that exists nowhere, and names those that exist', async () => {
    expect(await sluice('runs', 'nosuch')).toMatchObject({
      code: 2,
      stdout: '',
      stderr:
        "There is no pipeline 'nosuch', neither in pipelines/ nor in the database (found: shop). " +
        'Give one of these names [NO_PIPELINE]\n',
    })
  })

  test('says that a pipeline has not run yet', async () => {
    await using here = await shopProject({ 'pipelines/twice.ts': TWICE })
    expect(await callSluice(['runs', 'twice'], { cwd: here.cwd, env: shopEnv() })).toMatchObject({
      code: 0,
      stdout: 'twice has not run yet. Try: sluice run twice\n',
    })
  })
})
