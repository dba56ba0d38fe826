import { describe, expect, test } from '@jest/globals'
import {
  byCursor,
  byPage,
  isoDate,
  http,
  onePage,
  path,
  since,
  source,
  unix,
  unixMs,
  until,
} from '../../../src/index.ts'
import type { RunEvent } from '../../../src/model/event.ts'
import { maxHighWaterMark } from '../../../src/model/high-water-mark.ts'
import type { HighWaterMark, Page } from '../../../src/model/page.ts'
import type { Incremental } from '../../../src/model/recipe.ts'
import { rangeOf } from '../../../src/source/cursor/range.ts'
import { apiServer } from '../../support/api-server.ts'
import { readPages, recordsOf, type ReadingOptions } from '../read-pages.ts'

interface Row {
  id?: number
  at?: unknown
}

/** Reads rows with the cursor `at`. */
const follow = (
  rows: readonly Row[],
  options: Omit<Incremental, 'at'> = {},
  reading: ReadingOptions = {},
): Promise<Page[]> =>
  readPages(
    source<Row>(async function* () {
      yield { records: rows }
    }).incremental((row) => row.at as string, options as { lookback?: '1s' }),
    reading,
  )

const latest = (pages: readonly Page[]): HighWaterMark | undefined =>
  pages.map(({ highWaterMark }) => highWaterMark).reduce<HighWaterMark | undefined>(maxHighWaterMark, undefined)
const highOf = (pages: readonly Page[]): string | undefined => latest(pages)?.value
/** The boundary that the ledger would store with the cursor. */
const boundaryOf = (pages: readonly Page[]): Record<string, number> => counted(latest(pages)?.hashes ?? [])
const late = (id: number, at = '2024-06-01T00:00:02Z'): Row => ({ id, at })
const idsOf = (pages: readonly Page[]): unknown[] => recordsOf(pages).map((row) => (row as Row).id)
const counted = (hashes: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    Map.groupBy(hashes, (hash) => hash)
      .entries()
      .map(([hash, times]) => [hash, times.length]),
  )
const teamsOf = (pages: readonly Page[]): unknown[] => recordsOf(pages).map((row) => (row as { team: string }).team)
const sum = (pages: readonly Page[], name: 'filtered' | 'duplicate'): number =>
  pages.reduce((count, { counts }) => count + counts[name], 0)

