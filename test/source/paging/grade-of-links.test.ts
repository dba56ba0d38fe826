import { describe, expect, test } from '@jest/globals'
import { byHeader, byLinkHeader, byRelay } from '../../../src/index.ts'
import type { ApiAnswer } from '../../support/api-server.ts'
import { gradeOf, graded, none, rows, total, type Case } from './grade-of.ts'

const link = (...rels: string[]): Record<string, string> => ({
  link: rels.map((rel) => `</x?page=2>; rel="${rel}"`).join(', '),
})
const next = (page: string): Record<string, string> => ({ 'x-next-page': page })

describe('byLinkHeader()', () => {
  test.each<[string, ...Case]>([
    ['a link to the previous page only', [rows(0, 10, {}, link('next')), rows(10, 20, {}, link('prev'))], 'ended'],
    ['a link to the first page only', [rows(0, 10, {}, link('first'))], 'ended'],
    ['no link on a short first page', [rows(0, 3)], 'ended'],
    ['no link on a full first page', [rows(0, 10)], '(10 records), and the header \'link\' with rel="next" is missing'],
    ['no link on a later page', [rows(0, 10, {}, link('next')), rows(10, 20)], 'ended'],
    [
      'no link, and a header with a total',
      [rows(0, 10, {}, total(2_000))],
      "10 records came, but the header 'x-total-count' states 2,000",
    ],
    ['a link to something else', [rows(0, 10, {}, link('canonical'))], 'seems to be full'],
    ['no link, and a name that leads on', [rows(0, 3, { next: '/x?page=2' })], "The response has 'next'"],
    [
      'a last page that was not read',
      [rows(0, 10, {}, link('next')), rows(10, 20, {}, { link: '</x?page=9>; rel="last"' })],
      "the header 'link' names a last page that was not read, 7 further on",
    ],
    ['a last page that was read', [rows(0, 10, {}, link('next')), rows(10, 20, {}, link('last'))], 'ended'],
    [
      'pages that are counted, and a total that changes',
      [rows(0, 10, {}, { ...link('next'), ...total(21) }), rows(10, 20, {}, total(20))],
      'The list moved while it was read',
    ],
  ])('%s', async (_, ...row) => {
    expect(await gradeOf(byLinkHeader(), row)).toEqual(graded(row[1]))
  })

  test('another relation that is missing beside the next page', async () => {
    const row: Case = [[rows(0, 3, {}, { link: '</x?page=2>; rel="next"' })], "The response has the header 'link'"]
    expect(await gradeOf(byLinkHeader('older'), row)).toEqual(graded(row[1]))
  })
})

describe("byHeader('page', 'x-next-page')", () => {
  test.each<[string, ...Case]>([
    ["''", [rows(0, 10, {}, next('2')), rows(10, 20, {}, next(''))], 'ended'],
    ["'' on the first page", [rows(0, 10, {}, next(''))], 'ended'],
    ['missing on a later page', [rows(0, 10, {}, next('2')), rows(10, 20)], 'ended'],
    ['missing on a short first page', [rows(0, 3)], 'ended'],
    ['missing on a full first page', [rows(0, 10)], "the header 'x-next-page' is missing"],
    [
      'missing beside another header',
      [rows(0, 3, {}, { 'x-next-cursor': 'a' })],
      "The response has the header 'x-next-cursor'",
    ],
    [
      'a number of pages in a header',
      [rows(0, 10, {}, { ...next(''), 'x-total-pages': '3' })],
      "'x-total-pages' states 3",
    ],
  ])('%s', async (_, ...row) => {
    expect(await gradeOf(byHeader('page', 'x-next-page'), row)).toEqual(graded(row[1]))
  })
})

const list = (pageInfo: unknown, from = 0): ApiAnswer => rows(from, from + 10, { list: { pageInfo } })

describe("byRelay('list')", () => {
  test.each<[string, ...Case]>([
    ['hasNextPage: false', [list({ hasNextPage: true, endCursor: 'a' }), list({ hasNextPage: false }, 10)], 'ended'],
    ['hasNextPage is missing', [list({})], /'list' has no pageInfo.hasNextPage/],
    ['hasNextPage is null', [list({ hasNextPage: null })], /'list' has no pageInfo.hasNextPage/],
    ["hasNextPage is 'false'", [list({ hasNextPage: 'false' })], /'list' has no pageInfo.hasNextPage/],
    ['endCursor is missing', [list({ hasNextPage: true })], /has no endCursor/],
    [
      'an empty page that leads on',
      [none({ list: { pageInfo: { hasNextPage: true, endCursor: 'a' } } }), list({ hasNextPage: false })],
      'ended',
    ],
    ['no connection', [none({ list: null })], 'ended'],
    [
      'no connection after others',
      [list({ hasNextPage: true, endCursor: 'a' }), none({ list: null })],
      'the GraphQL connection is null after pages that had it',
    ],
  ])('%s', async (_, ...row) => {
    expect(await gradeOf(byRelay('list'), row)).toEqual(graded(row[1]))
  })
})

describe('a paginator that is a function', () => {
  type Next = { body: { next?: string } }
  const paging = ({ body }: Next, request: { query: object }): unknown =>
    body.next === undefined ? undefined : { ...request, query: { ...request.query, c: body.next } }
  test.each<[string, unknown, ...Case]>([
    ['undefined', paging, [rows(0, 10, { next: 'a' }), rows(10, 20)], 'ended'],
    ['undefined beside a name that leads on', paging, [rows(0, 10, { next_cursor: 'a' })], 'ended'],
    ['null', () => null, [rows(0, 10)], 'ended'],
    ['a value that is no request', () => 'x', [rows(0, 10)], /the paginator's function must return a request/],
    ['a header with a total that is right', paging, [rows(0, 10, {}, total(10))], 'counted'],
    ['a header with a total that is too high', paging, [rows(0, 10, {}, total(20))], '10 records came'],
    [
      'a header with a total that changes',
      paging,
      [rows(0, 10, { next: 'a' }, total(21)), rows(10, 20, {}, total(20))],
      'The list moved',
    ],
    [
      'a link to the next page',
      paging,
      [rows(0, 10, {}, { link: '</x?page=2>; rel="next"' })],
      "the header 'link' leads",
    ],
    ['a page without a body', paging, [rows(0, 10, { next: 'a' }), { status: 204 }], 'ended'],
  ])('%s', async (_, paginator, ...row) => {
    expect(await gradeOf(paginator, row)).toEqual(graded(row[1]))
  })
})
