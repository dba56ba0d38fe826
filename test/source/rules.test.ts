import { describe, expect, test } from '@jest/globals'
import {
  byCursor,
  byLinkHeader,
  byNextUrl,
  byOffset,
  byPage,
  http,
  onePage,
  path,
  type Paging,
  type ResponseRule,
  type RunEvent,
} from '../../src/index.ts'
import type { Page } from '../../src/model/page.ts'
import { apiServer, type ApiAnswer, type ApiHandler } from '../support/api-server.ts'
import { readPages, recordsOf, type ReadingOptions } from './read-pages.ts'

interface Body {
  readonly items: { readonly id: number }[]
  readonly next?: string | undefined
  readonly total?: number
  readonly pages?: number
}

interface Reading {
  readonly pages: readonly Page[]
  readonly ids: readonly number[]
  readonly grade: string | undefined
  readonly reasons: readonly string[]
  readonly requests: readonly string[]
  readonly skipped: readonly RunEvent[]
}

const summary = async (
  requests: readonly { readonly url: string }[],
  read: (options: ReadingOptions) => Promise<readonly Page[]>,
): Promise<Reading> => {
  const events: RunEvent[] = []
  const pages = await read({ emit: (event) => events.push(event) })
  const grades = pages.flatMap(({ completeness }) => completeness ?? [])
  return {
    pages,
    ids: recordsOf(pages).map((record) => (record as { id: number }).id),
    grade: grades.map(({ grade }) => grade).find((grade) => grade === 'open') ?? grades.at(-1)?.grade,
    reasons: grades.flatMap(({ reasons }) => reasons),
    requests: requests.map(({ url }) => url),
    skipped: events.filter(({ type }) => type === 'response.skipped'),
  }
}

/** Reads an API with rules. */
async function read(
  answer: ApiHandler,
  paging: unknown,
  rules: readonly ResponseRule[],
  options: ReadingOptions & { readonly query?: Record<string, number> } = {},
): Promise<Reading> {
  await using server = await apiServer(answer)
  const { query = {}, ...reading } = options
  const flow = http(server.origin, { attempts: 1 })
    .get<Body>('/x', query, { responseRules: rules })
    .pages(paging as Paging<Body>)
    .records('items')
  return await summary(server.requests, (more) => readPages(flow, { ...reading, ...more }))
}

const page = (number: number): Body => ({ items: [{ id: number * 10 }, { id: number * 10 + 1 }] })
const forbidden: ApiAnswer = { status: 403, json: { error: 'not yours' } }
const skip: ResponseRule = { status: 403, body: { error: 'not yours' }, action: 'skip' }
const numbered =
  (last: number, bad: readonly number[], more: object = {}): ApiHandler =>
  ({ query }) => {
    const number = Number(query.get('page') ?? 1)
    if (bad.includes(number)) return forbidden
    return { json: number > last ? { items: [], ...more } : { ...page(number), ...more } }
  }

const pastTheEnd =
  (code: string): ApiHandler =>
  ({ query }) => {
    const number = Number(query.get('page'))
    return number > 3 ? { status: 400, json: { code } } : { json: page(number) }
  }
const secondForbidden: ApiHandler = ({ query }) =>
  query.get('page') === '2' ? forbidden : { json: { ...page(1), pages: 5 } }
const gone: ApiHandler = () => ({ status: 404, json: {} })
const offsets: ApiHandler = ({ query }) => {
  const offset = Number(query.get('offset') ?? 0)
  return offset === 2 ? forbidden : { json: { items: [{ id: offset }, { id: offset + 1 }], total: 8 } }
}
const links: ApiHandler = ({ query, path }) => {
  if (query.get('after') === '2') return forbidden
  const next = `${path}?after=2`
  return { json: { ...page(1), next }, headers: { link: `<${next}>; rel="next"` } }
}
const forbiddenFromThree: ApiHandler = ({ query }) =>
  Number(query.get('page')) > 2 ? forbidden : { json: page(1 + Math.random()) }
const parentOf = (path: string): number => Number(path.split('/')[2])
const secondParent: ApiHandler = ({ path, query }) => {
  if (parentOf(path) === 2) return forbidden
  return { json: Number(query.get('page') ?? 1) > 1 ? { items: [] } : { items: [{ id: parentOf(path) }] } }
}
const pageOfSecondParent: ApiHandler = ({ path, query }) => {
  const number = Number(query.get('page') ?? query.get('after') ?? 1)
  if (parentOf(path) === 2 && number === 2) return forbidden
  const items = number > 3 ? [] : [{ id: parentOf(path) * 10 + number }]
  return { json: { items, next: number < 3 ? String(number + 1) : null } }
}

