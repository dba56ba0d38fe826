import { describe, expect, test } from '@jest/globals'
import { byCursor, byLastRecord, byNextUrl } from '../../../src/index.ts'
import type { ApiAnswer } from '../../support/api-server.ts'
import { gone, gradeOf, graded, noSize, none, rows, total, type Case } from './grade-of.ts'

const cursors: [string, unknown, (value: unknown) => ApiAnswer | undefined][] = [
  ["byCursor('cursor', 'meta.next')", byCursor('cursor', 'meta.next'), (next) => rows(0, 10, { meta: { next } })],
  ["byNextUrl('meta.next')", byNextUrl('meta.next'), (next) => rows(0, 10, { meta: { next } })],
]
const after = (next: unknown, headers: Record<string, string> = {}): ApiAnswer =>
  rows(0, 10, { meta: { next } }, headers)

describe.each(cursors)('%s', (_, paging) => {
  test.each<[string, ...Case]>([
    ['null', [after('2'), rows(10, 20, { meta: { next: null } })], 'ended'],
    ['null on the first page', [after(null)], 'ended'],
    [
      'null beside has_more: true',
      [rows(0, 3, { meta: { next: null }, has_more: true })],
      "the paginator found the end, but the response says that more follows: 'has_more'. Name it in the paginator",
    ],
    ['null beside another name', [rows(0, 3, { meta: { next: null }, next_page: 2 })], 'ended'],
    ["'' on the first page", [after('')], 'ended'],
    ['false on the first page', [after(false)], 'ended'],
    ['an object', [after({})], /'meta.next' should lead to the next page/],
    ['missing on a later page', [after('2'), rows(10, 20, { meta: {}, next_page: 3 })], 'ended'],
    [
      'missing on a later page beside other members of continue, as MediaWiki answers for properties in parts',
      [after('2'), rows(10, 20, { meta: {}, continue: { clcontinue: '31|B', continue: '||' } })],
      "the response says that more follows: 'continue'. Send all its members: byContinue('continue')",
    ],
    ['missing on a short first page', [rows(0, 3, { meta: {} })], 'ended'],
    ['missing on an empty first page', [none()], 'ended'],
    [
      'missing on a full first page',
      [rows(0, 10, { meta: {} })],
      "only one page was read, which seems to be full (10 records), and 'meta.next' is missing",
    ],
    ['missing on a full first page with has_more: false', [rows(0, 10, { has_more: false })], 'ended'],
    [
      'missing beside another name',
      [rows(0, 3, { meta: { next_cursor: 'a' } })],
      "looks for it: 'meta.next'. The response has 'meta.next_cursor'. Compare the paginator",
    ],
    ['missing where a usual number of records came', [rows(0, 100)], 'seems to be full (100 records)', noSize],
    ['missing where another number of records came', [rows(0, 87)], 'ended', noSize],
    [
      'missing, where a larger page is known',
      [rows(0, 100)],
      'ended',
      { ...noSize, endpoints: new Map([['GET /x', { hasWayOn: false, largestPage: 101 }]]) },
    ],
    [
      'missing, where an earlier reading had it',
      [rows(0, 10)],
      'ended',
      { endpoints: new Map([['GET /x', { hasWayOn: true, largestPage: 0 }]]) },
    ],
    [
      'missing, where an earlier reading had it and another name leads on now',
      [rows(0, 10, { meta: { next_cursor: '2' } })],
      "The response has 'meta.next_cursor'",
      { endpoints: new Map([['GET /x', { hasWayOn: true, largestPage: 0 }]]) },
    ],
    [
      'missing, with a link to the next page',
      [rows(0, 3, {}, { link: '</x?page=2>; rel="next"' })],
      "the header 'link'",
    ],
    [
      'an empty page that leads on',
      [after('2'), none({ meta: { next: '3' } }), rows(10, 12, { meta: { next: null } })],
      'ended',
    ],
    ['a status of emptyOn', [after('2'), gone], 'ended'],
    ['a page without a body', [after('2'), { status: 204 }], 'ended'],
    ['a header with a total that is right', [after(null, total(10))], 'counted'],
    [
      'a header with a total that is too high',
      [after('2', total(30)), rows(10, 20, { meta: { next: null } }, total(30))],
      "the header 'x-total-count' states 30. If it stays so",
    ],
    ['a header with a total that is too low', [after(null, total(9))], 'ended'],
    [
      'a header with a total that changes',
      [after('2', total(21)), rows(10, 20, { meta: { next: null } }, total(20))],
      'ended',
    ],
    ['a header with a total that is a cap', [after(null, total(10_000))], '10 records came'],
    ['missing, where so many came as a header says', [rows(0, 10, {}, total(10))], 'counted'],
  ])('%s', async (_, ...row) => {
    expect(await gradeOf(paging, row)).toEqual(graded(row[1]))
  })
})

describe('a cursor by a function', () => {
  const paging = byCursor<{ next?: string | null }>('cursor', (body) => body.next)
  test.each<[string, ...Case]>([
    ['null', [rows(0, 10, { next: null })], 'ended'],
    [
      'undefined beside another name',
      [rows(0, 3, { next_cursor: 'a' })],
      "looks for it: the function. The response has 'next_cursor'",
    ],
    ['undefined on a short page', [rows(0, 3)], 'ended'],
  ])('%s', async (_, ...row) => {
    expect(await gradeOf(paging, row)).toEqual(graded(row[1]))
  })
})

describe("byLastRecord('after', 'items.id')", () => {
  test.each<[string, ...Case]>([
    ['an empty page', [rows(0, 10), none()], 'ended'],
    ['an empty first page', [none()], 'ended'],
    [
      'an empty page with has_more: true',
      [rows(0, 10), none({ has_more: true })],
      "The response has 'has_more'. Name it in the paginator",
    ],
    ['a header with a total that is right', [rows(0, 10, {}, total(10)), none({}, total(10))], 'counted'],
    ['a header with a total that is too high', [rows(0, 10, {}, total(11)), none({}, total(11))], '10 records came'],
    ['a header with a total that changes', [rows(0, 10, {}, total(11)), none({}, total(10))], 'ended'],
    ['a record without the field', [{ json: { items: [{}] } }], /the last record has no 'items.id'/],
    ['a field that is null', [{ json: { items: [{ id: null }] } }], /the last record has no 'items.id'/],
  ])('%s', async (_, ...row) => {
    expect(await gradeOf(byLastRecord('after', 'items.id'), row)).toEqual(graded(row[1]))
  })

  test.each<[string, ...Case]>([
    ['more is false', [rows(0, 10, { more: false })], 'ended'],
    ['more is true on an empty page', [none({ more: true })], /'more' says that there are more pages/],
    ['more is missing', [rows(0, 10)], /'more' should say/],
  ])('%s', async (_, ...row) => {
    expect(await gradeOf(byLastRecord('after', 'items.id', { more: 'more' as never }), row)).toEqual(graded(row[1]))
  })
})

test('the end by a member that was never there is open if the page is full, or names another way on', async () => {
  const paging = byCursor('after', 'after', { more: { at: 'nxt', exists: true } })
  const full = "only one page was read, which seems to be full (10 records), and 'nxt' is missing"
  const first: Case = [[rows(0, 10, { after: 'a' })], full]
  expect(await gradeOf(paging, first)).toEqual(graded(full))
  const last: Case = [[rows(0, 10, { after: 'a', nxt: 'x' }), rows(10, 20, { after: 'b' })], 'ended']
  expect(await gradeOf(paging, last)).toEqual(graded('ended'))
})
