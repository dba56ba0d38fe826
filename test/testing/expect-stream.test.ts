import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  apiKey,
  bearer,
  byCursor,
  byLinkHeader,
  byPage,
  http,
  onePage,
  path,
  pipeline,
  secret,
  session,
  since,
} from '../../src/index.ts'
import { expectStream, fakeApi, fakeRecords, record, replay, type FakeApi } from '../../src/testing/index.ts'

interface Order {
  id: number
  total: number | string
  email?: string
}

/** An API that does not exist. Only a test answers for it. */
const BASE = 'https://shop.example/v1'
const ordersOf = (base: string, limit = 2) =>
  http(base, { auth: bearer(secret('SHOP_TOKEN')) })
    .get<{ items: Order[]; next: string | null }>('/items', { limit })
    .pages(byCursor('cursor', 'next'))
    .records('items')
const orders = ordersOf(BASE).filter(({ id }) => id !== 2)
const flow = orders.into('shop.orders', { key: 'id', columns: { total: 'numeric(9,2)' } })
const shopOf = (base: string) =>
  pipeline('shop', { streams: { orders: ordersOf(base, 10).into('shop.orders', { key: 'id' }) } })

const serve = (records: readonly object[]): Promise<FakeApi> =>
  fakeApi({
    paging: byCursor('cursor', 'next'),
    records,
    accepts: ({ headers }) => headers.authorization === 'Bearer test-SHOP_TOKEN',
  })

let folder = ''
const file = (name: string): string => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-testing-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('expectStream', () => {
  test('reads rows after all stages, from a fake API in place of the base, with a value for each secret', async () => {
    await using api = await serve([
      { id: 1, total: 12.5 },
      { id: 2, total: 1 },
      { id: 3, total: 'much' },
    ])
    const read = expectStream(flow, { from: api })
    await read.toYield([{ id: 1, total: 12.5 }], { rejects: 1 })
    await read.toYieldCount(1, { rejects: 1 })
    await read.toReject([{ reason: 'numeric(9,2)', record: { id: 3 } }])
    await read.toBeComplete('ended')
    expect(api.requests.map(({ url }) => url)).toEqual(['/items?limit=2', expect.stringContaining('&cursor=')])
    await expectStream(orders, { from: { [BASE]: api } }).toYieldSome([{ id: 3 }])
  })

  test('the difference names rows and members, and every comparison can fail', async () => {
    await using api = await serve([
      { id: 1, total: 12.5 },
      { id: 3, total: 2 },
      { id: 4, total: 3, email: 'a' },
    ])
    const read = expectStream(flow, { from: api })
    await expect(
      read.toYield([
        { id: 1, total: 12 },
        { id: 4, total: 3, email: 'a' },
        { id: 5, total: 0 },
      ]),
    ).rejects.toMatchObject({
      name: 'AssertionError',
      message:
        'expectStream(shop.orders).toYield(): of 3 rows, 1 differs, 1 is missing, 1 was not expected\n' +
        '  row 1\n    total: expected 12, read 12.5\n  row 2 was not expected: { id: 3, total: 2 }\n' +
        '  row 3 of those expected is missing: { id: 5, total: 0 }',
      expected: expect.anything(),
    })
    const failures: [Promise<void>, string][] = [
      [read.toYieldSome([{ id: 3, total: 9 }]), 'the nearest is { id: 3, total: 2 }'],
      [read.toYieldCount(2), 'expected 2 rows, read 3'],
      [read.toYieldCount(3, { rejects: 1 }), '0 records were rejected, and 1 expected'],
      [read.toReject([{ reason: 'x' }]), 'of 0 rejects, 1 is missing'],
      [read.toBeComplete('counted'), 'expected counted, but it is ended'],
      [read.toBeOpen(), 'expected open, but it is ended'],
      [read.toFail(), 'expected an error, but 3 rows were read'],
      [expectStream(flow, { from: api, pages: 1 }).toBeComplete(), 'the reading stopped before the end'],
    ]
    for (const [failing, message] of failures)
      await expect(failing).rejects.toMatchObject({ code: 'ERR_ASSERTION', message: expect.stringContaining(message) })
  })

  test('a stream that fails fails each comparison but toFail, and faults cost no time', async () => {
    await using api = await fakeApi({ records: 25, faults: { seed: 1, kinds: ['503', '429'], share: 1, inARow: 4 } })
    const items = http(BASE, { rate: '1/m' }).get<{ items: object[] }>('/items').pages(byPage('page')).records('items')
    await expectStream(items, { from: api }).toYieldCount(25)
    await using down = await fakeApi({ faults: { seed: 1, kinds: ['500'], share: 1, inARow: 9 } })
    const failing = expectStream(items, { from: down })
    await failing.toFail(/500.* gave up after 5 attempts/)
    await expect(failing.toYield([])).rejects.toThrow('the stream failed: GET /items answered 500')
    await expect(failing.toFail('404')).rejects.toThrow("expected an error with '404'")
    await expect(failing.rows()).rejects.toMatchObject({ code: 'HTTP' })
  })

  test('links of the fake API lead to the base of the pipeline, and nothing is sent to a network', async () => {
    await using api = await fakeApi({ paging: 'link header', records: 25 })
    const items = http(BASE).get<{ items: object[] }>('/items').pages(byLinkHeader())
    await expectStream(items.records('items'), { from: api }).toYieldCount(25)
    await expect(expectStream(items.records('items')).toYieldCount(0)).rejects.toThrow(
      'GET https://shop.example/v1/items was not sent: a test sends nothing to a network',
    )
  })

  test('refuses what is no stream, and options that it does not have', () => {
    expect(() => expectStream(flow, { form: replay } as object)).toThrow('there is no option "form"')
    return expect(expectStream(shopOf(BASE) as never).rows()).rejects.toThrow('give a stream or a flow')
  })
})

