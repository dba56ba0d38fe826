import { describe, expect, test } from '@jest/globals'
import { readStatus } from '../../../src/index.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { testDatabase } from '../../support/database.ts'
import { adjustableStream, items, kinds, moment } from './adjustable-stream.ts'

describe('status', () => {
  test('names a run that read nothing after runs that read many records', async () => {
    await using test = await testDatabase()
    const { now, it } = adjustableStream()
    for (const batch of [items(10), items(150, 10), items(150, 160), items(150, 310)]) {
      now.items = batch
      await runPipeline(it, { database: test.url })
    }
    expect((await readStatus([it], { database: test.url })).ok).toBe(true)
    now.items = []
    await runPipeline(it, { database: test.url })
    const report = await readStatus([it], { database: test.url })
    expect(report.findings).toEqual([
      expect.objectContaining({
        kind: 'nothing read',
        isFault: true,
        message: expect.stringContaining('the last run read nothing. Runs before read 150 records'),
      }),
    ])
    await runPipeline(it, { database: test.url })
    expect((await readStatus([it], { database: test.url })).findings[0]!.message).toContain(
      'each of the last 2 runs read nothing',
    )
    now.items = items(1, 460)
    await runPipeline(it, { database: test.url })
    expect(await readStatus([it], { database: test.url })).toMatchObject({ ok: true })
  })

  test('names a cursor that does not move while records are read', async () => {
    await using test = await testDatabase()
    const { now, it } = adjustableStream()
    now.items = items(5)
    await runPipeline(it, { database: test.url })
    for (const n of [1, 2, 3]) {
      // The new records have no cursor value.
      now.items = items(4, n * 10).map((item) => ({ ...item, at: null }))
      await runPipeline(it, { database: test.url })
      expect(kinds(await readStatus([it], { database: test.url }))).toEqual(n < 3 ? [] : ['cursor stands still!'])
    }
    expect((await readStatus([it], { database: test.url })).findings[0]!.message).toContain(
      `the cursor has stood at ${moment(4)} for 3 runs, which read 4 records each`,
    )
  })

  test('names a run that rejected all of several records, and how they come back', async () => {
    await using test = await testDatabase()
    const { now, it } = adjustableStream()
    now.items = items(5)
    await runPipeline(it, { database: test.url })
    for (const [count, found] of [
      [4, ['rejects']],
      [5, ['rejects!']],
    ] as const) {
      now.items = items(count, count * 10).map((item) => ({ ...item, id: null as never }))
      await runPipeline(it, { database: test.url })
      expect(kinds(await readStatus([it], { database: test.url }))).toEqual(found)
    }
    expect((await readStatus([it], { database: test.url })).findings[0]!.message).toContain(
      'stored nothing: all 5 records were rejected. Reasons: sluice rejects list',
    )
  })

  test('reports nothing for a stream that reads only its newest record again', async () => {
    await using test = await testDatabase()
    const { now, it } = adjustableStream()
    now.items = items(5)
    await runPipeline(it, { database: test.url })
    now.items = items(1, 4)
    for (const _ of [1, 2, 3, 4]) await runPipeline(it, { database: test.url })
    expect(await readStatus([it], { database: test.url })).toMatchObject({ ok: true, findings: [] })
  })
})
