import { describe, expect, test } from '@jest/globals'
import { byCursor, byOffset, byPage, bySince } from '../../../src/index.ts'
import type { EndpointSeen } from '../../../src/model/slice.ts'
import type { ApiRequest } from '../../support/api-server.ts'
import { minute, pageOf, readSince, rows, type Row } from './since-list.ts'

/** An API that leaves out records with exactly the value of `since`. */
const exclusive =
  (list: readonly Row[]) =>
  (request: ApiRequest): Row[] =>
    pageOf(list, request, { isExclusive: true })
/** Two records, which are gone at the next request. */
const twoThenNone = ({ index }: ApiRequest): Row[] => (index === 0 ? rows(2) : [])
const all = (count: number): number[] => rows(count).map(({ id }) => id)
const COUNTED = { grade: 'counted', reasons: [] }
const ENDED = { grade: 'ended', reasons: [] }
/** Values of which five records each have the same one. */
const fives = (id: number): string => minute(Math.floor(id / 5))

describe('bySince', () => {
  test('reads beyond the window of an API, from the last value on', async () => {
    const list = rows(130)
    const { ids, pages, requested, completeness } = await readSince((request) =>
      Number(request.query.get('offset') ?? 0) >= 50 ? { status: 400 } : pageOf(list, request),
    )
    expect(ids).toEqual(all(130))
    expect(requested.slice(0, 3)).toEqual(['', `since=${minute(9)}`, `since=${minute(18)}`])
    expect(completeness).toEqual(COUNTED)
    // Records that came again are left out before anything is counted.
    expect(pages.reduce((sum, { counts }) => sum + counts.fetched, 0)).toBe(130)
  })

  test('reads the records of a value that goes on behind a page', async () => {
    const list = rows(60, fives)
    const { ids, completeness } = await readSince((request) => pageOf(list, request), { limit: 8 })
    expect(ids).toEqual(all(60))
    expect(completeness).toEqual(COUNTED)
  })

  test('sends one request for a list that has nothing but the record of the cursor', async () => {
    const { ids, requested, completeness } = await readSince((request) => pageOf(rows(10), request), {
      since: minute(9),
      limit: 5,
    })
    expect(ids).toEqual([9])
    expect(requested).toEqual([`since=${minute(9)}&limit=5`])
    expect(completeness).toEqual(ENDED)
  })

  test('ends at an empty list, and behind the end of a window', async () => {
    expect(await readSince(() => [])).toMatchObject({ ids: [], requested: [''], completeness: ENDED })
    const window = { since: minute(10), until: minute(25), limit: 5 }
    const { ids, requested } = await readSince((request) => pageOf(rows(130), request), window)
    expect(ids).toEqual(all(25).slice(10))
    expect(requested).toHaveLength(4)
  })

  test('ends at a record that changes all the time', async () => {
    const { ids, requested } = await readSince(
      ({ index }) => [
        ...(index === 0 ? rows(9) : []),
        { id: 99, at: new Date(Date.UTC(2025, 0, 1) + index * 1_000).toISOString() },
      ],
      { startedAt: new Date('2025-01-01') },
    )
    expect(ids).toEqual([...all(9), 99, 99])
    expect(requested).toHaveLength(2)
  })

  test('goes on days later, from a position that was stored between two pages', async () => {
    let list: readonly Row[] = rows(50, fives)
    const before = await readSince((request) => pageOf(list, request), { limit: 8, pages: 3 })
    list = list.filter(({ id }) => id > 10 && id !== 22)
    const position = before.pages.at(-1)?.position ?? null
    const after = await readSince((request) => pageOf(list, request), { limit: 8, position })
    expect([...before.ids, ...after.ids]).toEqual(all(50).filter((id) => id !== 22))
    expect(after.completeness).toEqual(COUNTED)
  })
})