describe('the high-water mark', () => {
  test.each<[string, unknown[], string]>([
    [
      'is a time with every digit of its fraction',
      ['2024-01-01T00:00:00.700000Z', '2024-01-01T00:00:00.7000001Z', '2024-01-01T00:00:00Z'],
      '2024-01-01T00:00:00.7000001Z',
    ],
    ['is a time, whatever its offset', ['2024-01-01T09:00:00+09:00', '2024-01-01T03:00:00Z'], '2024-01-01T03:00:00Z'],
    ['is a number', [9, 10, 2], '10'],
    ['is a number beyond 2^53', [9007199254740993n, 9007199254740992n], '9007199254740993'],
    ['is a number written as text', ['9', '10', '1717200000.000100', '1717200000.00009'], '1717200000.000100'],
    ['is a day', ['2024-02-28', '2024-03-01', '2024-02-29'], '2024-03-01'],
    ['is text', ['a', 'c', 'b'], 'c'],
    ['is a Date', [new Date(5), new Date(7)], '1970-01-01T00:00:00.007Z'],
    ['is kept as the API wrote it', ['2024-01-01 10:00:00+0000', '2023-01-01T00:00Z'], '2024-01-01 10:00:00+0000'],
  ])('%s', async (_, values, high) => {
    expect(highOf(await follow(values.map((at) => ({ at }))))).toBe(high)
  })

  test('a record without a value is kept, and does not move the high-water mark', async () => {
    const pages = await follow(
      [{ id: 1, at: null }, { id: 2 }, { id: 3, at: '' }, { id: 4, at: '2024-01-01' }],
      {},
      { since: '2023-01-01' },
    )
    expect({ ids: idsOf(pages), high: highOf(pages) }).toEqual({ ids: [1, 2, 3, 4], high: '2024-01-01' })
  })

  test('a value of another kind does not move the high-water mark, and warns once', async () => {
    const events: RunEvent[] = []
    const pages = await follow(
      [
        { id: 1, at: '2024-01-01' },
        { id: 2, at: 'never' },
        { id: 3, at: { no: 1 } },
      ],
      {},
      { emit: (event) => void events.push(event) },
    )
    expect({ ids: idsOf(pages), high: highOf(pages) }).toEqual({ ids: [1, 2, 3], high: '2024-01-01' })
    expect(events.map(({ type }) => type)).toEqual(['warning'])
  })

  test('records that a stage filters move the high-water mark', async () => {
    const flow = source<Row>(async function* () {
      yield { records: [{ at: '2024-01-01' }, { at: '2024-06-01' }] }
    })
      .incremental((row) => row.at as string)
      .filter((row) => row.at === '2024-01-01')
    expect(highOf(await readPages(flow))).toBe('2024-06-01')
  })

  test('the high-water mark never passes the second in which the slice started, in the format of the API', async () => {
    const startedAt = new Date('2024-06-01T10:00:00.789Z')
    expect(
      highOf(await follow([{ at: '2024-05-01T00:00:00.12Z' }, { at: '2099-01-01T00:00:00.12Z' }], {}, { startedAt })),
    ).toBe('2024-06-01T10:00:00.00Z')
    expect(highOf(await follow([{ at: '2099-01-01T00:00+02:00' }], {}, { startedAt }))).toBe('2024-06-01T12:00+02:00')
    expect(highOf(await follow([{ at: '2099-01-01' }], {}, { startedAt }))).toBe('2024-06-01')
    expect(highOf(await follow([{ at: 4_070_908_800 }], { unit: 's' }, { startedAt }))).toBe('1717236000')
    expect(highOf(await follow([{ at: 4_070_908_800_000 }], {}, { startedAt }))).toBe('4070908800000')
  })

  test('dates that do not sort as text are refused', async () => {
    for (const at of ['Tue, 02 Jan 2024 00:00:00 GMT', '01/31/2024', '31.01.2024', 'Jan 5, 2024'])
      await expect(follow([{ at }])).rejects.toMatchObject({
        code: 'DECODE',
        message: expect.stringContaining('ISO 8601'),
      })
  })
})

describe('the range', () => {
  test('records before the range or at its end are filtered', async () => {
    const pages = await follow(
      [1, 2, 3, 4, 5].map((id) => ({ id, at: `2024-01-0${id}T00:00:00Z` })),
      {},
      { since: '2024-01-02', until: '2024-01-04T00:00:00+00:00' },
    )
    expect({ ids: idsOf(pages), filtered: sum(pages, 'filtered'), high: highOf(pages) }).toEqual({
      ids: [2, 3],
      filtered: 3,
      high: '2024-01-03T00:00:00Z',
    })
  })

  test('neighbouring windows neither lose nor double a record', async () => {
    const rows = Array.from({ length: 70 }, (_, id) => ({
      id,
      at: new Date(Date.UTC(2024, 0, 1) + id * 7_777_777).toISOString(),
    }))
    const edges = ['2024-01-01', '2024-01-02T12:00:00.000Z', '2024-01-04', '2024-01-06T01:00:00+01:00', '2024-01-09']
    const read = await Promise.all(
      edges
        .slice(1)
        .map(async (until, index) => idsOf(await follow(rows, { lookback: '1d' }, { since: edges[index], until }))),
    )
    expect(read.flat()).toEqual(rows.map(({ id }) => id))
  })

  test('a range of times fails on plain numbers, and names the unit', async () => {
    await expect(follow([{ at: 1_717_200_000 }], {}, { since: '2024-01-01' })).rejects.toMatchObject({
      code: 'DECODE',
      message: expect.stringContaining("{ unit: 's' }"),
    })
  })

  test('the slice ends where the declared order says that no more records of the range follow', async () => {
    const ascending = await readPages(
      source<Row & { at: string }>(days(1, 1)).incremental('at', { order: 'ascending' }),
      { since: '2024-01-03', until: '2024-01-10' },
    )
    expect(ascending.length).toBe(6)
    const descending = await readPages(
      source<Row & { at: string }>(days(28, -1)).incremental('at', { order: 'descending' }),
      { since: '2024-01-20' },
    )
    expect(recordsOf(descending)).toHaveLength(9)
    expect(descending.length).toBe(6)
    const wrong = await readPages(source<Row & { at: string }>(days(1, 1)).incremental('at', { order: 'ascending' }), {
      since: '2024-01-20',
    })
    expect(recordsOf(wrong)).toHaveLength(11)
  })
})

