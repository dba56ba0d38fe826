import { describe, expect, jest, test } from '@jest/globals'
import { backfillPipeline } from '../../../src/run/backfill/backfill-pipeline.ts'
import { dryRunBackfill } from '../../../src/run/backfill/dry-run.ts'
import { pipeline, since } from '../../../src/index.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'
import { answering, february, heard, merging, rows, source } from '../../backfill/source.ts'

jest.setTimeout(60_000)

const stored = async ({ database }: TestDatabase): Promise<number> =>
  Number((await database.query<{ count: string }>('select count(*) from t.rows'))[0]!.count)

describe('backfill', () => {
  test('reads several windows at once and leaves the cursor alone; the same options find it done', async () => {
    const answer = answering(() => rows(24 * 40))
    const five = Promise.withResolvers<void>()
    await using api = await apiServer(async (request) => {
      if (request.index === 4) five.resolve()
      await five.promise
      return answer(request)
    })
    await using test = await testDatabase()
    const flow = merging(api.origin)
    const seen = heard()
    const report = await backfillPipeline(flow, {
      ...february,
      stream: 'rows',
      concurrency: 8,
      database: test.url,
      onEvent: seen.on,
    })
    expect(report).toMatchObject({
      kind: 'backfill',
      status: 'done',
      streams: {
        rows: {
          status: 'done',
          counts: { fetched: 31 * 24, inserted: 31 * 24 },
          backfill: {
            from: '2024-01-01T00:00:00Z',
            window: '1d',
            zone: 'UTC',
            windows: { total: 31, done: 31, unproven: 0, failed: 0, skipped: 0, open: 0 },
          },
        },
      },
    })
    expect(await test.database.query('select min(id)::int, max(id)::int, count(*)::int from t.rows')).toEqual([
      { min: 0, max: 31 * 24 - 1, count: 31 * 24 },
    ])
    expect(await test.database.query('select * from sluice.cursors')).toEqual([])
    expect(api.mostAtOnce).toBeGreaterThanOrEqual(5)
    expect(seen.of('backfill.planned')).toMatchObject([
      { stream: 'rows', windows: { total: 31, open: 31 }, toRead: 31, states: 'o'.repeat(31) },
    ])
    expect(
      seen
        .of('slice.started')
        .map(({ windowIndex }) => windowIndex)
        .toSorted((a, b) => a! - b!),
    ).toEqual(Array.from({ length: 31 }, (_, place) => place))
    expect(seen.of('slice.started')).toContainEqual(
      expect.objectContaining({ lower: '2024-01-01T00:00:00Z', upper: '2024-01-02T00:00:00Z' }),
    )
    const asked = api.requests.length
    const again = await backfillPipeline(flow, { ...february, database: test.url })
    expect(again).toMatchObject({
      status: 'done',
      streams: {
        rows: { counts: { fetched: 0 }, backfill: { id: report.streams.rows.backfill!.id, windows: { done: 31 } } },
      },
    })
    expect(api.requests.length).toBe(asked)
  })

  test('a dry run shows the windows to read, asks nothing and writes nothing', async () => {
    await using api = await apiServer(answering(() => rows(24 * 40)))
    await using test = await testDatabase()
    const [plan] = await dryRunBackfill(merging(api.origin), {
      ...february,
      to: '2024-01-04',
      database: test.url,
    })
    expect(plan).toMatchObject({
      stream: 'rows',
      backfill: undefined,
      toRead: 3,
      counts: { total: 3, open: 3 },
      windows: [{ lower: '2024-01-01T00:00:00Z', toRead: true }, {}, { upper: '2024-01-04T00:00:00Z' }],
    })
    expect(api.requests).toEqual([])
    expect(
      await test.database.query(
        `select (select count(*)::int from sluice.runs) as runs,
                (select count(*)::int from sluice.backfills) as backfills`,
      ),
    ).toEqual([{ runs: 0, backfills: 0 }])
  })

  test('a window that fails leaves the others running, is named, and the same words read it again', async () => {
    let broken = true
    const answer = answering(() => rows(24 * 40))
    await using api = await apiServer((request) =>
      broken && request.query.get('since')?.startsWith('2024-01-1') === true
        ? { status: 404, json: {} }
        : answer(request),
    )
    await using test = await testDatabase()
    const flow = merging(api.origin)
    const seen = heard()
    const options = { ...february, to: '2024-01-13', concurrency: 2, database: test.url }
    const report = await backfillPipeline(flow, { ...options, onEvent: seen.on })
    expect(report).toMatchObject({
      status: 'failed',
      streams: {
        rows: {
          status: 'failed',
          error: expect.stringContaining(
            '3 windows of 12 failed, the first one, 2024-01-10T00:00:00Z to 2024-01-11T00:00:00Z, ' +
              'with: GET /rows answered 404',
          ),
          backfill: { windows: { done: 9, failed: 3 } },
        },
      },
    })
    expect(report.streams.rows.error).toContain('404')
    expect(seen.of('slice.failed')).toHaveLength(3)
    expect(await test.database.query('select status, error from sluice.runs order by id desc limit 1')).toMatchObject([
      { status: 'failed', error: expect.stringContaining('404') },
    ])
    const [plan] = await dryRunBackfill(flow, { ...options, only: 'failed' })
    expect(plan).toMatchObject({ backfill: '1', toRead: 3, counts: { done: 9, failed: 3 } })
    broken = false
    const asked = api.requests.length
    expect(await backfillPipeline(flow, options)).toMatchObject({
      status: 'done',
      streams: { rows: { backfill: { windows: { done: 12, failed: 0 } }, counts: { inserted: 72 } } },
    })
    expect(new Set(api.requests.slice(asked).map(({ query }) => query.get('since')))).toEqual(
      new Set(['2024-01-10T00:00:00Z', '2024-01-11T00:00:00Z', '2024-01-12T00:00:00Z']),
    )
    expect(await stored(test)).toBe(12 * 24)
  })

  test('--only failed leaves what is open alone; windows that fail one after the other end it', async () => {
    let broken = true
    await using api = await apiServer((request) =>
      broken ? { status: 404, json: {} } : answering(() => rows(24 * 40))(request),
    )
    await using test = await testDatabase()
    const flow = merging(api.origin)
    const report = await backfillPipeline(flow, { ...february, concurrency: 1, database: test.url })
    expect(report.streams.rows).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('10 windows failed one after the other'),
      backfill: { windows: { failed: 10, open: 21 } },
    })
    broken = false
    expect(
      (await backfillPipeline(flow, { ...february, only: 'failed', database: test.url })).streams.rows,
    ).toMatchObject({
      status: 'done',
      backfill: { windows: { done: 10, open: 21 } },
    })
    expect((await backfillPipeline(flow, { ...february, database: test.url })).streams.rows).toMatchObject({
      status: 'done',
      backfill: { windows: { done: 31 } },
    })
  })

  test('--only missing skips windows that earlier backfills have done; --only all reads them', async () => {
    await using api = await apiServer(answering(() => rows(24 * 40)))
    await using test = await testDatabase()
    const flow = merging(api.origin)
    await backfillPipeline(flow, { from: '2024-01-03', to: '2024-01-06', window: '1d', database: test.url })
    const words = { from: '2024-01-01', to: '2024-01-09', window: '2d', only: 'missing', database: test.url } as const
    // 03–05 was done in two windows; of 05–07 only the first day was.
    const [plan] = await dryRunBackfill(flow, { ...words })
    expect(plan).toMatchObject({
      toRead: 3,
      windows: [{ toRead: true }, { toRead: false, status: 'skipped' }, { toRead: true }, { toRead: true }],
    })
    expect((await backfillPipeline(flow, words)).streams.rows).toMatchObject({
      status: 'done',
      counts: { fetched: 6 * 24 },
      backfill: { windows: { total: 4, done: 3, skipped: 1 } },
    })
    const { only: _, ...same } = words
    expect((await backfillPipeline(flow, same)).streams.rows).toMatchObject({
      counts: { fetched: 0 },
      backfill: { windows: { done: 3, skipped: 1 } },
    })
    expect((await backfillPipeline(flow, { ...words, only: 'all' })).streams.rows).toMatchObject({
      counts: { fetched: 48, unchanged: 48 },
      backfill: { windows: { done: 4, skipped: 0 } },
    })
  })

  test('without `until` in the request, later records are filtered, and an ordered read stops early', async () => {
    await using api = await apiServer(answering(() => rows(24 * 10)))
    await using test = await testDatabase()
    const flow = pipeline('only', {
      streams: {
        ordered: source(api.origin, { since })
          .incremental('updated', { order: 'ascending' })
          .into('t.ordered', { key: 'id' }),
        any: source(api.origin, { since }).incremental('updated').into('t.rows', { key: 'id' }),
      },
    })
    const words = { from: '2024-01-02', to: '2024-01-04', window: '1d', database: test.url }
    const ordered = await backfillPipeline(flow, { ...words, stream: 'ordered' })
    const asked = api.requests.length
    expect(ordered.streams.ordered).toMatchObject({ counts: { fetched: 60, filtered: 12, inserted: 48 }, requests: 6 })
    const { streams } = await backfillPipeline(flow, { ...words, stream: 'any' })
    expect(streams.any.counts).toMatchObject({ inserted: 48, filtered: 24 * 8 + 24 * 7 })
    expect(api.requests.length - asked).toBeGreaterThan(30)
  })

  test('an aborted backfill commits complete batches; the same options continue inside the window', async () => {
    const stop = new AbortController()
    let hangs = true
    await using api = await apiServer((request) => {
      if (hangs && request.query.get('after') === '20') {
        setImmediate(() => stop.abort(new Error('enough')))
        return { hang: true }
      }
      return answering(() => rows(24 * 40))(request)
    })
    await using test = await testDatabase()
    const flow = merging(api.origin)
    const began = performance.now()
    const words = { ...february, to: '2024-01-05', concurrency: 1, database: test.url }
    const report = await backfillPipeline(flow, { ...words, signal: stop.signal })
    expect(report).toMatchObject({
      status: 'interrupted',
      streams: {
        rows: { status: 'interrupted', counts: { inserted: 20 }, backfill: { windows: { open: 4, failed: 0 } } },
      },
    })
    expect(performance.now() - began).toBeLessThan(5_000)
    hangs = false
    const asked = api.requests.length
    expect(await backfillPipeline(flow, words)).toMatchObject({
      status: 'done',
      streams: { rows: { resumed: true, counts: { inserted: 76 } } },
    })
    expect(api.requests[asked]!.query.get('after')).toBe('20')
  })

  test.each([
    ['no cursor', (origin: string) => source(origin).into('t.rows', { key: 'id' }), 'Add .incremental('],
    [
      'replace',
      (origin: string) => source(origin).into('t.rows', { key: 'id', write: 'replace' }),
      "Choose { write: 'merge' }",
    ],
    [
      'a counter',
      (origin: string) => source(origin).incremental('id', { startFrom: 0 }).into('t.rows', { key: 'id' }),
      'its cursor is not a time',
    ],
  ])('a stream that cannot be windowed says so before anything is asked: %s', async (_, flow, message) => {
    await using api = await apiServer(answering(() => rows(3)))
    await using test = await testDatabase()
    await expect(
      backfillPipeline(pipeline('none', { streams: { rows: flow(api.origin) } }), { ...february, database: test.url }),
    ).rejects.toThrow(message)
    expect(api.requests).toEqual([])
    expect(await test.database.query('select 1 from sluice.runs')).toEqual([])
  })

  test('of a pipeline, the streams that can be windowed are read, and the others named', async () => {
    await using api = await apiServer(answering(() => rows(30)))
    await using test = await testDatabase()
    const seen = heard()
    const report = await backfillPipeline(
      pipeline('two', {
        streams: {
          whole: source(api.origin).into('t.whole', { key: 'id' }),
          rows: source(api.origin).incremental('updated').into('t.rows', { key: 'id' }),
        },
      }),
      { ...february, database: test.url, onEvent: seen.on },
    )
    expect(Object.keys(report.streams)).toEqual(['rows'])
    expect(seen.of('warning')).toMatchObject([
      { message: expect.stringContaining('whole was skipped: nothing decides') },
    ])
  })
})
