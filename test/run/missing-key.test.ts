import { expect, test } from '@jest/globals'
import { http, onePage, pipeline, source } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

const REASON =
  'uuid: it belongs to the key, and the record has no such field (it has id, name). ' +
  'Name the field that identifies a record as the key'

const OPEN = { grade: 'open', reasons: ['no record has the field uuid of the key; the records have id, name'] }

test.each([
  ['few', {}, { status: 'done', completeness: OPEN }],
  ['many', { maxRejects: 2 }, { status: 'failed' }],
])('a key that no record has is told with the fields that are there (%s records)', async (_, more, expected) => {
  await using api = await apiServer([{ json: Array.from({ length: 3 }, (_, id) => ({ id, name: 'a' })) }])
  await using test = await testDatabase()
  const rows = http(api.origin).get<object[]>('/').pages(onePage()).records()
  const report = await runPipeline(
    pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'uuid', ...more } as never) } }),
    { database: test.url },
  )
  expect(report.streams.rows).toMatchObject(expected)
  expect([report.streams.rows.error ?? '', ...report.streams.rows.warnings].join('\n')).toContain(REASON)
  expect(await test.database.query(`select from pg_namespace where nspname = 't'`)).toEqual([])
})

test('a reading of which some records have the key is not open because of the others', async () => {
  await using test = await testDatabase()
  const rows = source<object>(async function* () {
    yield { records: [{ uuid: 1 }], position: 1 }
    yield { records: [{ id: 2 }], position: 2, complete: 'ended' }
  })
  const report = await runPipeline(
    pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'uuid' } as never) } }),
    { database: test.url, batch: { rows: 1 } },
  )
  expect(report.streams.rows).toMatchObject({
    status: 'done',
    counts: { inserted: 1, rejected: 1 },
    completeness: { grade: 'ended' },
  })
})