describe('record and replay', () => {
  const environment = { SHOP_TOKEN: 'test-SHOP_TOKEN' }

  test('answers without a network what was recorded, without secrets and addresses', async () => {
    await using api = await fakeApi({
      paging: byCursor('cursor', 'next'),
      records: fakeRecords(25).map((row) => ({
        ...row,
        email: row.id % 2 ? 'Ada.L@shop.test' : 'bo@shop.test',
        note: `see https://x.example/f?sig=abc&page_token=p1 test-SHOP_TOKEN ${row.id}`,
        customer: { Phone: '+49 1', firstName: 'Ada' },
      })),
    })
    const shop = shopOf(api.url)
    const rules = [{ name: 'names', fields: ['first_name'], replace: 'Somebody' }]
    const recorded = await record(shop, { file: file('a.json'), pages: 2, rules, environment, quiet: true })
    expect(recorded).toMatchObject({ answers: 2, rows: { orders: 20 } })
    expect(Object.fromEntries(recorded.removed.map(({ rule, count }) => [rule, count]))).toEqual({
      'secrets of the pipeline': 20,
      'e-mail addresses': 20,
      'credentials in the query': 20,
      'personal fields': 20,
      names: 20,
    })
    const text = await readFile(recorded.file, 'utf8')
    for (const removed of ['SHOP_TOKEN_', 'test-SHOP', 'ada.l', 'bo@', '+49', 'Bearer', 'sig=abc', 'Ada"'])
      expect(text.toLowerCase()).not.toContain(removed.toLowerCase())
    expect(text).toContain('page_token=p1 {secret:SHOP_TOKEN}')
    const asked = api.requests.length
    const read = expectStream(shop.streams.orders, { from: replay(recorded.file) })
    await read.toYieldCount(20)
    await read.toYieldSome([
      { id: 1, email: 'person1@example.com' },
      { id: 2, email: 'person2@example.com' },
      { id: 3, email: 'person1@example.com' },
    ])
    expect(api.requests).toHaveLength(asked)
  })

  test('a request that was not recorded is an error that names what was', async () => {
    await using api = await serve(fakeRecords(5))
    const { file: made } = await record(shopOf(api.url), { file: file('b.json'), environment, quiet: true })
    const other = ordersOf(api.url, 3)
    await expect(expectStream(other, { from: replay(made) }).toYieldCount(5)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(
        /GET http\S+\/items\?limit=3 was not recorded\. It has the same path with:\n {2}GET http\S+\/items\?limit=10\n/,
      ),
    })
    expect(() => replay(file('none.json'))).toThrow('Make it by record(pipeline, {')
    await writeFile(file('c.json'), '{}')
    expect(() => replay(file('c.json'))).toThrow('is no file of recorded answers')
  })

  test('keeps numbers, equal requests in their order, query credentials and what is not JSON', async () => {
    let asked = 0
    await using api = await fakeApi({
      answer: ({ path: at, query }) => {
        if (at === '/lines/1')
          return { body: `a,b\n1,ada@shop.test ${query.get('key')}\n`, headers: { 'content-type': 'text/csv' } }
        return (asked += 1) === 1
          ? { status: 503 }
          : { body: '[{"id":12345678901234567890,"rate":1.10}]', headers: { 'content-type': 'application/json' } }
      },
    })
    const shop = http(api.url, { auth: apiKey(secret('KEY'), { query: 'key' }) })
    const ids = shop.get<{ id: number; rate: number }[]>('/ids', { since }).pages(onePage()).records()
    const lines = ids.flatMap(() =>
      shop
        .get<{ a: string; b: string }[]>(path`/lines/${1}`)
        .pages(onePage())
        .records(),
    )
    const streams = { ids: ids.into('a.ids', { key: 'id' }), lines: lines.into('a.lines', { write: 'append' }) }
    const made = await record(pipeline('a', { streams }), {
      file: file('d.json'),
      environment: { KEY: 'hidden-from-all' },
      quiet: true,
    })
    const text = await readFile(made.file, 'utf8')
    expect(text).toContain('"id": 12345678901234567890')
    expect(text).toContain('"rate": 1.10')
    expect(text).not.toContain('hidden-from-all')
    const exact = [{ id: 12345678901234567890n as never, rate: 1.1 }]
    await expectStream(streams.ids, { from: replay(made.file) }).toYield(exact)
    await expectStream(streams.lines, { from: replay(made.file) }).toYield([
      { a: '1', b: 'person1@example.com {secret:KEY}' },
    ])
  })

  test.each([{ header: 'x-session' }, { query: 'sid' }])(
    'the token of a login is removed, sent as %j',
    async (sendAs) => {
      await using api = await fakeApi({
        answer: ({ path: at, query, headers }) => {
          if (at === '/login') return { json: { data: { token: 'tok-8271-of-login' } } }
          if ((headers['x-session'] ?? query.get('sid')) !== 'tok-8271-of-login') return { status: 401 }
          return { json: [{ id: 1, note: 'for tok-8271-of-login' }] }
        },
      })
      const auth = session({ loginUrl: '/login', json: { password: secret('PASSWORD') }, token: 'data.token', sendAs })
      const items = http(api.url, { auth }).get<{ id: number }[]>('/items').pages(onePage()).records()
      const flow = items.into('a.items', { key: 'id' })
      const options = { file: file('login.json'), environment: { PASSWORD: 'open-sesame' }, quiet: true }
      await record(pipeline('a', { streams: { items: flow } }), options)
      expect(await readFile(options.file, 'utf8')).not.toMatch(/tok-8271|open-sesame/)
      await expectStream(flow, { from: replay(options.file) }).toYieldCount(1)
    },
  )

  test('pages that differ in a parameter like a credential have their own answers', async () => {
    await using api = await fakeApi({ paging: byCursor('token', 'next'), records: 30 })
    const items = (start?: string) =>
      http(api.url)
        .get<{ items: { id: number }[]; next: string | null }>('/items', start === undefined ? {} : { token: start })
        .pages(byCursor('token', 'next'))
        .records('items')
    const flow = items().into('a.items', { key: 'id' })
    const options = { file: file('token.json'), quiet: true }
    await record(pipeline('a', { streams: { items: flow } }), options)
    expect(await readFile(options.file, 'utf8')).toContain('items?token=removed')
    await expectStream(flow, { from: replay(options.file) }).toYieldCount(30)
    await expect(expectStream(items('x'), { from: replay(options.file) }).rows()).rejects.toThrow(
      'items?token=removed was not recorded',
    )
  })

  test('limits of a request cost no time', async () => {
    await using api = await fakeApi({ records: 25 })
    const items = http(BASE)
      .get<{ items: object[] }>('/items', {}, { rate: '1/m' })
      .pages(byPage('page'))
      .records('items')
    const { rows, error } = await expectStream(items, { from: api, signal: AbortSignal.timeout(10_000) }).reading()
    expect({ rows: rows.length, error }).toEqual({ rows: 25, error: undefined })
  })

  test('a file that does not bring what the API brought is refused', async () => {
    await using api = await fakeApi({
      paging: 'page',
      records: 30,
      answer: ({ query }) => ({
        json: [{ id: Number(query.get('page') ?? 1) }],
        headers: { 'on-to': query.get('page') ? '' : '2' },
      }),
    })
    const items = http(api.url)
      .get<{ id: number }[]>('/items')
      .pages(({ headers }, request) =>
        headers['on-to'] ? { ...request, query: { page: headers['on-to'] } } : undefined,
      )
      .records()
    const streams = { items: items.into('a.items', { key: 'id' }) }
    const options = { file: file('e.json'), quiet: true }
    await expect(record(pipeline('a', { streams }), options)).rejects.toThrow(
      'replaying items brings 1 rows, and the API brought 2 rows. A header that the pipeline reads may be missing',
    )
    expect(await record(pipeline('a', { streams }), { ...options, headers: ['On-To'] })).toMatchObject({
      rows: { items: 2 },
    })
  })
})
