// An API that returns at most so many records, and does not say that there are more.
import { expect, test } from '@jest/globals'
import { describePipeline, http, onePage, pipeline } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

const flowOf = ({ origin }: ApiServer) =>
  pipeline('p', {
    streams: {
      rows: http(origin)
        .get<{ id: number }[]>('/rows')
        .pages(onePage({ atMost: 100 }))
        .records()
        .into('t.rows', { key: 'id' }),
    },
  })
const rowsOf = (count: number, text = '') => Array.from({ length: count }, (_, id) => ({ id, text }))

test.each([
  ['a body that is read whole', ''],
  ['a body that is read part by part', 'x'.repeat(60_000)],
])('%s is open with so many records, and ended with fewer', async (_, text) => {
  let count = 99
  await using api = await apiServer(() => ({ json: rowsOf(count, text) }))
  await using target = await testDatabase()
  const first = await runPipeline(flowOf(api), { database: target.url })
  expect(first.streams.rows).toMatchObject({ counts: { inserted: 99 }, completeness: { grade: 'ended' } })
  count = 100
  const second = await runPipeline(flowOf(api), { database: target.url })
  expect(second.streams.rows.completeness).toEqual({
    grade: 'open',
    reasons: ['GET /rows: 100 records came, and the API returns at most 100, so more may exist'],
  })
})

test('the number is described, and checked', async () => {
  await using api = await apiServer([{ json: [] }])
  expect(JSON.stringify(describePipeline(flowOf(api)))).toContain('one, of at most 100 records')
  for (const atMost of [0, -1, 1.5]) expect(() => onePage({ atMost })).toThrow('atMost must be a whole number')
})
