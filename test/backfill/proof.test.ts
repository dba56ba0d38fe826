import { expect, jest, test } from '@jest/globals'
import { testDatabase } from '../support/database.ts'
import { prove } from './proof.ts'

jest.setTimeout(120_000)

test('killed again and again, beside live runs and with entries that change meanwhile, a backfill ends as if nothing had happened (npm run backfill-proof is all of it)', async () => {
  await using test = await testDatabase()
  const told: string[] = []
  await prove(
    test.url,
    { records: 4_000, days: 60, latency: 15, pageSize: 20, changes: 0.3, atOnce: 4, kills: 3, liveEvery: 300, seed: 5 },
    (line) => told.push(line),
  )
  expect(told.length).toBe(5)
})
