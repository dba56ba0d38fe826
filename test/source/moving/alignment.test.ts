import { describe, expect, test } from '@jest/globals'
import { byOffset, http } from '../../../src/index.ts'
import { worstOf, type Completeness } from '../../../src/model/completeness.ts'
import type { Page } from '../../../src/model/page.ts'
import { apiServer, type ApiAnswer, type ApiServer } from '../../support/api-server.ts'
import { readPages, recordsOf, type ReadingOptions } from '../read-pages.ts'

const SIZE = 12
const KEYED = { key: ['id'] }
const KEYLESS = { restart: 'slice' } as const

/** The records of the page that begins at an offset, or an answer for an offset within a page. */
async function alignedServer(
  count: number,
  within: (offset: number, page: (offset: number) => ApiAnswer) => ApiAnswer,
): Promise<ApiServer> {
  const rows = Array.from({ length: count }, (_, id) => ({ id }))
  const page = (offset: number): ApiAnswer => ({ json: { items: rows.slice(offset, offset + SIZE), total: count } })
  return apiServer(({ query }) => {
    const offset = Number(query.get('offset'))
    return offset % SIZE === 0 ? page(offset) : within(offset, page)
  })
}

/** Rounds an offset down to the beginning of its page. */
const rounding = (count: number): Promise<ApiServer> =>
  alignedServer(count, (offset, page) => page(offset - (offset % SIZE)))

const read = (
  { origin }: ApiServer,
  {
    total,
    emptyOn,
    ...options
  }: { readonly total?: string; readonly emptyOn?: readonly number[] } & ReadingOptions = {},
): Promise<Page[]> =>
  readPages(
    http(origin, { attempts: 1 })
      .get<{ items: { id: number }[]; total: number }>(
        '/list',
        { limit: SIZE },
        { ...(emptyOn !== undefined && { emptyOn }) },
      )
      .pages(byOffset('offset', { ...(total !== undefined && { total: 'total' }) }))
      .records('items'),
    options,
  )

const idsOf = (pages: readonly Page[]): number[] => recordsOf(pages).map((row) => (row as { id: number }).id)

const gradeOf = (pages: readonly Page[]): string | undefined =>
  pages.reduce<Completeness | undefined>((worst, { completeness }) => worstOf(worst, completeness), undefined)?.grade

const numbers = (count: number): number[] => Array.from({ length: count }, (_, id) => id)

describe('an API that rounds offsets down to whole pages', () => {
  test.each<[string, number, { total?: string } & ReadingOptions, string, number]>([
    ['with a key', 55, KEYED, 'ended', 10],
    ['with a key and a total', 55, { ...KEYED, total: 'total' }, 'counted', 8],
    ['appended without a key', 55, KEYLESS, 'ended', 10],
    ['of whole pages only', 48, KEYED, 'ended', 8],
    ['of one page', 12, KEYED, 'ended', 5],
    ['of a part of a page', 11, KEYED, 'ended', 4],
    ['whose last page has one record less', 59, KEYED, 'ended', 10],
  ])('is read once, page by page: %s', async (_, count, options, grade, requests) => {
    await using server = await rounding(count)
    const pages = await read(server, options)
    expect(idsOf(pages)).toEqual(numbers(count))
    expect(gradeOf(pages)).toBe(grade)
    expect(server.requests.length).toBeLessThanOrEqual(requests + ('total' in options ? 8 : 0))
  })

  test('is known again by the position', async () => {
    await using server = await rounding(55)
    const [, second] = await read(server, { ...KEYED, pages: 2 })
    const rest = await read(server, { ...KEYED, position: second!.position! })
    expect(new Set([...numbers(24), ...idsOf(rest)])).toEqual(new Set(numbers(55)))
    expect(gradeOf(rest)).toBe('ended')
  })
})

test('it is noticed too by a reading that resumes behind the first page', async () => {
  await using server = await rounding(55)
  const [first] = await read(server, { ...KEYED, pages: 1 })
  const rest = await read(server, { ...KEYED, position: first!.position! })
  expect(new Set([...idsOf([first!]), ...idsOf(rest)])).toEqual(new Set(numbers(55)))
  expect(gradeOf(rest)).toBe('ended')
})

