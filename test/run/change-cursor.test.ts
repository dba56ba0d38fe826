import { expect, test } from '@jest/globals'
import { byPage, http, pipeline, run } from '../../src/index.ts'
import { changeCursor, closedText } from '../../src/run/change-cursor.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

test.each([
  ['set', '2024-02-01'],
  ['reset', undefined],
] as const)('a run whose cursor is %s during the read fails and names that as the reason', async (word, value) => {
  const changed = Promise.withResolvers<void>()
  const reading = Promise.withResolvers<void>()
  await using api = await apiServer(async ({ query }) => {
    const page = Number(query.get('page'))
    if (page === 3) {
      reading.resolve()
      await changed.promise
    }
    return { json: page > 4 ? [] : [{ id: page, at: `2024-01-0${page}` }] }
  })
  await using test = await testDatabase()
  const rows = http(api.origin as 'http://x')
    .get<{ id: number; at: string }[]>('/rows')
    .pages(byPage('page'))
    .records()
    .incremental('at')
  const flow = pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
  const running = run(flow, { database: test.url, throwOnFailure: false })
  await reading.promise
  const name = { pipeline: 'p', stream: 'rows' }
  const closed = await changeCursor(test.database, name, value === undefined ? {} : { value })
  expect(closedText(closed)).toBe('; run 1, which was reading it, fails')
  changed.resolve()
  const report = await running
  expect(report).toMatchObject({
    status: 'failed',
    streams: {
      rows: { status: 'failed', error: expect.stringContaining(`was closed: the cursor was ${word} by hand`) },
    },
  })
  const [stored] = await test.database.query('select status, error from sluice.runs')
  expect(stored).toMatchObject({
    status: 'failed',
    error: expect.stringContaining(`the cursor was ${word} by hand`),
  })
})
