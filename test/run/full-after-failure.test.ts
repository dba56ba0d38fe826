import { expect, test } from '@jest/globals'
import { pipeline, source, type RunEvent } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { testDatabase } from '../support/database.ts'

test('--full after a run that failed says that it reads from the start, as it does', async () => {
  await using test = await testDatabase()
  let isDown = false
  const rows = source<{ id: number; at: string }>(async function* () {
    if (isDown) throw new Error('the API is down')
    yield { records: [1, 2].map((id) => ({ id, at: `2026-01-0${id}T00:00:00Z` })) }
  }).incremental('at')
  const shop = pipeline('shop', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
  const starts: unknown[] = []
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'slice.started') starts.push(event.since)
  }
  await runPipeline(shop, { database: test.url })
  isDown = true
  await runPipeline(shop, { database: test.url, onEvent })
  isDown = false
  const { streams } = await runPipeline(shop, { database: test.url, full: true, onEvent })
  expect(starts).toEqual(['2026-01-02T00:00:00Z', undefined])
  expect(streams['rows']).toMatchObject({ counts: { fetched: 2, unchanged: 2 } })
  expect(streams['rows']?.since).toBeUndefined()
})
