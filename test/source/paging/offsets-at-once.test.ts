import { describe, expect, test } from '@jest/globals'
import { byOffset, http } from '../../../src/index.ts'
import { apiServer, type ApiAnswer, type ApiRequest, type ApiServer } from '../../support/api-server.ts'
import { readPages, recordsOf } from '../read-pages.ts'
import { ids } from './walk.ts'

interface Body {
  data: { id: number }[]
  total: number
}

describe('pages of offsets', () => {
  test('they are requested at once if the total is known, and yielded in order', async () => {
    await using server = await apiServer(list(57, { delays: true }))
    const pages = await readPages(flow(server, { limit: 5 }))
    expect(ids(recordsOf(pages))).toEqual(numbers(57))
    expect(server.mostAtOnce).toBe(4)
    expect(offsets(server)).toEqual(numbers(12).map((page) => page * 5))
    expect(pages.map(({ position }) => (position as { query?: { offset: string } }).query?.offset)).toEqual([
      ...numbers(11).map((page) => String((page + 1) * 5)),
      undefined,
    ])
  })

  test('the first page tells the page size if the request does not', async () => {
    await using server = await apiServer(list(57, { delays: true }))
    expect(ids(recordsOf(await readPages(flow(server))))).toEqual(numbers(57))
    expect(server.mostAtOnce).toBe(4)
  })

  test('the page size is what the API gives if it gives less than the limit', async () => {
    await using server = await apiServer(list(57, { delays: true }))
    expect(ids(recordsOf(await readPages(flow(server, { limit: 1000 }))))).toEqual(numbers(57))
    expect(server.mostAtOnce).toBe(4)
    expect(offsets(server)).toEqual(numbers(12).map((page) => page * 5))
  })

  test('pages of unequal sizes lose, repeat and reorder nothing, and are soon no longer guessed', async () => {
    const sizes = [5, 3, 4, 1, 5, 2, 2, 3, 5, 1, 4, 4]
    await using server = await apiServer(list(300, { sizeAt: (offset) => sizes[offset % sizes.length] ?? 5 }))
    const pages = await readPages(flow(server))
    expect(ids(recordsOf(pages))).toEqual(numbers(300))
    expect(server.requests.length).toBeLessThan(pages.length * 2.5)
  })

  test('a list that grows and shrinks while it is read is read to its end', async () => {
    for (const totals of [(index: number) => 40 + index, (index: number) => Math.max(20, 60 - index * 3)]) {
      await using server = await apiServer((request) => {
        const total = totals(request.index)
        return { json: { data: records(offsetOf(request), Math.min(5, total - offsetOf(request))), total } }
      })
      const read = ids(recordsOf(await readPages(flow(server))))
      expect(read).toEqual(numbers(read.length))
      expect(read.length).toBeGreaterThanOrEqual(20)
    }
  })

  test('no offset is requested at or behind the total, or beyond the largest that is allowed', async () => {
    await using server = await apiServer(list(20))
    await readPages(flow(server, { limit: 5 }))
    expect(offsets(server)).toEqual([0, 5, 10, 15])
    await using limited = await apiServer(list(100))
    await readPages(flow(limited, { limit: 5 }, { max: 12 }))
    expect(offsets(limited)).toEqual([0, 5, 10])
  })

  test('a slice that stops after any page resumes behind it', async () => {
    await using server = await apiServer(list(33))
    const pages = await readPages(flow(server))
    for (const [index, { position }] of pages.entries()) {
      const rest = await readPages(flow(server), { position: position! })
      expect(ids(recordsOf(rest))).toEqual(numbers(33).slice((index + 1) * 5))
    }
  })

  test('they are requested one at a time without a total', async () => {
    await using server = await apiServer(list(23))
    const one = http(server.origin).get<Body>('/x', { limit: 5 }).pages(byOffset('offset')).records('data')
    expect(ids(recordsOf(await readPages(one)))).toEqual(numbers(23))
    expect(server.mostAtOnce).toBe(1)
  })

  test('a page that is refused as too many halves the number at once', async () => {
    let refused = 0
    let atOnce = 0
    const most: number[] = []
    await using server = await apiServer(async (request) => {
      atOnce++
      if (refused > 0) most.push(atOnce)
      await wait(15)
      atOnce--
      if (offsetOf(request) === 20 && refused++ === 0) return { status: 503, headers: { 'retry-after': '0' }, json: {} }
      return list(600)(request)
    })
    expect(ids(recordsOf(await readPages(flow(server, { limit: 5 }, {}, 8))))).toEqual(numbers(600))
    // Requests that were in flight when the answer came are not counted.
    expect(Math.max(...most.slice(8, 20))).toBeLessThanOrEqual(7)
  })
})

const wait = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))
const offsetOf = ({ query }: ApiRequest): number => Number(query.get('offset'))
const offsets = ({ requests }: ApiServer): number[] => requests.map(offsetOf).toSorted((a, b) => a - b)
const numbers = (length: number): number[] => Array.from({ length }, (_, index) => index)
const records = (from: number, size: number): { id: number }[] =>
  Array.from({ length: Math.max(0, size) }, (_, index) => ({ id: from + index }))

function list(
  total: number,
  { sizeAt = () => 5, delays = false }: { sizeAt?: (offset: number) => number; delays?: boolean } = {},
) {
  let inFlight = 0
  let most = 0
  return async (request: ApiRequest): Promise<ApiAnswer> => {
    const offset = offsetOf(request)
    // Answers come when four requests have been in flight, so that a busy machine changes nothing.
    inFlight++
    most = Math.max(most, inFlight)
    const isEarly = (): boolean => delays && offset > 0 && most < 4
    for (let waits = 0; isEarly() && waits < 500; waits++) await wait(10)
    if (delays) await wait(offset % 10 === 0 ? 20 : 5)
    inFlight--
    return { json: { data: records(offset, Math.min(sizeAt(offset), total - offset)), total } }
  }
}

const flow = (
  { origin }: ApiServer,
  query: Record<string, number> = {},
  options: { max?: number } = {},
  concurrency = 4,
) =>
  http(origin, { concurrency })
    .get<Body>('/x', query)
    .pages(byOffset('offset', { total: 'total', ...options }))
    .records('data')