describe('lookback', () => {
  test.each<[string, string, Omit<Incremental, 'at'>, string]>([
    ['seconds of a time', '2023-03-03T01:15:30Z', { lookback: '1s' }, '2023-03-03T01:15:29Z'],
    ['every digit kept', '2023-03-03T00:00:00.123456789Z', { lookback: '1ms' }, '2023-03-03T00:00:00.122456789Z'],
    ['rounded down to the digits there are', '2023-03-03T00:00:00Z', { lookback: '1ms' }, '2023-03-02T23:59:59Z'],
    ['offset and separator kept', '2023-03-03 00:30:00+05:30', { lookback: '1h' }, '2023-03-02 23:30:00+05:30'],
    ['minutes only', '2023-03-03T01:15Z', { lookback: '20m' }, '2023-03-03T00:55Z'],
    ['days of a day', '2023-03-02', { lookback: '1d' }, '2023-03-01'],
    ['less than a day of a day', '2023-03-02', { lookback: '5m' }, '2023-03-01'],
    ['a number', '1000', { lookback: 10 }, '990'],
    ['a large number', '9007199254740993', { lookback: 1 }, '9007199254740992'],
    ['a decimal', '1717200000.000100', { lookback: '5m', unit: 's' }, '1717199700.000100'],
    ['milliseconds', '1717200000000', { lookback: '1m', unit: 'ms' }, '1717199940000'],
    ['never before `from`', '2024-03-02', { lookback: '2d', startFrom: '2024-03-01' }, '2024-03-01'],
    [
      'never before `from` in a unit',
      '1709337600',
      { lookback: '2d', startFrom: '2024-03-01', unit: 's' },
      '1709251200',
    ],
    ['none', '2024-03-02', {}, '2024-03-02'],
  ])('%s', (_, cursor, options, since) => {
    expect(rangeOf({ at: 'at', ...options }, { since: cursor }).since).toBe(since)
  })

  test('the lookback does not apply to a range that has an end', () => {
    expect(rangeOf({ at: 'at', lookback: '1d' }, { since: '2024-03-02', until: '2024-03-03' })).toEqual({
      since: '2024-03-02',
      until: '2024-03-03',
    })
  })

  test('a lookback that does not fit the cursor is an error with the remedy', () => {
    expect(() => rangeOf({ at: 'at', lookback: '5m' }, { since: 'abc' })).toThrow('neither a time nor a number')
    expect(() => rangeOf({ at: 'at', lookback: '5m' }, { since: '17' })).toThrow("{ unit: 's' }")
    expect(() => rangeOf({ at: 'at', lookback: 5 }, { since: '2024-01-01' })).toThrow("'5m'")
  })
})

