import { describe, expect, jest, test } from '@jest/globals'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { backfillPipeline } from '../../../src/run/backfill/backfill-pipeline.ts'
import { pipeline, since } from '../../../src/index.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'
import { answering, february, rows, source } from '../../backfill/source.ts'

jest.setTimeout(60_000)

const stored = async ({ database }: TestDatabase): Promise<number> =>
  Number((await database.query<{ count: string }>('select count(*) from t.rows'))[0]!.count)

describe('a backfill of a table without a key', () => {
  test('append: a window that restarts removes the rows that it had written', async () => {
    let broken = true
    const answer = answering(() => rows(24 * 6))
    await using api = await apiServer((request) =>
      broken && request.query.get('since')?.startsWith('2024-01-03') === true && request.query.get('after') === '20'
        ? { status: 404, json: {} }
        : answer(request),
    )
    await using test = await testDatabase()
    const flow = (limit: number) =>
      pipeline('fill', {
        streams: {
          rows: source(api.origin, { since, until: { bound: 'until' }, limit })
            .incremental('updated', { startFrom: '2024-01-05' })
            .into('t.rows', { write: 'append' }),
        },
      })
    const words = { ...february, to: '2024-01-05', database: test.url, batch: { rows: 5 } }
    expect((await backfillPipeline(flow(1), words)).streams.rows).toMatchObject({
      status: 'failed',
      counts: { inserted: 3 * 24 + 20 },
    })
    broken = false
    // Another definition: what the window has stored is not what would be read now.
    expect((await backfillPipeline(flow(2), words)).streams.rows).toMatchObject({
      status: 'done',
      counts: { inserted: 24 },
    })
    expect(await test.database.query('select count(*)::int, count(distinct id)::int as distinct from t.rows')).toEqual([
      { count: 96, distinct: 96 },
    ])
    await runPipeline(flow(2), { database: test.url })
    expect(await stored(test)).toBe(24 * 6)
    const again = { database: test.url, window: '1d' }
    expect(
      (await backfillPipeline(flow(2), { ...again, from: '2024-01-04', to: '2024-01-06' })).streams.rows.error,
    ).toContain('syncs store its records from 2024-01-05T00:00:00.000Z on')
    expect(
      (await backfillPipeline(flow(2), { ...again, from: '2024-01-02', to: '2024-01-05' })).streams.rows.error,
    ).toContain('backfill 1 has stored records of the same time')
    expect(await stored(test)).toBe(24 * 6)
  })

  test('append: a record without a value is of no window, and is left out rather than stored by each', async () => {
    const data = [...rows(48), { id: 99, name: 'no time', updated: null as unknown as string }]
    await using api = await apiServer(() => ({ json: { items: data, next: null } }))
    await using test = await testDatabase()
    const flow = pipeline('fill', {
      streams: {
        rows: source(api.origin)
          .incremental('updated', { startFrom: '2025-01-01' })
          .into('t.rows', { write: 'append' }),
      },
    })
    const { streams } = await backfillPipeline(flow, { ...february, to: '2024-01-03', database: test.url })
    expect(streams.rows).toMatchObject({
      counts: { fetched: 98, inserted: 48, filtered: 50 },
      warnings: [expect.stringContaining('a record without a cursor value belongs to no window')],
    })
  })
})
