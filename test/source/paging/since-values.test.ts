import { describe, expect, test } from '@jest/globals'
import {
  bearer,
  byPage,
  bySince,
  http,
  isoDate,
  secret,
  since,
  unix,
  type Paging,
  type Query,
} from '../../../src/index.ts'
import { readSecrets } from '../../../src/observe/secrets.ts'
import { BorderRecords } from '../../../src/source/paging/since/border-records.ts'
import { apiServer, type ApiRequest } from '../../support/api-server.ts'
import { readPages, recordsOf, type ReadingOptions } from '../read-pages.ts'

interface Item {
  readonly id: number
  readonly at: unknown
}

/** Times that follow each other in these milliseconds. */
const every =
  (ms: number) =>
  (id: number): string =>
    new Date(1_700_000_000_000 + id * ms).toISOString()
/** JSON has no bigint. */
const asText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `<${value}>` : value)

/** Reads items of an API that returns those whose number is at least that of `since`, eight at a time. */
async function read(
  items: readonly Item[],
  numberOf: (value: string) => number,
  {
    query = { since },
    unit,
    paging = bySince(),
    ...options
  }: {
    query?: Query | ((range: { since?: string | undefined }) => Query)
    unit?: 's' | 'ms'
    paging?: Paging<unknown>
  } & ReadingOptions = {},
): Promise<{ ids: number[]; sent: (string | null)[]; grade: string | undefined; last: unknown }> {
  await using server = await apiServer((request: ApiRequest) => {
    const from = request.query.get('since')
    const found = items.filter(({ at }) => from === null || numberOf(String(at)) >= numberOf(from)).slice(0, 8)
    const body = JSON.stringify(found, asText).replaceAll(/"<(\d+)>"/g, '$1')
    return { body, headers: { 'content-type': 'application/json' } }
  })
  const records = http(server.origin)
    .get<Item[]>('/items', query as Query)
    .pages(paging as Paging<Item[]>)
    .records()
  const pages = await readPages(records.incremental('at' as never, (unit && { unit }) as never), options)
  return {
    ids: (recordsOf(pages) as Item[]).map(({ id }) => id),
    sent: server.requests.map((request) => request.query.get('since')),
    grade: pages.at(-1)?.completeness?.grade,
    last: pages[0]?.position,
  }
}

const all = (count: number): number[] => Array.from({ length: count }, (_, id) => id)
const items = (count: number, atOf: (id: number) => unknown): Item[] => all(count).map((id) => ({ id, at: atOf(id) }))

describe('bySince reads on by', () => {
  test('seconds since 1970, several records of a second', async () => {
    const { ids, sent, grade } = await read(
      items(40, (id) => 1_700_000_000 + Math.floor(id / 3)),
      Number,
      { unit: 's' },
    )
    expect({ ids, grade }).toEqual({ ids: all(40), grade: 'counted' })
    expect(sent.slice(0, 2)).toEqual([null, '1700000002'])
  })

  test('times whose bound is rounded down to seconds, or to days', async () => {
    const seconds = await read(
      items(40, every(300)),
      (value) => (/T/.test(value) ? Date.parse(value) / 1_000 : Number(value)),
      {
        query: { since: unix(since) },
      },
    )
    expect(seconds).toMatchObject({ ids: all(40), grade: 'counted' })
    const days = await read(items(40, every(5 * 3_600_000)), Date.parse, { query: { since: isoDate(since) } })
    expect(days).toMatchObject({ ids: all(40), grade: 'counted' })
  })

  test('times that a function of the range sends', async () => {
    expect(
      await read(items(40, every(20_000)), (value) => Date.parse(value.length === 16 ? `${value}Z` : value), {
        query: ({ since: from }) => ({ since: from?.slice(0, 16) }),
      }),
    ).toMatchObject({ ids: all(40), grade: 'counted' })
  })

  test('times in several zones', async () => {
    const zones = ['Z', '+02:00', '-05:30']
    const atOf = (id: number): string => {
      const zone = zones[id % 3] ?? 'Z'
      const [, sign = '', hours = 0, minutes = 0] = /([+-])(\d\d):(\d\d)/.exec(zone) ?? []
      const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
      return new Date(1_700_000_000_000 + Math.floor(id / 4) * 60_000 + offset).toISOString().replace('Z', zone)
    }
    expect(await read(items(40, atOf), Date.parse)).toMatchObject({ ids: all(40), grade: 'counted' })
  })

  test('integers that no double holds', async () => {
    const big = items(40, (id) => 9_007_199_254_740_993n + BigInt(id))
    const { ids, sent } = await read(big, (value) => Number(BigInt(value) - 9_007_199_254_740_993n))
    expect({ ids, second: sent[1] }).toEqual({ ids: all(40), second: '9007199254741000' })
  })

  test('an id, whose bound may leave out its own value', async () => {
    const list = items(40, (id) => id)
    const { ids, grade } = await read(list, (value) => Number(value), { key: ['at'] })
    expect({ ids, grade }).toEqual({ ids: all(40), grade: 'counted' })
  })
})