describe('records at the boundary', () => {
  test('records that the last run has stored at the boundary are duplicates', async () => {
    const first = await follow(
      [
        { id: 1, at: 2 },
        { id: 3, at: 3 },
        { id: 4, at: 3 },
        { id: 4, at: 3 },
      ],
      {},
      { boundary: {} },
    )
    const { value, hashes = [] } = first[0]!.highWaterMark!
    const boundary = counted(hashes)
    expect(hashes).toHaveLength(3)
    const second = await follow(
      [
        { id: 3, at: 3 },
        { id: 4, at: 3 },
        { id: 4, at: 3 },
        { id: 4, at: 3 },
        { id: 5, at: 3 },
        { id: 6, at: 4 },
      ],
      {},
      { since: value, boundary },
    )
    // Three records with id 4 came, and two were stored: one is new.
    expect({ ids: idsOf(second), duplicate: sum(second, 'duplicate') }).toEqual({ ids: [4, 5, 6], duplicate: 3 })
  })

  test('records at the boundary are remembered, also those that this run left out', async () => {
    const first = await follow([{ id: 1, at: 3 }], {}, { boundary: {} })
    const again = await follow(
      [{ id: 1, at: 3 }],
      {},
      { since: '3', boundary: { [first[0]!.highWaterMark!.hashes![0]!]: 1 } },
    )
    expect(idsOf(again)).toEqual([])
    expect(again[0]!.highWaterMark).toEqual(first[0]!.highWaterMark)
  })

  test('records beyond a cursor that was limited to the present are remembered', async () => {
    const startedAt = new Date('2024-06-01T00:00:00Z')
    const first = await follow([{ id: 1, at: '2099-01-01T00:00:00Z' }], {}, { boundary: {}, startedAt })
    const again = await follow(
      [
        { id: 1, at: '2099-01-01T00:00:00Z' },
        { id: 2, at: '2024-06-02T00:00:00Z' },
      ],
      {},
      {
        since: first[0]!.highWaterMark!.value,
        boundary: { [first[0]!.highWaterMark!.hashes![0]!]: 1 },
        startedAt: new Date('2024-06-03T00:00:00Z'),
      },
    )
    expect(idsOf(again)).toEqual([2])
  })
})

describe('records that are newer than the start of the slice, without a key', () => {
  const startedAt = new Date('2024-06-01T00:00:00.9Z')

  test('newer records are stored while their hashes can be kept, and left to the next run afterwards: none is lost or doubled', async () => {
    const events: RunEvent[] = []
    const boundaryQuota = { remaining: 2, reported: false }
    const rows = [{ id: 0, at: '2024-05-01' }, late(1), late(2), late(3), late(4, '2099-01-01')]
    const first = await follow(
      rows,
      {},
      { boundary: {}, startedAt, boundaryQuota, emit: (event) => void events.push(event) },
    )
    expect({ ids: idsOf(first), filtered: sum(first, 'filtered'), high: highOf(first) }).toEqual({
      ids: [0, 1, 2],
      filtered: 2,
      high: '2024-06-01T00:00:00Z',
    })
    expect(events).toEqual([
      expect.objectContaining({ type: 'warning', message: expect.stringContaining('left to the next run') }),
    ])
    const second = await follow(
      rows,
      {},
      {
        since: highOf(first),
        boundary: boundaryOf(first),
        startedAt: new Date('2024-06-02'),
        boundaryQuota: { remaining: 2, reported: false },
      },
    )
    expect({ ids: idsOf(second), duplicate: sum(second, 'duplicate') }).toEqual({ ids: [3, 4], duplicate: 2 })
    // The record of 2099 is remembered beyond the cursor.
    expect(Object.keys(boundaryOf(second))).toHaveLength(1)
  })

  test('newer records are remembered together, in all formats', async () => {
    const pages = [
      [late(1, '2024-06-01T00:00:02Z')],
      [late(2, '2024-06-01T00:00:03.125Z')],
      [late(3, '2024-06-01T00:00:00Z')],
      [late(4, '2024-06-01T02:00:00.5+02:00')],
    ]
    const flow = source<Row>(async function* () {
      for (const records of pages) yield { records }
    }).incremental((row) => row.at as string)
    const first = await readPages(flow, { boundary: {}, startedAt })
    const second = await readPages(flow, {
      since: highOf(first),
      boundary: boundaryOf(first),
      startedAt: new Date('2024-06-02'),
    })
    expect(idsOf(second)).toEqual([])
  })

  test('newer records beyond a stored cursor in the future are not stored twice by the next run', async () => {
    const first = await follow(
      [late(1, '2024-07-01'), late(2, '2024-08-01')],
      {},
      { since: '2024-07-01', boundary: {}, startedAt },
    )
    expect(highOf(first)).toBe('2024-07-01')
    const second = await follow(
      [late(1, '2024-07-01'), late(2, '2024-08-01'), late(3, '2024-08-01')],
      {},
      { since: '2024-07-01', boundary: boundaryOf(first), startedAt },
    )
    expect(idsOf(second)).toEqual([3])
  })

  test('newer records are all stored if rows have a key', async () => {
    expect(
      idsOf(await follow([late(1), late(2)], {}, { startedAt, boundaryQuota: { remaining: 0, reported: false } })),
    ).toEqual([1, 2])
  })
})

