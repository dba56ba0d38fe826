import { describe, expect, test } from '@jest/globals'
import {
  byCursor,
  byPage,
  describePipeline,
  formatTime,
  http,
  isoDate,
  onePage,
  pipeline,
  since,
  text,
  unix,
  unixMs,
  until,
  utc,
  type Bound,
  type BoundText,
} from '../../../src/index.ts'
import { apiServer } from '../../support/api-server.ts'
import { readPages, recordsOf, type ReadingOptions } from '../read-pages.ts'

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
    expect(await requestedUrl(query, reading, options)).toBe(url)
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

const requestedUrl = async (
  query: Record<string, Bound | BoundText>,
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

const any = (value: unknown): never => value as never
const readBy = async (q: ReturnType<typeof text>, reading: ReadingOptions = {}): Promise<string | null> => {
  const url = await requestedUrl({ q }, reading, undefined)
  return new URL(url ?? '', 'http://x').searchParams.get('q')
}

describe('text with bounds in it', () => {
  const zone = 'Europe/Berlin'
  const clock = (bound: typeof since) => formatTime(bound, 'YYYY-MM-DD HH:mm', { zone })
  test.each<[string, ReturnType<typeof text>, ReadingOptions, string | null]>([
    [
      'as a whole',
      text`at >= '${utc(since)}'`,
      { since: '2026-01-31T10:00:00+0100' },
      "at >= '2026-01-31T09:00:00.000Z'",
    ],
    ['left out without its end of the range', text`at >= ${since} and at < ${until}`, { since: '2026-01-31' }, null],
    [
      'only the inner one left out',
      text`select ${'Id, Name'} from A${text` where at >= ${since}`} limit ${5}`,
      {},
      'select Id, Name from A limit 5',
    ],
    [
      'the inner one filled in',
      text`select Id from A${text` where at >= ${since}`} limit 5`,
      { since: '2026-01-31' },
      'select Id from A where at >= 2026-01-31 limit 5',
    ],
    ['on a clock', text`"${clock(since)}"`, { since: '2026-07-01T10:00:59Z' }, '"2026-07-01 12:00"'],
    // In Berlin, 02:30 comes twice on this day; read as the second time it would leave out an hour.
    [
      'not within the hour that a clock shows twice',
      text`${clock(since)}`,
      { since: '2026-10-25T00:30:00Z' },
      '2026-10-25 00:30',
    ],
    [
      'an end is rounded up',
      text`${formatTime(until, 'D.M.YYYY')} ${clock(until)}`,
      { until: '2026-01-31T10:00:00.0001Z' },
      '1.2.2026 2026-01-31 11:01',
    ],
  ])('%s', async (_, q, reading, sent) => {
    expect(await readBy(q, reading)).toBe(sent)
  })

  test.each([
    ['2024-06-01 23:30:00', '2024-06-01', '2024-06-02'],
    ['2024-06-01T23:30:00-05:00', '2024-06-01', '2024-06-03'],
    ['2024-06-02T00:30:00+02:00', '2024-06-01', '2024-06-03'],
    ['2024-06-02T00:00:00Z', '2024-06-02', '2024-06-02'],
    ['1717284600', '2024-06-01', '2024-06-02'],
  ])('the day of %s is the outer one of its own clock and UTC: %s, %s', async (at, from, to) => {
    await expect(readBy(text`at >= ${isoDate(since)}`, { since: at })).resolves.toBe(`at >= ${from}`)
    await expect(readBy(text`at < ${isoDate(until)}`, { until: at })).resolves.toBe(`at < ${to}`)
  })

  test('a time without an offset is sent to no other clock, which would be hours off', async () => {
    for (const bound of [utc(since), clock(since), unix(since), unixMs(since)])
      await expect(readBy(text`at >= ${bound}`, { since: '2024-06-01 10:00:00' })).rejects.toThrow(
        "since: '2024-06-01 10:00:00' has no offset, so it does not say which moment it is",
      )
    expect(await readBy(text`at >= ${utc(since)}`, { since: '2024-06-01' })).toBe('at >= 2024-06-01T00:00:00.000Z')
  })

  test.each([
    [text`a > '${since}'`, "x' or '1' = '1"],
    [text`a > "${since}"`, 'x\\'],
    [text`a > ${since}`, "x'y"],
    [text`a > '${"O'Brien"}' and b > ${since}`, 'x'],
  ])('a value that would end a quote is an error', async (q, cursor) => {
    await expect(readBy(q, { since: cursor })).rejects.toThrow(/would change the meaning of the text around it/)
  })

  test('it is told by describe, and wrong words are refused', () => {
    const flow = http('https://api.example')
      .get<{ at: string }[]>('/x', { q: text`at > '${clock(since)}'${text` and b < ${unix(until)}`}` })
      .pages(onePage())
      .records()
      .into('a.b', { write: 'append' })
    expect(describePipeline(pipeline('x', { streams: { x: flow } }))).toContain(
      "q=at > '{since:YYYY-MM-DD HH:mm in Europe/Berlin}' and b < {until:unix}",
    )
    expect(() => text`a ${any(undefined)}`).toThrow(/a value is since, until, a text or a number, not undefined/)
    expect(() => formatTime(since, 'YYYY-MM-DD HH:mm z')).toThrow(/can only be read/)
    expect(() => formatTime(since, 'YY-MM-DD')).toThrow(/Y is not a part of a time/)
    expect(() => formatTime(since, 'YYYY-MM-DD', { zone: 'CET+1' })).toThrow(/is no time zone/)
    expect(() => formatTime(since, 'YYYY-MM-DD', any({ in: 'UTC' }))).toThrow(/there is no option "in"/)
  })
})
