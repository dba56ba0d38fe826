import { describe, expect, test } from '@jest/globals'
import { byPage, http, pipeline, run, type TableOptions } from '../../src/index.ts'
import type { Database } from '../../src/database/database.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

interface Item {
  readonly id: number
  readonly at: string
}

/** The pages of APIs whose second page holds times of another form than the first one. */
const PAGES: Readonly<Record<string, readonly (readonly Item[])[]>> = {
  '/nanoseconds': [[{ id: 1, at: '2024-01-01T00:00:00Z' }], [{ id: 2, at: '2024-01-01T00:00:00.123456789Z' }]],
  '/empty-times': [
    [{ id: 1, at: '2024-01-01T00:00:00Z' }],
    Array.from({ length: 150 }, (_, index) => ({ id: 2 + index, at: '' })),
  ],
  '/local-times': [[{ id: 1, at: '2024-01-01T00:00:00Z' }], [{ id: 2, at: '2024-01-31 10:00:00' }]],
}

const serve = (): Promise<ApiServer> =>
  apiServer(({ path, query }) => ({ json: { items: PAGES[path]?.[Number(query.get('page') ?? 1) - 1] ?? [] } }))

type Options = Partial<TableOptions<Item, 'merge'>>

/** Reads one of the APIs twice. */
async function readTwice(path: string, options: Options = {}) {
  await using api = await serve()
  await using test = await testDatabase()
  const items = http(api.origin)
    .get<{ items: Item[] }>(path as '/items')
    .pages(byPage('page'))
    .records('items')
  const flow = pipeline('cases', { streams: { items: items.into('t.items', { key: 'id', ...options }) } })
  const first = await run(flow, { database: test.url, throwOnFailure: false })
  const second = await run(flow, { database: test.url, throwOnFailure: false })
  return {
    first: first.streams.items,
    second: second.streams.items,
    rows: await rowsOf(test.database),
    reasons: (await test.database.query<{ reason: string }>('select reason from sluice.rejects')).map((r) => r.reason),
  }
}

const rowsOf = async (database: Database): Promise<unknown[]> =>
  (await database.query<{ at: unknown }>('select at from t.items order by id')).map(({ at }) => at)

describe('a stream whose times change their form', () => {
  test.each([
    ['/nanoseconds', 2, '2024-01-01T00:00:00.123456789Z'],
    ['/empty-times', 151, ''],
    ['/local-times', 2, '2024-01-31 10:00:00'],
  ])(
    'stores all of %s in a column without a declaration, and writes nothing the next time',
    async (path, count, at) => {
      const { first, second, rows } = await readTwice(path)
      expect(first).toMatchObject({ status: 'done', counts: { inserted: count, rejected: 0 } })
      expect(second).toMatchObject({ status: 'done', counts: { unchanged: count, updated: 0, rejected: 0 } })
      expect(rows.slice(0, 2)).toEqual(['2024-01-01T00:00:00Z', at])
    },
  )

  test.each([
    ['2024-01-31 10:00:00.000Z', 'timestamp with time zone', '2024-01-31T10:00:00Z'],
    ['2024-01-31 10:00:00+02:00', 'timestamp with time zone', '2024-01-31T08:00:00Z'],
    ['2024-01-31 10:00:00.123456+0000', 'timestamp with time zone', '2024-01-31T10:00:00.123456Z'],
    // A timestamptz would change these, or guess their zone.
    ['2024-01-31 10:00:00', 'text', '2024-01-31 10:00:00'],
    ['2024-01-31 10:00:00.1234567Z', 'text', '2024-01-31 10:00:00.1234567Z'],
    ['2024-01-31 24:00:00Z', 'text', '2024-01-31 24:00:00Z'],
    ['2024-02-30 10:00:00Z', 'text', '2024-02-30 10:00:00Z'],
    ['2024-01-31 10:00:00 Z', 'text', '2024-01-31 10:00:00 Z'],
  ])('a first value %s makes a column of type %s', async (at, type, stored) => {
    await using api = await apiServer(({ query }) => ({
      json: { items: query.get('page') === '1' ? [{ id: 1, at }] : [] },
    }))
    await using test = await testDatabase()
    const items = http(api.origin).get<{ items: Item[] }>('/items').pages(byPage('page')).records('items')
    const flow = pipeline('cases', { streams: { items: items.into('t.items', { key: 'id' }) } })
    await run(flow, { database: test.url })
    const again = await run(flow, { database: test.url })
    expect(again.streams.items.counts).toMatchObject({ unchanged: 1, updated: 0 })
    expect(
      await test.database.query(`select format_type(atttypid, atttypmod) as type, to_jsonb(at) #>> '{}' as stored
        from t.items, pg_attribute where attrelid = 't.items'::regclass and attname = 'at'`),
    ).toEqual([{ type, stored: type === 'text' ? stored : stored.replace(/Z$/, '+00:00') }])
  })

  test.each<[string, Options, string]>([
    ['/nanoseconds', { columns: { at: 'timestamptz' } }, 'round: true'],
    ['/local-times', { columns: { at: 'timestamptz' } }, "zone: 'Europe/Berlin'"],
  ])('rejects one record of %s in a declared column, and says what would admit it', async (path, options, word) => {
    const { first, reasons } = await readTwice(path, options)
    expect(first).toMatchObject({ status: 'done', counts: { inserted: 1, rejected: 1 } })
    expect(reasons[0]).toContain(word)
  })

  test("fails for too many times that are '', and names the word for it once", async () => {
    const { first } = await readTwice('/empty-times', { columns: { at: 'timestamptz' } })
    expect(first.status).toBe('failed')
    expect(String(first.error).split("emptyText: 'null'")).toHaveLength(2)
  })

  test.each<[string, Options, unknown]>([
    ['/nanoseconds', { columns: { at: { type: 'timestamptz', round: true } } }, new Date('2024-01-01T00:00:00.123Z')],
    ['/empty-times', { columns: { at: { type: 'timestamptz', emptyText: 'null' } } }, null],
    ['/empty-times', { emptyText: 'null' }, null],
    [
      '/local-times',
      { columns: { at: { type: 'timestamptz', zone: 'Europe/Berlin' } } },
      new Date('2024-01-31T09:00Z'),
    ],
  ])('stores all of %s with %j', async (path, options, at) => {
    const { first, rows } = await readTwice(path, options)
    expect(first).toMatchObject({ status: 'done', counts: { rejected: 0 } })
    expect(rows[1]).toEqual(at)
  })
})
