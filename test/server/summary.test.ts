/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-argument, typescript/no-unsafe-return
   -- Answers are compared as they came. */
import { describe, expect, test } from '@jest/globals'
import { byCursor, http, pipeline, run, since } from '../../src/index.ts'
import { ended, rig, rows, until } from './support.ts'

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
const counts = (some: object) => ({
  fetched: 0,
  expanded: 0,
  inserted: 0,
  updated: 0,
  unchanged: 0,
  filtered: 0,
  duplicate: 0,
  deleted: 0,
  rejected: 0,
  parents: 0,
  ...some,
})

describe('summary', () => {
  test('the summary includes runs of other processes', async () => {
    await using served = await rig({
      pipelines: (origin) => [
        pipeline('shop', {
          schedule: '0 4 * * *',
          streams: {
            rows: rows(origin).into('t.rows', { key: 'id' }),
            items: http(origin)
              .get<{ rows: { id: number; at: string }[]; next: string | null }>('/items', { since })
              .pages(byCursor('after', 'next'))
              .records('rows')
              .incremental('at')
              .into('t.items', { key: 'id' }),
          },
        }),
      ],
      handler: ({ path, query }) =>
        path === '/items'
          ? { json: { rows: [{ id: 1, at: '2024-01-01T00:00:00Z' }], next: null } }
          : {
              json: {
                rows:
                  query.get('page') === '1'
                    ? [
                        { id: 1, name: 'a' },
                        { id: null, name: 'b' },
                      ]
                    : [],
              },
            },
    })
    await run(served.pipeline, { database: served.test.url, environment: {} })
    const { json } = await served.get('/api/summary')
    const done = {
      run: '1',
      kind: 'sync',
      status: 'done',
      startedAt: time,
      finishedAt: time,
      ms: expect.any(Number),
      completeness: { grade: 'ended', reasons: [] },
      error: null,
    }
    expect(json).toEqual({
      at: time,
      version: '0.1.0',
      event: expect.stringMatching(/^\d+$/),
      pipelines: [
        {
          pipeline: 'shop',
          loaded: true,
          schedule: '0 4 * * *',
          zone: 'UTC',
          nextTick: expect.stringMatching(/T04:00:00.000Z$/),
          overdueSince: null,
          findings: [],
          streams: [
            {
              stream: 'rows',
              table: 't.rows',
              write: 'merge',
              key: ['id'],
              cursor: null,
              rejects: 1,
              lastSuccess: time,
              completeness: { grade: 'ended', reasons: [] },
              openReadings: 0,
              overdueSince: null,
              findings: [
                { kind: 'rejects', isProblem: false, message: expect.stringContaining('1 record could not be stored') },
              ],
              runs: [{ ...done, counts: counts({ fetched: 2, inserted: 1, rejected: 1 }) }],
            },
            {
              stream: 'items',
              table: 't.items',
              write: 'merge',
              key: ['id'],
              cursor: { value: '2024-01-01T00:00:00Z', updatedAt: time, lagSeconds: expect.any(Number) },
              rejects: 0,
              lastSuccess: time,
              completeness: { grade: 'ended', reasons: [] },
              openReadings: 0,
              overdueSince: null,
              findings: [],
              runs: [{ ...done, counts: counts({ fetched: 1, inserted: 1 }) }],
            },
          ],
        },
      ],
      running: [],
      lastRuns: [
        expect.objectContaining({
          run: '1',
          status: 'done',
          streams: ['rows', 'items'],
          counts: counts({ fetched: 3, inserted: 2, rejected: 1 }),
        }),
      ],
      backfills: [],
      waits: [],
      work: { workers: [], waiting: [] },
    })
  })

  test('the summary shows what APIs have asked to wait for, also as a notice of the stream', async () => {
    await using served = await rig({ handler: () => ({ status: 429, headers: { 'retry-after': '86400' } }) })
    await run(served.pipeline, { database: served.test.url, environment: {}, throwOnFailure: false })
    const { json } = await served.get('/api/summary')
    const [wait] = json.waits
    expect(json.waits).toEqual([
      {
        api: expect.stringMatching(/^http:/),
        path: expect.stringMatching(/^\//),
        until: time,
        source: {
          run: '1',
          pipeline: 'shop',
          stream: 'rows',
          request: `GET ${wait.path}`,
          status: 429,
          header: 'retry-after: 86400',
        },
      },
    ])
    expect(json.pipelines[0].streams[0].findings).toContainEqual({
      kind: 'waiting',
      isProblem: false,
      message: expect.stringContaining(`no request is sent to ${wait.api}${wait.path} until ${wait.until}`),
    })
  })

  test('summaries of clients that left neither run nor wait in the queue', async () => {
    await using served = await rig()
    const { database } = served.test
    await using lock = await database.transaction()
    await lock.run('lock table sluice.cursors in access exclusive mode')
    // One connection of each summary that is being read.
    const reading = async (): Promise<number> =>
      (
        await database.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
      ).length
    const clients = Array.from({ length: 5 }, () => new AbortController())
    const left = clients.map(async ({ signal }) => fetch(`${served.server.url}/api/summary`, { signal }))
    await until(async () => (await reading()) === 2, 'two summaries are read, three wait')
    for (const client of clients) client.abort()
    await until(async () => (await reading()) === 0, 'none is read')
    const answer = served.get('/api/summary')
    await until(async () => (await reading()) === 1, 'the next one is read')
    await lock.commit()
    expect((await answer).status).toBe(200)
    for (const one of await Promise.allSettled(left)) expect(one.status).toBe('rejected')
    expect(served.failures).toEqual([])
  })

  test('the summary shows an active run with its slices and progress', async () => {
    const go = Promise.withResolvers<void>()
    await using served = await rig({
      handler: async ({ query }) => {
        if (query.get('page') === '3') await go.promise
        return { json: { rows: Number(query.get('page')) > 3 ? [] : [{ id: Number(query.get('page')), name: 'a' }] } }
      },
    })
    const {
      json: { run: id },
    } = await served.post('/api/runs', { pipeline: 'shop' })
    let running
    await until(async () => {
      ;[running] = (await served.get('/api/summary')).json.running
      return running?.gauge?.streams.rows?.read === 2 && running.slices.length > 0
    }, 'the run has reported two pages')
    go.resolve()
    expect(running).toMatchObject({
      run: id,
      pipeline: 'shop',
      status: 'running',
      here: true,
      stopRequestedAt: null,
      slices: [{ stream: 'rows', since: null, batches: expect.any(Number) }],
      gauge: {
        type: 'gauge',
        at: time,
        memory: { limit: 67108864 },
        streams: { rows: { requests: 2, underWay: 1, read: 2, waitsFor: 'api' } },
      },
    })
    expect(await ended(served, id)).toMatchObject({
      status: 'done',
      gauge: {
        streams: { rows: { requests: 4, pages: 4, read: 3, stored: 3, ahead: 0, underWay: 0, waitsFor: null } },
      },
    })
  })
})
