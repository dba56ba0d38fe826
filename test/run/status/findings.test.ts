import { describe, expect, test } from '@jest/globals'
import { pipeline, readStatus, source, type Pipeline, type StatusReport } from '../../../src/index.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { testDatabase } from '../../support/database.ts'

interface Item {
  id: number
  at: string | null
}
const moment = (n: number): string => new Date(Date.UTC(2024, 0, 1) + n * 60_000).toISOString()

/** Returns a stream whose records a test sets, and a pipeline of it. */
function adjustableStream(schedule?: Pipeline['schedule']) {
  const now: { items: Item[]; error?: Error } = { items: [] }
  const own = source<Item>(async function* () {
    yield { records: now.items.slice(0, 1), position: 1 }
    if (now.error) throw now.error
    yield { records: now.items.slice(1), position: 2 }
  })
  const rows = own.incremental('at').map((item) => {
    if (item.id < 0) throw new Error('a negative id')
    return item
  })
  return {
    now,
    it: pipeline('shop', {
      ...(schedule !== undefined && { schedule }),
      streams: { rows: rows.into('t.rows', { key: 'id' }) },
    }),
  }
}
const items = (count: number, from = 0, at = moment): Item[] =>
  Array.from({ length: count }, (_, n) => ({ id: from + n + 1, at: at(from + n) }))
const kinds = ({ findings }: StatusReport): string[] =>
  findings.map(({ kind, isFault }) => `${kind}${isFault ? '!' : ''}`)

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
