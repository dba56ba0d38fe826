// Times such as 2026-10-25T02:10:00.000+0100, as Jira, Facebook and others write them.
import { expect, test } from '@jest/globals'
import { http, onePage, pipeline } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

test('a later version is stored although its text is smaller, because the clock was put back', async () => {
  let rows = [{ id: 1, state: 'old', updated: '2026-10-25T02:50:00.000+0200' }]
  await using api = await apiServer(() => ({ json: rows }))
  await using target = await testDatabase()
  const items = http(api.origin).get<typeof rows>('/rows').pages(onePage()).records().incremental('updated')
  const flow = pipeline('p', { streams: { items: items.into('t.items', { key: 'id' }) } })
  await runPipeline(flow, { database: target.url })
  rows = [{ id: 1, state: 'new', updated: '2026-10-25T02:10:00.000+0100' }]
  const report = await runPipeline(flow, { database: target.url })
  expect(report.streams.items).toMatchObject({ counts: { updated: 1 }, cursor: '2026-10-25T02:10:00.000+0100' })
  expect(await target.database.query('select state, updated from t.items')).toEqual([
    { state: 'new', updated: new Date('2026-10-25T01:10:00Z') },
  ])
})

test('a timestamp column has the time of its text, whether its offset has a colon or not', async () => {
  const rows = [
    { id: 1, at: '2026-10-25T02:10:00+0000' },
    { id: 2, at: '2026-10-25T02:10:00+00:00' },
    { id: 3, at: '2026-10-25T02:10:00+0100' },
  ]
  await using api = await apiServer(() => ({ json: rows }))
  await using target = await testDatabase()
  const items = http(api.origin).get<typeof rows>('/rows').pages(onePage()).records()
  const flow = pipeline('p', {
    streams: { items: items.into('t.items', { key: 'id', columns: { at: 'timestamp' } }) },
  })
  const report = await runPipeline(flow, { database: target.url })
  // Its offset would be lost.
  expect(report.streams.items.counts).toMatchObject({ inserted: 2, rejected: 1 })
  expect(await target.database.query('select id::int, at::text from t.items order by id')).toEqual([
    { id: 1, at: '2026-10-25 02:10:00' },
    { id: 2, at: '2026-10-25 02:10:00' },
  ])
})