describe('a rule with the action empty', () => {
  test('tells the status behind the last page from others', async () => {
    const rule: ResponseRule = { status: 400, body: { code: 'invalid_page_number' }, action: 'empty' }
    expect(await read(pastTheEnd('invalid_page_number'), byPage('page'), [rule])).toMatchObject({
      ids: [10, 11, 20, 21, 30, 31],
      grade: 'ended',
    })
    await expect(read(pastTheEnd('no_such_field'), byPage('page'), [rule])).rejects.toMatchObject({ status: 400 })
  })

  test('leaves the reading open if pages were announced behind it', async () => {
    const { grade, reasons, ids } = await read(secondForbidden, byPage<Body>('page', { pages: 'pages' }), [
      { ...skip, action: 'empty' },
    ])
    expect([grade, ids]).toEqual(['open', [10, 11]])
    expect(reasons.join()).toContain("a rule for status 403 ended the reading at page 2, but 'pages' states 5 pages")
  })

  test('is not the end for a cursor that the API has forgotten', async () => {
    const rules: ResponseRule[] = [{ status: 404, action: 'empty' }]
    const position = { method: 'GET', url: '/x', query: { after: 'a' } }
    await expect(read(gone, byCursor('after', 'next'), rules, { position })).rejects.toMatchObject({
      code: 'POSITION_LOST',
    })
    await expect(
      read(gone, byCursor('after', 'next'), [{ status: 404, action: 'skip', expected: true }], { position }),
    ).rejects.toMatchObject({ code: 'POSITION_LOST' })
    expect((await read(gone, byPage('page'), rules, { position: { ...position, query: { page: '7' } } })).ids).toEqual(
      [],
    )
  })
})

describe('a rule with the action skip', () => {
  test('leaves out a numbered page, counts it, and the reading is open', async () => {
    const { ids, grade, reasons, skipped } = await read(numbered(4, [2, 3]), byPage('page'), [skip])
    expect(ids).toEqual([10, 11, 40, 41])
    expect(grade).toBe('open')
    expect(reasons[0]).toBe(
      'GET /x: a rule left out the response with status 403 (403, error = "not yours": skip), so its records are ' +
        'missing. If the reading is complete without them, add expected: true to the rule',
    )
    expect(skipped).toEqual([
      { type: 'response.skipped', stream: '', request: 'GET /x', status: 403, expected: false },
      { type: 'response.skipped', stream: '', request: 'GET /x', status: 403, expected: false },
    ])
  })

  test('leaves the reading ended if the rule expects it', async () => {
    const rule = { ...skip, expected: true }
    const { ids, grade, skipped } = await read(numbered(3, [2]), byPage('page'), [rule])
    expect([ids, grade, skipped.length]).toEqual([[10, 11, 30, 31], 'ended', 1])
  })

  test.each([1, 2, 3])('leaves out page %i of 3 where their number is known', async (bad) => {
    const { ids, grade, requests } = await read(
      numbered(3, [bad], { pages: 3 }),
      byPage<Body>('page', { pages: 'pages' }),
      [skip],
    )
    expect(ids).toHaveLength(4)
    expect(grade).toBe('open')
    // Without an answer that states their number, page 1 alone does not tell where to stop.
    expect(requests).toHaveLength(3)
  })

  test('goes on by the page size behind an offset, and the total is not reached', async () => {
    const paging = byOffset<Body>('offset', { total: 'total' })
    const { ids, grade } = await read(offsets, paging, [skip], { query: { limit: 2 } })
    expect([ids, grade]).toEqual([[0, 1, 4, 5, 6, 7], 'open'])
    const expected = await read(offsets, paging, [{ ...skip, expected: true }], { query: { limit: 2 } })
    expect([expected.grade, expected.reasons.join()]).toEqual([
      'open',
      expect.stringContaining("6 records came, but 'total' states 8"),
    ])
    await expect(read(offsets, paging, [skip])).rejects.toThrow('the request states no page size to go on behind it')
  })

  test('loses and doubles no other record of a list whose pages overlap', async () => {
    const list = Array.from({ length: 40 }, (_, id) => ({ id }))
    for (const bad of [0, 10, 20, 30])
      for (const limit of [3, 5, 10]) {
        const answer: ApiHandler = ({ query }) => {
          const offset = Number(query.get('offset') ?? 0)
          const isBad = offset <= bad && bad < offset + limit
          return isBad ? forbidden : { json: { items: list.slice(offset, offset + limit), total: 40 } }
        }
        const { ids, grade } = await read(answer, byOffset<Body>('offset', { total: 'total' }), [skip], {
          query: { limit },
          key: ['id'],
        })
        expect(new Set(ids).size).toBe(ids.length)
        // At most the pages that hold the record, and those that overlap with them, are missing.
        expect(list.filter(({ id }) => !ids.includes(id) && Math.abs(id - bad) > limit)).toEqual([])
        expect(grade).toBe('open')
      }
  })

  test('is an error for a page whose response alone leads to the next one', async () => {
    for (const paging of [byCursor<Body>('after', () => '2'), byNextUrl<Body>('next'), byLinkHeader()])
      await expect(read(links, paging, [skip])).rejects.toThrow(
        '/x: a rule leaves out this page, but only its response could lead to the next page',
      )
  })

  test('ends the reading of one page', async () => {
    const { ids, grade } = await read(() => forbidden, onePage(), [skip])
    expect([ids, grade]).toEqual([[], 'open'])
    const expected = await read(() => forbidden, onePage(), [{ ...skip, expected: true }])
    expect([expected.ids, expected.grade]).toEqual([[], 'ended'])
  })

  test('is an error if more than 100 pages in a row are left out', async () => {
    await expect(read(forbiddenFromThree, byPage('page'), [skip])).rejects.toThrow(
      'more than 100 pages in a row are empty or were',
    )
  })

  test('resumes behind the page that was left out', async () => {
    await using server = await apiServer(numbered(4, [2]))
    const flow = http(server.origin)
      .get<Body>('/x', {}, { responseRules: [skip] })
      .pages(byPage('page'))
      .records('items')
    for (let stop = 1; stop <= 4; stop += 1) {
      const first = await readPages(flow, { pages: stop })
      const rest = await readPages(flow, { position: first.at(-1)!.position! })
      expect(recordsOf([...first, ...rest])).toHaveLength(6)
      expect([...first, ...rest].some(({ completeness }) => completeness?.grade === 'open')).toBe(true)
    }
  })
})