test.each([
  ['with a key', KEYED],
  ['appended without a key', KEYLESS],
])('an API that rounds offsets up to whole pages is read page by page: %s', async (_, options) => {
  await using server = await alignedServer(55, (offset, page) => page(offset - (offset % SIZE) + SIZE))
  const pages = await read(server, options)
  expect(idsOf(pages)).toEqual(numbers(55))
  expect(gradeOf(pages)).toBe('ended')
  expect(server.requests.length).toBeLessThanOrEqual(11)
})

test('an API that ignores offsets, and gives fewer records than it was asked for, is an error', async () => {
  await using server = await apiServer(() => ({ json: { items: numbers(11).map((id) => ({ id })) } }))
  await expect(read(server, KEYED)).rejects.toThrow('seems to ignore')
})

test.each([400, 404])(
  'a rule for the status %d is not taken for the end where an offset is rejected',
  async (status) => {
    await using server = await alignedServer(48, () => ({ status, json: { error: 'offset' } }))
    const pages = await read(server, { ...KEYED, emptyOn: [status] })
    expect(idsOf(pages)).toEqual(numbers(48))
  },
)

test('an offset that is rejected after pages have overlapped is an error', async () => {
  const rows = numbers(60).map((id) => ({ id }))
  await using server = await apiServer(({ query }) => {
    const offset = Number(query.get('offset'))
    return offset > 30 ? { status: 400, json: {} } : { json: { items: rows.slice(offset, offset + SIZE) } }
  })
  await expect(read(server, KEYED)).rejects.toMatchObject({ status: 400 })
  expect(server.requests.map(({ query }) => Number(query.get('offset')))).toEqual([0, 11, 22, 33])
})

test('a list that moves so that a page comes again is not taken for whole pages', async () => {
  const rows = numbers(60).map((id) => ({ id }))
  await using server = await apiServer(({ query, index }) => {
    const offset = Number(query.get('offset'))
    // The page comes once more. Before the next request, two of its records and those before them are gone.
    if (index === 1) rows.unshift(...numbers(SIZE - 1).map((id) => ({ id: 100 + id })))
    if (index === 2) rows.splice(0, SIZE + 1)
    return { json: { items: rows.slice(offset, offset + SIZE) } }
  })
  const pages = await read(server, KEYED)
  expect(new Set(idsOf(pages).filter((id) => id < 100))).toEqual(new Set(numbers(60)))
})

test('an API that rejects offsets within a page is read page by page', async () => {
  await using server = await alignedServer(48, () => ({ status: 400, json: { error: 'offset' } }))
  const pages = await read(server, KEYED)
  expect(idsOf(pages)).toEqual(numbers(48))
  expect(server.requests.map(({ query }) => Number(query.get('offset')))).toEqual([0, 11, 12, 24, 36, 48])
})

test.each([
  ['a key that no record has', { key: ['other'] }],
  ['no key, in the last pass', { ...KEYLESS, pass: 3 }],
])('a list in which each record is another one each time comes to an end: %s', async (_, options) => {
  let now = 0
  await using server = await apiServer(({ query }) => {
    const offset = Number(query.get('offset'))
    const items = numbers(60).map((id) => ({ id, age: now++ }))
    return { json: { items: items.slice(offset, offset + SIZE) } }
  })
  const pages = await read(server, options)
  expect(new Set(idsOf(pages))).toEqual(new Set(numbers(60)))
  expect(gradeOf(pages)).toBe('open')
  expect(server.requests.length).toBeLessThan(60)
})

test('a list that has lost its beginning during an interruption is not taken for one of aligned pages', async () => {
  const rows = numbers(24).map((id) => ({ id }))
  let changesAt = Infinity
  await using server = await apiServer(({ query, index }) => {
    const offset = Number(query.get('offset'))
    const items = rows.slice(offset, offset + 3)
    // What is deleted later moves records over a border that does not overlap.
    if (index === changesAt) rows.splice(0, 1)
    return { json: { items } }
  })
  const list = http(server.origin, { attempts: 1, concurrency: 1 })
    .get<{ items: { id: number }[] }>('/list', { limit: 3 })
    .pages(byOffset('offset'))
    .records('items')
  const before = await readPages(list, { ...KEYED, pages: 3 })
  expect(idsOf(before)).toEqual(numbers(7))
  // The first page ends now with the last record that was read.
  rows.splice(0, 4)
  changesAt = server.requests.length + 11
  const pages = await readPages(list, { ...KEYED, position: before.at(-1)?.position ?? null })
  expect([...idsOf(before), ...idsOf(pages)]).toEqual(expect.arrayContaining(numbers(24)))
})
