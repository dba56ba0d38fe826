/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-argument, typescript/no-unsafe-return
   -- Answers are compared as they came. */
import { describe, expect, test } from '@jest/globals'
import {
  bearer,
  byPage,
  http,
  onePage,
  pipeline,
  run,
  secret,
  serve,
  since,
  until as upTo,
  type Report,
} from '../../src/index.ts'
import { ended, rig, until, watch } from './support.ts'

const key = (value: string): Record<string, string> => ({ 'idempotency-key': value })
/** Answers the first page and hangs on the second. */
const stuck = ({ query }: { query: URLSearchParams }) =>
  query.get('page') === '2' ? { hang: true as const } : { json: { rows: [{ id: 1, name: 'a' }] } }

/** A pipeline `shop` with a stream `days`, which a backfill reads a day at a time. */
const daily = (origin: string) =>
  pipeline('shop', {
    streams: {
      days: http(origin, { attempts: 1 })
        .get<{ id: string; at: string }[]>('/days', { from: since, to: upTo })
        .pages(onePage())
        .records()
        .incremental('at')
        .into('t.days', { key: 'id' }),
    },
  })

describe('commands', () => {
  test('a run starts, its id is answered at once, and it continues', async () => {
    await using served = await rig()
    const answer = await served.post('/api/runs', { pipeline: 'shop', streams: ['rows'] })
    expect([answer.status, answer.json, answer.headers.get('location')]).toEqual([202, { run: '1' }, '/api/runs/1'])
    expect(await ended(served, '1')).toMatchObject({ status: 'done', counts: { inserted: 30 } })
  })

  test('requests with one key start one run, also through two servers', async () => {
    await using served = await rig()
    await using other = await serve(served.pipeline, { port: 0, database: served.test.url, environment: {} })
    const ask = (): Promise<Response> =>
      fetch(`${other.url}/api/runs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...key('k1') },
        body: '{"pipeline":"shop"}',
      })
    const answers = await Promise.all([
      ...[1, 2, 3].map(async () => (await served.post('/api/runs', { pipeline: 'shop' }, key('k1'))).json),
      ...[1, 2].map(async () => (await ask()).json()),
    ])
    expect(answers).toEqual(Array.from({ length: 5 }, () => ({ run: '1' })))
    await ended(served, '1')
    expect((await served.post('/api/runs', { pipeline: 'shop' }, key('k1'))).json).toEqual({ run: '1' })
    expect((await served.post('/api/runs', { pipeline: 'shop', full: true }, key('k1'))).status).toBe(422)
    expect((await served.post('/api/runs', { pipeline: 'shop' }, key('k2'))).json).toEqual({ run: '2' })
    expect((await served.get('/api/runs')).json.runs).toHaveLength(2)
  })

  test('a key whose run has started is kept until the ledger has noted the run', async () => {
    await using served = await rig()
    const { database } = served.test
    await database.query(
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$;
       create trigger refuse before update on sluice.requests for each row when (new.run is not null)
         execute function refuse()`,
    )
    const post = async () => served.post('/api/runs', { pipeline: 'shop' }, key('k'))
    expect(await post()).toMatchObject({ status: 202, json: { run: '1' } })
    expect(await post()).toMatchObject({ status: 202, json: { run: '1' } })
    expect((await served.get('/api/runs')).json.runs).toHaveLength(1)
    expect(served.failures.map(String)).toEqual([expect.stringContaining('not now')])
    await database.query('drop trigger refuse on sluice.requests')
    await until(
      async () => (await database.query('select from sluice.requests where run = 1')).length === 1,
      'the run was noted',
    )
    expect(await post()).toMatchObject({ status: 202, json: { run: '1' } })
  })

  test('a key is free again if no run could start', async () => {
    await using served = await rig({
      pipelines: (origin) => [
        pipeline('shop', {
          streams: {
            rows: http(origin, { auth: bearer(secret('SHOP_TOKEN')) })
              .get<{ rows: { id: number }[] }>('/rows')
              .pages(byPage('page'))
              .records('rows')
              .into('t.rows', { key: 'id' }),
          },
        }),
      ],
    })
    for (let n = 0; n < 2; n++)
      expect(await served.post('/api/runs', { pipeline: 'shop' }, key('k'))).toMatchObject({
        status: 422,
        json: { error: { problem: expect.stringContaining('SHOP_TOKEN') } },
      })
    expect(await served.test.database.query('select from sluice.requests')).toEqual([])
  })

  test('an invalid command is rejected and starts nothing', async () => {
    await using served = await rig()
    for (const [body, status] of [
      [{}, 400],
      [{ pipeline: 'shop', more: 1 }, 400],
      [{ pipeline: 'none' }, 404],
      [{ pipeline: 'shop', streams: ['none'] }, 422],
      [{ pipeline: 'shop', overlap: 'odd' }, 400],
      [{ pipeline: '__proto__' }, 404],
      [{ pipeline: 'shop', streams: ['constructor'] }, 422],
    ] as const)
      expect([body, (await served.post('/api/runs', body, key('a'))).status]).toEqual([body, status])
    expect((await served.post('/api/runs', { pipeline: 'shop' }, key('not one\tword'))).status).toBe(400)
    expect(
      (await served.post('/api/backfills', { pipeline: 'shop', stream: 'rows', from: '2024-01-01', to: '2024-01-03' }))
        .status,
    ).toBe(422) // It has no time.
    expect((await served.post('/api/backfills/7/retry')).status).toBe(404)
    expect((await served.get('/api/runs')).json.runs).toEqual([])
  })

  test('a retry reads the failed windows of a backfill', async () => {
    let broken = true
    await using served = await rig({
      handler: ({ query }) =>
        broken && query.get('from')!.startsWith('2024-01-02')
          ? { status: 500, json: {} }
          : { json: [{ id: query.get('from'), at: query.get('from') }] },
      pipelines: (origin) => [daily(origin)],
    })
    const {
      json: { run: first },
    } = await served.post(
      '/api/backfills',
      { pipeline: 'shop', stream: 'days', from: '2024-01-01', to: '2024-01-04' },
      key('b'),
    )
    expect(await ended(served, first)).toMatchObject({ kind: 'backfill', status: 'failed' })
    const words = {
      backfill: '1',
      pipeline: 'shop',
      stream: 'days',
      from: '2024-01-01T00:00:00.000Z',
      to: '2024-01-04T00:00:00.000Z',
      window: '1d',
      zone: 'UTC',
      windows: 3,
      pending: 0,
      running: 0,
      skipped: 0,
    }
    expect((await served.get('/api/backfills')).json.backfills).toMatchObject([{ ...words, done: 2, failed: 1 }])
    expect(
      (await served.get('/api/backfills/1')).json.map.map(
        ({ lower, state, error }: { lower: string; state: string; error: string | null }) => [
          lower.slice(0, 10),
          state,
          error === null,
        ],
      ),
    ).toEqual([
      ['2024-01-01', 'done', true],
      ['2024-01-02', 'failed', false],
      ['2024-01-03', 'done', true],
    ])
    broken = false
    const {
      json: { run: second },
    } = await served.post('/api/backfills/1/retry', {}, key('c'))
    expect(await ended(served, second)).toMatchObject({ kind: 'backfill', status: 'done' })
    expect((await served.post('/api/backfills/1/retry', {}, key('c'))).json).toEqual({ run: second })
    expect((await served.get('/api/backfills/1')).json).toMatchObject({
      ...words,
      done: 3,
      failed: 0,
      counts: { inserted: 3 },
    })
    expect((await served.get('/api/summary')).json.backfills).toMatchObject([{ backfill: '1', done: 3 }])
  })

  test('a retry with windows reads only these', async () => {
    let isBroken = true
    const asked: string[] = []
    await using served = await rig({
      handler: ({ query }) => {
        const day = query.get('from')!.slice(0, 10)
        asked.push(day)
        return isBroken && day !== '2024-01-02' ? { status: 500, json: {} } : { json: [{ id: day, at: day }] }
      },
      pipelines: (origin) => [daily(origin)],
    })
    const range = { pipeline: 'shop', stream: 'days', from: '2024-01-01', to: '2024-01-04' }
    const { json: first } = await served.post('/api/backfills', range)
    expect(await ended(served, first.run)).toMatchObject({ status: 'failed' })
    isBroken = false
    asked.length = 0
    const { json: second } = await served.post('/api/backfills/1/retry', { windows: ['2024-01-03T00:00:00Z'] })
    expect(await ended(served, second.run)).toMatchObject({ status: 'done', counts: { inserted: 1 } })
    expect(asked).toEqual(['2024-01-03'])
    expect((await served.get('/api/backfills/1')).json).toMatchObject({ done: 2, failed: 1 })
    expect(await served.post('/api/backfills/1/retry', { windows: ['2024-01-03T01:00:00Z'] })).toMatchObject({
      status: 422,
      json: {
        error: { problem: expect.stringContaining('no window of this backfill begins at 2024-01-03T01:00:00Z') },
      },
    })
  })

  test('a run is cancelled in this or another process and ends as interrupted', async () => {
    await using served = await rig({ handler: stuck })
    const {
      json: { run: here },
    } = await served.post('/api/runs', { pipeline: 'shop' })
    expect(await served.post(`/api/runs/${here}/cancel`)).toMatchObject({
      status: 202,
      json: { run: here, status: expect.any(String), stopRequestedAt: expect.any(String) },
    })
    expect(await ended(served, here)).toMatchObject({ status: 'interrupted', stopRequestedAt: expect.any(String) })
    // A run outside the server: only the ledger connects the two.
    let report: Promise<Report> | undefined
    using watcher = await watch(served.server)
    report = run(served.pipeline, { database: served.test.url, environment: {} })
    await until(() => watcher.events.some(({ type }) => type === 'slice.started'))
    expect((await served.get('/api/summary')).json.running).toMatchObject([{ run: '2', here: false }])
    const asked = performance.now()
    expect((await served.post('/api/runs/2/cancel', {})).status).toBe(202)
    expect(await report).toMatchObject({ status: 'interrupted' })
    expect(performance.now() - asked).toBeLessThan(5_000)
    await ended(served, '2')
    expect((await served.post('/api/runs/2/cancel')).status).toBe(409)
    expect((await served.post('/api/runs/99/cancel')).status).toBe(404)
  })

  test('the limit of started runs is kept', async () => {
    await using served = await rig({ handler: stuck, maxRuns: 1 })
    expect((await served.post('/api/runs', { pipeline: 'shop' })).status).toBe(202)
    expect(await served.post('/api/runs', { pipeline: 'shop' })).toMatchObject({
      status: 429,
      json: { error: { remedy: expect.any(String) } },
    })
  })
})
