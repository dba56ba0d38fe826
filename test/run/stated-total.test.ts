// A number of all records that the paginator names, beside a cursor, a URL, a page number or the last record.
import { expect, test } from '@jest/globals'
import { byCursor, byLastRecord, byNextUrl, byPage, http, pipeline, type Paging } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { fakeApi } from '../../src/testing/index.ts'
import { testDatabase } from '../support/database.ts'

interface Body {
  rows: { id: number }[]
  next: string | null
  url: string | null
  meta: { total?: number }
}
const total = 'meta.total'
const paginators: readonly (readonly [string, Paging<Body>])[] = [
  ['byCursor', byCursor('from', 'next', { total })],
  ['byNextUrl', byNextUrl('url', { total })],
  ['byLastRecord', byLastRecord('from', 'rows.id', { total: ({ meta }: Body) => meta.total })],
  ['byPage', byPage('page', { total })],
]

async function read(paging: Paging<Body>, meta: Body['meta']) {
  // The total is that of the test, whatever the paginator reads.
  await using api = await fakeApi({
    paging,
    path: '/rows',
    at: 'rows',
    records: 25,
    total: 'unused',
    members: { meta },
  })
  await using target = await testDatabase()
  const items = http(api.url).get<Body>('/rows', { limit: 10 }).pages(paging).records('rows')
  const flow = pipeline('p', { streams: { rows: items.into('t.rows', { key: 'id' }) } })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.rows).toMatchObject({ status: 'done', counts: { inserted: 25 } })
  return streams.rows.completeness
}

test.each(paginators)('%s: as many different records as the API states are counted', async (_, paging) => {
  expect(await read(paging, { total: 25 })).toEqual({ grade: 'counted', reasons: [] })
})

test.each(paginators)('%s: fewer records than it states are open', async (_, paging) => {
  expect(await read(paging, { total: 26 })).toMatchObject({
    grade: 'open',
    reasons: expect.arrayContaining([expect.stringMatching(/25 records came, but .* states 26/)]),
  })
})

test.each(paginators)('%s: a number that no response has is noticed', async (_, paging) => {
  expect(await read(paging, {})).toMatchObject({
    grade: 'open',
    reasons: [expect.stringContaining('no response has a number of records at')],
  })
})
