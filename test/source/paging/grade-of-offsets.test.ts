import { describe, expect, test } from '@jest/globals'
import { byOffset, byPage, inHeader } from '../../../src/index.ts'
import { gone, gradeOf, graded, none, rows, total, type Case } from './grade-of.ts'

describe.each([
  ["byPage('page', { more })", byPage('page', { more: 'more' as never })],
  ["byOffset('offset', { more })", byOffset('offset', { more: 'more' as never })],
])('%s', (_, paging) => {
  test.each<[string, ...Case]>([
    ['false', [rows(0, 10, { more: true }), rows(10, 20, { more: false })], 'ended'],
    ["'false'", [rows(0, 10, { more: 'false' })], 'ended'],
    ['false on an empty page', [rows(0, 10, { more: true }), none({ more: false })], 'ended'],
    ['an empty page without it', [rows(0, 10, { more: true }), none()], 'ended'],
    [
      'an empty page without it, with a total',
      [rows(0, 10, { more: true }), none({ total_count: 30 })],
      "'total_count' (30)",
    ],
    ['false, and a header with a total that is too high', [rows(0, 10, { more: false }, total(13))], '10 records came'],
    ['false, and a header with a total that is right', [rows(0, 10, { more: false }, total(10))], 'counted'],
    ['a page with records without it', [rows(0, 10)], /'more' should say whether there are more pages, but is missing/],
    ['null', [rows(0, 10, { more: null })], /'more' .* holds null/],
    ["''", [rows(0, 10, { more: '' })], /'more' .* holds text/],
    ['a number', [rows(0, 10, { more: 1 })], /'more' .* holds a number/],
  ])('%s', async (_, ...row) => {
    expect(await gradeOf(paging, row)).toEqual(graded(row[1]))
  })
})

describe("byOffset('offset')", () => {
  test.each<[string, ...Case]>([
    ['an empty page behind the last', [rows(0, 10), rows(10, 13), none()], 'ended'],
    ['an empty page with has_more: true', [rows(0, 10), none({ has_more: true })], "The response has 'has_more'"],
    ['a header with a total that is right', [rows(0, 10, {}, total(10)), none({}, total(10))], 'counted'],
    [
      'a header with a total that is too high',
      [rows(0, 10, {}, total(20)), none({}, total(20))],
      "10 records came, but the header 'x-total-count' states 20",
    ],
    ['a status of emptyOn behind the last', [rows(0, 10), gone], 'ended'],
  ])('%s', async (_, ...row) => {
    expect(await gradeOf(byOffset('offset'), row)).toEqual(graded(row[1]))
  })

  test.each<[string, unknown, ...Case]>([
    [
      'max with a full last page',
      byOffset('offset', { max: 5 }),
      [rows(0, 10)],
      '`max: 5` of the paginator ended the reading',
    ],
    ['max with a short last page', byOffset('offset', { max: 12 }), [rows(0, 10), rows(10, 13)], 'ended'],
    [
      'max below the total',
      byOffset('offset', { max: 5, total: 'total' as never }),
      [rows(0, 10, { total: 30 })],
      '`max: 5`',
    ],
    [
      'an empty page while more is true',
      byOffset('offset', { more: 'more' as never }),
      [rows(0, 10, { more: true }), none({ more: true }), rows(20, 30, { more: false })],
      "the page at offset 10 is empty, although 'more' says that more follow. The reading continued at offset 20",
    ],
  ])('%s', async (_, paging, ...row) => {
    expect(await gradeOf(paging, row)).toEqual(graded(row[1]))
  })
})

describe("byOffset('offset', { total })", () => {
  const paging = byOffset('offset', { total: 'total' as never })
  test.each<[string, ...Case]>([
    ['so many different keys', [rows(0, 10, { total: 13 }), rows(10, 13, { total: 13 })], 'counted'],
    ['so many records, without a key', [rows(0, 10, { total: 13 }), rows(10, 13, { total: 13 })], 'ended', { key: [] }],
    ['so many records, whose key is no field of theirs', [rows(0, 10, { total: 10 })], 'ended', { key: ['order_id'] }],
    ['no records, and a total of 0', [none({ total: 0 })], 'counted'],
    [
      'an empty page below it',
      [rows(0, 10, { total: 40 }), rows(10, 20, { total: 40 }), none({ total: 40 }), rows(30, 40, { total: 40 })],
      "30 records came, but 'total' states 40",
    ],
    [
      'a total that is too high',
      [rows(0, 10, { total: 12 }), none({ total: 12 })],
      "10 records came, but 'total' states 12",
    ],
    [
      'a total that is too low, with a full page',
      [rows(0, 10, { total: 15 }), rows(10, 20, { total: 15 })],
      "20 records came, but 'total' states only 15, so more may follow. Remove `total`",
    ],
    ['a total that is too low, with a short page', [rows(0, 10, { total: 12 }), rows(10, 13, { total: 12 })], 'ended'],
    [
      'a total that shrinks',
      [rows(0, 10, { total: 15 }), rows(10, 14, { total: 14 })],
      "'total' stated 15 records at first and 14 at the end. The list moved",
    ],
    [
      'a total that grows',
      [rows(0, 10, { total: 13 }), rows(10, 14, { total: 14 })],
      "'total' stated 13 records at first and 14 at the end",
    ],
    [
      'a total that changes and changes back',
      [rows(0, 10, { total: 23 }), rows(10, 20, { total: 22 }), rows(20, 23, { total: 23 })],
      "'total' stated different numbers of records",
    ],
    [
      'a key that comes twice',
      [rows(0, 10, { total: 13 }), rows(9, 12, { total: 13 })],
      '13 records came, of which 12 have different keys, but',
    ],
    [
      'a total that is a cap',
      [rows(0, 10_000, { total: 10_000 })],
      '\'total\' states 10,000, which may mean "or more"',
      { limit: 10_000 },
    ],
    ['a total that is a cap, with a short page', [rows(0, 10_000, { total: 10_000 })], 'ended', { limit: 20_000 }],
    [
      'a status of emptyOn below it',
      [rows(0, 10, { total: 30 }), gone],
      "10 records came, but 'total' states 30. A rule for status 404 ended the reading",
    ],
    [
      'a header with a total that is too high',
      [rows(0, 10, { total: 10 }, total(30))],
      "10 records came, but the header 'x-total-count' states 30",
    ],
    ['text of digits', [rows(0, 10, { total: '10' })], 'counted'],
    ['a missing total', [rows(0, 10)], /'total' should be the number of pages or records, but is missing/],
    ['null', [rows(0, 10, { total: null })], /'total' .* holds null/],
    ["''", [rows(0, 10, { total: '' })], /'total' .* holds text/],
    ['false', [rows(0, 10, { total: false })], /'total' .* holds false/],
    ['a list', [rows(0, 10, { total: [10] })], /'total' .* holds a list/],
  ])('%s', async (_, ...row) => {
    expect(await gradeOf(paging, row)).toEqual(graded(row[1]))
  })

  test('a total that means "or more"', async () => {
    const row: Case = [[rows(0, 10, { total: { value: 10, relation: 'gte' } })], 'which may mean "or more"']
    expect(await gradeOf(byOffset('offset', { total: 'total.value' as never }), row)).toEqual(graded(row[1]))
  })

  test('a total in a header', async () => {
    const row: Case = [[rows(0, 10, {}, { 'x-all': '10' })], 'counted']
    expect(await gradeOf(byOffset('offset', { total: inHeader('x-all') }), row)).toEqual(graded(row[1]))
  })
})
