import { expect, test } from '@jest/globals'
import {
  byCursor,
  byHeader,
  byLastRecord,
  byLinkHeader,
  byNextUrl,
  byOffset,
  byPage,
  byRelay,
  http,
  onePage,
  path,
  since,
  unix,
} from '../../src/index.ts'
import { definitionHash } from '../../src/read/definition-hash.ts'
import type { Recipe } from '../../src/model/recipe.ts'
import type { Paging } from '../../src/model/request.ts'

const api = http('https://api.example')
interface Body {
  data: { id: number; a: string }[]
  next: string
  total: number
  viewer: { items: { nodes: { id: number }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } }
}
const rows = (paging: Paging<Body>) =>
  api
    .get<Body>('/rows', { limit: 100, since: unix(since) })
    .pages(paging)
    .records('data')

// The hash reads the text of functions, so the two below have no annotations.
const recipes: Record<string, readonly [{ readonly recipe: Recipe }, string]> = {
  onePage: [rows(onePage()), 'o6rW44KJP5uQ4Y2HrAQGXl'],
  byPage: [rows(byPage('page')), 'Sdn9_GBG8JmFw4adWOk140'],
  'byPage with a start and a last page': [rows(byPage('page', { first: 0, last: 9 })), 'lPrby0flXCk6EYF0EyBlkW'],
  byOffset: [rows(byOffset('offset', { total: 'total', last: 500 })), 'jURDj3qiql3dJ8-KcWfO9R'],
  byCursor: [rows(byCursor('after', 'next')), 'EDKa6xsfcAluGKWi_nyert'],
  byLastRecord: [rows(byLastRecord('after', 'data.id')), 'X739J9TNGucyO1pQmn3Sq_'],
  byNextUrl: [rows(byNextUrl('next')), 'YBrwo03xKkDI0MIq6D4q6_'],
  byLinkHeader: [rows(byLinkHeader()), 'lkXgwRD1THsPNuKdTW0LGD'],
  byHeader: [rows(byHeader('token', 'x-next')), 'vYysIeXt11TVYY4JbYPuF-'],
  byRelay: [rows(byRelay('viewer.items', 'after')), 'ykvEZwQEgC35fjyDF_zoO9'],
  incremental: [
    rows(onePage()).incremental('a', { from: '2024-01-01', lookback: '1d', order: 'ascending' }),
    'e9MU_qu8nIa4iKF8pwCb0b',
  ],
  'stages before children': [
    rows(onePage())
      .filter((row) => row.id > 1)
      .rename('a', 'b')
      .pick('b', 'id')
      .omit('b')
      .dedupe('id')
      .flatMap((row) =>
        api
          .get<Body>(path`/rows/${row.id}`)
          .pages(onePage())
          .records('data'),
      ),
    'EQx-edK2xM0NNL7HM-pvKC',
  ],
}

test.each(Object.entries(recipes))('the hash of %s is the one that version 0.1 stored', (_, [{ recipe }, hash]) => {
  expect(definitionHash(recipe, { name: 'a.rows', write: 'merge' })).toBe(hash)
})
