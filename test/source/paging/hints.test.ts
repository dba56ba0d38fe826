import { describe, expect, test } from '@jest/globals'
import { hintsIn } from '../../../src/source/paging/hints.ts'

const read = { records: 10, pages: 1 }
const namesIn = (body: unknown, headers: Record<string, string> = {}, { records, pages } = read) =>
  hintsIn({ body, headers }, { records, pages }).names

describe('names that look like a way to the next page', () => {
  test.each([
    [{ meta: { next_cursor: 'a' } }, ["'meta.next_cursor'"]],
    [{ nextPageToken: 'a', has_more: true }, ["'nextPageToken'", "'has_more'"]],
    [{ '@odata.nextLink': '/x?2' }, ["'@odata.nextLink'"]],
    [{ nextRecordsUrl: '/q/01g-2000' }, ["'nextRecordsUrl'"]],
    [{ links: { next: { href: '/x?2' } } }, ["'links.next'"]],
    [{ page: { hasNextPage: true, number: 1 } }, ["'page.hasNextPage'"]],
    [{ isLast: false }, ["'isLast' (false)"]],
    [{ meta: { end_of_stream: false } }, ["'meta.end_of_stream' (false)"]],
    [{ continuationToken: 'a' }, ["'continuationToken'"]],
    [{ metadata: { continue: 'a' } }, ["'metadata.continue'"]],
    [{ continue: { clcontinue: '31|B', continue: '||' } }, ["'continue'"]],
    [{ meta: { next: null, next_cursor: 'a' } }, ["'meta.next_cursor'"]],
  ])('%j has them', (body, names) => {
    expect(namesIn(body)).toEqual(names)
  })

  test.each([
    [{ meta: {} }],
    [{ next_cursor: null, nextPage: '', has_more: false }],
    [{ next_cursor: 'a', has_more: false }],
    [{ next_cursor: 'a', isLast: true }],
    [{ is_last: 0, last: false }],
    [{ metadata: { continue: '' } }],
    [{ items: [{ next: 'a' }], context: 'b', nextcloud: 'c', next_billing_date: '2025-01-01' }],
    [[{ next: 'a' }]],
    [undefined],
  ])('%j has none', (body) => {
    expect(namesIn(body)).toEqual([])
  })

  test('a cursor leads on from a first page, and may repeat the one that was sent on a later one', () => {
    expect(namesIn({ cursor: 'a' })).toEqual(["'cursor'"])
    expect(namesIn({ cursor: 'a' }, {}, { records: 10, pages: 2 })).toEqual([])
  })

  test('headers have them too', () => {
    expect(namesIn({}, { 'x-next-page': '2', 'x-next-offset': '' })).toEqual(["the header 'x-next-page'"])
  })
})

describe('numbers of more records or pages than were read', () => {
  test.each([
    [{ total_count: 11 }, ["'total_count' (11)"]],
    [{ meta: { total: '2000' } }, ["'meta.total' (2000)"]],
    [{ total: 2000, limit: 10 }, ["'total' (2000)"]],
    [{ pagination: { total_pages: 4 } }, ["'pagination.total_pages' (4)"]],
    [{ page: { totalElements: 11, totalPages: 2, number: 0 } }, ["'page.totalElements' (11)", "'page.totalPages' (2)"]],
  ])('%j has them', (body, names) => {
    expect(namesIn(body)).toEqual(names)
  })

  test.each([
    [{ total_count: 10, total_pages: 1 }],
    [{ total: 2000 }],
    [{ meta: { total: 19.9 } }],
    [{ order: { count: 12 } }],
    [{ total_count: 'many' }],
  ])('%j has none', (body) => {
    expect(namesIn(body)).toEqual([])
  })
})

test('only names that have no other meaning say plainly that more follows', () => {
  const body = { has_more: true, filters: { more: true }, next: 'a', page: { hasNextPage: true } }
  expect(hintsIn({ body, headers: {} }, read).saysMore).toEqual(["'has_more'", "'page.hasNextPage'"])
})

test.each([
  [{ has_more: false }, true],
  [{ next_cursor: null }, true],
  [{ next_cursor: '', next: 'a' }, false],
  [{ next: 'a' }, false],
  [{}, false],
])('whether %j says that nothing follows: %s', (body, saysNoMore) => {
  expect(hintsIn({ body, headers: {} }, read).saysNoMore).toBe(saysNoMore)
})

test('numbers and names in the only record are its own, also where the record is the body', () => {
  const record = { total_count: 2000, next_page: 'a', has_more: true }
  const read = { records: 1, pages: 1 }
  expect(hintsIn({ body: record, headers: {}, records: [record] }, read)).toMatchObject({ names: [], saysMore: [] })
  const { names } = hintsIn({ body: { data: record, next: 'b' }, headers: {}, records: [record] }, read)
  expect(names).toEqual(["'next'"])
})
