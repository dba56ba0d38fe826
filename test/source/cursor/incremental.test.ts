import { describe, expect, test } from '@jest/globals'
import { http, onePage, since, source, time, unix } from '../../../src/index.ts'
import type { RunEvent } from '../../../src/model/event.ts'
import type { Incremental } from '../../../src/model/recipe.ts'
import { rangeOf } from '../../../src/source/cursor/range.ts'
import { apiServer } from '../../support/api-server.ts'
import { readPages, recordsOf } from '../read-pages.ts'
import { follow, highOf, idsOf, sum, type Row } from './follow-rows.ts'

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

  test.each<[string, string, Omit<Incremental, 'at'>, string]>([
    ['a time', '2023-03-03T01:15:30.5Z', {}, '2023-03-03T01:14:30.5Z'],
    ['a time without an offset', '2023-03-03 01:15:30', {}, '2023-03-03 01:14:30'],
    ['seconds since 1970', '1717200060', { unit: 's' }, '1717200000'],
    ['milliseconds since 1970', '1717200060000', { unit: 'ms' }, '1717200000000'],
    ['never before `startFrom`', '2024-03-01T00:00:30Z', { startFrom: '2024-03-01T00:00:00Z' }, '2024-03-01T00:00:00Z'],
    ['a lookback that is given', '2023-03-03T01:15:30Z', { lookback: '1s' }, '2023-03-03T01:15:29Z'],
    ['nothing, by lookback 0', '2023-03-03T01:15:30Z', { lookback: 0 }, '2023-03-03T01:15:30Z'],
    ["nothing, by lookback '0s'", '2023-03-03T01:15:30Z', { lookback: '0s' }, '2023-03-03T01:15:30Z'],
    ['nothing for a day', '2023-03-03', {}, '2023-03-03'],
    ['nothing for a number', '1717200060', {}, '1717200060'],
    ['nothing for text', 'abc', {}, 'abc'],
  ])('rows that are merged are read from a minute before the cursor: %s', (_, cursor, options, since) => {
    expect(rangeOf({ at: 'at', ...options }, { since: cursor, isMerged: true }).since).toBe(since)
  })

  test('rows that are not merged, and windows, are read from their start on', () => {
    const since = '2023-03-03T01:15:30Z'
    expect(rangeOf({ at: 'at' }, { since }).since).toBe(since)
    expect(rangeOf({ at: 'at' }, { since, until: '2023-03-04T00:00:00Z', isMerged: true }).since).toBe(since)
    expect(rangeOf({ at: 'at' }, { isMerged: true }).since).toBeUndefined()
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

const any = (value: unknown): never => value as never
const read = async (sent: readonly unknown[], options: Partial<Parameters<typeof readPages>[1]> = {}) => {
  await using server = await apiServer([{ json: sent.map((at, id) => ({ id, at })) }])
  const flow = http(server.origin)
    .get<{ id: number; at: string | null }[]>('/x', { after: unix(since) })
    .pages(onePage())
    .records()
    .incremental('at', { time: time('rfc 2822'), lookback: '1d' })
  const pages = await readPages(flow, options)
  return { url: server.requests[0]?.url, ids: idsOf(pages), high: highOf(pages) }
}

describe('a cursor of times of another form', () => {
  const mails = [
    'Thu, 23 May 2019 17:44:46 +0000',
    null,
    'Fri, 24 May 2019 01:00:00 +0200',
    'Wed, 22 May 2019 00:00:00 +0000',
  ]
  test('compares by time, and is sent like any other', async () => {
    expect(await read(mails)).toEqual({ url: '/x', ids: [0, 1, 2, 3], high: '2019-05-23T23:00:00Z' })
    expect(await read(mails, { since: '2019-05-23T23:00:00Z' })).toEqual({
      url: `/x?after=${Date.UTC(2019, 4, 22, 23) / 1_000}`,
      ids: [0, 1, 2],
      high: '2019-05-23T23:00:00Z',
    })
  })

  test('a value of another form does not move it; if no value has the form, the reading fails', async () => {
    expect(await read([...mails, '2030-01-01T00:00:00Z'])).toMatchObject({
      ids: [0, 1, 2, 3, 4],
      high: '2019-05-23T23:00:00Z',
    })
    await expect(read(['2030-01-01T00:00:00Z'])).rejects.toThrow(/is no time of the form "rfc 2822"\. Correct the form/)
  })

  test('its field is a time in the table, too, and the version of a row', () => {
    const records = http('https://api.example')
      .get<{ id: number; at: string }[]>('/x')
      .pages(onePage())
      .records()
      .incremental('at', { time: time('rfc 2822') })
    const { table } = records.into('a.b', { key: 'id' })
    expect(table).toMatchObject({
      versionBy: 'at',
      columns: { at: { type: 'timestamptz', time: { form: 'rfc 2822' } } },
    })
    const mapped = records.map((record) => record).into('a.b', { key: 'id' })
    expect(mapped.table).toMatchObject({ columns: {} })
    expect(mapped.table.versionBy).toBeUndefined()
    const page = http('https://api.example').get<{ at: string }[]>('/x').pages(onePage()).records()
    expect(() => page.incremental('at', { time: any('rfc 2822') })).toThrow(/time is what time\(\) returns/)
    expect(() => page.incremental('at', any({ time: time('unix'), unit: 's' }))).toThrow(/give time or unit/)
  })
})
