import { describe, expect, jest, test } from '@jest/globals'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { backfillPipeline } from '../../../src/run/backfill/backfill-pipeline.ts'
import { pipeline } from '../../../src/index.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'
import { answering, february, merging, moment, rows, source } from '../../backfill/source.ts'

jest.setTimeout(60_000)

const statuses = async ({ database }: TestDatabase): Promise<string> =>
  (
    await database.query<{ status: string }>(
      `select status from sluice.slices where kind = 'backfill' order by backfill, lower`,
    )
  )
    .map(({ status }) => status[0])
    .join('')

describe('a backfill beside other runs', () => {
  test('a newer row stays, also beside a sync and with records that change during the backfill', async () => {
    const data = rows(24 * 31)
    let live: Promise<unknown> | undefined
    let changed = false
    await using test = await testDatabase()
    await using api = await apiServer(async (request) => {
      const answered = await answering(() => data)(request)
      // While an old page is on its way, its record changes at the source and a live run stores it.
      if (
        !changed &&
        request.query.get('until') !== null &&
        request.query.get('since')?.startsWith('2024-01-05') === true
      ) {
        changed = true
        data[4 * 24] = { id: 4 * 24, name: 'newer', updated: moment(24 * 60) }
        live = runPipeline(flow, { database: test.url })
        await live
      }
      return { json: structuredClone(answered.json) }
    })
    const flow = merging(api.origin)
    await runPipeline(flow, { database: test.url })
    const before = await test.database.query('select value from sluice.cursors')
    await backfillPipeline(flow, { ...february, concurrency: 4, database: test.url })
    expect(await test.database.query(`select name from t.rows where id = ${4 * 24}`)).toEqual([{ name: 'newer' }])
    expect(before).toEqual([{ value: moment(24 * 31 - 1) }])
    expect(await test.database.query('select value from sluice.cursors')).toEqual([{ value: moment(24 * 60) }])
  })

  test('without a version neither a backfill nor a sync runs beside the other', async () => {
    const reached = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    let holds = true
    let gate = async (): Promise<void> => {
      reached.resolve()
      await released.promise
    }
    await using api = await apiServer(async (request) => {
      if (holds) await gate()
      return answering(() => rows(30))(request)
    })
    await using test = await testDatabase()
    const flow = pipeline('fill', {
      streams: {
        rows: source(api.origin)
          .incremental('updated')
          .map(({ id, name }) => ({ id, name }))
          .into('t.rows', { key: 'id' }),
      },
    })
    await test.database.query('create schema t')
    await test.database.query('create table t.rows (id bigint primary key, name text)')
    const live = runPipeline(flow, { database: test.url })
    await reached.promise
    const refused = await backfillPipeline(flow, { ...february, database: test.url })
    expect(refused.streams.rows).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/run \d+ is reading this stream.*versionBy/),
    })
    released.resolve()
    holds = false
    expect(await live).toMatchObject({ status: 'done' })
    holds = true
    const [held, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    // After a failure no run waits for it.
    using _opened = {
      [Symbol.dispose]: () => {
        holds = false
        opened.resolve()
      },
    }
    gate = async () => {
      held.resolve()
      await opened.promise
    }
    const filling = backfillPipeline(flow, { ...february, concurrency: 1, database: test.url })
    await held.promise
    const left = await runPipeline(flow, { database: test.url, overlap: 'skip' })
    expect(left.streams['rows']).toMatchObject({
      status: 'not run',
      warnings: [expect.stringMatching(/not run: run \d+ is reading this stream/)],
    })
    opened.resolve()
    holds = false
    expect(await filling).toMatchObject({ status: 'done' })
    expect(await runPipeline(flow, { database: test.url })).toMatchObject({ status: 'done' })
  }, 30_000)

  test('two processes share the windows of one backfill, and both wait until all of them are done', async () => {
    const answer = answering(() => rows(24 * 20))
    await using api = await apiServer(answer)
    await using test = await testDatabase()
    const flow = merging(api.origin)
    const words = { ...february, to: '2024-01-21', concurrency: 2, database: test.url }
    const reports = await Promise.all([backfillPipeline(flow, words), backfillPipeline(flow, words)])
    expect(reports).toMatchObject([
      { status: 'done', streams: { rows: { backfill: { windows: { done: 20 } } } } },
      { status: 'done', streams: { rows: { backfill: { windows: { done: 20 } } } } },
    ])
    expect(reports.reduce((sum, { streams }) => sum + streams.rows.counts.inserted, 0)).toBe(480)
    expect(await statuses(test)).toBe('d'.repeat(20))
  })
})
