// A run that is killed inside a body resumes there. `npm run bodies` does the same with a gigabyte.
import { expect, test } from '@jest/globals'
import { proveBody } from '../../bench/body-proof.ts'
import { serveBodies } from '../../bench/body-server.ts'
import { testDatabase } from '../support/database.ts'

test.each(['json', 'csv'] as const)(
  'a run that is killed inside a body of %s resumes behind the last record that it stored',
  async (format) => {
    await using server = await serveBodies(7e6)
    await using store = await testDatabase()
    const { storedBefore, records } = await proveBody(format, {
      server,
      database: store.url,
      killAt: 5.5e6,
      leastStored: 0,
    })
    expect(storedBefore).toBeGreaterThan(0)
    expect(storedBefore).toBeLessThan(records)
  },
  120_000,
)
