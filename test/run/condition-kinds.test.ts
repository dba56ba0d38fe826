import { expect, test } from '@jest/globals'
import { http, onePage, pipeline } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

test('a condition rejects a record whose value is of another kind, instead of taking it for a live one', async () => {
  const rows = [
    { id: 1, gone: 'true', size: 5 },
    { id: 2, gone: true, size: 90071992547409931n },
    { id: 3, gone: false, size: '5' },
    { id: 4, gone: null, size: null },
    { id: 5, gone: { at: 'now' } },
  ]
  const json = JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
  await using api = await apiServer(() => ({
    headers: { 'content-type': 'application/json' },
    body: json.replaceAll(/"(\d+)n"/g, '$1'),
  }))
  await using target = await testDatabase()
  const records = http(api.origin)
    .get<{ id: number; gone: boolean; size: number }[]>('/rows')
    .pages(onePage())
    .records()
  const flow = pipeline('p', {
    streams: {
      left: records.deleted({ field: 'gone', is: true }).pick('id').into('t.left', { key: 'id' }),
      all: records
        .flag('is_small', { field: 'size', is: [5, null] })
        .pick('id', 'is_small')
        .into('t.all', { key: 'id' }),
    },
  })
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.left.counts).toMatchObject({ inserted: 2, deleted: 1, rejected: 2 })
  expect(streams.all.counts).toMatchObject({ inserted: 4, rejected: 1 })
  expect(await target.database.query('select id, is_small from t.all order by id')).toEqual([
    { id: '1', is_small: true },
    { id: '2', is_small: false },
    { id: '4', is_small: true },
    { id: '5', is_small: false },
  ])
  const rejects = await target.database.query<{ reason: string }>('select reason from sluice.rejects order by id')
  expect(rejects.map(({ reason }) => reason).toSorted()).toEqual([
    expect.stringContaining(`'gone' holds an object, and the condition waits for it = true, which it never is`),
    expect.stringContaining(
      `'gone' holds text, and the condition waits for it = true, which it never is. Write the value`,
    ),
    expect.stringContaining(`'size' holds text, and the condition waits for it = 5 or null`),
  ])
})