describe('a rule with the action skip for children', () => {
  /** Reads the children of parents 1, 2 and 3. */
  async function readChildren(answer: ApiHandler, paging: unknown, rule: ResponseRule): Promise<Reading> {
    await using server = await apiServer((request) =>
      request.path === '/parents' ? { json: [{ id: 1 }, { id: 2 }, { id: 3 }] } : answer(request),
    )
    const api = http(server.origin, { attempts: 1 })
    const flow = api
      .get<{ id: number }[]>('/parents')
      .pages(onePage())
      .records()
      .flatMap(({ id }) =>
        api
          .get<Body>(path`/parents/${id}/x`, {}, { responseRules: [rule] })
          .pages(paging as Paging<Body>)
          .records('items'),
      )
    return await summary(server.requests, (options) => readPages(flow, options))
  }

  test.each([
    ['onePage', onePage()],
    ['byPage', byPage<Body>('page')],
    ['byCursor', byCursor<Body>('after', 'next')],
    ['byLinkHeader', byLinkHeader()],
  ])('leaves out all records of one parent, and goes on with the next: %s', async (_, paging) => {
    const { ids, grade, reasons, skipped, pages } = await readChildren(secondParent, paging, skip)
    expect([ids, grade, skipped.length]).toEqual([[1, 3], 'open', 1])
    expect(skipped[0]).toMatchObject({ request: 'GET /parents/2/x' })
    expect(reasons.join()).toContain('GET /parents/2/x: a rule left out the response with status 403')
    expect(pages.at(-1)?.position).toEqual({ end: true })
    const expected = await readChildren(secondParent, paging, { ...skip, expected: true })
    expect([expected.ids, expected.grade, expected.skipped.length]).toEqual([[1, 3], 'ended', 1])
  })

  test('leaves out a later page of a child that counts its pages, and fails for one with a cursor', async () => {
    const { ids, grade } = await readChildren(pageOfSecondParent, byPage('page'), skip)
    expect([ids, grade]).toEqual([[11, 12, 13, 21, 23, 31, 32, 33], 'open'])
    await expect(readChildren(pageOfSecondParent, byCursor<Body>('after', 'next'), skip)).rejects.toThrow(
      'GET /parents/2/x: a rule leaves out this page, but only its response could lead to the next page',
    )
  })
})
