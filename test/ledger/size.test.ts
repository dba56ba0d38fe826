import { expect, jest, test } from '@jest/globals'
import { fillLedger } from '../../bench/ledger-fill.ts'
import type { Database } from '../../src/database/database.ts'
import type { Queryable } from '../../src/database/queryable.ts'
import { http, onePage, pipeline, since } from '../../src/index.ts'
import { overviewBackfills } from '../../src/ledger/read/backfill-overview.ts'
import { readKnownStreams } from '../../src/ledger/read/read-known-streams.ts'
import { readRuns } from '../../src/ledger/read/read-runs.ts'
import { readStatusParts } from '../../src/run/status/status.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

jest.setTimeout(300_000)

/** Runs each statement and counts the pages of the database that it reads, also in functions that it calls. */
function counting(on: Database): { readonly counted: Queryable; readonly pages: () => number } {
  let pages = 0
  const count = async (text: string, values: readonly unknown[] = []): Promise<void> => {
    const [row] = await on.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
      `explain (analyze, buffers, timing off, format json) ${text}`,
      values,
    )
    const { Plan: plan } = row!['QUERY PLAN'][0]
    pages += (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0)
  }
  return {
    pages: () => pages,
    counted: {
      query: async (text, values) => {
        await count(text, values)
        return on.query(text, values)
      },
      one: async (text, values) => {
        await count(text, values)
        return on.one(text, values)
      },
      maybeOne: async (text, values) => {
        await count(text, values)
        return on.maybeOne(text, values)
      },
    },
  }
}

/** Asks three times, since the first time in a session also reads the catalog. */
async function least(on: Database, ask: (on: Queryable) => Promise<unknown>): Promise<number> {
  const all: number[] = []
  for (let n = 0; n < 3; n += 1) {
    const { counted, pages } = counting(on)
    await ask(counted)
    all.push(pages())
  }
  return Math.min(...all)
}

test('what a run, the status and the lists read does not grow with the ledger', async () => {
  await using api = await apiServer(() => ({ json: [{ id: 1, at: '2024-01-01T00:00:00Z' }] }))
  const list = http(api.origin)
    .get<{ id: number; at: string }[]>('/rows', { since })
    .pages(onePage())
    .records()
    .incremental('at')
  const pipelines = ['north', 'south'].map((name) =>
    pipeline(name, {
      streams: {
        one: list.into(`${name}.one`, { key: 'id' }),
        two: list.into(`${name}.two`, { key: 'id', write: 'append' }),
      },
    }),
  )
  const filled = async (size: { slices: number; runs: number }): Promise<TestDatabase> => {
    const target = await testDatabase()
    for (const one of pipelines) await runPipeline(one, { database: target.url })
    await fillLedger(target.database, size)
    // What a run asks is planned with the statistics of this size.
    for (const one of pipelines) await runPipeline(one, { database: target.url })
    return target
  }
  await using small = await filled({ slices: 1_000, runs: 500 })
  await using large = await filled({ slices: 20_200, runs: 10_000 })

  const questions: Record<string, (on: Queryable) => Promise<unknown>> = {
    status: (on) => readStatusParts(pipelines, on),
    runs: (on) => readRuns(on),
    'runs of a pipeline': (on) => readRuns(on, { pipeline: 'south' }),
    'failed runs': (on) => readRuns(on, { status: 'failed' }),
    'interrupted runs': (on) => readRuns(on, { status: 'interrupted' }),
    replays: (on) => readRuns(on, { kind: 'replay' }),
    'known streams': (on) => readKnownStreams(on),
    'recent backfills': (on) => overviewBackfills(on, { recent: true, limit: 20 }),
    'the holder of a stream': (on) => on.query(`select * from sluice.find_holder('south', 'one', '', 'backfill')`),
    'what a full reading covers': (on) => on.query(`select * from sluice.find_covering(1, 'south', 'two', '')`),
    'jobs that were given up': (on) => on.query(`select * from sluice.take_jobs('south', 'one', '')`),
    'what a run has read': (on) => on.query(`select sluice.has_read(1, 'south', 'one', '', true)`),
  }
  const read: Record<string, unknown> = {}
  for (const [name, ask] of Object.entries(questions)) {
    const [a, b] = [await least(small.database, ask), await least(large.database, ask)]
    // Twenty times the slices make an index one level higher.
    if (b > 2 * a + 60) read[name] = `${a} pages with 1,000 slices, ${b} with 20,200`
  }
  expect(read).toEqual({})
})