describe('equal records of several parents at the boundary', () => {
  interface Place {
    id: string
    seen?: number
  }

  test('equal records are told apart by the requests that lead to them, whatever changes of the parents, the range or the page', async () => {
    let orgs: Record<string, Place[]> = { a: [{ id: 'x' }, { id: 'y' }] }
    await using server = await apiServer(({ path: requestPath, query }) => ({
      json:
        requestPath === '/orgs'
          ? Object.keys(orgs).map((id) => ({ id }))
          : requestPath !== '/days'
            ? orgs[requestPath.split('/')[2]!]
            : query.get('page') === '1'
              ? [{ day: '2024-01-05' }]
              : [],
    }))
    const api = http(server.origin)
    const flow = api
      .get<Place[]>('/orgs')
      .pages(onePage())
      .records()
      .flatMap((org) =>
        api
          .get<Place[]>(path`/orgs/${org.id}/teams`)
          .pages(onePage())
          .records()
          .flatMap((team) =>
            api
              .get<{ day: string }[]>('/days', { team: team.id, since })
              .pages(byPage('page'))
              .records()
              .incremental('day')
              .map((day) => ({ ...day, team: `${org.id}/${team.id}` })),
          ),
      )
    const first = await readPages(flow, { restart: 'slice', boundary: {} })
    expect(teamsOf(first)).toEqual(['a/x', 'a/y'])
    orgs = { b: [{ id: 'x' }], a: [{ id: 'y', seen: 7 }, { id: 'z' }, { id: 'x' }] }
    const second = await readPages(flow, { restart: 'slice', since: '2024-01-05', boundary: boundaryOf(first) })
    expect({ teams: teamsOf(second), duplicate: sum(second, 'duplicate') }).toEqual({
      teams: ['b/x', 'a/z'],
      duplicate: 2,
    })
  })

  test('equal records have the same hash if a function makes the query from the range, or fails without one', async () => {
    await using server = await apiServer(({ path: requestPath }) => ({
      json: requestPath === '/orgs' ? [{ id: 'x' }, { id: 'y' }] : [{ day: '2024-01-05' }],
    }))
    const api = http(server.origin)
    for (const query of [
      (range: { since?: string | undefined }) => ({ q: `from ${range.since}` }),
      (range: { since?: string | undefined }) => ({ year: range.since!.slice(0, 4) }),
    ]) {
      const flow = api
        .get<Place[]>('/orgs')
        .pages(onePage())
        .records()
        .flatMap((org) =>
          api
            .get<{ day: string }[]>(path`/orgs/${org.id}`, query)
            .pages(onePage())
            .records()
            .incremental('day', { startFrom: '2023-01-01' }),
        )
      const first = await readPages(flow, { restart: 'slice', boundary: {} })
      const second = await readPages(flow, { restart: 'slice', since: '2024-01-05', boundary: boundaryOf(first) })
      expect([sum(first, 'duplicate'), sum(second, 'duplicate')]).toEqual([0, 2])
    }
  })
})

