/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-argument, typescript/no-unsafe-return
   -- Answers are compared as they came. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { run } from '../../src/index.ts'
import { rig } from './support.ts'

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

describe('queries', () => {
  test('lists are paged, newest first, without a gap', async () => {
    await using served = await rig()
    for (let n = 0; n < 5; n++) await run(served.pipeline, { database: served.test.url, environment: {} })
    const seen: string[] = []
    for (let after = ''; ;) {
      const { json } = await served.get(`/api/runs?limit=2${after && `&after=${after}`}`)
      seen.push(...json.runs.map(({ run: id }: { run: string }) => id))
      if (json.next === null) break
      after = json.next
    }
    expect(seen).toEqual(['5', '4', '3', '2', '1'])
    expect((await served.get('/api/runs?pipeline=other')).json).toEqual({ runs: [], next: null })
    expect((await served.get('/api/runs?status=failed')).json).toEqual({ runs: [], next: null })
    expect((await served.get('/api/slices?run=3&limit=1')).json).toEqual({
      slices: [
        {
          slice: '3',
          pipeline: 'shop',
          stream: 'rows',
          kind: 'sync',
          status: 'done',
          held: false,
          run: '3',
          startedBy: '3',
          since: null,
          until: null,
          backfill: null,
          lower: null,
          upper: null,
          completeness: { grade: 'ended', reasons: [] },
          counts: counts({ fetched: 30, unchanged: 30 }),
          batches: expect.any(Number),
          createdAt: time,
          finishedAt: time,
          error: null,
        },
      ],
      next: null,
    })
    expect((await served.get('/api/runs/1')).json).toMatchObject({
      run: '1',
      options: { streams: ['rows'] },
      report: { status: 'done' },
      details: [{ stream: 'rows', isDone: true, counts: counts({ fetched: 30, inserted: 30 }) }],
    })
    expect((await served.get('/api/backfills')).json).toEqual({ backfills: [], next: null })
  })

  test('rejects have their reason and their record with every digit, newest first', async () => {
    await using served = await rig({
      handler: ({ query }) =>
        query.get('page') === '1'
          ? {
              body: '{"rows":[{"id":null,"big":12345678901234567890},{"id":null,"big":2}]}',
              headers: { 'content-type': 'application/json' },
            }
          : { json: { rows: [] } },
    })
    await run(served.pipeline, { database: served.test.url, environment: {} })
    const { json } = await served.get('/api/rejects?stream=rows')
    expect(json).toEqual({
      next: null,
      rejects: [
        expect.objectContaining({ reject: '2' }),
        {
          reject: '1',
          run: '1',
          slice: '1',
          pipeline: 'shop',
          stream: 'rows',
          stage: 'encode',
          reason: expect.stringContaining('id'),
          record: '{"id":null,"big":12345678901234567890}',
          parents: null,
          createdAt: time,
          settledAt: null,
          settlement: null,
        },
      ],
    })
    expect((await served.get('/api/rejects?limit=1')).json).toMatchObject({ next: '2', rejects: [{ reject: '2' }] })
    expect((await served.get('/api/rejects?limit=1&after=2')).json).toMatchObject({
      next: null,
      rejects: [{ reject: '1' }],
    })
  })

  test('an invalid request is answered with location, problem and remedy', async () => {
    await using served = await rig()
    for (const [path, status, word] of [
      ['/api/runs?limit=0', 400, 'limit'],
      ['/api/runs?limit=many', 400, 'limit'],
      ['/api/runs?more=1', 400, 'additional'],
      ['/api/runs?status=odd', 400, 'status'],
      ['/api/runs/12x', 400, 'id'],
      ['/api/runs/12', 404, 'run 12'],
      ['/api/backfills/9', 404, 'backfill 9'],
      ['/api/slices?run=../x', 400, 'run'],
      ['/api/streams/shop/none/records', 404, 'shop.none'],
      ['/api/streams/shop/rows/records', 404, 't.rows'],
      ['/nowhere', 404, '/nowhere'],
      ['/page/../serve.ts', 404, 'serve'],
      ['/page/..%2fserve.ts', 404, 'file'],
      ['/page/none.js', 404, 'none.js'],
      ['/uplot/package.json', 404, 'file'],
    ] as const) {
      const answer = await served.get(path)
      expect([path, answer.status]).toEqual([path, status])
      expect(answer.json).toEqual({
        error: {
          location: expect.stringContaining('GET /'),
          problem: expect.stringContaining(word),
          remedy: expect.stringMatching(/\w/),
        },
      })
      expect(answer.text).not.toMatch(/\bat .*:\d+:\d+/)
    }
  })

  test('the server answers with OpenAPI, page, metrics and health', async () => {
    await using served = await rig()
    await run(served.pipeline, { database: served.test.url, environment: {} })
    const { json } = await served.get('/api/openapi.json')
    expect(Object.keys(json.paths).toSorted()).toEqual([
      '/api/backfills',
      '/api/backfills/{id}',
      '/api/backfills/{id}/retry',
      '/api/events',
      '/api/rejects',
      '/api/runs',
      '/api/runs/{id}',
      '/api/runs/{id}/cancel',
      '/api/slices',
      '/api/streams/{pipeline}/{stream}/records',
      '/api/summary',
      '/api/workers',
      '/healthz',
      '/metrics',
      '/readyz',
    ])
    expect(json.paths['/api/runs'].post.requestBody.content['application/json'].schema.required).toEqual(['pipeline'])
    expect((await served.get('/healthz')).json).toEqual({ status: 'ok' })
    expect((await served.get('/readyz')).json).toEqual({ status: 'ready', schema: 'current' })
    expect((await served.get('/')).headers.get('content-type')).toContain('text/html')
    expect((await served.get('/uplot/uPlot.esm.js')).headers.get('content-type')).toContain('javascript')
    let metrics = ''
    while (!metrics.includes('sluice_runs_total{pipeline="shop",status="done"} 1'))
      metrics = (await served.get('/metrics')).text
    expect(metrics).toContain('sluice_rows_total{pipeline="shop",stream="rows",outcome="inserted"} 30')
    expect(metrics).toContain('sluice_requests_total{pipeline="shop",stream="rows"} 11')
    for (const name of [
      'event_loop_delay_seconds',
      'pool_connections',
      'pages_ahead',
      'retries_total',
      'wait_seconds_total',
      'bytes_total',
      'rejects_total',
      'cursor_lag_seconds',
    ])
      expect(metrics).toContain(`sluice_${name}`)
    const deployed = ['grafana/sluice.json', 'prometheus/alerts.yml'].map((file) =>
      readFileSync(join(import.meta.dirname, '../../deploy', file), 'utf8'),
    )
    const used = new Set(deployed.flatMap((text) => [...text.matchAll(/\bsluice_\w+/g)].map(([name]) => name)))
    expect(used.size).toBeGreaterThan(15)
    expect([...used].filter((name) => !metrics.includes(`# TYPE ${name} `))).toEqual([])
    // An alert about failures needs the counter before the first one.
    expect(metrics).toContain('sluice_runs_total{pipeline="shop",status="failed"} 0')
    await served.test.database.query(
      'delete from sluice.migrations where name = (select max(name) from sluice.migrations)',
    )
    expect(await served.get('/readyz')).toMatchObject({
      status: 503,
      json: { error: { remedy: expect.stringContaining('sluice migrate') } },
    })
  })
})
