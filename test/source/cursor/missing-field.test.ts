import { describe, expect, test } from '@jest/globals'
import { byPage, http, onePage, source } from '../../../src/index.ts'
import type { Recipe } from '../../../src/model/recipe.ts'
import { apiServer } from '../../support/api-server.ts'
import { readPages, type ReadingOptions } from '../read-pages.ts'

interface Row {
  readonly id: number
  readonly updated_at?: string | null
  readonly modified?: string | null
}

/** Returns grade and reasons of a reading of these pages by `.incremental('modified')`. */
async function gradeOf(pages: Row[][], options: ReadingOptions = {}, at: unknown = 'modified'): Promise<unknown> {
  const stream: { recipe: Recipe } = source<Row>(async function* () {
    for (const records of pages) yield { records }
  }).incremental(at as 'modified')
  return (await readPages(stream, options)).at(-1)!.completeness
}
const ended = { grade: 'ended', reasons: [] }
const day = '2025-01-01'

describe('a field of the cursor that no record has', () => {
  test('makes the reading open, and the reason lists the fields that are there', async () => {
    const rows = [{ id: 1, updated_at: day }]
    expect(await gradeOf([rows, rows])).toEqual({
      grade: 'open',
      reasons: [
        ".incremental('modified'): none of 2 records has this field. A record has id, updated_at. Correct the name: " +
          'without it the cursor does not move, and every run reads everything',
      ],
    })
    expect(await gradeOf([rows])).toMatchObject({
      reasons: [expect.stringContaining('the only record does not have this field. It has id, updated_at.')],
    })
  })

  test('a function that returns undefined for each record makes it open too', async () => {
    expect(await gradeOf([[{ id: 1 }]], {}, ({ modified }: Row) => modified)).toMatchObject({ grade: 'open' })
  })

  test.each<[string, Row[][]]>([
    ['no record came', [[]]],
    ['one record has it', [[{ id: 1 }, { id: 2, modified: day }]]],
    ['a later page has it', [[{ id: 1 }], [{ id: 2, modified: day }]]],
    ['it is null in each record', [[{ id: 1, modified: null }]]],
  ])('makes no reading open where %s', async (_, pages) => {
    expect(await gradeOf(pages)).toEqual(ended)
  })

  test('a resumed reading knows that a record before had it', async () => {
    const pages: Row[][] = [[{ id: 1, modified: day }], [{ id: 2 }], []]
    await using server = await apiServer(({ query }) => ({ json: pages[Number(query.get('page')) - 1] }))
    const stream = http(server.origin).get<Row[]>('/x').pages(byPage('page')).records().incremental('modified')
    const [first] = await readPages(stream, { pages: 1 })
    expect((await readPages(stream, { position: first!.position! })).at(-1)!.completeness).toEqual(ended)
  })

  test('the reason names the request', async () => {
    await using server = await apiServer([{ json: [{ id: 1 }] }])
    const stream = http(server.origin).get<Row[]>('/x').pages(onePage()).records().incremental('modified')
    expect((await readPages(stream)).at(-1)!.completeness).toMatchObject({
      grade: 'open',
      reasons: [expect.stringMatching(/^GET \/x: \.incremental\('modified'\): .* It has id\. /)],
    })
  })
})