describe('bounds in a request', () => {
  test.each<[string, Record<string, typeof since>, ReadingOptions, object | undefined, string]>([
    ['nothing at the very beginning', { since }, {}, undefined, '/x'],
    ['the beginning that was given', { since }, {}, { unit: 's', startFrom: '2024-01-01' }, '/x?since=1704067200'],
    [
      'the cursor as it was stored',
      { since, until },
      { since: '9007199254740993' },
      undefined,
      '/x?since=9007199254740993',
    ],
    [
      'a cursor that counts seconds, as seconds, a date and milliseconds',
      { a: unix(since), b: isoDate(since), c: unixMs(since) },
      { since: '1717200000' },
      { unit: 's' },
      '/x?a=1717200000&b=2024-06-01&c=1717200000000',
    ],
    [
      'a date as what the cursor counts',
      { since, until },
      { since: '2024-06-01', until: '2024-06-02' },
      { unit: 'ms' },
      '/x?since=1717200000000&until=1717286400000',
    ],
    [
      'less the lookback',
      { a: unix(since) },
      { since: '1717200000' },
      { unit: 's', lookback: '5m' },
      '/x?a=1717199700',
    ],
  ])('%s', async (_, query, reading, options, url) => {
    expect(await requestPath(query, reading, options)).toBe(url)
  })

  test('bounds that are coarser than the range do not cut off its end', async () => {
    await using server = await apiServer([{ json: [] }])
    await readPages(
      http(server.origin)
        .get<{ at: string }[]>('/x', { a: unix(since), b: unix(until), c: isoDate(since), d: isoDate(until) })
        .pages(onePage())
        .records()
        .incremental('at'),
      { since: '2024-06-01T10:00:00.5Z', until: '2024-06-02T10:00:00.0001Z' },
    )
    expect(server.requests[0]!.url).toBe('/x?a=1717236000&b=1717322401&c=2024-06-01&d=2024-06-03')
  })

  test('bounds work in JSON and in functions alike', async () => {
    await using server = await apiServer([{ json: [] }])
    const api = http(server.origin)
    await readPages(
      api
        .post<{ at: string }[]>('/x', { json: { from: unix(since), to: until, size: 5 } })
        .pages(onePage())
        .records()
        .incremental('at'),
      { since: '2024-06-01' },
    )
    await readPages(
      api
        .get<{ at: string }[]>('/x', ({ since }) => ({ q: `updated>${since}` }))
        .pages(onePage())
        .records()
        .incremental('at'),
      { since: '2024-06-01' },
    )
    expect([server.requests[0]!.body, decodeURIComponent(server.requests[1]!.url)]).toEqual([
      '{"from":1717200000,"size":5}',
      '/x?q=updated>2024-06-01',
    ])
  })

  test('bounds stay the same over all pages of a slice', async () => {
    await using server = await apiServer(({ query }) => ({
      json: { rows: [{ at: '2030-01-01' }], next: query.get('c') ? null : 'x' },
    }))
    await readPages(
      http(server.origin)
        .get<{ rows: { at: string }[]; next: string | null }>('/x', { since })
        .pages(byCursor('c', 'next'))
        .records('rows')
        .incremental('at'),
      { since: '2024-06-01' },
    )
    expect(server.requests.map(({ url }) => url)).toEqual(['/x?since=2024-06-01', '/x?since=2024-06-01&c=x'])
  })

  test('an infinite feed, newest first, is read back only to the cursor', async () => {
    await using server = await apiServer(({ query }) => ({
      json: Array.from({ length: 10 }, (_, index) => ({ at: 1_000 - (Number(query.get('page')) - 1) * 10 - index })),
    }))
    const pages = await readPages(
      http(server.origin)
        .get<{ at: number }[]>('/x')
        .pages(byPage('page'))
        .records()
        .incremental('at', { order: 'descending' }),
      { since: '960' },
    )
    expect(recordsOf(pages)).toHaveLength(41)
    expect(server.requests.length).toBeLessThanOrEqual(6)
  })
})

const days = (from: number, step: number) =>
  async function* () {
    for (let day = from; day > 0 && day < 30; day += step * 2)
      yield {
        records: [
          { at: `2024-01-${String(day).padStart(2, '0')}` },
          { at: `2024-01-${String(day + step).padStart(2, '0')}` },
        ],
      }
  }

const requestPath = async (
  query: Record<string, typeof since>,
  reading: ReadingOptions,
  options?: object,
): Promise<string> => {
  await using server = await apiServer([{ json: [] }])
  await readPages(
    http(server.origin).get<{ at: number }[]>('/x', query).pages(onePage()).records().incremental('at', options),
    reading,
  )
  return decodeURIComponent(server.requests[0]!.url)
}
