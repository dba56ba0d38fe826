import { describe, expect, test } from '@jest/globals'
import { backfill, http, onePage, pipeline, run, RunFailedError, runSchedule, since, until } from '../../src/index.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

const shop = (origin: string) => {
  const list = (path: '/good' | '/bad') =>
    http(origin, { attempts: 1 })
      .get<{ id: number; at: string }[]>(path, { since, until })
      .pages(onePage())
      .records()
      .incremental('at')
  return pipeline('shop', {
    streams: {
      good: list('/good').into('shop.good', { key: 'id' }),
      bad: list('/bad').into('shop.bad', { key: 'id' }),
    },
  })
}
/** The compiler refuses former words too; JavaScript does not. */
const former = (options: object): never => options as never
const api = () => apiServer(({ path }) => (path === '/bad' ? { status: 400 } : { json: [{ id: 1, at: '2024-01-01' }] }))

describe('a run with a stream that fails', () => {
  test('throws a RunFailedError with the report after the other streams have ended', async () => {
    await using database = await testDatabase()
    await using server = await api()
    const error = await run(shop(server.origin), { database: database.url }).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(RunFailedError)
    expect(error).toMatchObject({
      name: 'RunFailedError',
      code: 'RUN_FAILED',
      message: expect.stringMatching(/^shop: 1 of 2 streams failed\n {2}bad: .*answered 400/),
      report: { status: 'failed', streams: { good: { status: 'done' }, bad: { status: 'failed' } } },
    })
    expect(await database.database.query('select id from shop.good')).toHaveLength(1)
  })

  test('returns the report with throwOnFailure: false', async () => {
    await using database = await testDatabase()
    await using server = await api()
    const report = await run(shop(server.origin), { database: database.url, throwOnFailure: false })
    expect(report).toMatchObject({ status: 'failed', streams: { good: { counts: { inserted: 1 } } } })
  })

  test('returns the report of a run that its signal has ended', async () => {
    await using database = await testDatabase()
    await using server = await api()
    const report = await run(shop(server.origin), {
      database: database.url,
      streams: ['good'],
      signal: AbortSignal.abort(),
    }).catch((error: unknown) => error)
    expect(report).not.toBeInstanceOf(RunFailedError)
  })
})

test('a backfill with a failed window throws, or returns the report with throwOnFailure: false', async () => {
  await using database = await testDatabase()
  await using server = await api()
  const options = { database: database.url, stream: 'bad', from: '2024-01-01', to: '2024-01-03' }
  await expect(backfill(shop(server.origin), options)).rejects.toThrow(RunFailedError)
  const report = await backfill(shop(server.origin), { ...options, throwOnFailure: false })
  expect(report).toMatchObject({ kind: 'backfill', status: 'failed' })
})

test('a dry run of a backfill requests nothing and returns the windows', async () => {
  await using database = await testDatabase()
  await using server = await api()
  const options = { database: database.url, stream: 'good', from: '2024-01-01', to: '2024-01-03' } as const
  const [plan] = await backfill(shop(server.origin), { ...options, dryRun: true })
  expect(plan?.windows).toHaveLength(2)
  expect(server.requests).toEqual([])
})

describe('an option with its former name is refused, and the error names the new one', () => {
  const flow = shop('http://127.0.0.1:1')

  test.each<[string, () => Promise<unknown>, string]>([
    ['run on', () => run(flow, former({ on: () => {} })), 'run(): on is now onEvent'],
    ['run failed', () => run(flow, former({ failed: () => {} })), 'run(): failed is now onStreamError'],
    ['backfill on', () => backfill(flow, former({ on: () => {} })), 'backfill(): on is now onEvent'],
    ['backfill failed', () => backfill(flow, former({ failed: () => {} })), 'backfill(): failed is now onStreamError'],
    ['runSchedule on', () => runSchedule([flow], former({ on: () => {} })), 'runSchedule(): on is now onEvent'],
  ])('%s', async (_, call, message) => {
    await expect(call()).rejects.toMatchObject({ code: 'USAGE', message })
  })
})
