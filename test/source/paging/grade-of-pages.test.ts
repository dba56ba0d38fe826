import { describe, expect, test } from '@jest/globals'
import { byLastRecord, byPage, inHeader, onePage } from '../../../src/index.ts'
import { gone, gradeOf, graded, noSize, none, rows, total, type Case } from './grade-of.ts'

describe('onePage()', () => {
  test.each<[string, ...Case]>([
    ['an empty page', [none()], 'ended'],
    ['a short page', [rows(0, 3)], 'ended'],
    ['a full page', [rows(0, 10)], 'only one page was read, which seems to be full (10 records)'],
    ['a page of the one record that was asked for', [rows(0, 1)], 'ended', { limit: 1 }],
    ['a full page with has_more: false', [rows(0, 10, { has_more: false })], 'ended'],
    ['as many records as usual page sizes, where none was asked for', [rows(0, 100)], 'ended', noSize],
    ['a total that is right', [rows(0, 3, {}, total(3))], 'counted'],
    ['a total that is right, and a full page', [rows(0, 10, {}, total(10))], 'counted'],
    ['a total that is right, without a key', [rows(0, 3, {}, total(3))], 'ended', { key: [] }],
    [
      'a total that is too high',
      [rows(0, 3, {}, total(2_000))],
      "3 records came, but the header 'x-total-count' states 2,000. Only one page was read. Name the way",
    ],
    ['a total that is too low', [rows(0, 3, {}, total(2))], 'ended'],
    ['a total that is no number', [rows(0, 3, {}, total('many'))], 'ended'],
    ['a total that is a cap', [rows(0, 10_000, {}, total(10_000))], 'ended', noSize],
    ['another header with a total', [rows(0, 3, {}, { 'content-range': 'items 0-2/5' })], "'content-range' states 5"],
    [
      'a number of pages in a header',
      [rows(0, 3, {}, { 'x-total-pages': '4' })],
      "1 page was read, but the header 'x-total-pages' states 4",
    ],
    [
      'a link to the next page',
      [rows(0, 3, {}, { link: '</x?page=2>; rel="next"' })],
      "the header 'link' leads to a next page",
    ],
    ['a name that leads on', [rows(0, 3, { next_cursor: 'a' })], "by onePage(). The response has 'next_cursor'"],
    ['a name that leads on and is null', [rows(0, 3, { next_cursor: null })], 'ended'],
    ['a total in the body', [rows(0, 3, { meta: { total: 7 } })], "The response has 'meta.total' (7)"],
    ['a status of emptyOn', [gone], 'ended'],
  ])('%s', async (_, ...row) => {
    expect(await gradeOf(onePage(), row)).toEqual(graded(row[1]))
  })
})

describe("byPage('page')", () => {
  test.each<[string, ...Case]>(
    [
      ['an empty page behind the last', [rows(0, 10), rows(10, 13), none()], 'ended'],
      ['an empty first page', [none()], 'ended'],
      ['null in place of the records', [rows(0, 10), { json: { items: null } }], 'ended'],
      [
        'an empty page with has_more: true',
        [rows(0, 10), none({ has_more: true })],
        "an empty page ended the reading. The response has 'has_more'",
      ],
      ['an empty page with a total', [rows(0, 10), none({ total_count: 30 })], "The response has 'total_count' (30)"],
      [
        'an empty page with a link to the next',
        [rows(0, 10), none({}, { link: '</x?page=3>; rel="next"' })],
        "the header 'link' leads",
      ],
      [
        'a header with a total that is right',
        [rows(0, 10, {}, total(13)), rows(10, 13, {}, total(13)), none({}, total(13))],
        'counted',
      ],
      [
        'a header with a total that is too high',
        [rows(0, 10, {}, total(20)), rows(10, 13, {}, total(20)), none()],
        '13 records came, but the API states 20',
      ],
      ['a header with a total that is too low', [rows(0, 10, {}, total(5)), none()], 'ended'],
      [
        'a header with a total that changes',
        [rows(0, 10, {}, total(13)), rows(10, 12, {}, total(12)), none({}, total(12))],
        'states 13 records at first and 12 at the end'.replace('states', 'stated'),
      ],
      [
        'a key that comes twice',
        [rows(0, 10, {}, total(13)), rows(9, 12, {}, total(13)), none({}, total(13))],
        '13 records came, of which 12 have different keys',
      ],
      ['a status of emptyOn behind the last', [rows(0, 10), gone], 'ended'],
      [
        'a status of emptyOn with a total that is too high',
        [rows(0, 10), { ...gone, headers: total(20) }],
        'A rule for status 404 ended the reading',
      ],
    ].map((row) => row as [string, ...Case]),
  )('%s', async (_, ...row) => {
    expect(await gradeOf(byPage('page'), row)).toEqual(graded(row[1]))
  })

  test.each<[string, unknown, ...Case]>([
    [
      'max with a full last page',
      byPage('page', { max: 1 }),
      [rows(0, 10)],
      '`max: 1` of the paginator ended the reading',
    ],
    ['max with a short last page', byPage('page', { max: 2 }), [rows(0, 10), rows(10, 12)], 'ended'],
    ['max with an empty last page', byPage('page', { max: 2 }), [rows(0, 10), none()], 'ended'],
    [
      'max below the number of pages',
      byPage('page', { max: 1, pages: 'pages' as never }),
      [rows(0, 3, { pages: 3 })],
      '`max: 1`',
    ],
    [
      'max at the number of pages',
      byPage('page', { max: 3, pages: 'pages' as never }),
      [rows(0, 3, { pages: 1 })],
      'ended',
    ],
    [
      'max while more is true',
      byPage('page', { max: 1, more: 'more' as never }),
      [rows(0, 3, { more: true })],
      '`max: 1`',
    ],
    [
      'max while more is false',
      byPage('page', { max: 1, more: 'more' as never }),
      [rows(0, 10, { more: false })],
      'ended',
    ],
  ])('%s', async (_, paging, ...row) => {
    expect(await gradeOf(paging, row)).toEqual(graded(row[1]))
  })
})

