import { expect, jest, test } from '@jest/globals'
import { http, onePage, pipeline, since, type Duration } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

jest.setTimeout(30_000)

const minute = (count: number): string => new Date(Date.UTC(2024, 0, 1) + count * 60_000).toISOString()

/** Ten rows, a minute apart. The second response has one more, which was written before the last of them. */
function lateApi(): Promise<ApiServer> {
  const rows = Array.from({ length: 10 }, (_, id) => ({ id, updated_at: minute(id) }))
  return apiServer(({ index, query }) => {
    if (index === 1) rows.push({ id: 99, updated_at: minute(8.5) })
    return { json: rows.filter((row) => row.updated_at >= (query.get('since') ?? '')) }
  })
}

const listOf = ({ origin }: ApiServer, lookback?: Duration | 0) =>
  http(origin)
    .get<{ id: number; updated_at: string }[]>('/late', { since })
    .pages(onePage())
    .records()
    .incremental('updated_at', lookback === undefined ? {} : { lookback })

test('a row that becomes visible less than a minute late is merged by the next run', async () => {
  await using api = await lateApi()
  await using target = await testDatabase()
  const late = pipeline('late', { streams: { rows: listOf(api).into('t.rows', { key: 'id' }) } })
  await runPipeline(late, { database: target.url })
  const { streams } = await runPipeline(late, { database: target.url })
  expect(streams.rows.counts).toMatchObject({ fetched: 3, inserted: 1, updated: 0, unchanged: 2 })
  expect(api.requests.map(({ query }) => query.get('since'))).toEqual([null, minute(8)])
  expect(await target.database.query('select id::int from t.rows where id = 99')).toEqual([{ id: 99 }])
})

test('with lookback 0, and for rows that are appended, a run starts exactly at the cursor', async () => {
  await using api = await lateApi()
  await using target = await testDatabase()
  const late = pipeline('late', {
    streams: {
      merged: listOf(api, 0).into('t.merged', { key: 'id' }),
      appended: listOf(api).into('t.appended', { key: 'id', write: 'append' }),
      appendedWithoutKey: listOf(api).into('t.keyless', { write: 'append' }),
    },
  })
  await runPipeline(late, { database: target.url })
  await runPipeline(late, { database: target.url })
  expect(api.requests.slice(3).map(({ query }) => query.get('since'))).toEqual([minute(9), minute(9), minute(9)])
})
