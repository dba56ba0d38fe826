// Children of children of children, into PostgreSQL: a run that is stopped anywhere goes on where it was.
import { expect, test } from '@jest/globals'
import { pipeline, run } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { ALL_NOTES, deepList } from '../source/children/deep-children.ts'

test.each(['chained', 'nested'] as const)(
  'runs that fail again and again at the fifth level (%s) store each record once',
  async (shape) => {
    // The first requests of a run succeed, and the next one fails.
    let left = 0
    await using list = await deepList(() => left-- <= 0)
    await using store = await testDatabase()
    const flow = pipeline('deep', { streams: { notes: list[shape].into('t.notes', { write: 'append' }) } })
    let failed = 0
    for (let runs = 0; runs < 30; runs++) {
      left = 14
      const { streams } = await run(flow, { database: store.url, throwOnFailure: false })
      if (streams.notes.status === 'done') break
      failed++
    }
    expect(failed).toBeGreaterThan(2)
    expect(failed).toBeLessThan(30)
    expect(await store.database.query('select id from t.notes order by 1')).toEqual(ALL_NOTES.map((id) => ({ id })))
  },
)
