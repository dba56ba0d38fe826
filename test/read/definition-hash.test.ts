import { expect, test } from '@jest/globals'
import {
  bearer,
  byCursor,
  byHeader,
  byLastRecord,
  byLinkHeader,
  byNextUrl,
  byOffset,
  byPage,
  byRelay,
  bySince,
  http,
  isoDate,
  onePage,
  path,
  secret,
  since,
  source,
  unix,
  unixMs,
  until,
  type NextRequest,
  type StandardSchema,
} from '../../src/index.ts'
import { definitionHash } from '../../src/read/definition-hash.ts'
import { lineageHash } from '../../src/source/children/lineage-hash.ts'
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

// The hash covers the text of functions, so the functions below have no annotations.
const recipes: Record<string, readonly [{ readonly recipe: Recipe }, string]> = {
  onePage: [rows(onePage()), 'o6rW44KJP5uQ4Y2HrAQGXl'],
  byPage: [rows(byPage('page')), 'Sdn9_GBG8JmFw4adWOk140'],
  'byPage with a start and a last page': [rows(byPage('page', { start: 0, max: 9 })), 'lPrby0flXCk6EYF0EyBlkW'],
  byOffset: [rows(byOffset('offset', { total: 'total', max: 500 })), 'jURDj3qiql3dJ8-KcWfO9R'],
  byCursor: [rows(byCursor('after', 'next')), 'EDKa6xsfcAluGKWi_nyert'],
  byLastRecord: [rows(byLastRecord('after', 'data.id')), 'X739J9TNGucyO1pQmn3Sq_'],
  byNextUrl: [rows(byNextUrl('next')), 'YBrwo03xKkDI0MIq6D4q6_'],
  byLinkHeader: [rows(byLinkHeader()), 'lkXgwRD1THsPNuKdTW0LGD'],
  byHeader: [rows(byHeader('token', 'x-next')), 'vYysIeXt11TVYY4JbYPuF-'],
  byRelay: [rows(byRelay('viewer.items', 'after')), 'ykvEZwQEgC35fjyDF_zoO9'],
  incremental: [
    rows(onePage()).incremental('a', { startFrom: '2024-01-01', lookback: '1d', order: 'ascending' }),
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

// Definitions with all options, and the lineage hashes of their children. The functions have no annotations either.
const base = 'https://api.example/v1'
type Row = Body['data'][number]
const pagesOf: (body: Body) => number = (body) => body.total
const nextOf: NextRequest<Body> = (response, request) => ({ ...request, url: response.body.next })
const rowsOf: (body: Body) => Row[] = (body) => body.data
const timeOf: (row: Row) => number = (row) => row.a as never
type FromRange = (range: { since?: string | undefined }) => { from: string | undefined; page: number }
const queryOf: FromRange = ({ since }) => ({ from: since, page: 1 })
const read: () => AsyncGenerator<{ records: Row[] }> = () => noPages()
const same: (row: Row) => Row = (row) => row
const keepAll: (row: Row) => boolean = same as never
const twice: (row: Row) => Row[] = (row) => [row, row]
async function* noPages(): AsyncGenerator<{ records: Row[] }> {}
const schema: StandardSchema<Row> = { '~standard': { vendor: 'x', validate: (value) => ({ value: value as Row }) } }
const inRange = (paging: Paging<Body>) => http(base).get<Body>('/rows', { since, until }).pages(paging).records('data')

const moreRecipes: Record<string, readonly [{ readonly recipe: Recipe }, hash: string, lineage: string]> = {
  'byPage with all options': [
    inRange(byPage('page', { more: 'more' as never, pages: pagesOf, max: 7, start: 2 })),
    'MzgDKxmqMp6ibTMxqdyrZi',
    'YwgRDsvFMrbIQfAawJfUA_',
  ],
  'byOffset with all options': [
    inRange(byOffset('offset', { max: 70, total: 'total', more: 'more' as never, start: 5 })),
    'CcqTSa7mPF8CKr8sGdxd17',
    'YwgRDsvFMrbIQfAawJfUA_',
  ],
  'byCursor with more': [
    inRange(byCursor('after', pagesOf, { more: 'more' as never })),
    'PfgyePP-XJGD-fgNec5OgN',
    'YwgRDsvFMrbIQfAawJfUA_',
  ],
  'a paginator that is a function': [inRange(nextOf), '0h6m0WHcfykxgBMaYrvUpA', 'YwgRDsvFMrbIQfAawJfUA_'],
  'an API with all options': [
    http(`${base}/`, {
      auth: bearer(secret('TOKEN')),
      headers: { a: 'b' },
      rate: '5/s',
      concurrency: 3,
      timeout: '5s',
      attempts: 2,
      maxPageSize: 1_000,
      allowedOrigins: ['https://files.example'],
    })
      .get<Body>('/rows', queryOf)
      .pages(onePage())
      .records(rowsOf, { optional: true }),
    'NU2zmCe516B-EbfzFA8z49',
    'zkw9bjLM9vMf17SD6RcIrq',
  ],
  'POST with JSON, headers and bounds': [
    http(base)
      .post<Body>(path`/a/${'b/c'}/${7n}`, {
        query: { day: isoDate(until) },
        json: { since: unix(since), tags: ['a'] },
        headers: { x: 'y' },
        emptyOn: [404],
      })
      .pages(byHeader('token', 'X-Next'))
      .records('data'),
    '9w95Sms7Ognvvy9bQciOW2',
    '3VmbKdh-ie2A3Zeybls456',
  ],
  'GraphQL with a bound': [
    http(base)
      .graphql<Body>('query { a }', { size: 5, since: unixMs(since) })
      .pages(byRelay('viewer.items'))
      .records('viewer.items.nodes'),
    'vGtwjc7Eo7sZ8uh-DCn-9m',
    '5gFGmk3Zuap8EBBw_nzqvJ',
  ],
  'incremental by a function, with a unit': [
    inRange(onePage()).incremental(timeOf, { startFrom: '2024-01-01', lookback: '1d', unit: 's', order: 'descending' }),
    'FjU7a9PGp3L90eDgwS_pyk',
    'YwgRDsvFMrbIQfAawJfUA_',
  ],
  'incremental from a bigint': [
    inRange(byLinkHeader()).incremental('id', { startFrom: 12345678901234567890n, lookback: 5 }),
    'w7G49eZcYZy3oEguD0AyB7',
    'YwgRDsvFMrbIQfAawJfUA_',
  ],
  'a custom source': [source(read).incremental('a'), 'fyWhWn4z4kmJ3-STxphli2', 'above'],
  'every stage before children': [
    source(read)
      .map(same, { concurrency: 3, ordered: false })
      .filter(keepAll)
      .tap(same)
      .validate(schema)
      .offload<{ default: typeof same }>(new URL('file:///score.ts'), { concurrency: 2 })
      .dedupe('id', { last: 10 })
      .flatMap(twice, { concurrency: 4 })
      .map(same),
    'fWViy79oYBatU_9N13J0It',
    'above',
  ],
}

test.each(Object.entries(recipes))('the hash of %s is the one that version 0.1 stored', (_, [{ recipe }, hash]) => {
  expect(definitionHash(recipe, { name: 'a.rows', write: 'merge' })).toBe(hash)
})

test.each(Object.entries(moreRecipes))(
  'the hashes of %s are those that version 0.1 stored',
  (_, [{ recipe }, hash, lineage]) => {
    expect(definitionHash(recipe, { name: 'a.rows', write: 'append' })).toBe(hash)
    expect(lineageHash(recipe.source, 'above')).toBe(lineage)
  },
)

test('the hash of a definition without a table is the one that version 0.1 stored', () => {
  expect(definitionHash(source(read).incremental('a').recipe)).toBe('q2bw-n16kIR9SKNQuwXJBF')
})

test('the hash of bySince, which a position of it depends on, stays the same', () => {
  const since = rows(bySince(byPage('page', { pages: 'total' }), { exclusive: true, limit: 'limit' })).incremental('a')
  expect(definitionHash(since.recipe)).toBe('O5y_M75SLEkVG779yGYxdU')
})
