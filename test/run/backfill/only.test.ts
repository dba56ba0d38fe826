import { expect, test } from '@jest/globals'
import { backfill, http, onePage, pipeline, since, until } from '../../../src/index.ts'
import { dryRunBackfill } from '../../../src/run/backfill/dry-run.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'

test.each([
  ['failed', 1],
  ['missing', 1],
  ['all', 2],
] as const)(
  '--only %s of a window that failed and was skipped since: dry run and run agree on %i windows',
  async (only, windows) => {
    const failing = new Set<string>()
    await using api = await apiServer(({ query }) => {
      const from = query.get('from')!
      return failing.has(from) ? { status: 404 } : { json: [{ id: Number(from.slice(8, 10)), at: from }] }
    })
    await using test = await testDatabase()
    const days = http(api.origin as 'http://x')
      .get<{ id: number; at: string }[]>('/days', { from: since, to: until })
      .pages(onePage())
      .records()
      .incremental('at')
    const flow = pipeline('fill', { streams: { days: days.into('t.days', { key: 'id', versionBy: 'at' }) } })
    const options = { database: test.url, concurrency: 1, throwOnFailure: false }
    const three = { ...options, from: '2024-01-01', to: '2024-01-04', window: '1d' } as const
    // Two of three windows fail; another backfill does the first one, so that --only missing skips it.
    failing.add('2024-01-01T00:00:00Z').add('2024-01-02T00:00:00Z')
    await backfill(flow, three)
    failing.delete('2024-01-01T00:00:00Z')
    await backfill(flow, { ...options, from: '2024-01-01', to: '2024-01-02', window: '24h' })
    await backfill(flow, { ...three, only: 'missing' })
    expect(
      await test.database.query(`select status, failures::int from sluice.slices where backfill = 1 order by lower`),
    ).toEqual([
      { status: 'skipped', failures: 1 },
      { status: 'failed', failures: 2 },
      { status: 'done', failures: 0 },
    ])

    const [plan] = await dryRunBackfill(flow, { ...three, only })
    const before = api.requests.length
    const report = await backfill(flow, { ...three, only })
    expect(api.requests.length - before).toBe(windows)
    expect(plan?.toRead).toBe(windows)
    expect(report.streams['days']?.backfill?.windows).toMatchObject({ failed: 1, skipped: only === 'all' ? 0 : 1 })
  },
)

test('dry run and run agree on the windows of onlyWindows, planned before or not', async () => {
  await using api = await apiServer(({ query }) => ({ json: [{ id: 1, at: query.get('from') }] }))
  await using test = await testDatabase()
  const days = http(api.origin as 'http://x')
    .get<{ id: number; at: string }[]>('/days', { from: since, to: until })
    .pages(onePage())
    .records()
    .incremental('at')
  const flow = pipeline('fill', { streams: { days: days.into('t.days', { key: 'id', versionBy: 'at' }) } })
  const three = { database: test.url, from: '2024-01-01', to: '2024-01-04', window: '1d' } as const
  const toRead = async (onlyWindows: readonly string[]): Promise<number | undefined> =>
    (await dryRunBackfill(flow, { ...three, onlyWindows }))[0]?.toRead

  expect(await toRead(['2024-01-02T00:00:00Z'])).toBe(1)
  await backfill(flow, { ...three, onlyWindows: ['2024-01-02T00:00:00Z'] })
  expect(api.requests.map(({ query }) => query.get('from'))).toEqual(['2024-01-02T00:00:00Z'])
  expect(await toRead(['2024-01-02T00:00:00Z', '2024-01-03T00:00:00.000Z'])).toBe(1)
  await expect(backfill(flow, { ...three, onlyWindows: ['2024-01-02T01:00:00Z'] })).rejects.toThrow(
    'onlyWindows: no window of this backfill begins at 2024-01-02T01:00:00Z',
  )
})
