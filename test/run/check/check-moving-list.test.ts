// `check` recommends a paginator that reads a list that moves, where the one that is used may skip records.
import { expect, test } from '@jest/globals'
import {
  byCursor,
  byNextUrl,
  byOffset,
  byPage,
  bySince,
  http,
  onePage,
  since,
  type Paging,
} from '../../../src/index.ts'
import { apiServer } from '../../support/api-server.ts'
import { remarksOf, useDatabase } from './support.ts'

useDatabase()

interface Item {
  id: number
  at: string
}
const ascending: Item[] = [1, 2, 3].map((id) => ({ id, at: `2024-01-0${id}T00:00:00Z` }))

interface Options {
  readonly records?: readonly Item[]
  readonly query?: object
  readonly isIncremental?: boolean
  readonly next?: string | null
}

async function remarksOn(
  paging: unknown,
  { records = ascending, query = { since }, isIncremental = true, next = '/items?page=2' }: Options = {},
): Promise<string[]> {
  await using api = await apiServer([{ json: { items: records, next, token: 'abc' } }])
  const items = http(api.origin)
    .get<{ items: Item[] }>('/items', query as never)
    .pages(paging as Paging<unknown>)
    .records('items')
  const stream = isIncremental ? items.incremental('at') : items
  const remarks = await remarksOf(stream.into('t.items', { key: 'id' }))
  expect(api.requests).toHaveLength(1)
  return remarks
}

const MAY_SKIP =
  'advice: a record that changes while these pages are read moves the others, and one of them may be skipped without ' +
  "a sign. Later runs do not read it, because they read what is newer by the field 'at'. "
const USE = "and use bySince(byPage('page')). If it takes an offset, byOffset() skips none either"

test('bySince() is recommended for page numbers if the request has `since` and the page is ascending', async () => {
  expect(await remarksOn(byPage('number'))).toEqual([
    `${MAY_SKIP}The request has \`since\`, and the page is in ascending order, so use bySince(byPage('number'))`,
  ])
})

test('a URL of the next page with a page number is read as page numbers are', async () => {
  expect(await remarksOn(byNextUrl('next'))).toEqual([expect.stringContaining("use bySince(byNextUrl('next'))")])
})

test('offsets that do not overlap are read as page numbers are', async () => {
  const remarks = await remarksOn(byOffset('offset', { overlap: false }))
  expect(remarks).toEqual([expect.stringContaining("use bySince(byOffset('offset'))")])
})

test('what the request lacks for bySince() is named', async () => {
  expect(await remarksOn(byPage('page'), { records: ascending.toReversed() })).toEqual([
    `${MAY_SKIP}If the API can do it, write a request that sorts by it, ascending, ${USE}`,
  ])
  expect(await remarksOn(byPage('page'), { query: {} })).toEqual([
    `${MAY_SKIP}If the API can do it, write a request that sends \`since\` to filter by it, ${USE}`,
  ])
})

test('nothing is recommended where no later run misses a record, or no page can shift', async () => {
  expect(await remarksOn(byPage('page'), { isIncremental: false })).toEqual([
    expect.stringContaining('has `since` in since, but the stream has no cursor'),
  ])
  expect(await remarksOn(bySince(byPage('page')))).toEqual([])
  expect(await remarksOn(byCursor('token', 'token'))).toEqual([])
  expect(await remarksOn(byOffset('offset'))).toEqual([])
  expect(await remarksOn(byPage('page'), { records: [], next: null })).toEqual([])
})

test('nothing is recommended where everything is on one page', async () => {
  await using api = await apiServer([{ json: { items: ascending } }])
  const items = http(api.origin).get<{ items: Item[] }>('/items', { since }).pages(onePage()).records('items')
  expect(await remarksOf(items.incremental('at').into('t.items', { key: 'id' }))).toEqual([])
})
