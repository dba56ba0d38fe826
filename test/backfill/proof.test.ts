import { expect, jest, test } from '@jest/globals'
import { testDatabase } from '../support/database.ts'
import { prove } from './proof.ts'

jest.setTimeout(120_000)

test('a backfill that is killed many times, beside syncs and changing entries, ends complete', async () => {
  await using test = await testDatabase()
  const lines: string[] = []
  await prove(
    test.url,
    { records: 4_000, days: 60, latency: 15, pageSize: 20, changes: 0.3, atOnce: 4, kills: 3, liveEvery: 300, seed: 5 },
    (line) => lines.push(line),
  )
  expect(lines.length).toBe(5)
})