describe('a page of one value', () => {
  const list = rows(40, (id) => minute(id < 5 ? id : 5))

  test('is an error that names the value and the remedy, if no paginator within leads on', async () => {
    const { ids, error } = await readSince((request) => pageOf(list, request), { limit: 10 })
    expect(error).toMatchObject({
      code: 'PAGING',
      message:
        `GET /items: the page has 10 records with the value '${minute(5)}' and no other one, so no \`since\` leads ` +
        "to the next page. Request larger pages, or name the API's paginator, as in bySince(byPage('page'))",
    })
    expect(ids).toEqual([])
  })

  test.each([
    ['pages', bySince(byPage('page'))],
    ['offsets', bySince(byOffset('offset'))],
    ['offsets, with a bound that leaves out its own value', bySince(byOffset('offset'), { exclusive: true })],
  ])('is read on by %s, twice, and each record is yielded once', async (_, paging) => {
    const more = [...list, ...rows(60).slice(40)]
    const isExclusive = 'exclusive' in paging
    const options = { limit: 10, paging }
    const reading = await readSince((request) => pageOf(more, request, { isExclusive }), options)
    expect(reading.ids).toEqual(all(60))
    expect(reading.completeness).toEqual(COUNTED)
  })

  test('is the end of the list, if it is shorter than the request asks for, or than another page', async () => {
    const short = { ids: [0, 1, 2], completeness: ENDED }
    expect(await readSince(() => rows(3, () => minute(0)), { since: minute(0), limit: 10 })).toMatchObject(short)
    const { ids, completeness } = await readSince((request) => pageOf(rows(14, fives), request))
    expect({ ids, completeness }).toEqual({ ids: all(14), completeness: COUNTED })
  })

  test('leaves the reading open, if nothing says how large a page is, and it has ten records or more', async () => {
    const few = await readSince(() => rows(9, () => minute(0)), { since: minute(0) })
    expect(few).toMatchObject({ ids: all(9), completeness: ENDED })
    const { ids, completeness } = await readSince(() => rows(10, () => minute(0)), { since: minute(0) })
    expect(ids).toEqual(all(10))
    expect(completeness).toEqual({
      grade: 'open',
      reasons: [
        `GET /items: the page has 10 records with the value '${minute(0)}' and no other one, and may be full. State ` +
          "the page size in the request, as in limit: 100, or name the API's paginator, as in bySince(byPage('page'))",
      ],
    })
  })

  test('is read on by the paginator within, if nothing says how large a page is', async () => {
    const ties = rows(9, () => minute(0))
    const small = ({ query }: ApiRequest): Row[] => ties.slice((Number(query.get('page')) - 1) * 4).slice(0, 4)
    const { ids, completeness } = await readSince(small, { since: minute(0), paging: bySince(byPage('page')) })
    expect({ ids, completeness }).toEqual({ ids: all(9), completeness: ENDED })
  })

  test('leaves the reading open, if the response says that more follow', async () => {
    const items = rows(3, () => minute(0))
    const answer = () => ({ json: { items, has_more: true } })
    const { completeness } = await readSince(answer, { since: minute(0), limit: 10 })
    expect(completeness).toMatchObject({ grade: 'open', reasons: [expect.stringContaining("'has_more'")] })
  })

  test('leaves the reading open, if the paginator within finds no way on where the page is full', async () => {
    const items = rows(10, () => minute(0))
    const paging = bySince(byCursor('cursor', 'meta.next'))
    const reading = await readSince(() => ({ json: { items } }), { since: minute(0), limit: 10, paging })
    expect(reading.completeness).toMatchObject({ grade: 'open', reasons: [expect.stringContaining("'meta.next'")] })
  })

  test('is an error, if the API ignores the parameter of the paginator within', async () => {
    const { error } = await readSince(() => rows(10, () => minute(0)), { limit: 10, paging: bySince(byPage('page')) })
    expect(error).toMatchObject({ code: 'PAGING', message: expect.stringContaining('ignore the paginator within') })
  })

  test('is read as often as it takes, while a record leaves the list between two of its pages', async () => {
    let ties = rows(30, () => minute(0))
    const answer = (request: ApiRequest): Row[] => {
      const page = pageOf(ties, request)
      if (request.index === 1) ties = ties.slice(1)
      return page
    }
    const { ids, completeness } = await readSince(answer, { limit: 10, paging: bySince(byPage('page')) })
    expect(ids.toSorted((a, b) => a - b)).toEqual(all(30))
    expect(completeness).toEqual(COUNTED)
  })

  test('leaves the reading open, if it never comes to rest', async () => {
    let ties = rows(400, () => minute(0))
    const answer = (request: ApiRequest): Row[] => {
      const page = pageOf(ties, request)
      ties = ties.slice(1)
      return page
    }
    const { completeness } = await readSince(answer, { limit: 100, paging: bySince(byPage('page')) })
    expect(completeness).toMatchObject({ grade: 'open', reasons: [expect.stringContaining('the list moved during')] })
  })
})