describe("byPage('page', { pages })", () => {
  const paging = byPage('page', { pages: 'pages' as never })
  test.each<[string, ...Case]>([
    ['the last page', [rows(0, 10, { pages: 2 }), rows(10, 20, { pages: 2 })], 'ended'],
    [
      'a header with a total that is right',
      [rows(0, 10, { pages: 2 }, total(13)), rows(10, 13, { pages: 2 }, total(13))],
      'counted',
    ],
    [
      'a header with a total that is too high',
      [rows(0, 10, { pages: 1 }, total(13))],
      "10 records came, but the header 'x-total-count' states 13",
    ],
    [
      'an empty page in the middle',
      [rows(0, 10, { pages: 3 }), none({ pages: 3 }), rows(10, 13, { pages: 3 })],
      'ended',
    ],
    [
      'a number of pages that grows',
      [rows(0, 10, { pages: 2 }), rows(10, 20, { pages: 3 }), rows(20, 22, { pages: 3 })],
      'ended',
    ],
    ['a number of pages that shrinks', [rows(0, 10, { pages: 3 }), rows(10, 19, { pages: 2 })], 'ended'],
    ['a number of pages that is too high', [rows(0, 10, { pages: 2 }), none({ pages: 2 })], 'ended'],
    [
      'a status of emptyOn below it',
      [rows(0, 10, { pages: 3 }), gone],
      "a rule for status 404 ended the reading at page 2, but 'pages' states 3 pages",
    ],
    ['text of digits', [rows(0, 10, { pages: '1' })], 'ended'],
    [
      'a number of pages below the full page that was read',
      [rows(0, 10, { pages: 0 })],
      "page 1 has records, but 'pages' states only 0 pages, so more may follow",
    ],
    ['a number of pages below the short page that was read', [rows(0, 3, { pages: 0 })], 'ended'],
    [
      'the last page beside has_more: true',
      [rows(0, 10, { pages: 1, has_more: true })],
      "the response says that more follows: 'has_more'",
    ],
    [
      'the last page beside has_more: true, with all that a header states',
      [rows(0, 10, { pages: 1, has_more: true }, total(10))],
      'counted',
    ],
    ['a missing number', [rows(0, 10)], /'pages' should be the number of pages or records, but is missing/],
    ['null', [rows(0, 10, { pages: null })], /'pages' .* holds null/],
    ["''", [rows(0, 10, { pages: '' })], /'pages' .* holds text/],
    ['false', [rows(0, 10, { pages: false })], /'pages' .* holds false/],
    ['an object', [rows(0, 10, { pages: {} })], /'pages' .* holds an object/],
  ])('%s', async (_, ...row) => {
    expect(await gradeOf(paging, row)).toEqual(graded(row[1]))
  })

  test('a number of pages in a header', async () => {
    const row: Case = [[rows(0, 10, {}, { 'x-pages': '1' })], 'ended']
    expect(await gradeOf(byPage('page', { pages: inHeader('x-pages') }), row)).toEqual(graded(row[1]))
  })
})

// The number that the paginator names says by itself that records are missing. To name it is no advice.
test.each<[string, unknown, ...Case]>([
  [
    'a path',
    byPage('page', { total: 'total_count' as never }),
    [rows(0, 10, { total_count: 30 }), none({ total_count: 30 })],
    "10 records came, but 'total_count' states 30",
  ],
  [
    'a function',
    byPage<{ meta: { total: number } }>('page', { total: (body) => body.meta.total }),
    [rows(0, 10, { meta: { total: 30 } }), none({ meta: { total: 30 } })],
    '10 records came, but the function states 30',
  ],
  [
    'a header, beside one with the number of pages',
    byPage('page', { total: inHeader('x-total') }),
    [rows(0, 10, {}, { 'x-total': '30', 'x-total-pages': '3' }), none({}, { 'x-total': '30', 'x-total-pages': '3' })],
    "states 3. The paginator reads the header 'x-total': compare both numbers",
  ],
  [
    'the last record',
    byLastRecord('after', 'items.id', { total: 'total_count' as never }),
    [rows(0, 10, { total_count: 30 }), none({ total_count: 30 })],
    "10 records came, but 'total_count' states 30",
  ],
])(
  'a total that is named by %s, and was not reached, is told without the advice to name it',
  async (_, paging, ...row) => {
    const { grade, reason } = await gradeOf(paging, row)
    expect({ grade, reason }).toEqual(graded(row[1]))
    expect(reason).not.toContain('Name it in the paginator')
  },
)
