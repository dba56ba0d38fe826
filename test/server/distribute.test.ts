/* oxlint-disable typescript/no-unsafe-argument -- Answers are compared as they came. */
import { expect, test } from '@jest/globals'
import { http, onePage, pipeline, since, until as upTo } from '../../src/index.ts'
import { startWorker } from '../run/distribute/support.ts'
import { ended, rig, until } from './support.ts'

/** A pipeline `shop` with two streams of one record, which a backfill reads a day at a time. */
const shop = (origin: string) => {
  const stream = (table: `t.${string}`) =>
    http(origin, { attempts: 1 })
      .get<{ id: string; at: string }[]>('/days', { from: since, to: upTo })
      .pages(onePage())
      .records()
      .incremental('at')
      .into(table, { key: 'id' })
  return pipeline('shop', { streams: { days: stream('t.days'), others: stream('t.others') } })
}

test('workers read what requests start, and without workers the server reads it', async () => {
  await using served = await rig({
    distribute: true,
    pipelines: (origin) => [shop(origin)],
    handler: ({ query }) => ({ json: [{ id: '1', at: query.get('from') ?? '2024-01-01T00:00:00Z' }] }),
  })
  const { post, test, pipeline: flow } = served
  const runs = (): Promise<unknown> =>
    test.database.query('select kind, worker is not null as "hasWorker", status from sluice.runs order by id')
  await ended(served, (await post('/api/runs', { pipeline: 'shop' })).json.run)
  const here = { kind: 'sync', hasWorker: false, status: 'done' }
  expect(await runs()).toEqual([here])

  await using worker = await startWorker([flow], test.url)
  const started = await post('/api/runs', { pipeline: 'shop', streams: ['days'] })
  expect(started).toMatchObject({ status: 202, json: { run: expect.any(String) } })
  expect(await ended(served, started.json.run)).toMatchObject({ status: 'done' })
  expect(await runs()).toEqual([here, { ...here, hasWorker: true }])

  const range = { pipeline: 'shop', stream: 'days', from: '2024-03-01', to: '2024-03-04' }
  const backfill: unknown = await ended(served, (await post('/api/backfills', range)).json.run)
  expect(backfill).toMatchObject({ kind: 'backfill', status: 'done' })
  await until(
    () => worker.events.filter((event) => event.type === 'piece.finished' && event.window !== undefined).length === 3,
  )
})