test('bySince sends the value in a JSON body too, with the paginator within', async () => {
  const list = items(40, (id) => `2024-01-${String(1 + Math.floor(id / 10)).padStart(2, '0')}`)
  await using server = await apiServer(({ body }) => {
    const { from = '', page } = JSON.parse(body) as { from?: string; page: { number: number } }
    const found = list.filter(({ at }) => (at as string) >= from)
    return { json: found.slice((page.number - 1) * 4, page.number * 4) }
  })
  const flow = http(server.origin)
    .post<Item[]>('/items', { json: { from: since, page: { size: 4 } } })
    .pages(bySince(byPage('page.number')))
    .records()
    .incremental('at' as never)
  const pages = await readPages(flow)
  expect((recordsOf(pages) as Item[]).map(({ id }) => id)).toEqual(all(40))
  expect(server.requests.slice(0, 3).map(({ body }) => JSON.parse(body) as unknown)).toEqual([
    { page: { size: 4, number: 1 } },
    { from: '2024-01-01', page: { size: 4, number: 1 } },
    { from: '2024-01-01', page: { size: 4, number: 2 } },
  ])
})

test('a position of bySince holds no secret, and the reading goes on from it', async () => {
  const list = items(30, (id) => `token-${String(id).padStart(2, '0')}`)
  const secrets = readSecrets({ TOKEN: 'token-07' })
  await using server = await apiServer(({ query }) => {
    const from = query.get('since')
    return { json: list.filter(({ at }) => from === null || (at as string) >= from).slice(0, 8) }
  })
  const { recipe } = http(server.origin, { auth: bearer(secret('TOKEN')) })
    .get<Item[]>('/items', { since })
    .pages(bySince())
    .records()
    .incremental('at' as never)

  const [first] = await readPages({ recipe }, { secrets, pages: 1 })
  expect(JSON.stringify(first?.position)).not.toContain('token-07')
  expect(JSON.stringify(first?.position)).toContain('{secret:TOKEN}')
  const rest = await readPages({ recipe }, { secrets, position: first?.position ?? null })
  expect((recordsOf(rest) as Item[]).map(({ id }) => id)).toEqual(all(30).slice(8))
})

describe('the records of a border', () => {
  test('are left out as often as they were read, if there is no key', () => {
    const border = new BorderRecords(true)
    expect(['a', 'a', 'b'].map((hash) => border.take(hash))).toEqual([false, false, false])
    border.startAgain()
    expect(['a', 'a', 'a', 'b'].map((hash) => border.take(hash))).toEqual([true, true, false, true])
    expect(border.mayBeDoubled).toBe(false)
    border.startAgain()
    border.take('a')
    expect(border.mayBeDoubled).toBe(true)
  })

  test('are stored in a position up to 10,000, and beyond only rows with a key do without', () => {
    const [keyed, keyless] = [new BorderRecords(false), new BorderRecords(true)]
    for (let id = 0; id <= 10_000; id++) for (const border of [keyed, keyless]) border.take(`hash ${id}`)
    expect(Object.keys(keyed.stored?.known ?? {})).toHaveLength(10_000)
    expect(keyless.stored).toBeUndefined()
  })
})
