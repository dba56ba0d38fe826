import { expect, test } from '@jest/globals'
import { http, onePage, pipeline } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

const REASON =
  'uuid: it belongs to the key, and the record has no such field (it has id, name). ' +
  'Name the field that identifies a record as the key'

test.each([
  ['few', 3, {}, 'done'],
  ['many', 3, { maxRejects: 2 }, 'failed'],
])('a key that no record has is told with the fields that are there (%s records)', async (_, size, more, status) => {
  await using api = await apiServer([{ json: Array.from({ length: size }, (_, id) => ({ id, name: 'a' })) }])
  await using test = await testDatabase()
  const rows = http(api.origin).get<object[]>('/').pages(onePage()).records()
  const report = await runPipeline(
    pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'uuid', ...more } as never) } }),
    { database: test.url },
  )
  expect(report.streams.rows.status).toBe(status)
  expect([report.streams.rows.error ?? '', ...report.streams.rows.warnings].join('\n')).toContain(REASON)
  expect(await test.database.query(`select from pg_namespace where nspname = 't'`)).toEqual([])
})
