import { describe, expect, test } from '@jest/globals'
import { byPage, http, source } from '../../../src/index.ts'
import type { Recipe } from '../../../src/model/recipe.ts'
import { apiServer } from '../../support/api-server.ts'
import { readPages, recordsOf, type ReadingOptions } from '../read-pages.ts'

interface Row {
  readonly at: number
}

const ended = { grade: 'ended', reasons: [] }
const unordered = (order: string): object => ({
  grade: 'open',
  reasons: [expect.stringContaining(`.incremental('at'): the records do not come in the order '${order}'`)],
})

/** Reads pages with these values of the cursor by a declared order. */
async function gradeOf(
  order: 'ascending' | 'descending' | 'any',
  pages: number[][],
  options: ReadingOptions,
): Promise<unknown> {
  await using server = await apiServer(({ query }) => ({
    json: (pages[Number(query.get('page')) - 1] ?? []).map((at) => ({ at })),
  }))
  const stream: { recipe: Recipe } = http(server.origin)
    .get<Row[]>('/x')
    .pages(byPage('page'))
    .records()
    .incremental('at', { order })
  return (await readPages(stream, options)).at(-1)!.completeness
}

describe('a reading that the declared order ends', () => {
  test.each<[string, 'ascending' | 'descending', number[][], ReadingOptions]>([
    ['descending', 'descending', [[9, 8, 8], [7, 4], [6]], { since: '5' }],
    ['ascending', 'ascending', [[1, 2, 2], [5, 10], [3]], { until: '10' }],
  ])('has ended if the records before it are %s', async (_, order, pages, options) => {
    expect(await gradeOf(order, pages, options)).toEqual(ended)
  })

  test.each<[string, 'ascending' | 'descending', number[][], ReadingOptions]>([
    ['within a page', 'descending', [[9, 4, 8], [7]], { since: '5' }],
    ['over a border', 'descending', [[7, 6], [9, 4], [8]], { since: '5' }],
    ['in a list that ascends', 'ascending', [[3, 1], [10], [2]], { until: '10' }],
  ])('is open if they are not in that order: %s', async (_, order, pages, options) => {
    expect(await gradeOf(order, pages, options)).toEqual(unordered(order))
  })

  test('is not open if it came to its end', async () => {
    expect(await gradeOf('descending', [[7, 9], [8]], { since: '5' })).toEqual(ended)
    expect(await gradeOf('any', [[7, 4], [8]], { since: '5' })).toEqual(ended)
  })

  test('is open if the order was broken before an interruption', async () => {
    const pages = [[7, 9], [8], [4], [6]]
    await using server = await apiServer(({ query }) => ({
      json: (pages[Number(query.get('page')) - 1] ?? []).map((at) => ({ at })),
    }))
    const stream = http(server.origin)
      .get<Row[]>('/x')
      .pages(byPage('page'))
      .records()
      .incremental('at', { order: 'descending' })
    const [first] = await readPages(stream, { since: '5', pages: 1 })
    const rest = await readPages(stream, { since: '5', position: first!.position! })
    expect(recordsOf(rest)).toEqual([{ at: 8 }])
    expect(rest.at(-1)!.completeness).toEqual(unordered('descending'))
  })

  test('is open if it is a custom source that is not in that order', async () => {
    const stream = source<Row>(async function* () {
      yield { records: [{ at: 6 }, { at: 9 }, { at: 4 }] }
      yield { records: [{ at: 7 }] }
    }).incremental('at', { order: 'descending' })
    expect((await readPages(stream, { since: '5' })).at(-1)!.completeness).toEqual(unordered('descending'))
  })
})