describe('a bound that leaves out its own value', () => {
  const list = rows(60, fives)

  test('leaves the reading open, because records with the value of a border may be missing', async () => {
    const { ids, completeness } = await readSince(exclusive(list), { limit: 8 })
    expect(ids.length).toBeLessThan(60)
    expect(completeness).toMatchObject({
      grade: 'open',
      reasons: [expect.stringContaining('bySince({ exclusive: true })')],
    })
  })

  test('is one value earlier with `exclusive`, so that no record is missing', async () => {
    const { ids, requested, completeness } = await readSince(exclusive(list), {
      limit: 8,
      paging: bySince({ exclusive: true }),
    })
    expect(ids).toEqual(all(60))
    expect(requested[1]).toBe(`since=${fives(4)}&limit=8`)
    expect(completeness).toEqual(COUNTED)
  })

  test('loses nothing where the value is the key', async () => {
    const { ids, completeness } = await readSince(exclusive(rows(30)), { limit: 8, key: ['at'] })
    expect({ ids, completeness }).toEqual({ ids: all(30), completeness: ENDED })
  })

  test('is not concluded from one border, if an earlier reading has seen records of a border again', async () => {
    const endpoints = new Map<string, EndpointSeen>()
    expect((await readSince(twoThenNone, { limit: 8, endpoints })).completeness?.grade).toBe('open')
    await readSince((request) => pageOf(rows(30), request), { limit: 8, endpoints })
    expect((await readSince(twoThenNone, { limit: 8, endpoints })).completeness).toEqual(ENDED)
  })

  test('is not concluded from a border whose record was touched meanwhile', async () => {
    let touched = rows(30)
    const answer = (request: ApiRequest): Row[] => {
      const page = pageOf(touched, request)
      if (request.index === 0) touched = [...touched.filter(({ id }) => id !== 7), { id: 7, at: minute(40) }]
      return page
    }
    const { ids, completeness } = await readSince(answer, { limit: 8 })
    expect(ids).toEqual([...all(30), 7])
    expect(completeness).toEqual(ENDED)
  })
})

describe('a list that bySince cannot read', () => {
  test('is one in which a page begins before `since`', async () => {
    const { error } = await readSince(() => rows(10))
    expect(error).toMatchObject({
      code: 'PAGING',
      message: expect.stringContaining(
        `the page from '${minute(9)}' on begins with '${minute(0)}', so the API ignores or rounds \`since\``,
      ),
    })
  })

  test('is one in descending order', async () => {
    const { error } = await readSince(() => rows(10).toReversed())
    expect(error).toMatchObject({
      code: 'PAGING',
      message: expect.stringContaining(
        `'${minute(8)}' comes after '${minute(9)}', so the list is not in ascending order`,
      ),
    })
  })

  test('has a full page that ends with a record without a value', async () => {
    const items = [...rows(9), { id: 9, at: null }]
    const { error } = await readSince(() => items, { limit: 10 })
    expect(error).toMatchObject({ message: expect.stringContaining("the last record of a page has no value at 'at'") })
    const open = await readSince(({ query }) => (query.has('since') ? [] : items))
    expect(open.completeness?.reasons[0]).toContain("the last record of a page has no value at 'at'")
  })
})

test('bySince reads records without a value at the start of the list once', async () => {
  const list = [...rows(3, () => null), ...rows(30).slice(3)]
  const withNulls = await readSince((request) => pageOf(list, request), { limit: 8 })
  expect(withNulls).toMatchObject({ ids: all(30), completeness: COUNTED })
  // An API that returns them with every page.
  const nullsFirst = await readSince((request) => [...list.slice(0, 3), ...pageOf(list.slice(3), request)], {
    restart: 'slice',
    boundary: {},
  })
  expect(nullsFirst.ids).toEqual(all(30))
})
