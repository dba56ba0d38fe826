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
  { total, ...options }: { readonly total?: string } & ReadingOptions = {},
): Promise<Page[]> =>
  readPages(
    http(origin, { attempts: 1 })
      .get<{ items: { id: number }[]; total: number }>('/list', { limit: SIZE })
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
    ['with a key', 55, KEYED, 'ended', 7],
    ['with a key and a total', 55, { ...KEYED, total: 'total' }, 'counted', 6],
    ['appended without a key', 55, KEYLESS, 'ended', 7],
    ['of whole pages only', 48, KEYED, 'ended', 6],
    ['of one page', 12, KEYED, 'ended', 3],
    ['of a part of a page', 11, KEYED, 'ended', 3],
    ['whose last page has one record less', 59, KEYED, 'ended', 7],
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
